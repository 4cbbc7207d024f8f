/** Tangents and cotangents as values: which types have them, zeros, sums. */
import { add, constant } from './primitives.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';

/** A tangent or cotangent; undefined stands for zero. */
export type Tangent = Value | undefined;

/** Only floats have tangents; those of integers and bools are always zero and never appear. */
export function hasTangentType(value: Value): boolean {
  return isFloat(value.type.dtype);
}

/** A tensor of zeros. Only where a zero must be an actual value: region boundaries and results. */
export function makeZeros(b: Builder, type: TensorType): Value {
  return b.apply(constant, [], { dtype: type.dtype, shape: type.shape, value: 0 });
}

export function materialise(b: Builder, tangent: Tangent, type: TensorType): Value {
  return tangent ?? makeZeros(b, type);
}

/** left + right where a zero costs nothing. */
export function addTangents(b: Builder, left: Tangent, right: Tangent): Tangent {
  if (left === undefined) return right;
  if (right === undefined) return left;
  return b.apply(add, [left, right], {});
}

/** The items whose flag is set. */
export function pick<T>(items: readonly T[], flags: readonly boolean[]): readonly T[] {
  return items.filter((_, i) => flags[i]);
}

/** Element-wise or. */
export function either(left: readonly boolean[], right: readonly boolean[]): readonly boolean[] {
  return left.map((flag, i) => flag || right[i]!);
}

export function sameFlags(left: readonly boolean[], right: readonly boolean[]): boolean {
  return left.every((flag, i) => flag === right[i]);
}

/** Spreads values over the places whose flag is set; the others are undefined. */
export function spread(
  values: readonly Value[],
  flags: readonly boolean[],
): readonly (Value | undefined)[] {
  let next = 0;
  return flags.map((flag) => (flag ? values[next++] : undefined));
}

/** The items whose tangent is present. */
export function present(tangents: readonly Tangent[]): readonly Value[] {
  return tangents.filter((t) => t !== undefined);
}
