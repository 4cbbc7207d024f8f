/**
 * The generics of a declaration: those written in `<...>`, then every capitalised name in its parameters and result that
 * nothing defines, in order of appearance: a dim, or a shape variable after `...`.
 */
import type { Span } from '../diagnostics/span.ts';
import type {
  DimExpression,
  FunctionDeclaration,
  Generic,
  TypeArgument,
  TypeExpression,
} from '../syntax/ast.ts';
import type { Scope } from './scope.ts';
import { isBuiltinType, isDimGeneric } from './types.ts';

interface Collector {
  readonly scope: Scope;
  readonly found: Map<string, Generic>;
  readonly parameters: ReadonlySet<string>;
}

const memo = new WeakMap<FunctionDeclaration, readonly Generic[]>();

export function genericsOf(declaration: FunctionDeclaration, scope: Scope): readonly Generic[] {
  let generics = memo.get(declaration);
  if (generics === undefined) {
    const collector: Collector = {
      scope,
      found: new Map(declaration.generics.map((g) => [g.name.text, g])),
      parameters: new Set(declaration.parameters.map((p) => p.name.text)),
    };
    for (const parameter of declaration.parameters) visitType(collector, parameter.type);
    if (declaration.result !== undefined) visitType(collector, declaration.result);
    generics = [...collector.found.values()];
    memo.set(declaration, generics);
  }
  return generics;
}

/** Capitalised names in the parameter types of a lambda that nothing defines: dims that its arguments bind. */
export function genericsOfTypes(
  types: readonly (TypeExpression | undefined)[],
  scope: Scope,
): readonly Generic[] {
  const collector: Collector = { scope, found: new Map(), parameters: new Set() };
  for (const type of types) if (type !== undefined) visitType(collector, type);
  return [...collector.found.values()];
}

/** The dims, shapes and types that a type expression names, whether or not they are bound. */
export function namesIn(type: TypeExpression, names: ReadonlySet<string>): readonly string[] {
  const used = new Set<string>();
  const dim = (d: DimExpression): void => {
    if (d.kind === 'name') used.add(d.name.text);
    else if (d.kind === 'negate') dim(d.operand);
    else if (d.kind === 'binary') {
      dim(d.left);
      dim(d.right);
    } else if (d.kind === 'call') d.arguments.forEach(dim);
  };
  const visit = (t: TypeExpression): void => {
    switch (t.kind) {
      case 'named':
        used.add(t.name.text);
        for (const a of t.arguments) a.kind === 'dim' ? dim(a.dim) : visit(a.type);
        break;
      case 'tensor':
        visit(t.element);
        for (const item of t.dims) item.kind === 'dim' ? dim(item.dim) : used.add(item.name.text);
        break;
      case 'tuple':
        t.items.forEach(visit);
        break;
      case 'array':
        visit(t.element);
        dim(t.length);
        break;
      case 'function':
        t.parameters.forEach(visit);
        visit(t.result);
        break;
      case 'error':
        break;
    }
  };
  visit(type);
  return [...used].filter((name) => names.has(name));
}

function add(
  c: Collector,
  name: { readonly text: string; readonly span: Span },
  isShape: boolean,
): void {
  if (c.found.has(name.text) || c.parameters.has(name.text) || !/^[A-Z]/.test(name.text)) return;
  const binding = c.scope.find(name.text);
  if (binding !== undefined && binding.kind !== 'struct' && binding.kind !== 'function') return;
  c.found.set(name.text, {
    name,
    isShape,
    constraint: undefined,
    default: undefined,
    span: name.span,
  });
}

function visitType(c: Collector, type: TypeExpression): void {
  switch (type.kind) {
    case 'named':
      visitArguments(c, type.name.text, type.arguments);
      break;
    case 'tensor':
      visitType(c, type.element);
      for (const item of type.dims) {
        if (item.kind === 'dim') visitDim(c, item.dim);
        else add(c, item.name, true);
      }
      break;
    case 'tuple':
      for (const item of type.items) visitType(c, item);
      break;
    case 'array':
      visitType(c, type.element);
      visitDim(c, type.length);
      break;
    case 'function':
      for (const parameter of type.parameters) visitType(c, parameter);
      visitType(c, type.result);
      break;
    case 'error':
      break;
  }
}

/** A plain name in `<...>` is a dim where the struct takes one. */
function visitArguments(c: Collector, name: string, args: readonly TypeArgument[]): void {
  const binding = c.scope.find(name);
  const generics = binding?.kind === 'struct' ? binding.declaration.generics : [];
  args.forEach((argument, i) => {
    if (argument.kind === 'dim') {
      visitDim(c, argument.dim);
      return;
    }
    const { type } = argument;
    const generic = generics[i];
    const isName = type.kind === 'named' && type.arguments.length === 0;
    if (isName && generic !== undefined && isDimGeneric(generic)) add(c, type.name, false);
    else if (isName && generic?.isShape === true) add(c, type.name, true);
    else if (!(isName && isBuiltinType(type.name.text))) visitType(c, type);
  });
}

function visitDim(c: Collector, dim: DimExpression): void {
  switch (dim.kind) {
    case 'name':
      add(c, dim.name, false);
      break;
    case 'binary':
      visitDim(c, dim.left);
      visitDim(c, dim.right);
      break;
    case 'negate':
      visitDim(c, dim.operand);
      break;
    case 'call':
      for (const a of dim.arguments) visitDim(c, a);
      break;
    case 'number':
    case 'error':
      break;
  }
}
