/**
 * Replaces operations that are defined by other operations, so that what they do is fused like anything else.
 *
 *   y = conv_general(x, w)      xp = pad(x); p = window_slice(broadcast(xp)); y = dot_general(p, w)
 *
 * It runs after the transformations: derivatives and batching use the rules of the operation itself.
 */

import { invariant } from '../diagnostics/internal-error.ts';
import { isSameType } from '../primitives/checks.ts';
import { Builder } from '../tensor-ir/builder.ts';
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import { functionPass, type Pass, rewriteRegions } from './pass.ts';

export const expandComposites: Pass<'plain', 'plain'> = functionPass(
  'composites',
  'replaces operations that are defined by others',
  expandIn,
);

function expandIn(func: Func): Func {
  if (!func.body.some(needsExpansion)) return func;
  const b = new Builder();
  const replaced = new Map<Value, Value>();
  const add = (op: Operation): void => {
    const operands = op.operands.map((v) => replaced.get(v) ?? v);
    const { lower } = op.primitive;
    if (lower.kind !== 'composite') {
      b.operations.push({ ...rewriteRegions(op, expandIn), operands });
      return;
    }
    const inner = new Builder();
    inner.span = op.span;
    const values = lower.expand(inner, { ...op, operands });
    // an expansion may hold composites itself
    for (const built of inner.operations) add(built);
    op.results.forEach((result, i) => {
      const value = values[i]!;
      invariant(
        isSameType(value.type, result.type),
        `the expansion of ${op.primitive.name} changes a type`,
      );
      replaced.set(result, replaced.get(value) ?? value);
    });
  };
  for (const op of func.body) add(op);
  return b.finish(
    func.name,
    func.parameters,
    func.results.map((v) => replaced.get(v) ?? v),
  );
}

function needsExpansion(op: Operation): boolean {
  return (
    op.primitive.lower.kind === 'composite' || op.regions.some((r) => r.body.some(needsExpansion))
  );
}
