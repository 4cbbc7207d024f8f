/** Tangents, cotangents and lists of flags: which values have a tangent, a batch axis, are linear. */
import { isFloat } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';

/** A tangent or cotangent; undefined stands for zero. */
export type Tangent = Value | undefined;

/** Only floats have tangents; those of integers and bools are always zero and never appear. */
export function hasTangentType(value: Value): boolean {
  return isFloat(value.type.dtype);
}

/** The items whose flag is set. */
export function pick<T>(items: readonly T[], flags: readonly boolean[]): readonly T[] {
  return items.filter((_, i) => flags[i]);
}

/** Element-wise or. */
export function either(left: readonly boolean[], right: readonly boolean[]): readonly boolean[] {
  return left.map((flag, i) => flag || right[i]!);
}

/** Element-wise or of several lists. */
export function anyOf(lists: readonly (readonly boolean[])[]): readonly boolean[] {
  return lists[0]!.map((_, i) => lists.some((flags) => flags[i]));
}

export function sameFlags(left: readonly boolean[], right: readonly boolean[]): boolean {
  return left.every((flag, i) => flag === right[i]);
}

/** Spreads values over the places whose flag is set; the others are undefined. */
export function spread(values: readonly Tangent[], flags: readonly boolean[]): readonly Tangent[] {
  let next = 0;
  return flags.map((flag) => (flag ? values[next++] : undefined));
}

/** The items whose tangent is present. */
export function present(tangents: readonly Tangent[]): readonly Value[] {
  return tangents.filter((t) => t !== undefined);
}
