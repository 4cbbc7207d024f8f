/** Control flow that is decided when compiling. */
import type { Rule } from '../rewriter.ts';

export const controlFlowRules: readonly Rule[] = [
  {
    name: 'cond-decided',
    on: ['cond'],
    rewrite: (r, op) => {
      const [condition, ...args] = op.operands;
      const splat = r.splat(condition!);
      return splat === undefined ? undefined : r.inline(op.regions[splat ? 0 : 1]!, args);
    },
  },
];
