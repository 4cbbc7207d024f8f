/** Functions whose derivative the user gives, and functions computed again in the backward pass. */
import { isFloat } from '../tensor-ir/dtype.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { TensorType } from '../tensor-ir/program.ts';
import { checkpointRules } from '../transforms/regions/checkpoint.ts';
import {
  type CustomVjpAttrs,
  customJvpRules,
  customVjpRules,
} from '../transforms/regions/custom.ts';
import type { NoAttrs } from './families.ts';
import { byRegion, requireRegions, requireTypes, typesOf } from './regions.ts';

export { customVjpTangent } from '../transforms/regions/custom.ts';

/** The types that have tangents and cotangents. */
function floatsOf(types: readonly TensorType[]): readonly TensorType[] {
  return types.filter((type) => isFloat(type.dtype));
}

/** `custom_vjp(args) { fun(args), fwd(args) -> outs ++ residuals, bwd(residuals ++ cotangents) -> cotangents }`: fun(args). */
export const customVjp: Primitive<CustomVjpAttrs> = definePrimitive<CustomVjpAttrs>({
  name: 'custom_vjp',
  inferType: (operands, { residuals }, regions) => {
    requireRegions('custom_vjp', regions, 3);
    const [fun, fwd, bwd] = regions;
    const outs = typesOf(fun!.results);
    requireTypes('parameters of the function', operands, typesOf(fun!.parameters));
    requireTypes('parameters of the forward rule', operands, typesOf(fwd!.parameters));
    const saved = typesOf(fwd!.results).slice(outs.length);
    requireTypes('results of the forward rule', [...outs, ...saved], typesOf(fwd!.results));
    const given = [...saved.slice(0, residuals), ...floatsOf(outs)];
    requireTypes('parameters of the backward rule', given, typesOf(bwd!.parameters));
    requireTypes('results of the backward rule', floatsOf(operands), typesOf(bwd!.results));
    return outs;
  },
  evaluate: (operands, _, { op, call }) => call(op.regions[0]!, operands),
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: customVjpRules,
  cost: { flops: 0 },
  lower: { kind: 'removed', by: 'transforms' },
});

/** `custom_jvp(args) { fun(args), rule(args ++ tangents) -> outs ++ tangents }`: fun(args). */
export const customJvp: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'custom_jvp',
  inferType: (operands, _, regions) => {
    requireRegions('custom_jvp', regions, 2);
    const [fun, rule] = regions;
    const outs = typesOf(fun!.results);
    requireTypes('parameters of the function', operands, typesOf(fun!.parameters));
    const given = [...operands, ...floatsOf(operands)];
    requireTypes('parameters of the rule', given, typesOf(rule!.parameters));
    requireTypes('results of the rule', [...outs, ...floatsOf(outs)], typesOf(rule!.results));
    return outs;
  },
  evaluate: (operands, _, { op, call }) => call(op.regions[0]!, operands),
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: customJvpRules,
  cost: { flops: 0 },
  lower: { kind: 'removed', by: 'transforms' },
});

/** `checkpoint(args) { fun }`: fun(args); its intermediates are computed again rather than kept for reverse mode. */
export const checkpoint: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'checkpoint',
  inferType: (operands, _, regions) => {
    requireRegions('checkpoint', regions, 1);
    requireTypes('parameters of the function', operands, typesOf(regions[0]!.parameters));
    return typesOf(regions[0]!.results);
  },
  evaluate: (operands, _, { op, call }) => call(op.regions[0]!, operands),
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: checkpointRules,
  cost: { flops: 0 },
  lower: { kind: 'removed', by: 'transforms' },
});
