/**
 * Rules of `custom_jvp` (fun, rule) and `custom_vjp` (fun, fwd, bwd): derivatives given by the user.
 * Tangents and cotangents are those of float arguments and float results, in order.
 */

import { reduceSum } from '../../primitives/reduce.ts';
import { instantiate } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Builder } from '../../tensor-ir/builder.ts';
import type { Primitive } from '../../tensor-ir/primitive.ts';
import { definePrimitive, type RegionRules } from '../../tensor-ir/primitive.ts';
import type { Attrs, Func, Operation } from '../../tensor-ir/program.ts';
import type { Dual } from '../jvp.ts';
import { TransformProblem } from '../problem.ts';
import { inlinedAs, type Partition, partition } from '../split.ts';
import { either, hasTangentType, pick, spread, type Tangent } from '../tangents.ts';
import { type Batched, finishBatch, traceBatch } from '../vmap.ts';

/** Forward mode has run, so the rule has done its work: what is left of an operation on tangents is its function. */
function splitFunction(op: Operation, isLinear: readonly boolean[]): Partition {
  const operations = inlinedAs(op.regions[0]!, op);
  return partition(operations, new Set(pick(op.operands, isLinear)));
}

function neverTransposed(op: Operation): never {
  throw new TransformProblem(`\`${op.primitive.name}\` cannot be transposed`, op.span);
}

/** custom_jvp: the rule replaces the function. */
function jvpByRule(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const [fun, rule] = op.regions as [Func, Func];
  const isFloat = op.operands.map(hasTangentType);
  const given = op.operands.map(
    (v, i) => tangents[i] ?? (isFloat[i] ? instantiate(b, undefined, v.type) : undefined),
  );
  const out = b.inline(rule, [...op.operands, ...given.filter((t) => t !== undefined)]);
  const count = fun.results.length;
  return {
    primals: out.slice(0, count),
    tangents: spread(out.slice(count), fun.results.map(hasTangentType)),
  };
}

function batchCustomJvp(
  b: Builder,
  op: Operation,
  isMapped: readonly boolean[],
  size: Int,
): Batched {
  const [fun, rule] = op.regions as [Func, Func];
  const floats = fun.results.map(hasTangentType);
  const traceFun = traceBatch(fun, isMapped, size);
  const tangentMapped = pick(isMapped, fun.parameters.map(hasTangentType));
  const traceRule = traceBatch(rule, [...isMapped, ...tangentMapped], size);
  // A result and its tangent share a type, so one flag for both, and for both functions.
  const count = fun.results.length;
  const ruleTangents = spreadFlags(traceRule.isMapped.slice(count), floats);
  const wanted = [traceRule.isMapped.slice(0, count), ruleTangents].reduce(
    either,
    traceFun.isMapped,
  );
  const regions = [
    finishBatch(traceFun, fun.name, wanted),
    finishBatch(traceRule, rule.name, [...wanted, ...pick(wanted, floats)]),
  ];
  return { results: b.applyAll(op.primitive, op.operands, op.attrs, regions), isMapped: wanted };
}

function spreadFlags(values: readonly boolean[], flags: readonly boolean[]): readonly boolean[] {
  let next = 0;
  return flags.map((flag) => flag && values[next++]!);
}

export interface CustomVjpAttrs extends Attrs {
  readonly arguments: number;
  readonly residuals: number;
}

/** custom_vjp: `fwd` gives the results; the tangents are an operation that only reverse mode can read. */
function jvpByBackward(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const [fun, fwd, bwd] = op.regions as [Func, Func, Func];
  const out = b.inline(fwd, op.operands);
  const count = fun.results.length;
  const primals = out.slice(0, count);
  const residuals = out.slice(count);
  const isFloat = op.operands.map(hasTangentType);
  const hasTangent = pick(
    tangents.map((t) => t !== undefined),
    isFloat,
  );
  const outTangents = b.applyAll(
    customVjpTangent,
    [...residuals, ...tangents.filter((t) => t !== undefined)],
    {
      residuals: residuals.length,
      wrt: hasTangent.flatMap((flag, i) => (flag ? [i] : [])),
    },
    [bwd],
  );
  return { primals, tangents: spread(outTangents, fun.results.map(hasTangentType)) };
}

interface CustomVjpTangentAttrs extends Attrs {
  readonly residuals: number;
  /** Which results of `bwd` belong to the tangents given. */
  readonly wrt: readonly number[];
}

const onlyReverse = {
  absent:
    'a function with a `custom_vjp` has reverse mode only (its rule says how cotangents flow, not tangents)',
};

/**
 * (residuals, tangents) -> tangents of the results, of which only the transpose is known: region bwd. Lives between
 * `jvp` and `transpose` inside reverse mode.
 */
export const customVjpTangent: Primitive<CustomVjpTangentAttrs> =
  definePrimitive<CustomVjpTangentAttrs>({
    name: 'custom_vjp_tangent',
    inferType: (_, { residuals }, [bwd]) => bwd!.parameters.slice(residuals).map((p) => p.type),
    evaluate: () => {
      throw new TransformProblem(onlyReverse.absent);
    },
    jvp: onlyReverse,
    transpose: (b, op, _, cotangents) => {
      const [bwd] = op.regions;
      const { residuals, wrt } = op.attrs;
      const given = cotangents.map((c, i) => instantiate(b, c, op.results[i]!.type));
      const out = b.inline(bwd!, [...op.operands.slice(0, residuals), ...given]);
      return op.operands.map((_, i) => (i < residuals ? undefined : out[wrt[i - residuals]!]));
    },
    batch: onlyReverse,
    cost: { flops: 0 },
    lower: { kind: 'removed', by: 'transforms' },
  });

function batchCustomVjp(
  b: Builder,
  op: Operation,
  isMapped: readonly boolean[],
  size: Int,
): Batched {
  const [fun, fwd, bwd] = op.regions as [Func, Func, Func];
  const count = fun.results.length;
  const traceFun = traceBatch(fun, isMapped, size);
  const traceFwd = traceBatch(fwd, isMapped, size);
  const wanted = either(traceFun.isMapped, traceFwd.isMapped.slice(0, count));
  const residualMapped = traceFwd.isMapped.slice(count);
  const cotangentMapped = pick(wanted, fun.results.map(hasTangentType));
  const traceBwd = traceBatch(bwd, [...residualMapped, ...cotangentMapped], size);
  // An argument shared by the batch receives the sum over it.
  const argumentMapped = pick(isMapped, fun.parameters.map(hasTangentType));
  const results = traceBwd.results.map((r, i) =>
    traceBwd.isMapped[i] && !argumentMapped[i]
      ? traceBwd.builder.apply(reduceSum, [r], { axes: [0] })
      : r,
  );
  const summed = {
    ...traceBwd,
    results,
    isMapped: traceBwd.isMapped.map((flag, i) => flag && argumentMapped[i]!),
  };
  const regions = [
    finishBatch(traceFun, fun.name, wanted),
    finishBatch(traceFwd, fwd.name, [...wanted, ...residualMapped]),
    finishBatch(summed, bwd.name, argumentMapped),
  ];
  return { results: b.applyAll(op.primitive, op.operands, op.attrs, regions), isMapped: wanted };
}

/** Rules of `custom_jvp`. */
export const customJvpRules: RegionRules = {
  jvp: jvpByRule,
  split: splitFunction,
  transpose: (_, op) => neverTransposed(op),
  batch: batchCustomJvp,
};

/** Rules of `custom_vjp`. */
export const customVjpRules: RegionRules = {
  jvp: jvpByBackward,
  split: splitFunction,
  transpose: (_, op) => neverTransposed(op),
  batch: batchCustomVjp,
};
