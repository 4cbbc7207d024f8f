/**
 * What many primitives share: whole records of element-wise functions, and the rules of linear and of
 * non-differentiable operations.
 *
 * The record files import each other in cycles: a rule of `mul` applies `neg`, whose record stands elsewhere. That is safe as long
 * as records are touched only when rules run. This file is needed while records are being made, so it imports none of them.
 */
import {
  evaluateScalar,
  isInOperandClass,
  scalarFunction,
  scalarResult,
} from '../kernel-ir/scalar-functions.ts';
import type { Int } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import { makeArray, type NdArray, setElement } from '../tensor-ir/nd-array.ts';
import {
  type Absent,
  type BatchRule,
  definePrimitive,
  type JvpRule,
  type Primitive,
  type TransposeRule,
} from '../tensor-ir/primitive.ts';
import type { Attrs, TensorType, Value } from '../tensor-ir/program.ts';
import { require, requireCount, requireSameType, showType, tensorType } from './checks.ts';

/** The attrs of a primitive that has none. */
export type NoAttrs = Readonly<Record<string, never>>;

// ---------------------------------------------------------------------------------------------------------
// Element-wise functions

/** The tangent of a unary function: its derivative times the operand's tangent. */
export type UnaryTangent = (b: Builder, tangent: Value, x: Value, result: Value) => Value;

/** The part of a binary function's tangent that comes from one operand. */
export type BinaryTangent = (
  b: Builder,
  tangent: Value,
  x: Value,
  y: Value,
  result: Value,
) => Value;

/** The record of a unary scalar function of kernel-ir/scalar-functions.ts; 'zero': piecewise constant. */
export function unary(
  name: string,
  tangent: UnaryTangent | 'zero',
  transpose: TransposeRule<NoAttrs> | Absent = notLinear(name),
): Primitive<NoAttrs> {
  const jvp: JvpRule<NoAttrs> = (b, op, [dx]) =>
    tangent === 'zero' || dx === undefined
      ? [undefined]
      : [tangent(b, dx, op.operands[0]!, op.results[0]!)];
  return elementwise(name, jvp, transpose);
}

/** The record of a binary scalar function: its tangent by each operand, summed. */
export function binary(
  name: string,
  tangents: readonly [BinaryTangent, BinaryTangent] | 'zero',
  transpose: TransposeRule<NoAttrs> | Absent = notLinear(name),
): Primitive<NoAttrs> {
  const jvp: JvpRule<NoAttrs> = (b, op, operandTangents) => {
    if (tangents === 'zero' || !hasTangent(op.results[0]!.type)) return [undefined];
    const terms = operandTangents.map((tangent, i) =>
      tangent === undefined
        ? undefined
        : tangents[i]!(b, tangent, op.operands[0]!, op.operands[1]!, op.results[0]!),
    );
    return [addTangents(b, ...terms)];
  };
  return elementwise(name, jvp, transpose);
}

function elementwise(
  name: string,
  jvp: JvpRule<NoAttrs>,
  transpose: TransposeRule<NoAttrs> | Absent,
): Primitive<NoAttrs> {
  const scalar = scalarFunction(name);
  const record: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
    name,
    inferType: (operands) => {
      requireCount(name, operands, scalar.arity);
      const x = operands[0]!;
      require(isInOperandClass(x.dtype, scalar.operands), () =>
        `${name} takes ${classWords(scalar.operands)}, found ${showType(x)}`);
      if (scalar.arity === 2) requireSameType(name, x, operands[1]!);
      return [tensorType(scalarResult(name, x.dtype), x.shape)];
    },
    evaluate: ([x, y]) => [evaluateElements(name, x!, y)],
    jvp,
    transpose,
    batch: (b, op, operands, isMapped, size) => [
      b.apply(
        record,
        operands.map((x, i) => asMapped(b, x, isMapped[i]!, size)),
        op.attrs,
      ),
    ],
    cost: { flops: scalar.flops },
    lower: {
      kind: 'element',
      isView: false,
      element: (k, op, index) => {
        const args = op.operands.map((_, i) => k.read(i, index));
        return scalar.result === 'bool' ? k.call(name, args, 'bool') : k.call(name, args);
      },
    },
  });
  return record;
}

function classWords(operands: string): string {
  switch (operands) {
    case 'float':
      return 'floats';
    case 'integer':
      return 'integers';
    case 'number':
      return 'numbers';
    default:
      return 'bools or integers';
  }
}

function evaluateElements(name: string, x: NdArray, y: NdArray | undefined): NdArray {
  const scalar = scalarFunction(name);
  const result = makeArray(scalarResult(name, x.dtype), x.shape);
  const other = y ?? x;
  const { float } = scalar.meaning;
  if (isFloat(x.dtype) && float !== undefined) {
    // the meaning looked up once: most of what the evaluator does
    const [a, b, to] = [x.data, other.data, result.data] as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let i = 0; i < a.length; i++) to[i] = float(a[i]!, b[i]!);
    return result;
  }
  for (let i = 0; i < x.data.length; i++) {
    setElement(result.data, i, evaluateScalar(scalar, x.dtype, x.data[i]!, other.data[i]!));
  }
  return result;
}

/** A scalar function of floats on numbers in double precision: what the front end folds with. */
export function evaluateNumbers(name: string, x: number, y: number): number {
  return scalarFunction(name).meaning.float!(x, y);
}

// ---------------------------------------------------------------------------------------------------------
// Tangents and batches

/** The tangent or cotangent itself, or zeros for a symbolic zero. */
export function instantiate(b: Builder, value: Value | undefined, type: TensorType): Value {
  return value ?? b.filled(type, 0);
}

/** The sum of those that are there; undefined (zero) when none is. */
export function addTangents(
  b: Builder,
  ...terms: readonly (Value | undefined)[]
): Value | undefined {
  return terms.reduce((total, term) => {
    if (total === undefined) return term;
    return term === undefined ? total : b.sum(total, term);
  }, undefined);
}

/** The operand with the batch at axis 0, repeated if it is not mapped. */
export function asMapped(b: Builder, x: Value, isMapped: boolean, size: Int): Value {
  return isMapped ? x : b.repeat(x, size);
}

/** True when a tangent exists for values of this dtype. */
export function hasTangent(type: TensorType): boolean {
  return isFloat(type.dtype);
}

// ---------------------------------------------------------------------------------------------------------
// Rules

/** Word that an operation is not linear in any operand. */
export function notLinear(name: string): Absent {
  return { absent: `${name} is not linear` };
}

/** Every result has a zero tangent: integers, bools, and functions constant almost everywhere. */
export function zeroTangents<A extends Attrs>(): JvpRule<A> {
  return (_, op) => op.results.map(() => undefined);
}

/**
 * The tangent of an operation with one result that is linear in `linear(op)` jointly: the operation itself on their
 * tangents, zeros for those that have none, the other operands as they are.
 */
export function jointlyLinear<A extends Attrs>(
  self: () => Primitive<A>,
  linear: (operands: readonly Value[]) => readonly number[],
): JvpRule<A> {
  return (b, op, tangents) => {
    const positions = linear(op.operands);
    const isZero = positions.every((i) => tangents[i] === undefined);
    if (isZero || !hasTangent(op.results[0]!.type)) return [undefined];
    const operands = op.operands.map((x, i) =>
      positions.includes(i) ? instantiate(b, tangents[i], x.type) : x,
    );
    return [b.apply(self(), operands, op.attrs, op.regions)];
  };
}

/** The batch rule of an operation on one operand: the same operation with other attrs. */
export function batchAttrs<A extends Attrs>(
  self: () => Primitive<A>,
  attrs: (attrs: A, size: Int) => A,
): BatchRule<A> {
  return (b, op, [x], _, size) => [b.apply(self(), [x!], attrs(op.attrs, size), op.regions)];
}
