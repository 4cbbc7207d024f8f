/**
 * Dead code: operations whose results nobody reads.
 *
 *   f(x) { a = sin(x); b = cos(x); return a }      f(x) { a = sin(x); return a }
 *
 * Control flow loses single results too, with the arguments, carries and sequences that only served them.
 * Parameters and results of the function itself stay.
 */
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import { narrowOperation } from './narrow-control-flow.ts';
import { functionPass, type Pass } from './pass.ts';

/** The operations that `results` depend on; regions are left as they are. */
export function removeDeadOperations(
  body: readonly Operation[],
  results: readonly Value[],
): readonly Operation[] {
  return liveOperations(body, results, (op) => op);
}

/** Removes dead operations, and dead parts of operations with regions, at every depth. */
export function eliminateDeadCode(func: Func): Func {
  const body = liveOperations(func.body, func.results, (op, live) =>
    op.regions.length === 0 ? op : narrowOperation(op, live, eliminateDeadCode),
  );
  const isSame = body.length === func.body.length && body.every((op, i) => op === func.body[i]);
  return isSame ? func : { ...func, body };
}

function liveOperations(
  body: readonly Operation[],
  results: readonly Value[],
  narrow: (op: Operation, live: ReadonlySet<Value>) => Operation,
): readonly Operation[] {
  const live = new Set(results);
  const kept: Operation[] = [];
  for (let i = body.length - 1; i >= 0; i--) {
    const op = body[i]!;
    if (!op.results.some((r) => live.has(r))) continue;
    const narrowed = narrow(op, live);
    for (const v of narrowed.operands) live.add(v);
    kept.push(narrowed);
  }
  return kept.reverse();
}

export const deadCode: Pass<'plain', 'plain'> = functionPass(
  'dead-code',
  'removes operations whose results nobody reads',
  eliminateDeadCode,
);
