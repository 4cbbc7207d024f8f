/** Values without elements: nothing has to be read for them, whatever computes them. */
import { primitives } from '../../primitives/registry.ts';
import { constantValue } from '../../symbolic/integer.ts';
import { isBig } from '../../tensor-ir/nd-array.ts';
import type { TensorType } from '../../tensor-ir/program.ts';
import type { Rule } from '../rewriter.ts';
import { type ConstantValue, makeConstant } from './constants.ts';

function isEmpty({ shape }: TensorType): boolean {
  return shape.some((size) => constantValue(size) === 0);
}

function anyElement({ dtype }: TensorType): ConstantValue {
  if (dtype === 'bool') return false;
  return isBig(dtype) ? 0n : 0;
}

export const emptyRules: readonly Rule[] = [
  {
    // kernels read what does not change in a loop before it, which for a loop that never runs would be memory
    // that is not there
    name: 'no-elements',
    on: [...primitives.keys()].filter((name) => name !== 'constant' && name !== 'literal'),
    rewrite: (r, op) => {
      const [result] = op.results;
      if (op.results.length !== 1 || op.regions.length > 0 || !isEmpty(result!.type))
        return undefined;
      return makeConstant(r, result!.type, anyElement(result!.type));
    },
  },
];
