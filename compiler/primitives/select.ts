/** Choice by element. */
import { makeArray } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { require, requireCount, requireSameShape, requireSameType, showType } from './checks.ts';
import { jointlyLinear, type NoAttrs } from './families.ts';
import { asMapped, zerosOf } from './values.ts';

/** `select(condition, x, y)`: x where the condition is true, else y. Linear in (x, y) when the condition is known. */
export const select: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'select',
  inferType: (operands) => {
    requireCount('select', operands, 3);
    const [condition, x, y] = operands;
    require(condition!.dtype === 'bool', () =>
      `select needs a bool condition, found ${showType(condition!)}`);
    requireSameShape('select', condition!, x!);
    requireSameType('select', x!, y!);
    return [x!];
  },
  evaluate: ([condition, x, y]) => {
    const result = makeArray(x!.dtype, x!.shape);
    condition!.data.forEach((c, i) => {
      result.data[i] = (c ? x! : y!).data[i]! as never;
    });
    return [result];
  },
  jvp: jointlyLinear(
    () => select,
    () => [1, 2],
  ),
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return [undefined, undefined, undefined];
    const condition = op.operands[0]!;
    const zero = zerosOf(b, cotangent.type);
    return [
      undefined,
      isLinear[1] ? b.apply(select, [condition, cotangent, zero], {}) : undefined,
      isLinear[2] ? b.apply(select, [condition, zero, cotangent], {}) : undefined,
    ];
  },
  batch: (b, _, operands, isMapped, size) => [
    b.apply(
      select,
      operands.map((x, i) => asMapped(b, x, isMapped[i]!, size)),
      {},
    ),
  ],
  cost: { flops: 1 },
  lower: {
    kind: 'element',
    isView: false,
    element: (k, _, index) => k.select(k.read(0, index), k.read(1, index), k.read(2, index)),
  },
});
