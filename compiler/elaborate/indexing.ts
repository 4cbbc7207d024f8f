/**
 * `x[...]` as NumPy has it: numbers and slices with symbolic bounds, `...`, `newaxis`, scalar tensors (a dynamic
 * slice) and integer tensors (a gather). Numbers known when compiling are checked against the size, or guarded;
 * those of the run count from the end when negative.
 */
import {
  badIndex,
  indexOutOfRange,
  notIndexable,
  sliceOutOfRange,
} from '../diagnostics/problems/shapes.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue, type Int, int, print, zero } from '../symbolic/integer.ts';
import type { Expression } from '../syntax/ast.ts';
import { applyIndex } from './apply-index.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import {
  elaborateEntries,
  expandEllipsis,
  type IndexEntry,
  lengthOf,
  type PlainEntry,
} from './index-entries.ts';
import type { Scope } from './scope.ts';
import { errorTerm, mapLeaves } from './terms.ts';
import type { Term } from './value.ts';

export function elaborateIndex(
  e: Elaborator,
  expression: Expression & { readonly kind: 'index' },
  scope: Scope,
): Term {
  const object = elaborateExpression(e, expression.object, scope, undefined);
  if (object.kind === 'function') {
    const problem = notIndexable(describe(object), expression.object.span);
    return e.error({ ...problem, hint: 'a call has parentheses: `f(x)`' });
  }
  const entries = elaborateEntries(e, expression.items, scope);
  if (object.kind === 'error' || entries === undefined) return errorTerm;
  const { span } = expression;
  e.builder.span = span;
  if (object.kind === 'tuple' || object.kind === 'array')
    return indexItems(e, object, entries, span);
  const rank = visibleRank(object);
  if (rank === undefined) return e.error(notIndexable(describe(object), expression.object.span));
  const plain = expandEllipsis(e, entries, rank, describe(object), span);
  if (plain === undefined) return errorTerm;
  return indexTree(e, object, plain);
}

/** The axes that an index can name: all of a tensor, those before the pair of a key or a complex number, the leading ones of `S[B]`. */
export function visibleRank(term: Term): number | undefined {
  if (term.kind === 'tensor') return term.value.type.shape.length - (term.form === 'plain' ? 0 : 1);
  if (term.kind === 'struct' && term.type.leading.length > 0) return term.type.leading.length;
  return undefined;
}

/** `object[i]` of something with a leading axis. */
export function itemOf(e: Elaborator, object: Term, index: number, span: Span): Term {
  const rank = visibleRank(object) ?? 0;
  const entries: PlainEntry[] = [{ kind: 'at', index: int(index), span }];
  const plain = expandEllipsis(e, entries, rank, describe(object), span);
  return plain === undefined ? errorTerm : indexTree(e, object, plain);
}

/** Indexes the tensor, or every leaf of an `S[B]` along the leading axes. */
function indexTree(e: Elaborator, object: Term, entries: readonly PlainEntry[]): Term {
  let failed = false;
  const indexed = mapLeaves(object, (leaf) => {
    if (leaf.kind !== 'tensor') return leaf;
    const value = applyIndex(e, leaf.value, entries);
    if (value === undefined) failed = true;
    return value === undefined ? errorTerm : { kind: 'tensor', value, form: leaf.form };
  });
  if (failed) return errorTerm;
  return object.kind === 'struct' ? withIndexedLeading(indexed, object, entries) : indexed;
}

/** `S[B][i]` is an `S`; a slice or an index tensor leaves leading axes behind. */
function withIndexedLeading(indexed: Term, object: Term, entries: readonly PlainEntry[]): Term {
  if (indexed.kind !== 'struct' || object.kind !== 'struct') return indexed;
  let before: readonly Int[] | undefined;
  let after: readonly Int[] | undefined;
  const walk = (a: Term, b: Term): void => {
    if (a.kind === 'tensor' && b.kind === 'tensor') {
      before ??= a.value.type.shape;
      after ??= b.value.type.shape;
    } else if (a.kind === 'struct' && b.kind === 'struct') {
      for (const [name, field] of a.fields) walk(field, b.fields.get(name)!);
    } else if ((a.kind === 'tuple' || a.kind === 'array') && a.kind === b.kind) {
      const others = b.items;
      a.items.forEach((item, i) => {
        walk(item, others[i]!);
      });
    }
  };
  walk(object, indexed);
  const removed = (before?.length ?? 0) - (after?.length ?? 0);
  const count = Math.max(0, entries.length === 0 ? 0 : object.type.leading.length - removed);
  const leading = after?.slice(0, count) ?? [];
  const relabel = (term: Term): Term => {
    if (term.kind === 'struct') {
      const fields = new Map<string, Term>();
      for (const [name, field] of term.fields) fields.set(name, relabel(field));
      const own = term.type.leading.slice(object.type.leading.length);
      return { kind: 'struct', type: { ...term.type, leading: [...leading, ...own] }, fields };
    }
    if (term.kind === 'tuple' || term.kind === 'array') {
      return { kind: term.kind, items: term.items.map(relabel) };
    }
    return term;
  };
  return relabel(indexed);
}

/** Fixed arrays and tuples: a number gives the item, a slice a shorter array. */
function indexItems(
  e: Elaborator,
  object: Term & { readonly kind: 'tuple' | 'array' },
  entries: readonly IndexEntry[],
  span: Span,
): Term {
  const [entry, ...rest] = entries;
  const { items } = object;
  if (entry?.kind === 'at' && rest.length === 0) {
    const index = constantValue(entry.index);
    if (index === undefined) return e.error(badIndex(`the dim ${print(entry.index)}`, entry.span));
    const item = items[index < 0 ? index + items.length : index];
    return item ?? e.error(indexOutOfRange(`${index}`, `${items.length}`, 0, entry.span));
  }
  if (entry?.kind === 'slice' && rest.length === 0 && entry.step > 0) {
    const bounds = [entry.start ?? zero, entry.stop ?? lengthOf(items)].map(constantValue);
    const [start, stop] = bounds.map((b) => (b !== undefined && b < 0 ? b + items.length : b));
    if (
      start !== undefined &&
      stop !== undefined &&
      start >= 0 &&
      start <= stop &&
      stop <= items.length
    ) {
      const part = items.slice(start, stop).filter((_, i) => i % entry.step === 0);
      return { kind: object.kind, items: part };
    }
    const { start: from, stop: to } = entry;
    return e.error(
      sliceOutOfRange(
        from ? print(from) : '',
        to ? print(to) : '',
        `${items.length}`,
        0,
        entry.span,
      ),
    );
  }
  const hint = 'a fixed array or tuple is indexed by a number known when compiling';
  return e.error(
    badIndex(entry?.kind === 'tensor' ? 'a number of the run' : 'this', entry?.span ?? span, hint),
  );
}
