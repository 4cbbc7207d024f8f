/** A loop that runs as long as a condition holds. */
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { type WhileAttrs, whileRules } from '../transforms/regions/while.ts';
import { tensorType } from './checks.ts';
import { byRegion, requireRegions, requireTypes, typesOf } from './regions.ts';

/** `while(carry..., consts...) { condition(carry, consts) -> bool, body(carry, consts) -> carry }`: the final carry. */
export const whileLoop: Primitive<WhileAttrs> = definePrimitive<WhileAttrs>({
  name: 'while',
  inferType: (operands, { carries }, regions) => {
    requireRegions('while', regions, 2);
    const [condition, body] = regions;
    requireTypes('parameters of the condition', operands, typesOf(condition!.parameters));
    requireTypes('result of the condition', [tensorType('bool', [])], typesOf(condition!.results));
    requireTypes('parameters of the body', operands, typesOf(body!.parameters));
    requireTypes('results of the body', operands.slice(0, carries), typesOf(body!.results));
    return operands.slice(0, carries);
  },
  evaluate: (operands, { carries }, { op, call }) => {
    const [condition, body] = op.regions;
    const consts = operands.slice(carries);
    let carry = operands.slice(0, carries);
    while (call(condition!, [...carry, ...consts])[0]!.data[0]) {
      carry = [...call(body!, [...carry, ...consts])];
    }
    return carry;
  },
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: whileRules,
  cost: { flops: 0 },
  lower: { kind: 'control' },
});
