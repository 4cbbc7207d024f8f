/** Small values that the rules build with: constants, zeros, broadcasts, axes moved about. */
import { type Int, one, subtract } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { byteSize, type DType } from '../tensor-ir/dtype.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { max, min } from './arithmetic.ts';
import { broadcast } from './broadcast.ts';
import { range } from './checks.ts';
import { dimValue } from './constant.ts';
import { convert } from './convert.ts';
import { permute } from './permute.ts';

export { addTangents, asMapped, instantiate } from './families.ts';

/** A tensor of the given type filled with a number. */
export function filled(b: Builder, type: TensorType, value: number): Value {
  return b.filled(type, value);
}

export function zerosOf(b: Builder, type: TensorType): Value {
  return filled(b, type, 0);
}

/** A constant of the shape and dtype of `like`. */
export function filledLike(b: Builder, like: Value, value: number): Value {
  return filled(b, like.type, value);
}

/** `x` repeated along a new leading axis: what batching does to an operand that is not mapped. */
export function broadcastLeading(b: Builder, x: Value, size: Int): Value {
  return b.repeat(x, size);
}

/** A scalar repeated over a shape. */
export function broadcastScalar(b: Builder, x: Value, shape: readonly Int[]): Value {
  return shape.length === 0 ? x : b.apply(broadcast, [x], { shape, axes: [] });
}

/** A value whose shape lacks `axes` of `shape`, repeated along them: undoes the removal by a reduction. */
export function broadcastBack(
  b: Builder,
  x: Value,
  shape: readonly Int[],
  axes: readonly number[],
): Value {
  if (axes.length === 0) return x;
  return b.apply(broadcast, [x], {
    shape,
    axes: range(shape.length).filter((a) => !axes.includes(a)),
  });
}

/** Axis `from` moved to place `to`, the others in order. */
export function moveAxis(b: Builder, x: Value, from: number, to: number): Value {
  if (from === to) return x;
  const permutation = range(x.type.shape.length).filter((a) => a !== from);
  permutation.splice(to, 0, from);
  return b.apply(permute, [x], { permutation });
}

/** `x` permuted, or `x` itself when nothing moves. */
export function permuteTo(b: Builder, x: Value, permutation: readonly number[]): Value {
  if (permutation.every((axis, i) => axis === i)) return x;
  return b.apply(permute, [x], { permutation });
}

/** A bool mask as zeros and ones of a float dtype. */
export function maskAs(b: Builder, mask: Value, dtype: DType): Value {
  return b.apply(convert, [mask], { dtype });
}

/**
 * Index values clamped into [0, size - 1], as reads do. Narrow dtypes widen to i32 first: a size may not fit them.
 */
export function clampIndex(b: Builder, index: Value, size: Int): Value {
  const x = asWideIndex(b, index);
  const { dtype, shape } = x.type;
  const last = b.apply(dimValue, [], { dim: subtract(size, one), dtype });
  const below = b.apply(min, [x, broadcastScalar(b, last, shape)], {});
  return b.apply(max, [below, filledLike(b, x, 0)], {});
}

/** The same index in a dtype that holds every size. */
export function asWideIndex(b: Builder, index: Value): Value {
  return byteSize(index.type.dtype) >= 4 ? index : b.apply(convert, [index], { dtype: 'i32' });
}
