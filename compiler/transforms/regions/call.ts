/** Rules of `call`: operands args, region fun(args). It goes as soon as a transformation reaches it. */
import type { Builder } from '../../tensor-ir/builder.ts';
import type { RegionRules } from '../../tensor-ir/primitive.ts';
import type { Func, Operation } from '../../tensor-ir/program.ts';
import { inlineJvp } from '../jvp.ts';
import { TransformProblem } from '../problem.ts';
import { inlineBatch } from '../vmap.ts';

function body(op: Operation): Func {
  return op.regions[0]!;
}

/** Forward mode has inlined it before. */
function neverLinear(op: Operation): never {
  throw new TransformProblem('`call` of tangents is inlined by `jvp`', op.span);
}

/** Rules of `call`. */
export const callRules: RegionRules = {
  jvp: (b: Builder, op, tangents) => inlineJvp(b, body(op), op.operands, tangents),
  split: neverLinear,
  transpose: (_, op) => neverLinear(op),
  batch: (b, op, isMapped, size) => inlineBatch(b, body(op), op.operands, isMapped, size),
};
