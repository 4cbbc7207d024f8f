/** A range of characters in one source: offsets are UTF-16 code units from the start, end exclusive. */
export interface Span {
  /** Name of the source as handed to the compiler, such as a path or `std/nn`. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** From the first character of `a` to the last of `b`. */
export function joinSpans(a: Span, b: Span): Span {
  return { file: a.file, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
