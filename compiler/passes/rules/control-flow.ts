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
  {
    name: 'switch-decided',
    on: ['switch'],
    rewrite: (r, op) => {
      const [index, ...args] = op.operands;
      const splat = r.splat(index!);
      if (splat === undefined && op.regions.length > 1) return undefined;
      const branch = Math.min(Math.max(Number(splat ?? 0), 0), op.regions.length - 1);
      return r.inline(op.regions[branch]!, args);
    },
  },
];
