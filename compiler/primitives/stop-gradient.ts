/** Where differentiation ends. */
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { requireCount } from './checks.ts';
import { type NoAttrs, notLinear } from './families.ts';

/** x with a zero tangent. */
export const stopGradient: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'stop_gradient',
  inferType: (operands) => {
    requireCount('stop_gradient', operands, 1);
    return [operands[0]!];
  },
  evaluate: (operands) => operands,
  jvp: () => [undefined],
  transpose: notLinear('stop_gradient'),
  batch: (b, _, operands) => [b.apply(stopGradient, operands, {})],
  cost: { flops: 0 },
  lower: { kind: 'element', isView: true, element: (k, _, index) => k.read(0, index) },
});
