/**
 * Puts the body of an `extern` function in the place of its call, where the device has no use for the kernel.
 *
 *   y = extern(x, s) { fun }      t = broadcast(s); y = mul(x, t)
 */
import { Builder } from '../tensor-ir/builder.ts';
import type { Func, Operation, Program, Value } from '../tensor-ir/program.ts';
import { rewriteRegions } from './pass.ts';

/** The same program without the operations `extern` that `isKept` refuses. */
export function inlineKernels(
  program: Program<'plain'>,
  isKept: (op: Operation) => boolean,
): Program<'plain'> {
  const rewrite = (func: Func): Func => inlineIn(func, isKept);
  const entries = program.entries.map((entry) => {
    const func = rewrite(entry.func);
    return func === entry.func ? entry : { ...entry, func };
  });
  const isSame = entries.every((entry, i) => entry === program.entries[i]);
  return isSame ? program : { stage: 'plain', entries };
}

function inlineIn(func: Func, isKept: (op: Operation) => boolean): Func {
  const b = new Builder();
  const replaced = new Map<Value, Value>();
  const read = (value: Value): Value => replaced.get(value) ?? value;
  let changed = false;
  for (const op of func.body) {
    const inner = rewriteRegions(op, (region) => inlineIn(region, isKept));
    const operands = op.operands.map(read);
    if (op.primitive.name === 'extern' && !isKept(op)) {
      const values = b.inline(inner.regions[0]!, operands);
      op.results.forEach((result, i) => {
        replaced.set(result, values[i]!);
      });
      changed = true;
    } else {
      if (inner !== op) changed = true;
      b.operations.push({ ...inner, operands });
    }
  }
  return changed ? b.finish(func.name, func.parameters, func.results.map(read)) : func;
}

/** The operations `extern` of a program, those in regions included. */
export function kernelCalls(program: Program<'plain'>): readonly Operation[] {
  const found: Operation[] = [];
  const visit = (func: Func): void => {
    for (const op of func.body) {
      if (op.primitive.name === 'extern') found.push(op);
      op.regions.forEach(visit);
    }
  };
  for (const entry of program.entries) visit(entry.func);
  return found;
}
