/** Values from nothing: constants, literals, dims as numbers, and counting along an axis. */
import { constantValue, type Int } from '../symbolic/integer.ts';
import { computeType, type DType, isFloat } from '../tensor-ir/dtype.ts';
import {
  arrayOf,
  type Element,
  forEachIndex,
  fromConstantData,
  makeArray,
  type NdArray,
  roundTo,
  scalarOf,
  setElement,
  wrapBigint,
} from '../tensor-ir/nd-array.ts';
import {
  type Absent,
  type BatchRule,
  definePrimitive,
  type EvaluateContext,
  type Primitive,
} from '../tensor-ir/primitive.ts';
import type { Attrs, ConstantData } from '../tensor-ir/program.ts';
import { require, requireAxes, requireCount, showShape, tensorType } from './checks.ts';
import { zeroTangents } from './families.ts';
import { broadcastLeading } from './values.ts';

const noOperands: Absent = { absent: 'it has no operands' };

/** Without operands nothing is mapped: the value is repeated. */
function batchByRepeating<A extends Attrs>(self: () => Primitive<A>): BatchRule<A> {
  return (b, op, _operands, _isMapped, size) => [
    broadcastLeading(b, b.apply(self(), [], op.attrs), size),
  ];
}

export type ConstantAttrs = {
  readonly dtype: DType;
  readonly shape: readonly Int[];
  /** A bigint for 64-bit integers, a boolean for bool, else a number. */
  readonly value: number | bigint | boolean;
};

/** Every element is `value`. */
export const constant: Primitive<ConstantAttrs> = definePrimitive<ConstantAttrs>({
  name: 'constant',
  inferType: (operands, { dtype, shape }) => {
    requireCount('constant', operands, 0);
    return [tensorType(dtype, shape)];
  },
  evaluate: (_, { dtype, value }, context) => {
    const result = makeArray(dtype, resultShape(context));
    const element = isFloat(dtype) ? Number(value) : scalarOf(dtype, value).data[0]!;
    for (let i = 0; i < result.data.length; i++) setElement(result.data, i, element);
    return [result];
  },
  jvp: zeroTangents(),
  transpose: noOperands,
  batch: batchByRepeating(() => constant),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, { attrs: { dtype, value } }) =>
      k.constant(isFloat(dtype) ? roundTo(Number(value), dtype) : value, computeType(dtype)),
  },
});

function resultShape<A extends Attrs>(context: EvaluateContext<A>): number[] {
  return context.resultTypes[0]!.shape.map(context.size);
}

export type LiteralAttrs = {
  readonly dtype: DType;
  readonly shape: readonly Int[];
  readonly data: ConstantData;
};

/** Data that the program carries. It becomes a constant buffer of the plan, so it has no rule of its own to lower by. */
export const literal: Primitive<LiteralAttrs> = definePrimitive<LiteralAttrs>({
  name: 'literal',
  inferType: (operands, { dtype, shape, data }) => {
    requireCount('literal', operands, 0);
    const sizes = shape.map(constantValue);
    require(sizes.every((size) => size !== undefined), () =>
      `literal needs a constant shape, found ${showShape(shape)}`);
    const count = sizes.reduce<number>((n, size) => n * size!, 1);
    require(data.length === count, () =>
      `literal of shape ${showShape(shape)} has ${data.length} elements`);
    return [tensorType(dtype, shape)];
  },
  evaluate: (_, { dtype, data }, context) => [fromConstantData(dtype, resultShape(context), data)],
  jvp: zeroTangents(),
  transpose: noOperands,
  batch: batchByRepeating(() => literal),
  cost: { flops: 0 },
  lower: { kind: 'custom' },
});

export type DimValueAttrs = { readonly dim: Int; readonly dtype: DType };

/** A scalar that holds a dim. */
export const dimValue: Primitive<DimValueAttrs> = definePrimitive<DimValueAttrs>({
  name: 'dim_value',
  inferType: (operands, { dtype }) => {
    requireCount('dim_value', operands, 0);
    require(dtype !== 'bool', () => 'dim_value cannot be bool');
    return [tensorType(dtype, [])];
  },
  evaluate: (_, { dim, dtype }, context) => [arrayOf(dtype, [], [context.size(dim)])],
  jvp: zeroTangents(),
  transpose: noOperands,
  batch: batchByRepeating(() => dimValue),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, { attrs }) => k.indexValue(attrs.dim, computeType(attrs.dtype)),
  },
});

export type IotaAttrs = {
  readonly dtype: DType;
  readonly shape: readonly Int[];
  readonly axis: number;
};

/** The index along `axis`. */
export const iota: Primitive<IotaAttrs> = definePrimitive<IotaAttrs>({
  name: 'iota',
  inferType: (operands, { dtype, shape, axis }) => {
    requireCount('iota', operands, 0);
    requireAxes('iota', [axis], shape.length);
    require(dtype !== 'bool', () => 'iota cannot be bool');
    return [tensorType(dtype, shape)];
  },
  evaluate: (_, { dtype, axis }, context) => [countAlong(dtype, resultShape(context), axis)],
  jvp: zeroTangents(),
  transpose: noOperands,
  batch: (b, { attrs }, _operands, _isMapped, size) => [
    b.apply(iota, [], {
      dtype: attrs.dtype,
      shape: [size, ...attrs.shape],
      axis: attrs.axis + 1,
    }),
  ],
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, { attrs }, index) => k.indexValue(index[attrs.axis]!, computeType(attrs.dtype)),
  },
});

function countAlong(dtype: DType, shape: readonly number[], axis: number): NdArray {
  const result = makeArray(dtype, shape);
  forEachIndex(shape, (index, offset) => {
    const value: Element = isFloat(dtype) ? index[axis]! : wrapBigint(BigInt(index[axis]!), dtype);
    setElement(result.data, offset, value);
  });
  return result;
}
