/**
 * Rules of `scan`: operands (carry..., sequences..., consts...), region body(index, carry, slices, consts) -> (carry, ys).
 *
 * Whether a carry has a tangent, a batch axis or is linear depends on the body, which depends on the carries:
 * each rule starts from the operands and repeats until nothing changes (at most once per carry, mostly once or twice).
 */
import { broadcastLeading, instantiate, moveAxis } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Builder } from '../../tensor-ir/builder.ts';
import type { RegionRules } from '../../tensor-ir/primitive.ts';
import type { Func, Operation } from '../../tensor-ir/program.ts';
import { type Dual, finishJvp, traceJvp } from '../jvp.ts';
import { present, spread, type Tangent } from '../tangents.ts';
import { type Batched, finishBatch, traceBatch } from '../vmap.ts';
import { attrsOf, fixpoint, group } from './scan-operands.ts';
import { split } from './scan-split.ts';
import { transpose } from './scan-transpose.ts';

export type { ScanAttrs } from './scan-operands.ts';

function jvp(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const attrs = attrsOf(op);
  const body = op.regions[0]!;
  const given = group(tangents, attrs);
  const sequenceFlags = given.sequences.map((t) => t !== undefined);
  const constFlags = given.consts.map((t) => t !== undefined);
  const { outcome: trace, flags } = fixpoint(
    given.carries.map((t) => t !== undefined),
    (carries) => {
      const outcome = traceJvp(body, [false, ...carries, ...sequenceFlags, ...constFlags]);
      const out = outcome.dual.tangents.slice(0, attrs.carries).map((t) => t !== undefined);
      return { outcome, out };
    },
  );
  const stackedFlags = trace.dual.tangents.slice(attrs.carries).map((t) => t !== undefined);
  const dual = finishJvp(trace, body.name, [...flags, ...stackedFlags]);

  // The trace has all primals first; the scan wants carries, sequences and consts each with their tangents.
  const primals = group(dual.parameters.slice(1, 1 + op.operands.length), attrs);
  const tangentFlags = [...flags, ...sequenceFlags, ...constFlags];
  const extra = group(spread(dual.parameters.slice(1 + op.operands.length), tangentFlags), attrs);
  const count = op.results.length;
  const results = dual.results.slice(0, count);
  const outTangents = dual.results.slice(count);
  const carryCount = flags.filter((f) => f).length;
  const region: Func = {
    ...dual,
    parameters: [
      dual.parameters[0]!,
      ...primals.carries,
      ...present(extra.carries),
      ...primals.sequences,
      ...present(extra.sequences),
      ...primals.consts,
      ...present(extra.consts),
    ],
    results: [
      ...results.slice(0, attrs.carries),
      ...outTangents.slice(0, carryCount),
      ...results.slice(attrs.carries),
      ...outTangents.slice(carryCount),
    ],
  };
  const operands = group(op.operands, attrs);
  const initial = operands.carries.flatMap((v, i) =>
    flags[i] ? [instantiate(b, given.carries[i], v.type)] : [],
  );
  const out = b.applyAll(
    op.primitive,
    [
      ...operands.carries,
      ...initial,
      ...operands.sequences,
      ...present(given.sequences),
      ...operands.consts,
      ...present(given.consts),
    ],
    {
      ...attrs,
      carries: attrs.carries + carryCount,
      sequences: attrs.sequences + present(given.sequences).length,
    },
    [region],
  );
  const stacked = attrs.carries + carryCount;
  const stackedTangents = stacked + count - attrs.carries;
  return {
    primals: [...out.slice(0, attrs.carries), ...out.slice(stacked, stackedTangents)],
    tangents: [
      ...spread(out.slice(attrs.carries, stacked), flags),
      ...spread(out.slice(stackedTangents), stackedFlags),
    ],
  };
}

/** The batch stays axis 0 inside the body; stacks carry it behind the axis of the loop. */
function batch(b: Builder, op: Operation, isMapped: readonly boolean[], size: Int): Batched {
  const attrs = attrsOf(op);
  const body = op.regions[0]!;
  const given = group(isMapped, attrs);
  const { outcome: trace, flags } = fixpoint(given.carries, (carries) => {
    const outcome = traceBatch(
      body,
      [false, ...carries, ...given.sequences, ...given.consts],
      size,
    );
    return { outcome, out: outcome.isMapped.slice(0, attrs.carries) };
  });
  const wanted = [...flags, ...trace.isMapped.slice(attrs.carries)];
  const region = finishBatch(trace, body.name, wanted);
  const operands = group(op.operands, attrs);
  const results = b.applyAll(
    op.primitive,
    [
      ...operands.carries.map((v, i) =>
        flags[i] && !given.carries[i] ? broadcastLeading(b, v, size) : v,
      ),
      ...operands.sequences.map((v, i) => (given.sequences[i] ? moveAxis(b, v, 0, 1) : v)),
      ...operands.consts,
    ],
    attrs,
    [region],
  );
  return {
    results: results.map((r, i) => (i >= attrs.carries && wanted[i] ? moveAxis(b, r, 1, 0) : r)),
    isMapped: wanted,
  };
}

/** Rules of `scan`. */
export const scanRules: RegionRules = { jvp, split, transpose, batch };
