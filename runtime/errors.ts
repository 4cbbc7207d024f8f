/** What goes wrong at run time, as data. Its codes are MLX51xx; tools/diagnostics/meanings.ts says what they mean. */

/** One part of a problem: an argument that does not fit, a field of a plan that is wrong. */
export interface Problem {
  /** Where: a parameter such as `m.hidden.w`, a place in plan.json such as `functions[0].steps[2]`. */
  readonly place: string;
  readonly message: string;
  /** What a signature asks for, such as `f32[B, 64]`, and what was given. */
  readonly expected?: string;
  readonly found?: string;
}

/** What a device reported of a run, as an error: MLX5115 when memory ran out. */
export function runError(message: string): Error {
  if (!message.startsWith('out of memory')) return new Error(message);
  return new MlxcError('MLX5115', message, 'use smaller batches, or dispose tensors');
}

/** An error of the runtime with a stable code, what to do about it, and all problems that were found. */
export class MlxcError extends Error {
  override readonly name: string = 'MlxcError';
  readonly code: `MLX${number}`;
  /** How to mend it; empty when nobody can tell. */
  readonly cure: string;
  readonly problems: readonly Problem[];

  constructor(code: `MLX${number}`, message: string, cure = '', problems: readonly Problem[] = []) {
    super(`${code}: ${message}${cure === '' ? '' : `\n  ${cure}`}`);
    this.code = code;
    this.cure = cure;
    this.problems = problems;
  }
}
