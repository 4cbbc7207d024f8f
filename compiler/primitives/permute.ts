/** Axes in another order. */
import { moveElements, offsetOf, stridesOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { require, requireAxes, requireCount, showType, tensorType } from './checks.ts';
import { batchAttrs, jointlyLinear } from './families.ts';

export type PermuteAttrs = {
  /** Axis i of the result is axis `permutation[i]` of the operand. */
  readonly permutation: readonly number[];
};

/** The array operation that NumPy calls transpose; here `transpose` is the rule of linear maps. */
export const permute: Primitive<PermuteAttrs> = definePrimitive<PermuteAttrs>({
  name: 'permute',
  inferType: (operands, { permutation }) => {
    requireCount('permute', operands, 1);
    const x = operands[0]!;
    requireAxes('permute', permutation, x.shape.length);
    require(permutation.length === x.shape.length, () =>
      `permute needs all axes of ${showType(x)}, found (${permutation.join(', ')})`);
    return [
      tensorType(
        x.dtype,
        permutation.map((axis) => x.shape[axis]!),
      ),
    ];
  },
  evaluate: ([x], { permutation }) => {
    const strides = stridesOf(x!.shape);
    const source = permutation.map((axis) => strides[axis]!);
    const shape = permutation.map((axis) => x!.shape[axis]!);
    return [moveElements(x!, shape, (index) => offsetOf(index, source))];
  },
  jvp: jointlyLinear(
    () => permute,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => [
    cotangent === undefined
      ? undefined
      : b.apply(permute, [cotangent], { permutation: inversePermutation(op.attrs.permutation) }),
  ],
  batch: batchAttrs(
    () => permute,
    ({ permutation }) => ({ permutation: [0, ...permutation.map((a) => a + 1)] }),
  ),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) =>
      k.read(
        0,
        inversePermutation(op.attrs.permutation).map((axis) => index[axis]!),
      ),
  },
});

/** The permutation that undoes another. */
export function inversePermutation(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length);
  permutation.forEach((axis, i) => {
    inverse[axis] = i;
  });
  return inverse;
}
