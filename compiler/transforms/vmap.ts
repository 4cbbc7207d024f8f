/**
 * Vectorisation: each operation becomes one over the whole batch, by the `batch` rule of its primitive. The batch is
 * axis 0 of every mapped value; what does not depend on a mapped value is computed once, unbatched.
 */

import { broadcastLeading } from '../primitives/values.ts';
import type { Int } from '../symbolic/integer.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import { isAbsent } from '../tensor-ir/primitive.ts';
import type { Func, Operation, TensorType, Value } from '../tensor-ir/program.ts';
import { emitCopy } from './jvp.ts';
import { TransformProblem } from './problem.ts';

/** Values of which some carry the batch as axis 0. */
export interface Batched {
  readonly results: readonly Value[];
  readonly isMapped: readonly boolean[];
}

/** Emits `func` over a batch into `b`; mapped arguments carry the batch as axis 0. */
export function inlineBatch(
  b: Builder,
  func: Func,
  args: readonly Value[],
  isMapped: readonly boolean[],
  size: Int,
): Batched {
  const values = new Map<Value, Value>();
  const mapped = new Set<Value>();
  func.parameters.forEach((p, i) => {
    values.set(p, args[i]!);
    if (isMapped[i]) mapped.add(p);
  });
  for (const op of func.body) {
    b.span = op.span;
    const operands = op.operands.map((v) => values.get(v)!);
    const flags = op.operands.map((v) => mapped.has(v));
    const batched = flags.includes(true)
      ? applyBatch(b, op, operands, flags, size)
      : { results: emitCopy(b, op, operands), isMapped: op.results.map(() => false) };
    op.results.forEach((r, i) => {
      values.set(r, batched.results[i]!);
      if (batched.isMapped[i]) mapped.add(r);
    });
  }
  return {
    results: func.results.map((v) => values.get(v)!),
    isMapped: func.results.map((v) => mapped.has(v)),
  };
}

function applyBatch(
  b: Builder,
  op: Operation,
  operands: readonly Value[],
  flags: readonly boolean[],
  size: Int,
): Batched {
  const { regional, batch } = op.primitive;
  if (regional !== undefined) return regional.batch(b, { ...op, operands }, flags, size);
  if (isAbsent(batch)) {
    throw new TransformProblem(`\`${op.primitive.name}\` has no vmap: ${batch.absent}`, op.span);
  }
  const results = batch(b, op, operands, flags, size);
  return { results, isMapped: results.map(() => true) };
}

export function batchedType(type: TensorType, size: Int): TensorType {
  return { dtype: type.dtype, shape: [size, ...type.shape] };
}

/** A batched function whose boundary is not fixed yet. */
export interface BatchTrace extends Batched {
  readonly builder: Builder;
  readonly parameters: readonly Value[];
  readonly size: Int;
}

export function traceBatch(func: Func, isMapped: readonly boolean[], size: Int): BatchTrace {
  const builder = new Builder();
  const parameters = func.parameters.map((p, i) =>
    makeValue(isMapped[i] ? batchedType(p.type, size) : p.type, p.name),
  );
  return {
    builder,
    parameters,
    size,
    ...inlineBatch(builder, func, parameters, isMapped, size),
  };
}

/** Ends a trace; results in `wanted` carry the batch, broadcast where they do not depend on it. */
export function finishBatch(trace: BatchTrace, name: string, wanted: readonly boolean[]): Func {
  const { builder, parameters, results, isMapped, size } = trace;
  const adapted = results.map((r, i) =>
    wanted[i] && !isMapped[i] ? broadcastLeading(builder, r, size) : r,
  );
  return builder.finish(name, parameters, adapted);
}

/** `func` over a batch of `size`; `outMapped` says which results depend on it and carry it as axis 0. */
export function batchFunction(
  func: Func,
  isMapped: readonly boolean[],
  size: Int,
): { readonly func: Func; readonly outMapped: readonly boolean[] } {
  const trace = traceBatch(func, isMapped, size);
  return {
    func: finishBatch(trace, `${func.name}_vmap`, trace.isMapped),
    outMapped: trace.isMapped,
  };
}
