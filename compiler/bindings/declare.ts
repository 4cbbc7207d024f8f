/**
 * index.d.ts of a bundle: a typed function for each entry, an interface for each struct, doc comments from the
 * source with the shapes that TypeScript cannot say.
 *
 *   export interface Linear<T = Tensor> {
 *     /** f32[64, 128] *\/
 *     readonly w: T;
 *   }
 *   /** The most likely digit... *\/
 *   export const predict: TypedFunction<[m: Mlp<TensorLike>, x: TensorLike], Tensor>;
 */
import type { PlanFunction, PlanTree } from '../plan/plan.ts';
import { safeName } from './safe-name.ts';
import { showType } from './show-type.ts';
import { StructNames } from './struct-names.ts';

const preamble = `import type { CallOptions, Module, NestedArray, Tensor, TypedArray } from 'mlxc/runtime';

/** What a parameter takes for a tensor: one, a typed array (row-major, not copied), or numbers. */
export type TensorLike = Tensor | TypedArray | NestedArray;

/** A function of the bundle; \`with({ donate: [...] })\` is the same with options for its calls. */
export interface TypedFunction<Arguments extends readonly unknown[], Result> {
  (...args: Arguments): Result;
  with(options: CallOptions): TypedFunction<Arguments, Result>;
}`;

/** The declarations of a bundle's functions, as TypeScript text. */
export function declareBundle(functions: readonly PlanFunction[]): string {
  const structs = new StructNames();
  const declarations = functions.map((f) => declareFunction(f, structs));
  return `${[
    preamble,
    ...structs.all().map(({ name, tree, shapes }) => declareStruct(name, tree, shapes, structs)),
    ...declarations,
    '/** The bundle itself: its functions by name and its device. */\ndeclare const bundle: Module;\nexport default bundle;',
  ].join('\n\n')}\n`;
}

function declareFunction(f: PlanFunction, structs: StructNames): string {
  const parameters = f.parameters.map(
    ({ name, tree }) => `${safeName(name)}: ${typeOf(tree, 'TensorLike', structs)}`,
  );
  const lines = [
    ...f.doc.split('\n').filter((line, i, all) => line !== '' || (i > 0 && i < all.length - 1)),
    ...f.parameters.map(
      ({ name, tree, doc }) => `@param ${safeName(name)} ${showType(tree)}${doc ? `: ${doc}` : ''}`,
    ),
    `@returns ${showType(f.result)}`,
    ...(f.dims.length === 0 ? [] : [`Dims ${f.dims.join(', ')} come from the arguments.`]),
    ...f.guards.map((guard) => `@throws MlxcError unless ${guard.message}`),
  ];
  const result = typeOf(f.result, 'Tensor', structs);
  const name = safeName(f.name);
  const exported = name === f.name ? '' : `\nexport { ${name} as ${f.name} };`;
  const keyword = name === f.name ? 'export' : 'declare';
  const type = `TypedFunction<[${parameters.join(', ')}], ${result}>`;
  return `${docComment(lines, '')}${keyword} const ${name}: ${type};${exported}`;
}

function declareStruct(
  name: string,
  tree: PlanTree & { readonly kind: 'struct' },
  shapes: ReadonlyMap<string, readonly string[]>,
  structs: StructNames,
): string {
  const fields = tree.fields.map((field) => {
    const doc = shapes.get(field.name);
    const comment =
      doc === undefined || doc.length === 0 ? '' : docComment([doc.join(' or ')], '  ');
    return `${comment}  readonly ${field.name}: ${typeOf(field.tree, 'T', structs)};`;
  });
  const header = `export interface ${name}<T = Tensor> {`;
  return fields.length === 0 ? `${header}}` : `${header}\n${fields.join('\n')}\n}`;
}

function typeOf(tree: PlanTree, leaf: string, structs: StructNames): string {
  switch (tree.kind) {
    case 'leaf':
      return leaf;
    case 'struct':
      return leaf === 'Tensor' ? structs.nameOf(tree) : `${structs.nameOf(tree)}<${leaf}>`;
    case 'tuple':
      return `readonly [${tree.items.map((item) => typeOf(item, leaf, structs)).join(', ')}]`;
    case 'array': {
      const [first] = tree.items;
      return first === undefined
        ? 'readonly []'
        : `readonly ${arrayElement(typeOf(first, leaf, structs))}[]`;
    }
  }
}

/** `readonly (readonly T[])[]` needs the parentheses. */
function arrayElement(type: string): string {
  return type.startsWith('readonly ') ? `(${type})` : type;
}

function docComment(lines: readonly string[], indent: string): string {
  // A doc comment of the source must not end ours.
  const safe = lines.map((line) => line.replaceAll('*/', '*\\/'));
  if (safe.length === 0) return '';
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  return `${indent}/**\n${safe.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}
