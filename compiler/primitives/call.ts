/** A function applied as one operation. */
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { callRules } from '../transforms/regions/call.ts';
import type { NoAttrs } from './families.ts';
import { byRegion, requireRegions, requireTypes, typesOf } from './regions.ts';

/** `call(args...) { fun }`: fun(args). Derivatives and batching go through it as if `fun` stood there. */
export const call: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'call',
  inferType: (operands, _, regions) => {
    requireRegions('call', regions, 1);
    requireTypes('parameters of the function', operands, typesOf(regions[0]!.parameters));
    return typesOf(regions[0]!.results);
  },
  evaluate: (operands, _, context) => context.call(context.op.regions[0]!, operands),
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: callRules,
  cost: { flops: 0 },
  lower: { kind: 'composite', expand: (b, op) => b.inline(op.regions[0]!, op.operands) },
});
