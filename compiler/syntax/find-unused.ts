/**
 * Names that are bound and never read: imports of a module, and `let` and `var` of its functions. A name that starts
 * with `_` is meant to stay unused. They are warnings: the program means what it says.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { unusedImport, unusedName } from '../diagnostics/problems/unused.ts';
import type { Module, Name, Pattern, Statement } from './ast.ts';

/** In the order of the source. The module must be free of errors. */
export function findUnused(module: Module): readonly Diagnostic[] {
  const bound: Name[] = [];
  const read = new Set<string>();
  visit(module.declarations, bound, read);
  const problems: Diagnostic[] = [];
  for (const { names } of module.imports) {
    for (const { name, as } of names) {
      const local = as ?? name;
      if (!read.has(local.text)) problems.push(unusedImport(local.text, local.span));
    }
  }
  for (const { text, span } of bound) {
    if (!text.startsWith('_') && !read.has(text)) problems.push(unusedName(text, span));
  }
  return problems.sort((a, b) => a.span.start - b.span.start);
}

/**
 * Collects what binds and what reads by name alone: a name that two functions bind and one reads counts as read in
 * both, so that no warning is ever wrong.
 */
function visit(node: unknown, bound: Name[], read: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const item of node) visit(item, bound, read);
    return;
  }
  if (isName(node)) {
    read.add(node.text);
    return;
  }
  const statement = node as Statement;
  if (statement.kind === 'let') {
    bound.push(...namesOf(statement.pattern));
    visit([statement.type, statement.value], bound, read);
  } else if (statement.kind === 'var') {
    bound.push(statement.name);
    visit([statement.type, statement.value], bound, read);
  } else if (statement.kind === 'assign') {
    visit(statement.value, bound, read);
  } else {
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'span') visit(value, bound, read);
    }
  }
}

function isName(node: object): node is Name {
  return 'text' in node && 'span' in node && !('kind' in node);
}

function namesOf(pattern: Pattern): readonly Name[] {
  switch (pattern.kind) {
    case 'name':
      return [pattern.name];
    case 'tuple':
      return pattern.items.flatMap(namesOf);
    default:
      return [];
  }
}
