/** What the `inferType` rules share: conditions on operands, worded for the user. */
import { constantValue, type Int, isNonNegative, one, subtract } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import { ShapeProblem } from '../tensor-ir/primitive.ts';
import type { TensorType } from '../tensor-ir/program.ts';
import { showType } from '../tensor-ir/show.ts';

export function tensorType(dtype: DType, shape: readonly Int[]): TensorType {
  return { dtype, shape };
}

export { showShape, showType } from '../tensor-ir/show.ts';

/** Throws ShapeProblem with `message()` unless the condition holds. */
export function require(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new ShapeProblem(message());
}

export function requireCount(name: string, operands: readonly unknown[], count: number): void {
  require(operands.length === count, () =>
    `${name} takes ${count} operand${count === 1 ? '' : 's'}, found ${operands.length}`);
}

export function isSameShape(a: readonly Int[], b: readonly Int[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

export function isSameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && isSameShape(a.shape, b.shape);
}

export function requireSameShape(name: string, a: TensorType, b: TensorType): void {
  require(isSameShape(a.shape, b.shape), () =>
    `${name} needs equal shapes, found ${showType(a)} and ${showType(b)}`);
}

export function requireSameDType(name: string, a: TensorType, b: TensorType): void {
  require(a.dtype === b.dtype, () =>
    `${name} needs one dtype, found ${showType(a)} and ${showType(b)}`);
}

export function requireSameType(name: string, a: TensorType, b: TensorType): void {
  requireSameDType(name, a, b);
  requireSameShape(name, a, b);
}

export function requireScalar(name: string, what: string, type: TensorType, dtype: DType): void {
  require(type.shape.length === 0 && type.dtype === dtype, () =>
    `${name} needs ${what} of type ${dtype}, found ${showType(type)}`);
}

/** Axes within the rank and all different. */
export function requireAxes(name: string, axes: readonly number[], rank: number): void {
  for (const axis of axes) {
    require(Number.isInteger(axis) && axis >= 0 && axis < rank, () =>
      `${name}: axis ${axis} is outside a tensor of rank ${rank}`);
  }
  require(new Set(axes).size === axes.length, () => `${name}: axes (${axes.join(', ')}) repeat`);
}

/** True when a < b whatever the dims are: the opposite of `may be at least`. */
export function isSurelyLess(a: Int, b: Int): boolean {
  return isNonNegative(subtract(subtract(b, a), one));
}

/** True when the two sizes can never be equal. */
export function isSurelyDifferent(a: Int, b: Int): boolean {
  return isSurelyLess(a, b) || isSurelyLess(b, a);
}

export function isOne(size: Int): boolean {
  return constantValue(size) === 1;
}

/** The shape without the given axes. */
export function withoutAxes<T>(shape: readonly T[], axes: readonly number[]): T[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** The axes of a rank that are not in the list. */
export function otherAxes(rank: number, axes: readonly number[]): number[] {
  return withoutAxes(range(rank), axes);
}

/** 0, 1, ..., count - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
