/**
 * Rules of `checkpoint`: operands args, region fun(args). Reverse mode saves the arguments alone and runs `fun`
 * again in the backward pass, behind an `optimization_barrier` so that the two runs are not merged.
 *
 *   y = checkpoint(x) { fun }      y = checkpoint(x) { fun }
 *                                  ct_x = checkpoint(x, ct_y) { x', ct' = barrier(x, ct_y); fun again on x'; transposed on ct' }
 */

import { removeDeadOperations } from '../../passes/dead-code.ts';
import { optimizationBarrier } from '../../primitives/optimization-barrier.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Builder } from '../../tensor-ir/builder.ts';
import type { RegionRules } from '../../tensor-ir/primitive.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { type Dual, finishJvp, traceJvp } from '../jvp.ts';
import { derivedName } from '../names.ts';
import { copyFunction, linearSplit, type Partition } from '../split.ts';
import { pick, present, spread, type Tangent } from '../tangents.ts';
import { finishTranspose, traceTranspose } from '../transpose.ts';
import { type Batched, finishBatch, traceBatch } from '../vmap.ts';

function jvp(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const body = op.regions[0]!;
  const trace = traceJvp(
    body,
    tangents.map((t) => t !== undefined),
  );
  const wanted = trace.dual.tangents.map((t) => t !== undefined);
  const region = finishJvp(trace, body.name, wanted);
  const operands = [...op.operands, ...present(tangents)];
  const results = b.applyAll(op.primitive, operands, op.attrs, [region]);
  const count = op.results.length;
  return { primals: results.slice(0, count), tangents: spread(results.slice(count), wanted) };
}

/** The linear half keeps the whole body: its residuals are the arguments. */
function split(op: Operation, isLinear: readonly boolean[]): Partition {
  const body = op.regions[0]!;
  const half = linearSplit(body, isLinear);
  const known = op.results.filter((_, i) => !half.isLinearResult[i]);
  const knownResults = half.known.results.slice(0, known.length);
  const knownRegion = copyFunction({
    ...half.known,
    body: removeDeadOperations(half.known.body, knownResults),
    results: knownResults,
  });
  const linearResults = pick(body.results, half.isLinearResult);
  const linearRegion = {
    ...body,
    body: removeDeadOperations(body.body, linearResults),
    results: linearResults,
  };
  return {
    known:
      known.length === 0
        ? []
        : [
            {
              ...op,
              operands: op.operands.filter((_, i) => !isLinear[i]),
              regions: [knownRegion],
              results: known,
            },
          ],
    linear: [{ ...op, regions: [linearRegion], results: pick(op.results, half.isLinearResult) }],
  };
}

function transpose(
  b: Builder,
  op: Operation,
  isLinear: readonly boolean[],
  cotangents: readonly Tangent[],
): readonly Tangent[] {
  const body = op.regions[0]!;
  const hasCotangent = cotangents.map((c) => c !== undefined);
  const trace = traceTranspose(body, isLinear, hasCotangent, barrier);
  const wanted = trace.cotangents.map((c) => c !== undefined);
  if (!wanted.includes(true)) return op.operands.map(() => undefined);
  const region = finishTranspose(trace, derivedName(body.name, 'transpose'), wanted);
  const known = op.operands.filter((_, i) => !isLinear[i]);
  const operands = [...known, ...present(cotangents)];
  const results = b.applyAll(op.primitive, operands, op.attrs, [region]);
  return spread(spread(results, wanted), isLinear);
}

/** On the cotangents too: recomputing then waits until the backward pass is there. */
function barrier(b: Builder, values: readonly Value[]): readonly Value[] {
  return values.length === 0 ? values : b.applyAll(optimizationBarrier, values, {});
}

function batch(b: Builder, op: Operation, isMapped: readonly boolean[], size: Int): Batched {
  const body = op.regions[0]!;
  const trace = traceBatch(body, isMapped, size);
  const region = finishBatch(trace, body.name, trace.isMapped);
  const results = b.applyAll(op.primitive, op.operands, op.attrs, [region]);
  return { results, isMapped: trace.isMapped };
}

/** Rules of `checkpoint`. */
export const checkpointRules: RegionRules = { jvp, split, transpose, batch };
