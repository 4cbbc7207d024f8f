/** What the rules of `scan` share: its attrs, the groups of its operands, and the fixed point over its carries. */
import type { Int } from '../../symbolic/integer.ts';
import type { Attrs, Operation } from '../../tensor-ir/program.ts';
import { either, sameFlags } from '../tangents.ts';

export interface ScanAttrs extends Attrs {
  readonly carries: number;
  readonly sequences: number;
  readonly length: Int;
  readonly reverse: boolean;
}

/** The three groups of operands, or of body parameters after the index. */
export interface Groups<T> {
  readonly carries: readonly T[];
  readonly sequences: readonly T[];
  readonly consts: readonly T[];
}

export function group<T>(items: readonly T[], attrs: ScanAttrs): Groups<T> {
  const end = attrs.carries + attrs.sequences;
  return {
    carries: items.slice(0, attrs.carries),
    sequences: items.slice(attrs.carries, end),
    consts: items.slice(end),
  };
}

export function attrsOf(op: Operation): ScanAttrs {
  return op.attrs as ScanAttrs;
}

/** Repeats `step` until the flags of the carries stop growing; returns its last outcome with the flags it was given. */
export function fixpoint<T>(
  initial: readonly boolean[],
  step: (carries: readonly boolean[]) => { readonly outcome: T; readonly out: readonly boolean[] },
): { readonly outcome: T; readonly flags: readonly boolean[] } {
  let flags = initial;
  for (;;) {
    const { outcome, out } = step(flags);
    const next = either(flags, out);
    if (sameFlags(flags, next)) return { outcome, flags };
    flags = next;
  }
}
