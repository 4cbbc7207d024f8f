/**
 * What goes wrong at run time, as data. Codes:
 *
 *   MLX5101 a bundle cannot be read       MLX5111 arguments do not fit the signature
 *   MLX5102 a bundle is damaged           MLX5112 dims violate a guard
 *   MLX5103 a bundle of another version   MLX5113 a tensor is used after it was disposed or donated
 *   MLX5104 no C compiler                 MLX5114 data that no tensor can be made of
 *   MLX5105 the C compiler failed         MLX5115 out of memory
 *   MLX5106 the native addon is missing   MLX5116 no function of this name
 *   MLX5118 no Metal device               MLX5117 a bundle not built for this device
 */

/** One part of a problem: an argument that does not fit, a field of a plan that is wrong. */
export interface Problem {
  /** Where: a parameter such as `m.hidden.w`, a place in plan.json such as `functions[0].steps[2]`. */
  readonly place: string;
  readonly message: string;
  /** What a signature asks for, such as `f32[B, 64]`, and what was given. */
  readonly expected?: string;
  readonly found?: string;
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
