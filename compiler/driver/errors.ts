/** Errors that the driver raises for mistakes of the user that have no place in a source: files, values, flags. */

/**
 * What is wrong with a file or a value, and how to mend it. Codes are MLX5xxx; the command exits with 1.
 *
 * `place` names the file (or the argument) it is about.
 */
export class FileProblem extends Error {
  override readonly name: string = 'FileProblem';
  readonly code: `MLX5${number}`;
  readonly place: string;
  readonly hint: string | undefined;

  constructor(code: `MLX5${number}`, place: string, message: string, hint?: string) {
    super(`${place}: ${message}`);
    this.code = code;
    this.place = place;
    this.hint = hint;
  }
}

/** The command line itself is wrong: an unknown flag, a missing argument. The command exits with 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
