/** Patterns of `let`, `for` and lambdas: they take tuples and arrays apart and name what they bind. */
import { duplicateName } from '../diagnostics/problems/names.ts';
import { patternMismatch } from '../diagnostics/problems/types.ts';
import { constantValue, type Int } from '../symbolic/integer.ts';
import type { Name, Pattern } from '../syntax/ast.ts';
import type { Value } from '../tensor-ir/program.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { itemOf, visibleRank } from './indexing.ts';
import type { Scope } from './scope.ts';
import { errorTerm } from './terms.ts';
import type { Term } from './value.ts';

/** `isVar`: the names may be assigned to. */
export function bindPattern(
  e: Elaborator,
  pattern: Pattern,
  term: Term,
  scope: Scope,
  isVar = false,
): void {
  const names = new Map<string, Name>();
  const bind = (p: Pattern, t: Term): void => {
    switch (p.kind) {
      case 'wildcard':
        return;
      case 'name': {
        const { text } = p.name;
        const first = names.get(text);
        if (first !== undefined) e.error(duplicateName(text, p.name.span, first.span));
        names.set(text, p.name);
        nameValues(t, text);
        scope.define(text, { kind: 'term', term: t, span: p.name.span, isVar });
        return;
      }
      case 'tuple': {
        const items = t.kind === 'tuple' || t.kind === 'array' ? t.items : rowsOf(e, t, p);
        if (items === undefined || items.length !== p.items.length) {
          if (t.kind !== 'error') e.error(patternMismatch(p.items.length, describe(t), p.span));
          for (const item of p.items) bind(item, errorTerm);
          return;
        }
        p.items.forEach((item, i) => {
          bind(item, items[i]!);
        });
      }
    }
  };
  bind(pattern, term);
}

/** The names of a lambda's parameters differ. */
export function requireDistinctNames(
  e: Elaborator,
  parameters: readonly { readonly pattern: Pattern }[],
): void {
  const first = new Map<string, Name>();
  const visit = (pattern: Pattern): void => {
    if (pattern.kind === 'tuple') pattern.items.forEach(visit);
    if (pattern.kind !== 'name') return;
    const { text, span } = pattern.name;
    const before = first.get(text);
    if (before !== undefined) e.error(duplicateName(text, span, before.span));
    first.set(text, pattern.name);
  };
  // within one parameter the pattern says it itself when it is bound
  const names = new Set<string>();
  if (parameters.length < 2) return;
  for (const { pattern } of parameters) {
    if (pattern.kind === 'name' && names.has(pattern.name.text)) visit(pattern);
    else if (pattern.kind === 'name') {
      names.add(pattern.name.text);
      first.set(pattern.name.text, pattern.name);
    }
  }
}

/** `let (a, b) = split(key);`: the rows of a tensor, key array or `S[2]` whose leading axis has a known size. */
function rowsOf(e: Elaborator, term: Term, pattern: Pattern): readonly Term[] | undefined {
  const size = leadingSize(term);
  const count = pattern.kind === 'tuple' ? pattern.items.length : 0;
  if (size === undefined || constantValue(size) !== count) return undefined;
  e.builder.span = pattern.span;
  return Array.from({ length: count }, (_, i) => itemOf(e, term, i, pattern.span));
}

function leadingSize(term: Term): Int | undefined {
  if (term.kind === 'struct') return term.type.leading[0];
  if (term.kind !== 'tensor' || visibleRank(term) === 0) return undefined;
  return term.value.type.shape[0];
}

/** Gives tensors that have no name yet the name they are bound to: kernels and printed IR use it. */
export function nameValues(term: Term, name: string): void {
  switch (term.kind) {
    case 'tensor':
      if (term.value.name === undefined) (term.value as { name?: Value['name'] }).name = name;
      break;
    case 'struct':
      for (const [field, inner] of term.fields) nameValues(inner, `${name}_${field}`);
      break;
    case 'tuple':
    case 'array':
      term.items.forEach((item, i) => {
        nameValues(item, `${name}_${i}`);
      });
      break;
    default:
      break;
  }
}
