/**
 * Removes the transformation operations, innermost first, so that what a transformation sees is ordinary IR.
 *
 *   y, ct = vjp(x, c) { f }      y = ...; ct = ...     (the operations of f and of its derivative)
 *
 * What is left of `custom_jvp`, `custom_vjp` and `checkpoint` after that is their function, and `stop_gradient` is nothing.
 */
import { eliminateDeadCode } from '../passes/dead-code.ts';
import { broadcastLeading, moveAxis } from '../primitives/values.ts';
import type { Int } from '../symbolic/integer.ts';
import { Builder } from '../tensor-ir/builder.ts';
import type { Func, Operation, Program, Value } from '../tensor-ir/program.ts';
import { jvpFunction } from './jvp.ts';
import { TransformProblem } from './problem.ts';
import { vjpFunction } from './vjp.ts';
import { inlineBatch } from './vmap.ts';

/** The program without transformation operations and dead code. Throws TransformProblem where a derivative does not exist. */
export function expandTransformations(program: Program<'traced'>): Program<'plain'> {
  return {
    stage: 'plain',
    entries: program.entries.map((entry) => ({
      ...entry,
      func: eliminateDeadCode(inlineCalls(expandFunction(entry.func))),
    })),
  };
}

/** Expands `vmap`, `jvp` and `vjp` at every depth. */
export function expandFunction(func: Func): Func {
  return rewrite(func, expandFunction, (b, op, operands) => {
    switch (op.primitive.name) {
      case 'vmap':
        return expandVmap(b, op, operands);
      case 'jvp': {
        const body = eliminateDeadCode(op.regions[0]!);
        const dual = eliminateDeadCode(jvpFunction(body, op.attrs['wrt'] as readonly number[]));
        refuseReverseOnly(dual);
        return b.inline(dual, operands);
      }
      case 'vjp': {
        const body = eliminateDeadCode(op.regions[0]!);
        const pullback = vjpFunction(body, op.attrs['wrt'] as readonly number[]);
        return b.inline(eliminateDeadCode(pullback), operands);
      }
      default:
        return undefined;
    }
  });
}

function expandVmap(b: Builder, op: Operation, operands: readonly Value[]): readonly Value[] {
  const inAxes = op.attrs['inAxes'] as readonly number[];
  const outAxes = op.attrs['outAxes'] as readonly number[];
  const size = op.attrs['size'] as Int;
  const args = operands.map((v, i) => (inAxes[i]! < 0 ? v : moveAxis(b, v, inAxes[i]!, 0)));
  const isMapped = inAxes.map((axis) => axis >= 0);
  const batched = inlineBatch(b, op.regions[0]!, args, isMapped, size);
  return batched.results.map((r, i) => {
    const mapped = batched.isMapped[i] ? r : broadcastLeading(b, r, size);
    return moveAxis(b, mapped, 0, outAxes[i]!);
  });
}

/** Forward mode ends here, so tangents that only reverse mode can read must be gone. */
function refuseReverseOnly(func: Func): void {
  for (const op of func.body) {
    if (op.primitive.name === 'custom_vjp_tangent') {
      throw new TransformProblem(
        '`jvp` reaches a function with a `custom_vjp`, which has reverse mode only',
        op.span,
      );
    }
    op.regions.forEach(refuseReverseOnly);
  }
}

/** Inlines the function of operations that only mattered to derivatives. */
export function inlineCalls(func: Func): Func {
  return rewrite(func, inlineCalls, (b, op, operands) => {
    switch (op.primitive.name) {
      case 'custom_jvp':
      case 'custom_vjp':
      case 'checkpoint':
        return b.inline(op.regions[0]!, operands);
      case 'stop_gradient':
        return operands;
      default:
        return undefined;
    }
  });
}

/** Replaces operations, after their regions; `replace` returns undefined for those that stay. */
function rewrite(
  func: Func,
  recurse: (func: Func) => Func,
  replace: (b: Builder, op: Operation, operands: readonly Value[]) => readonly Value[] | undefined,
): Func {
  const b = new Builder();
  const replaced = new Map<Value, Value>();
  const read = (v: Value): Value => replaced.get(v) ?? v;
  for (const original of func.body) {
    const op =
      original.regions.length === 0
        ? original
        : { ...original, regions: original.regions.map(recurse) };
    const operands = op.operands.map(read);
    b.span = op.span;
    const results = replace(b, op, operands);
    if (results === undefined) b.operations.push({ ...op, operands });
    else op.results.forEach((r, i) => replaced.set(r, results[i]!));
  }
  return b.finish(func.name, func.parameters, func.results.map(read));
}
