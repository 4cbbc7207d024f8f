/**
 * index.d.ts of a bundle: a typed function for each entry, an interface for each struct, doc comments from the
 * source with the shapes that TypeScript cannot say.
 *
 *   export interface Linear<T = Tensor> {
 *     /** f32[64, 128] *\/
 *     readonly w: T;
 *   }
 *   export function predict(m: Mlp<TensorLike>, x: TensorLike): Tensor;
 */
import type { PlanFunction, PlanTree } from '../plan/plan.ts';
import { showType } from './show-type.ts';
import { StructNames } from './struct-names.ts';

/** Words that cannot be the name of a parameter. */
const reserved = new Set(
  'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'.split(
    ' ',
  ),
);

/** The declarations of a bundle's functions, as TypeScript text. */
export function declareBundle(functions: readonly PlanFunction[]): string {
  const structs = new StructNames();
  const declarations = functions.map((f) => declareFunction(f, structs));
  return `${[
    "import type { Bundle, Tensor, TensorLike } from 'mlxc/runtime';",
    ...structs.all().map(({ name, tree, shapes }) => declareStruct(name, tree, shapes, structs)),
    ...declarations,
    '/** The bundle itself: its functions by name, its device, `dispose`. */\ndeclare const bundle: Bundle;\nexport default bundle;',
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
  return `${docComment(lines, '')}${keyword} function ${name}(${parameters.join(', ')}): ${result};${exported}`;
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

function safeName(name: string): string {
  return reserved.has(name) ? `${name}_` : name;
}
