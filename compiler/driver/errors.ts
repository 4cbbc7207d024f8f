/** Errors that the driver raises for mistakes of the user that have no place in a source: files, values, flags. */
import { MlxcError } from '../../runtime/errors.ts';

/**
 * What is wrong with a file or a value (`place`), and how to mend it. The command exits with 1. Codes:
 *
 *   MLX5001 absent or unreadable     MLX5010 .npy, 5011 .npz, 5012 .safetensors: damaged or not of that kind
 *   MLX5002 cannot be written        MLX5020 a value is not JSON of the right form
 *   MLX5003 of an unknown kind       MLX5021 a file lacks a tensor
 *   MLX5004 results do not fit       MLX5022 dtype or rank differ from the signature
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
