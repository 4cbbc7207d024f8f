/** Dims that stand as the length of a fixed array, directly or inside a struct: they must be numbers. */
import type {
  DimExpression,
  FunctionDeclaration,
  StructDeclaration,
  TypeExpression,
} from '../syntax/ast.ts';
import type { Scope } from './scope.ts';

const memo = new WeakMap<StructDeclaration, ReadonlySet<string>>();

export function staticDimsOf(declaration: FunctionDeclaration, scope: Scope): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { type } of declaration.parameters) visit(type, scope, found);
  if (declaration.result !== undefined) visit(declaration.result, scope, found);
  return found;
}

export function staticDimsOfStruct(
  declaration: StructDeclaration,
  scope: Scope,
): ReadonlySet<string> {
  const known = memo.get(declaration);
  if (known !== undefined) return known;
  const found = new Set<string>();
  // a struct that holds itself is reported elsewhere; here it must only end
  memo.set(declaration, found);
  for (const field of declaration.fields) visit(field.type, scope, found);
  return found;
}

function visit(type: TypeExpression, scope: Scope, found: Set<string>): void {
  switch (type.kind) {
    case 'named': {
      const binding = scope.find(type.name.text);
      const inner =
        binding?.kind === 'struct'
          ? staticDimsOfStruct(binding.declaration, binding.scope)
          : undefined;
      type.arguments.forEach((argument, i) => {
        const name =
          binding?.kind === 'struct' ? binding.declaration.generics[i]?.name.text : undefined;
        const isStatic = name !== undefined && inner?.has(name) === true;
        if (argument.kind === 'dim') {
          if (isStatic) addNames(argument.dim, found);
        } else if (isStatic && argument.type.kind === 'named') found.add(argument.type.name.text);
        else visit(argument.type, scope, found);
      });
      break;
    }
    case 'tensor':
      visit(type.element, scope, found);
      break;
    case 'tuple':
      for (const item of type.items) visit(item, scope, found);
      break;
    case 'array':
      addNames(type.length, found);
      visit(type.element, scope, found);
      break;
    case 'function':
      for (const parameter of type.parameters) visit(parameter, scope, found);
      visit(type.result, scope, found);
      break;
    case 'error':
      break;
  }
}

function addNames(dim: DimExpression, found: Set<string>): void {
  if (dim.kind === 'name') found.add(dim.name.text);
  else if (dim.kind === 'negate') addNames(dim.operand, found);
  else if (dim.kind === 'binary') {
    addNames(dim.left, found);
    addNames(dim.right, found);
  } else if (dim.kind === 'call') for (const a of dim.arguments) addNames(a, found);
}
