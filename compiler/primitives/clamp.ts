/** Values held between bounds. */
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import { makeArray, type NdArray, setElement } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { max } from './arithmetic.ts';
import { require, requireCount, requireSameType, showType } from './checks.ts';
import { gt, lt } from './comparison.ts';
import { hasTangent, type NoAttrs } from './families.ts';
import { select } from './select.ts';
import { asMapped, instantiate } from './values.ts';

/**
 * `clamp(low, x, high)`: min(max(x, low), high). The derivative is that of the one operand taken: of x also where it equals a
 * bound (`max` and `min` share it at ties).
 */
export const clamp: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'clamp',
  inferType: (operands) => {
    requireCount('clamp', operands, 3);
    const [low, x, high] = operands;
    require(x!.dtype !== 'bool', () => `clamp takes numbers, found ${showType(x!)}`);
    requireSameType('clamp', low!, x!);
    requireSameType('clamp', x!, high!);
    return [x!];
  },
  evaluate: ([low, x, high]) => [clampArrays(low!, x!, high!)],
  jvp: (b, op, tangents) => {
    const [low, x, high] = op.operands;
    if (!hasTangent(x!.type) || tangents.every((t) => t === undefined)) return [undefined];
    const [dl, dx, dh] = tangents.map((t) => instantiate(b, t, x!.type));
    const raised = b.apply(max, [x!, low!], {});
    const below = b.apply(select, [b.apply(lt, [x!, low!], {}), dl!, dx!], {});
    return [b.apply(select, [b.apply(gt, [raised, high!], {}), dh!, below], {})];
  },
  transpose: { absent: 'clamp is not linear' },
  batch: (b, _, operands, isMapped, size) => [
    b.apply(
      clamp,
      operands.map((x, i) => asMapped(b, x, isMapped[i]!, size)),
      {},
    ),
  ],
  cost: { flops: 2 },
  lower: {
    kind: 'element',
    isView: false,
    element: (k, _, index) => {
      const raised = k.call('max', [k.read(1, index), k.read(0, index)]);
      return k.call('min', [raised, k.read(2, index)]);
    },
  },
});

function clampArrays(low: NdArray, x: NdArray, high: NdArray): NdArray {
  const [greater, smaller] = [scalarFunction('max'), scalarFunction('min')];
  const result = makeArray(x.dtype, x.shape);
  for (let i = 0; i < x.data.length; i++) {
    const raised = evaluateScalar(greater, x.dtype, x.data[i]!, low.data[i]!);
    setElement(result.data, i, evaluateScalar(smaller, x.dtype, raised, high.data[i]!));
  }
  return result;
}
