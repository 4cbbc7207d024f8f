/** Why a function cannot be transformed: the user asked for a derivative or a batch that does not exist. */
import type { Span } from '../diagnostics/span.ts';

/** A limit of the language that only shows behind the front end; the driver turns it into a diagnostic at `span`. */
export class TransformProblem extends Error {
  override readonly name: string = 'TransformProblem';
  readonly span: Span | undefined;

  constructor(message: string, span?: Span) {
    super(message);
    this.span = span;
  }
}
