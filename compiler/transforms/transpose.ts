/**
 * Transposition: the linear operations walked backward, from cotangents of results to cotangents of inputs.
 *
 *   linear(c, dx) { dy = mul(dx, c); return dy }      transposed(c, ct_dy) { ct_dx = mul(ct_dy, c); return ct_dx }
 *
 * A value read twice gets the sum of its cotangents, added in the order of the walk, so that results repeat.
 */
import { addTangents, instantiate } from '../primitives/values.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import { isAbsent } from '../tensor-ir/primitive.ts';
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import { derivedName, nameValues } from './names.ts';
import { TransformProblem } from './problem.ts';
import { partition } from './split.ts';
import { hasTangentType, type Tangent } from './tangents.ts';

/** Cotangents by value; absent means zero. */
export type Cotangents = Map<Value, Value>;

/** Adds `cotangent` to what `value` has so far. */
export function accumulate(
  b: Builder,
  cotangents: Cotangents,
  value: Value,
  cotangent: Tangent,
): void {
  const start = b.operations.length;
  const sum = addTangents(b, cotangents.get(value), cotangent);
  const [total] = nameValues(b, start, [sum], [value.name]);
  if (total !== undefined) cotangents.set(value, total);
}

/** Emits the transposed operations into `b`; `cotangents` holds those of the results and gains those of the inputs. */
export function transposeOperations(
  b: Builder,
  linear: readonly Operation[],
  isLinear: ReadonlySet<Value>,
  cotangents: Cotangents,
): void {
  for (let i = linear.length - 1; i >= 0; i--) {
    const op = linear[i]!;
    const incoming = op.results.map((r) => cotangents.get(r));
    if (incoming.every((c) => c === undefined)) continue;
    b.span = op.span;
    const flags = op.operands.map((v) => isLinear.has(v));
    const start = b.operations.length;
    const outgoing = nameValues(
      b,
      start,
      transposeOperation(b, op, flags, incoming),
      op.operands.map((v) => v.name),
    );
    op.operands.forEach((v, k) => {
      if (flags[k]) accumulate(b, cotangents, v, outgoing[k]);
    });
  }
}

function transposeOperation(
  b: Builder,
  op: Operation,
  flags: readonly boolean[],
  cotangents: readonly Tangent[],
): readonly Tangent[] {
  const { regional, transpose } = op.primitive;
  if (regional !== undefined) return regional.transpose(b, op, flags, cotangents);
  if (isAbsent(transpose)) {
    throw new TransformProblem(
      `\`${op.primitive.name}\` has no reverse-mode derivative: ${transpose.absent}`,
      op.span,
    );
  }
  return transpose(b, op, flags, cotangents);
}

/** A transposed function whose boundary is not fixed yet. */
export interface TransposeTrace {
  readonly builder: Builder;
  /** The known parameters, then one cotangent for each result with `hasCotangent`. */
  readonly parameters: readonly Value[];
  /** One for each linear parameter. */
  readonly cotangents: readonly Tangent[];
  readonly types: readonly Value['type'][];
}

/**
 * Transposes a function that is linear in the parameters flagged; what it computes from the others alone is computed first.
 * `adaptKnown` may wrap the known parameters (a barrier against merging with the forward pass).
 */
export function traceTranspose(
  func: Func,
  isLinearParameter: readonly boolean[],
  hasCotangent: readonly boolean[],
  adapt: (b: Builder, values: readonly Value[]) => readonly Value[] = (_, values) => values,
): TransposeTrace {
  const builder = new Builder();
  const known = func.parameters.filter((_, i) => !isLinearParameter[i]);
  const linear = func.parameters.filter((_, i) => isLinearParameter[i]);
  const knownParameters = known.map((p) => makeValue(p.type, p.name));
  const results = func.results.filter((_, i) => hasCotangent[i]);
  const cotangentParameters = results.map((r) => makeValue(r.type, r.name));
  const parameters = [...knownParameters, ...cotangentParameters];
  const adapted = adapt(builder, parameters);

  // Run the function on the adapted values: known operations are emitted, linear ones only looked at.
  const values = new Map<Value, Value>(known.map((p, i) => [p, adapted[i]!]));
  const rename = (v: Value): Value => values.get(v) ?? v;
  const isLinear = new Set(linear);
  const parts = partition(func.body, isLinear);
  for (const op of parts.known) {
    const fresh = op.results.map((r) => makeValue(r.type, r.name));
    builder.operations.push({ ...op, operands: op.operands.map(rename), results: fresh });
    op.results.forEach((r, i) => values.set(r, fresh[i]!));
  }
  const linearOperations = parts.linear.map((op) => ({
    ...op,
    operands: op.operands.map(rename),
  }));

  const cotangents: Cotangents = new Map();
  results.forEach((r, i) => {
    if (isLinear.has(r)) accumulate(builder, cotangents, r, adapted[known.length + i]);
  });
  transposeOperations(builder, linearOperations, isLinear, cotangents);
  return {
    builder,
    parameters,
    cotangents: linear.map((p) => cotangents.get(p)),
    types: linear.map((p) => p.type),
  };
}

/** Ends a trace. Results: a cotangent for each linear parameter with `wanted`, zeros instantiated. */
export function finishTranspose(
  trace: TransposeTrace,
  name: string,
  wanted: readonly boolean[],
): Func {
  const { builder, parameters, cotangents, types } = trace;
  const results = cotangents.flatMap((c, i) =>
    wanted[i] ? [instantiate(builder, c, types[i]!)] : [],
  );
  return builder.finish(name, parameters, results);
}

/**
 * The transpose of a function that is linear in the flagged parameters: (known parameters, cotangents of all float results)
 * to cotangents of the linear parameters. Throws TransformProblem when an operation is not linear.
 */
export function transposeFunction(func: Func, isLinearParameter: readonly boolean[]): Func {
  const trace = traceTranspose(func, isLinearParameter, func.results.map(hasTangentType));
  return finishTranspose(
    trace,
    derivedName(func.name, 'transpose'),
    trace.cotangents.map(() => true),
  );
}
