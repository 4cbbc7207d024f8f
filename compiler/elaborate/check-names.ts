/**
 * Unknown names in code that nothing elaborates: the body of a lambda that is not called, the side of an `if` that is
 * left out when compiling, a function whose axis is known only at a call. The walk knows no types; names are all that
 * it looks at, and only those that elaboration has not reported.
 */
import { unreachable } from '../diagnostics/internal-error.ts';
import type {
  Block,
  Expression,
  FunctionDeclaration,
  IndexItem,
  Name,
  Pattern,
  Statement,
} from '../syntax/ast.ts';
import { isElementType } from '../tensor-ir/dtype.ts';
import type { Elaborator } from './elaborator.ts';
import { reportUnknownName } from './expressions.ts';
import { genericsOf, genericsOfTypes } from './generics.ts';
import { Scope } from './scope.ts';
import { errorTerm } from './terms.ts';

/** Reports each unknown name of the function once. */
export function checkNames(e: Elaborator, declaration: FunctionDeclaration, home: Scope): void {
  const scope = new Scope(home);
  for (const { name } of genericsOf(declaration, home)) bind(scope, name);
  for (const { name } of declaration.parameters) bind(scope, name);
  e.calls.push({ declaration, span: declaration.name.span, isSignature: true });
  for (const { default: fallback } of declaration.parameters) {
    if (fallback !== undefined) expression(e, fallback, scope);
  }
  block(e, declaration.body, scope);
  e.calls.pop();
}

function bind(scope: Scope, { text, span }: Name): void {
  scope.define(text, { kind: 'term', term: errorTerm, span, isVar: true });
}

function bindAll(scope: Scope, pattern: Pattern): void {
  if (pattern.kind === 'name') bind(scope, pattern.name);
  else if (pattern.kind === 'tuple') for (const item of pattern.items) bindAll(scope, item);
}

function block(e: Elaborator, { statements, result }: Block, outer: Scope): void {
  const scope = new Scope(outer);
  for (const item of statements) statement(e, item, scope);
  if (result !== undefined) expression(e, result, scope);
}

function statement(e: Elaborator, item: Statement, scope: Scope): void {
  switch (item.kind) {
    case 'let':
      expression(e, item.value, scope);
      bindAll(scope, item.pattern);
      break;
    case 'var':
      expression(e, item.value, scope);
      bind(scope, item.name);
      break;
    case 'assign':
      expression(e, item.value, scope);
      if (scope.find(item.name.text) === undefined) bind(scope, item.name);
      break;
    case 'for': {
      expression(e, item.iterable, scope);
      const inner = new Scope(scope);
      bindAll(inner, item.pattern);
      if (item.condition !== undefined) expression(e, item.condition, inner);
      block(e, item.body, inner);
      break;
    }
    case 'while':
      expression(e, item.condition, scope);
      block(e, item.body, scope);
      break;
    case 'expression':
      expression(e, item.expression, scope);
      break;
    default:
      unreachable(item);
  }
}

function expression(e: Elaborator, item: Expression, scope: Scope): void {
  // chains lean to the left: walked by a loop, so that long ones need no stack
  let next = item;
  while (next.kind === 'binary' || next.kind === 'pipe') {
    expression(e, next.right, scope);
    next = next.left;
  }
  const each = (items: readonly Expression[]): void => {
    for (const one of items) expression(e, one, scope);
  };
  switch (next.kind) {
    case 'name': {
      const { text } = next.name;
      if (scope.find(text) === undefined && !isElementType(text))
        reportUnknownName(e, next.name, scope);
      break;
    }
    case 'number':
    case 'string':
    case 'boolean':
    case 'error':
      break;
    case 'unary':
      expression(e, next.operand, scope);
      break;
    case 'call':
      // `x.f(y)`: whether `f` is a function or a field is for the types to say
      expression(e, next.callee.kind === 'field' ? next.callee.object : next.callee, scope);
      each(next.arguments.map((a) => a.value));
      break;
    case 'field':
    case 'tuple-field':
      expression(e, next.object, scope);
      break;
    case 'index':
      expression(e, next.object, scope);
      for (const entry of next.items) each(expressionsOf(entry));
      break;
    case 'tuple':
    case 'array':
      each(next.items);
      break;
    case 'struct':
      if (next.base !== undefined) expression(e, next.base, scope);
      each(next.fields.map((f) => f.value));
      break;
    case 'lambda': {
      const inner = new Scope(scope);
      const types = next.parameters.map((p) => p.type);
      for (const { name } of genericsOfTypes(types, scope)) bind(inner, name);
      for (const { pattern } of next.parameters) bindAll(inner, pattern);
      expression(e, next.body, inner);
      break;
    }
    case 'if':
      expression(e, next.condition, scope);
      block(e, next.then, scope);
      if (next.otherwise !== undefined) block(e, next.otherwise, scope);
      break;
    case 'block':
      block(e, next.block, scope);
      break;
    case 'range':
      each([next.from, next.to]);
      break;
    default:
      unreachable(next);
  }
}

function expressionsOf(item: IndexItem): readonly Expression[] {
  if (item.kind === 'expression') return [item.value];
  if (item.kind !== 'slice') return [];
  return [item.start, item.stop, item.step].filter((part) => part !== undefined);
}
