/** A pass takes a program to a program; the driver verifies, times and prints after each one. */
import type { Func, Operation, Program, Stage } from '../tensor-ir/program.ts';

export interface Pass<From extends Stage, To extends Stage> {
  /** Also the word by which tools ask for it. */
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  readonly from: From;
  readonly to: To;
  /** A property, not a method: TypeScript then refuses passes in the wrong order. */
  readonly run: (program: Program<From>) => Program<To>;
}

/** A pass of plain programs that treats each function on its own. */
export function functionPass(
  name: string,
  summary: string,
  rewrite: (func: Func) => Func,
): Pass<'plain', 'plain'> {
  return {
    name,
    summary,
    from: 'plain',
    to: 'plain',
    run: (program) => ({
      stage: 'plain',
      entries: program.entries.map((entry) => ({ ...entry, func: rewrite(entry.func) })),
    }),
  };
}

/** The operation with each region rewritten; the same object when nothing changed. */
export function rewriteRegions(op: Operation, rewrite: (func: Func) => Func): Operation {
  if (op.regions.length === 0) return op;
  const regions = op.regions.map(rewrite);
  return regions.every((r, i) => r === op.regions[i]) ? op : { ...op, regions };
}
