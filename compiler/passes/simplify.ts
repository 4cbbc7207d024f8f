/**
 * Simplification by local rules, to their fixed point.
 *
 *   f(x) { z = constant(0); y = add(x, z); return mul(y, y) }      f(x) { return mul(x, x) }
 *
 * Each file in rules/ says what its rules keep exactly. What only becomes visible across operations (equal computations,
 * dead ones) is left to common-subexpressions.ts and dead-code.ts.
 */
import type { Func } from '../tensor-ir/program.ts';
import { functionPass, type Pass } from './pass.ts';
import { type Rule, rewriteFunction } from './rewriter.ts';
import { arithmeticRules } from './rules/arithmetic.ts';
import { broadcastRules } from './rules/broadcasts.ts';
import { constantRules } from './rules/constants.ts';
import { contractionRules } from './rules/contractions.ts';
import { controlFlowRules } from './rules/control-flow.ts';
import { emptyRules } from './rules/empty.ts';
import { partRules } from './rules/parts.ts';
import { reductionRules } from './rules/reductions.ts';
import { selectAndConvertRules } from './rules/select-and-convert.ts';
import { viewRules } from './rules/views.ts';

/** In the order in which they are tried on an operation. */
const allRules: readonly Rule[] = [
  ...emptyRules,
  ...constantRules,
  ...arithmeticRules,
  ...selectAndConvertRules,
  ...viewRules,
  ...broadcastRules,
  ...partRules,
  ...reductionRules,
  ...contractionRules,
  ...controlFlowRules,
];

const rulesByPrimitive = new Map<string, Rule[]>();
for (const rule of allRules) {
  for (const name of rule.on) {
    const list = rulesByPrimitive.get(name) ?? [];
    list.push(rule);
    rulesByPrimitive.set(name, list);
  }
}

/** Applies all rules to a function and its regions. */
export function simplifyFunction(func: Func): Func {
  return rewriteFunction(func, rulesByPrimitive);
}

export const simplify: Pass<'plain', 'plain'> = functionPass(
  'simplify',
  'applies local identities until none is left',
  simplifyFunction,
);
