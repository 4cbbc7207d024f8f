/** A bug of ours: a broken invariant. The driver adds the pass and the IR; the command exits with 70. */
export class InternalError extends Error {
  override readonly name: string = 'InternalError';
  readonly details: string;

  constructor(message: string, details = '') {
    super(message);
    this.details = details;
  }
}

/** Ends an exhaustive switch: a new kind is then a compile error. */
export function unreachable(value: never): never {
  throw new InternalError(`unexpected case ${JSON.stringify(value)}`);
}

/** Checks an invariant that the type system cannot see. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}
