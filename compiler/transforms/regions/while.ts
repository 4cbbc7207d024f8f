/**
 * Rules of `while`: operands (carry..., consts...), regions condition(carry, consts) -> bool and
 * body(carry, consts) -> carry. Forward mode only: how many residuals to save is not known before the loop ends.
 */

import { reduceAny } from '../../primitives/reduce.ts';
import { broadcastLeading, instantiate } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import { type Builder, makeValue } from '../../tensor-ir/builder.ts';
import type { RegionRules } from '../../tensor-ir/primitive.ts';
import type { Attrs, Func, Operation } from '../../tensor-ir/program.ts';
import { type Dual, finishJvp, type JvpTrace, traceJvp } from '../jvp.ts';
import { TransformProblem } from '../problem.ts';
import { either, pick, sameFlags, spread, type Tangent } from '../tangents.ts';
import { type Batched, inlineBatch, traceBatch } from '../vmap.ts';
import { selectRows } from './cond.ts';

export interface WhileAttrs extends Attrs {
  readonly carries: number;
}

function jvp(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const { carries: count } = op.attrs as WhileAttrs;
  const [condition, body] = op.regions as [Func, Func];
  const constFlags = tangents.slice(count).map((t) => t !== undefined);
  let flags: readonly boolean[] = tangents.slice(0, count).map((t) => t !== undefined);
  let trace: JvpTrace;
  for (;;) {
    trace = traceJvp(body, [...flags, ...constFlags]);
    const next = either(
      flags,
      trace.dual.tangents.map((t) => t !== undefined),
    );
    if (sameFlags(flags, next)) break;
    flags = next;
  }
  const dual = finishJvp(trace, body.name, flags);
  const primals = dual.parameters.slice(0, op.operands.length);
  const extra = spread(dual.parameters.slice(op.operands.length), [...flags, ...constFlags]);
  const arrange = <T>(items: readonly T[], added: readonly (T | undefined)[]): readonly T[] => [
    ...items.slice(0, count),
    ...added.slice(0, count).filter((t) => t !== undefined),
    ...items.slice(count),
    ...added.slice(count).filter((t) => t !== undefined),
  ];
  const regions: Func[] = [
    {
      ...condition,
      parameters: arrange(
        condition.parameters,
        extra.map((t) => t && makeValue(t.type, t.name)),
      ),
    },
    { ...dual, parameters: arrange(primals, extra) },
  ];
  const initial = tangents.map((t, i) => (flags[i] ? instantiate(b, t, op.operands[i]!.type) : t));
  const carries = count + pick(flags, flags).length;
  const operands = arrange(op.operands, initial);
  const results = b.applyAll(op.primitive, operands, { ...op.attrs, carries }, regions);
  return { primals: results.slice(0, count), tangents: spread(results.slice(count), flags) };
}

function noReverseMode(op: Operation): never {
  throw new TransformProblem(
    'a `while` loop has no reverse-mode derivative, as its number of steps is not bounded; ' +
      'write `for i in 0..n while condition { ... }` instead',
    op.span,
  );
}

/**
 * Runs while any element's condition holds. With a mapped condition each element keeps its carry once its own
 * condition is false.
 */
function batch(b: Builder, op: Operation, isMapped: readonly boolean[], size: Int): Batched {
  const { carries: count } = op.attrs as WhileAttrs;
  const [condition, body] = op.regions as [Func, Func];
  const constFlags = isMapped.slice(count);
  let flags: readonly boolean[] = isMapped.slice(0, count);
  let mappedCondition = false;
  for (;;) {
    mappedCondition ||= traceBatch(condition, [...flags, ...constFlags], size).isMapped[0]!;
    const out = traceBatch(body, [...flags, ...constFlags], size).isMapped;
    const next = mappedCondition ? flags.map(() => true) : either(flags, out);
    if (sameFlags(flags, next)) break;
    flags = next;
  }
  const all = [...flags, ...constFlags];
  const regions = [
    batchCondition(condition, all, size),
    batchBody(body, all, size, mappedCondition ? condition : undefined),
  ];
  const operands = op.operands.map((v, i) =>
    all[i] && !isMapped[i] ? broadcastLeading(b, v, size) : v,
  );
  const results = b.applyAll(op.primitive, operands, op.attrs, regions);
  return { results, isMapped: flags };
}

function batchCondition(condition: Func, flags: readonly boolean[], size: Int): Func {
  const { builder, parameters, results, isMapped } = traceBatch(condition, flags, size);
  const [holds] = results;
  const any = isMapped[0] ? builder.apply(reduceAny, [holds!], { axes: [0] }) : holds!;
  return builder.finish(condition.name, parameters, [any]);
}

function batchBody(
  body: Func,
  flags: readonly boolean[],
  size: Int,
  condition: Func | undefined,
): Func {
  const { builder, parameters, results, isMapped } = traceBatch(body, flags, size);
  const mapped = results.map((r, i) =>
    flags[i] && !isMapped[i] ? broadcastLeading(builder, r, size) : r,
  );
  if (condition === undefined) return builder.finish(body.name, parameters, mapped);
  const [holds] = inlineBatch(builder, condition, parameters, flags, size).results;
  const kept = mapped.map((r, i) => selectRows(builder, holds!, r, parameters[i]!));
  return builder.finish(body.name, parameters, kept);
}

/** Rules of `while`. */
export const whileRules: RegionRules = {
  jvp,
  split: noReverseMode,
  transpose: (_, op) => noReverseMode(op),
  batch,
};
