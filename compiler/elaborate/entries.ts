/** Exported functions as entries of the program: signature trees, dims, guards. */

import { forEachVariable, type Int, int } from '../symbolic/integer.ts';
import type { FunctionDeclaration } from '../syntax/ast.ts';
import type { Entry, LeafType, Tree, Value } from '../tensor-ir/program.ts';
import { elaborateDeclared } from './check-declared.ts';
import type { Elaborator } from './elaborator.ts';
import { refuseFunctions } from './instances.ts';
import { leavesOf } from './numbers.ts';
import type { Scope } from './scope.ts';
import { typeOf } from './terms.ts';
import type { Type } from './value.ts';

/** Undefined after a report. */
export function makeEntry(
  e: Elaborator,
  declaration: FunctionDeclaration,
  home: Scope,
): Entry | undefined {
  const made = elaborateDeclared(e, declaration, home, 'declared');
  if (made.failed || made.result.kind === 'error') return undefined;
  const { name, doc, span } = declaration;
  const { region, result } = made;
  const where = `the result of \`${name.text}\``;
  if (refuseFunctions(e, result, where, declaration.result?.span ?? name.span)) return undefined;
  const values = region.run(() =>
    leavesOf(e, result, name.span)?.map((v) => region.builder.adopt(v)),
  );
  if (values === undefined) return undefined;
  const func = region.builder.finish(name.text, region.parameters, values);
  const parameters = made.parameters.map((p) => ({ name: p.name, tree: treeOf(p.type) }));
  const dims = new Set<string>();
  const visit = (dim: Int): void =>
    forEachVariable(dim, (v) => {
      if (v.extent === undefined) dims.add(v.name);
    });
  for (const value of region.parameters) value.type.shape.forEach(visit);
  for (const value of values) value.type.shape.forEach(visit);
  for (const guard of made.guards) {
    visit(guard.left);
    visit(guard.right);
  }
  return {
    name: name.text,
    doc,
    parameters,
    result: resultTree(typeOf(result), values),
    func,
    dims: [...dims],
    guards: made.guards,
    span,
  };
}

/** The type as the user sees it; numbers known when compiling never get here. */
function treeOf(type: Type): Tree<LeafType> {
  switch (type.kind) {
    case 'tensor':
      return { kind: 'leaf', leaf: { type: { dtype: type.dtype, shape: type.shape } } };
    case 'key':
      return {
        kind: 'leaf',
        leaf: { type: { dtype: 'u32', shape: [...type.shape, int(2)] }, isKey: true },
      };
    case 'complex':
      return {
        kind: 'leaf',
        leaf: { type: { dtype: 'f32', shape: [...type.shape, int(2)] }, isComplex: true },
      };
    case 'struct':
      return {
        kind: 'struct',
        name: type.type.declaration.name.text,
        fields: type.fields.map((f) => ({ name: f.name, tree: treeOf(f.type) })),
      };
    case 'tuple':
    case 'array':
      return { kind: type.kind, items: type.items.map(treeOf) };
    default:
      return { kind: 'tuple', items: [] };
  }
}

/** Numbers known when compiling are tensors in the result: their types are those of the values. */
function resultTree(type: Type, values: readonly Value[]): Tree<LeafType> {
  let next = 0;
  const walk = (t: Type): Tree<LeafType> => {
    switch (t.kind) {
      case 'tensor':
      case 'int':
      case 'float':
      case 'bool-constant':
        return { kind: 'leaf', leaf: { type: values[next++]!.type } };
      case 'key':
        return { kind: 'leaf', leaf: { type: values[next++]!.type, isKey: true } };
      case 'complex':
        return { kind: 'leaf', leaf: { type: values[next++]!.type, isComplex: true } };
      case 'struct':
        return {
          kind: 'struct',
          name: t.type.declaration.name.text,
          fields: t.fields.map((f) => ({ name: f.name, tree: walk(f.type) })),
        };
      case 'tuple':
      case 'array':
        return { kind: t.kind, items: t.items.map(walk) };
      default:
        return { kind: 'tuple', items: [] };
    }
  };
  return walk(type);
}
