/** Module constants: elaborated where they are used; numbers and other compile-time values once. */
import { constCycle } from '../diagnostics/problems/names.ts';
import type { ConstDeclaration } from '../syntax/ast.ts';
import { coerce } from './coerce.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import type { Binding } from './scope.ts';
import { errorTerm, forEachLeaf } from './terms.ts';
import { evaluateType } from './types.ts';
import type { Term } from './value.ts';

interface ConstTable {
  readonly known: Map<ConstDeclaration, Term>;
  readonly open: Set<ConstDeclaration>;
}

const tables = new WeakMap<Elaborator, ConstTable>();

export function evaluateConst(e: Elaborator, binding: Binding & { readonly kind: 'const' }): Term {
  let table = tables.get(e);
  if (table === undefined) {
    table = { known: new Map(), open: new Set() };
    tables.set(e, table);
  }
  const { declaration, scope } = binding;
  const before = table.known.get(declaration);
  if (before !== undefined) return before;
  if (table.open.has(declaration)) {
    return e.error(constCycle(declaration.name.text, declaration.name.span));
  }
  table.open.add(declaration);
  const type = declaration.type && evaluateType(e, declaration.type, scope);
  const value = elaborateExpression(e, declaration.value, scope, type);
  const term =
    type === undefined ? value : coerce(e, value, type, { span: declaration.value.span });
  table.open.delete(declaration);
  // a tensor belongs to the function being built, so it is made again in the next one
  if (!holdsTensor(term)) table.known.set(declaration, term);
  return term.kind === 'error' ? errorTerm : term;
}

function holdsTensor(term: Term): boolean {
  let found = term.kind === 'function';
  forEachLeaf(term, (leaf) => {
    if (leaf.kind === 'tensor') found = true;
  });
  return found;
}
