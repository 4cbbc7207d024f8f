/** The primitives that the language itself needs, as functions on values. */

import { primitive } from '../primitives/registry.ts';
import { constantValue, type Int, int, zero } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import type { Attrs, Func, Value } from '../tensor-ir/program.ts';

/** Applies the primitive of that name to operands of fitting types. */
export function apply(
  b: Builder,
  name: string,
  operands: readonly Value[],
  attrs: Attrs = {},
): Value {
  return b.apply(primitive(name), operands, attrs);
}

export function applyAll(
  b: Builder,
  name: string,
  operands: readonly Value[],
  attrs: Attrs,
  regions: readonly Func[],
): readonly Value[] {
  return b.applyAll(primitive(name), operands, attrs, regions);
}

/** Every element is `value`; 64-bit integers are held as bigint. */
export function constant(
  b: Builder,
  dtype: DType,
  shape: readonly Int[],
  value: number | bigint | boolean,
): Value {
  const held =
    (dtype === 'i64' || dtype === 'u64') && typeof value === 'number' ? BigInt(value) : value;
  return apply(b, 'constant', [], { dtype, shape, value: held });
}

/** A dim, or arithmetic on dims, as a scalar. */
export function dimValue(b: Builder, dim: Int, dtype: DType): Value {
  const known = constantValue(dim);
  return known === undefined
    ? apply(b, 'dim_value', [], { dim, dtype })
    : constant(b, dtype, [], known);
}

export function convert(b: Builder, value: Value, dtype: DType): Value {
  return value.type.dtype === dtype ? value : apply(b, 'convert', [value], { dtype });
}

export function sameShape(a: readonly Int[], b: readonly Int[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

export function reshape(b: Builder, value: Value, shape: readonly Int[]): Value {
  return sameShape(value.type.shape, shape) ? value : apply(b, 'reshape', [value], { shape });
}

/** Result axis i is axis `permutation[i]` of the operand. */
export function permute(b: Builder, value: Value, permutation: readonly number[]): Value {
  return permutation.every((axis, i) => axis === i)
    ? value
    : apply(b, 'permute', [value], { permutation });
}

/** Axis i of the operand becomes axis `axes[i]`; sizes equal, or 1 in the operand. */
export function broadcast(
  b: Builder,
  value: Value,
  shape: readonly Int[],
  axes: readonly number[],
): Value {
  return sameShape(value.type.shape, shape)
    ? value
    : apply(b, 'broadcast', [value], { shape, axes });
}

/** Broadcast with NumPy's alignment at the last axis. */
export function broadcastRight(b: Builder, value: Value, shape: readonly Int[]): Value {
  const offset = shape.length - value.type.shape.length;
  return broadcast(
    b,
    value,
    shape,
    value.type.shape.map((_, i) => i + offset),
  );
}

export function iota(b: Builder, dtype: DType, shape: readonly Int[], axis: number): Value {
  return apply(b, 'iota', [], { dtype, shape, axis });
}

/** The slice [start, stop) by `step` along every axis. */
export function slice(
  b: Builder,
  value: Value,
  start: readonly Int[],
  stop: readonly Int[],
  step: readonly number[],
): Value {
  const isWhole =
    start.every((s) => s === zero) &&
    stop.every((s, i) => s === value.type.shape[i]) &&
    step.every((s) => s === 1);
  if (isWhole) return value;
  return apply(b, 'slice', [value], { start, stop, step: step.map((s) => int(s)) });
}
