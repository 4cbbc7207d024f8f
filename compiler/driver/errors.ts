/** Errors that the driver raises for mistakes of the user that have no place in a source: files, values, flags. */
import { MlxcError } from '../../runtime/errors.ts';

/**
 * What is wrong with a file or a value (`place`), and how to mend it. The command exits with 1. Its codes are MLX50xx;
 * tools/diagnostics/meanings.ts says what they mean.
 */
export class FileProblem extends MlxcError {
  override readonly name: string = 'FileProblem';
  readonly place: string;

  constructor(code: `MLX${number}`, place: string, message: string, hint = '') {
    super(code, `${place}: ${message}`, hint);
    this.place = place;
  }
}

/** The command line itself is wrong: an unknown flag, a missing argument. The command exits with 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly hint: string;

  constructor(message: string, hint = '') {
    super(message);
    this.hint = hint;
  }
}
