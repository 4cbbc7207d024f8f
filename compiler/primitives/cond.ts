/** One of two functions, chosen at run time. */
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { condRules } from '../transforms/regions/cond.ts';
import { requireScalar } from './checks.ts';
import type { NoAttrs } from './families.ts';
import { byRegion, requireRegions, requireTypes, typesOf } from './regions.ts';

/** `cond(condition, args...) { then, otherwise }`: the results of the side taken; only that side runs. */
export const cond: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'cond',
  inferType: ([condition, ...args], _, regions) => {
    requireRegions('cond', regions, 2);
    requireScalar('cond', 'a condition', condition!, 'bool');
    const [then, otherwise] = regions;
    requireTypes('parameters of `then`', args, typesOf(then!.parameters));
    requireTypes('parameters of `otherwise`', args, typesOf(otherwise!.parameters));
    requireTypes('results of `otherwise`', typesOf(then!.results), typesOf(otherwise!.results));
    return typesOf(then!.results);
  },
  evaluate: ([condition, ...args], _, { op, call }) =>
    call(op.regions[condition!.data[0] ? 0 : 1]!, args),
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: condRules,
  cost: { flops: 0 },
  lower: { kind: 'control' },
});
