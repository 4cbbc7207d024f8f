/** A fence that simplification does not look across. */
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { NoAttrs } from './families.ts';
import { asMapped } from './values.ts';

/** x..., opaque to simplification: nothing is folded, shared or moved across it. Linear. */
export const optimizationBarrier: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'optimization_barrier',
  inferType: (operands) => operands,
  evaluate: (operands) => operands,
  jvp: (b, op, tangents) => {
    const present = tangents.flatMap((t, i) => (t === undefined ? [] : [i]));
    const results = b.applyAll(
      optimizationBarrier,
      present.map((i) => tangents[i]!),
      {},
    );
    return op.operands.map((_, i) => results[present.indexOf(i)]);
  },
  transpose: (b, op, isLinear, cotangents) => {
    const present = cotangents.flatMap((c, i) => (c !== undefined && isLinear[i] ? [i] : []));
    const results = b.applyAll(
      optimizationBarrier,
      present.map((i) => cotangents[i]!),
      {},
    );
    return op.operands.map((_, i) => results[present.indexOf(i)]);
  },
  batch: (b, op, operands, isMapped, size) => {
    const mapped = operands.map((x, i) => asMapped(b, x, isMapped[i]!, size));
    return b.applyAll(optimizationBarrier, mapped, op.attrs);
  },
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, _, index, result) => k.read(result, index),
  },
});
