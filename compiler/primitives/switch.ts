/** One of several functions, chosen at run time. */
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { Func, Value } from '../tensor-ir/program.ts';
import { condRules } from '../transforms/regions/cond.ts';
import { require, requireScalar } from './checks.ts';
import { lt } from './comparison.ts';
import { cond } from './cond.ts';
import type { NoAttrs } from './families.ts';
import { byRegion, requireTypes, typesOf } from './regions.ts';
import { filledLike } from './values.ts';

/** `switch(index, args...) { branch 0, branch 1, ... }`: the results of the branch taken, of which only one runs. The index is clamped. */
export const switchBranch: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'switch',
  inferType: ([index, ...args], _, regions) => {
    require(regions.length > 0, () => 'switch needs a branch');
    requireScalar('switch', 'an index', index!, 'i32');
    const results = typesOf(regions[0]!.results);
    regions.forEach((region, i) => {
      requireTypes(`parameters of branch ${i}`, args, typesOf(region.parameters));
      requireTypes(`results of branch ${i}`, results, typesOf(region.results));
    });
    return results;
  },
  evaluate: ([index, ...args], _, { op, call }) => {
    const branch = Math.min(Math.max(Number(index!.data[0]), 0), op.regions.length - 1);
    return call(op.regions[branch]!, args);
  },
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: condRules,
  cost: { flops: 0 },
  lower: {
    kind: 'composite',
    expand: (b, op) => chooseBetween(b, op.operands, op.regions, 0),
  },
});

/** A tree of `cond`s over branches `first`, `first` + 1, ...: log2 of their number are decided. */
function chooseBetween(
  b: Builder,
  operands: readonly Value[],
  branches: readonly Func[],
  first: number,
): readonly Value[] {
  const [index, ...args] = operands;
  if (branches.length === 1) return b.inline(branches[0]!, args);
  const half = branches.length >> 1;
  const isBelow = b.apply(lt, [index!, filledLike(b, index!, first + half)], {});
  const side = (name: string, part: readonly Func[], from: number): Func => {
    const inner = new Builder(b.span);
    const parameters = operands.map((v) => makeValue(v.type, v.name));
    const results = chooseBetween(inner, parameters, part, from);
    return inner.finish(name, parameters, results);
  };
  return b.applyAll(cond, [isBelow, ...operands], {}, [
    side('then', branches.slice(0, half), first),
    side('otherwise', branches.slice(half), first + half),
  ]);
}
