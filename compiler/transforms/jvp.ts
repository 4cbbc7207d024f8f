/**
 * Forward mode: each operation is followed by the operations for its tangents.
 *
 *   f(x) { y = sin(x); return y }      f'(x, dx) { y = sin(x); c = cos(x); dy = mul(dx, c); return y, dy }
 *
 * Zero tangents are symbolic (undefined): nothing is emitted for what does not depend on an input with a tangent.
 * Operations with regions go by the `regional` rules of their primitive, all others by the `jvp` rule of their primitive.
 */
import { instantiate } from '../primitives/values.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import { isAbsent } from '../tensor-ir/primitive.ts';
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import { derivativeName, nameValues } from './names.ts';
import { TransformProblem } from './problem.ts';
import { hasTangentType, type Tangent } from './tangents.ts';

/** Primal results with their tangents. */
export interface Dual {
  readonly primals: readonly Value[];
  readonly tangents: readonly Tangent[];
}

/** Emits `func` applied to `args` into `b`, with its tangents beside it. */
export function inlineJvp(
  b: Builder,
  func: Func,
  args: readonly Value[],
  tangents: readonly Tangent[],
): Dual {
  const primalOf = new Map<Value, Value>();
  const tangentOf = new Map<Value, Value>();
  func.parameters.forEach((p, i) => {
    primalOf.set(p, args[i]!);
    if (tangents[i] !== undefined) tangentOf.set(p, tangents[i]);
  });
  for (const op of func.body) {
    b.span = op.span;
    const operands = op.operands.map((v) => primalOf.get(v)!);
    const operandTangents = op.operands.map((v) => tangentOf.get(v));
    const dual = operandTangents.some((t) => t !== undefined)
      ? applyJvp(b, op, operands, operandTangents)
      : { primals: emitCopy(b, op, operands), tangents: [] };
    op.results.forEach((r, i) => {
      primalOf.set(r, dual.primals[i]!);
      const tangent = dual.tangents[i];
      if (tangent !== undefined) tangentOf.set(r, tangent);
    });
  }
  return {
    primals: func.results.map((v) => primalOf.get(v)!),
    tangents: func.results.map((v) => tangentOf.get(v)),
  };
}

/** The same operation on other operands, with fresh results of the same types and names. */
export function emitCopy(b: Builder, op: Operation, operands: readonly Value[]): readonly Value[] {
  const results = op.results.map((r) => makeValue(r.type, r.name));
  b.operations.push({ ...op, operands, results });
  return results;
}

function applyJvp(
  b: Builder,
  op: Operation,
  operands: readonly Value[],
  tangents: readonly Tangent[],
): Dual {
  const { regional } = op.primitive;
  if (regional !== undefined) return regional.jvp(b, { ...op, operands }, tangents);
  const { jvp } = op.primitive;
  if (isAbsent(jvp)) {
    throw new TransformProblem(
      `\`${op.primitive.name}\` has no derivative: ${jvp.absent}`,
      op.span,
    );
  }
  const primals = emitCopy(b, op, operands);
  const view = { operands, results: primals, attrs: op.attrs, regions: op.regions };
  const start = b.operations.length;
  const results = jvp(b, view, tangents);
  return { primals, tangents: nameValues(b, start, results, primals.map(derivativeName)) };
}

/** A function in forward mode whose boundary is not fixed yet: the caller decides which zeros become values. */
export interface JvpTrace {
  readonly builder: Builder;
  readonly parameters: readonly Value[];
  readonly dual: Dual;
}

/** Parameters: the primals, then one tangent for each parameter with `hasTangent`. */
export function traceJvp(func: Func, hasTangent: readonly boolean[]): JvpTrace {
  const builder = new Builder();
  const primals = func.parameters.map((p) => makeValue(p.type, p.name));
  const tangents = func.parameters.map((p, i) =>
    hasTangent[i] ? makeValue(p.type, derivativeName(p)) : undefined,
  );
  const dual = inlineJvp(builder, func, primals, tangents);
  return { builder, parameters: [...primals, ...tangents.filter((t) => t !== undefined)], dual };
}

/** Ends a trace. Results: the primals, then a tangent for each result with `wanted`, zeros instantiated. */
export function finishJvp(trace: JvpTrace, name: string, wanted: readonly boolean[]): Func {
  const { builder, parameters, dual } = trace;
  const tangents = dual.primals.flatMap((primal, i) =>
    wanted[i] ? [instantiate(builder, dual.tangents[i], primal.type)] : [],
  );
  return builder.finish(name, parameters, [...dual.primals, ...tangents]);
}

/**
 * The function that maps (primals, tangents of the `wrt` parameters) to (results, tangents of all float results).
 * Throws TransformProblem when an operation on the way has no derivative.
 */
export function jvpFunction(func: Func, wrt: readonly number[]): Func {
  const hasTangent = func.parameters.map((_, i) => wrt.includes(i));
  const trace = traceJvp(func, hasTangent);
  return finishJvp(trace, `${func.name}_jvp`, func.results.map(hasTangentType));
}
