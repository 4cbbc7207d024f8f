/**
 * index.d.ts of a bundle: a typed function for each entry, an interface for each struct, doc comments from the
 * source with the shapes that TypeScript cannot say. ts-morph prints it; loading that takes a third of a second, so
 * it is loaded when a bundle is written and not with the compiler.
 *
 *   export interface Linear<T = Tensor> {
 *     /** f32[64, 128] *\/
 *     readonly w: T;
 *   }
 *   /** The most likely digit... *\/
 *   export const predict: TypedFunction<[m: Mlp<TensorLike>, x: TensorLike], Tensor>;
 */
import type {
  InterfaceDeclarationStructure,
  JSDocStructure,
  OptionalKind,
  StatementStructures,
  TypeAliasDeclarationStructure,
} from 'ts-morph';
import type { PlanFunction, PlanTree } from '../plan/plan.ts';
import { safeName } from './safe-name.ts';
import { showType } from './show-type.ts';
import { StructNames } from './struct-names.ts';

type Morph = typeof import('ts-morph');

/** The declarations of a bundle's functions, as TypeScript text. */
export async function declareBundle(functions: readonly PlanFunction[]): Promise<string> {
  const morph = await import('ts-morph');
  const { IndentationText, Project, QuoteKind } = morph;
  const project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    manipulationSettings: {
      indentationText: IndentationText.TwoSpaces,
      quoteKind: QuoteKind.Single,
    },
  });
  const file = project.createSourceFile('index.d.ts', { statements: statements(functions, morph) });
  return file.getFullText();
}

function statements(functions: readonly PlanFunction[], morph: Morph): StatementStructures[] {
  const { StructureKind, VariableDeclarationKind } = morph;
  const structs = new StructNames();
  // Functions first: they name the structs.
  const declared = functions.flatMap((f) => declareFunction(f, structs, morph));
  const all: StatementStructures[] = [
    {
      kind: StructureKind.ImportDeclaration,
      isTypeOnly: true,
      moduleSpecifier: 'mlxc/runtime',
      namedImports: ['CallOptions', 'Module', 'NestedArray', 'Tensor', 'TypedArray'],
    },
    { kind: StructureKind.TypeAlias, ...tensorLike },
    { kind: StructureKind.Interface, ...typedFunction },
    ...structs.all().map(
      ({ name, tree, shapes }): StatementStructures => ({
        kind: StructureKind.Interface,
        ...declareStruct(name, tree, shapes, structs),
      }),
    ),
    ...declared,
    {
      kind: StructureKind.VariableStatement,

      docs: docs(['The bundle itself: its functions by name and its device.']),
      hasDeclareKeyword: true,
      declarationKind: VariableDeclarationKind.Const,
      declarations: [{ name: 'bundle', type: 'Module' }],
    },
    { kind: StructureKind.ExportAssignment, isExportEquals: false, expression: 'bundle' },
  ];
  // ts-morph sets interfaces apart from their neighbours; the types and constants need it said.
  return all.map((statement, i) => {
    const isTypeOrConstant =
      statement.kind === StructureKind.TypeAlias ||
      statement.kind === StructureKind.VariableStatement;
    const follows = all[i - 1]?.kind;
    return isTypeOrConstant && follows !== StructureKind.Interface
      ? { ...statement, leadingTrivia: '\n' }
      : statement;
  });
}

const tensorLike: OptionalKind<TypeAliasDeclarationStructure> = {
  name: 'TensorLike',
  isExported: true,
  type: 'Tensor | TypedArray | NestedArray',
  docs: docs([
    'What a parameter takes for a tensor: one, a typed array (row-major, not copied), or numbers.',
  ]),
};

const typedFunction: OptionalKind<InterfaceDeclarationStructure> = {
  name: 'TypedFunction',
  isExported: true,
  typeParameters: ['Arguments extends readonly unknown[]', 'Result'],
  docs: docs([
    'A function of the bundle; `with({ donate: [...] })` is the same with options for its calls.',
  ]),
  callSignatures: [
    {
      parameters: [{ name: 'args', isRestParameter: true, type: 'Arguments' }],
      returnType: 'Result',
    },
  ],
  methods: [
    {
      name: 'with',
      parameters: [{ name: 'options', type: 'CallOptions' }],
      returnType: 'TypedFunction<Arguments, Result>',
    },
  ],
};

/** A constant of function type; a name that JavaScript reserves is exported under it. */
function declareFunction(
  f: PlanFunction,
  structs: StructNames,
  morph: Morph,
): StatementStructures[] {
  const { StructureKind, VariableDeclarationKind } = morph;
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
  const isPlain = name === f.name;
  const constant: StatementStructures = {
    kind: StructureKind.VariableStatement,

    docs: docs(lines),
    isExported: isPlain,
    hasDeclareKeyword: !isPlain,
    declarationKind: VariableDeclarationKind.Const,
    declarations: [{ name, type: `TypedFunction<[${parameters.join(', ')}], ${result}>` }],
  };
  if (isPlain) return [constant];
  const renamed = { name, alias: f.name };
  return [constant, { kind: StructureKind.ExportDeclaration, namedExports: [renamed] }];
}

function declareStruct(
  name: string,
  tree: PlanTree & { readonly kind: 'struct' },
  shapes: ReadonlyMap<string, readonly string[]>,
  structs: StructNames,
): OptionalKind<InterfaceDeclarationStructure> {
  const properties = tree.fields.map((field) => {
    const doc = shapes.get(field.name) ?? [];
    return {
      name: field.name,
      isReadonly: true,
      type: typeOf(field.tree, 'T', structs),
      docs: doc.length === 0 ? [] : docs([doc.join(' or ')]),
    };
  });
  return {
    name,
    isExported: true,
    typeParameters: [{ name: 'T', default: 'Tensor' }],
    properties,
  };
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

/** One doc comment. A doc comment of the source must not end ours. */
function docs(lines: readonly string[]): OptionalKind<JSDocStructure>[] {
  const safe = lines.map((line) => line.replaceAll('*/', '*\\/'));
  // ts-morph puts a text that begins with a line break under the opening of the comment.
  return [{ description: safe.length === 1 ? safe[0]! : `\n${safe.join('\n')}` }];
}
