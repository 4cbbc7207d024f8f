/** Everything public of the standard library, from the doc comments of stdlib/ and the records of the intrinsics. */
import { readFileSync } from 'node:fs';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { preludeModules } from '../../compiler/driver/front-end.ts';
import { intrinsics } from '../../compiler/elaborate/intrinsics/index.ts';
import type { Declaration, Module } from '../../compiler/syntax/ast.ts';
import { parse } from '../../compiler/syntax/parse.ts';
import type { Reference } from './entry.ts';
import {
  creation,
  indexing,
  ordering,
  products,
  reductions,
  shapes,
  windows,
} from './intrinsics/arrays.ts';
import { complexNumbers } from './intrinsics/complex.ts';
import { elementwise } from './intrinsics/elementwise.ts';
import { bits, control, transformations, trees } from './intrinsics/functions.ts';

export interface Entry {
  readonly name: string;
  /** Other names of the same function. */
  readonly aliases: readonly string[];
  /** `fn name(...) -> ...` or `struct Name { ... }`. */
  readonly signature: string;
  readonly text: string;
  readonly source: string | undefined;
  readonly examples: readonly Example[];
}

export interface Example {
  readonly code: string;
  /** The import lines that it needs. */
  readonly imports: string;
}

export interface Section {
  readonly title: string;
  readonly intro: string;
  readonly entries: readonly Entry[];
}

const library = new URL('../../stdlib/', import.meta.url);

/** Title, what the intrinsics say, and the modules of the prelude that belong to it. */
const groups: readonly (readonly [string, Reference, readonly string[]])[] = [
  ['Element by element', elementwise, ['elementwise']],
  ['Complex numbers', complexNumbers, []],
  ['Reductions and running combinations', reductions, ['reductions']],
  ['Sorting, searching, sets', ordering, ['ordering']],
  ['Making tensors', creation, []],
  ['Shapes', shapes, ['shapes']],
  ['Products', products, ['products']],
  ['Indexing', indexing, []],
  ['Convolutions and windows', windows, []],
  ['Numerical tools', {}, ['numeric']],
  ['Bits, keys, limits', bits, []],
  ['Trees and conversion', trees, []],
  ['Control flow', control, []],
  ['Transformations', transformations, []],
];

/** What the intrinsics of the compiler say, of all groups. */
export const intrinsicReference: Reference = Object.fromEntries(
  groups.flatMap(([, reference]) => Object.entries(reference)),
);

/** Sections of the prelude, then one for each module that is imported. */
export function collectSections(modules: readonly string[]): readonly Section[] {
  const prelude = groups.map(([title, reference, written]) => {
    const entries = [...intrinsicEntries(reference), ...written.flatMap(preludeEntries)];
    return { title, intro: '', entries };
  });
  const grouped = groups.flatMap(([, , written]) => written);
  const others = preludeModules.filter((module) => !grouped.includes(module));
  return [
    ...prelude,
    ...others.map((module) => ({
      title: capitalised(module),
      intro: '',
      entries: preludeEntries(module),
    })),
    ...modules.map(moduleSection),
  ];
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function intrinsicEntries(reference: Reference): readonly Entry[] {
  return Object.entries(reference)
    .filter(([, { aliasOf }]) => aliasOf === undefined)
    .map(([name, { signature, example }]) => ({
      name,
      aliases: Object.keys(reference).filter((other) => reference[other]!.aliasOf === name),
      signature: `fn ${name}${signature}`,
      text: intrinsics.get(name)?.doc ?? '',
      source: undefined,
      examples: [{ code: example, imports: '' }],
    }));
}

function preludeEntries(module: string): readonly Entry[] {
  return entriesOf(`prelude/${module}`).entries;
}

function moduleSection(module: string): Section {
  const { intro, entries } = entriesOf(module);
  return { title: `std/${module}`, intro, entries };
}

function entriesOf(path: string): { readonly intro: string; readonly entries: readonly Entry[] } {
  const text = readFileSync(new URL(`${path}.mlx`, library), 'utf8');
  const problems = new Diagnostics();
  const module = parse({ name: path, text }, problems);
  if (problems.hasErrors) throw new Error(`stdlib/${path}.mlx does not parse`);
  const imports = path.startsWith('prelude/') ? '' : importsOf(module, path);
  const entries = module.declarations
    .filter((d) => d.isExported)
    .map((d) => ({
      name: d.name.text,
      aliases: [],
      signature: signatureOf(d, text),
      ...readDoc(d.doc, imports),
    }));
  const [intro = ''] = text.match(/^(?:\/\/ .*\n)+/) ?? [];
  return {
    intro: intro
      .replaceAll(/^\/\/ /gm, '')
      .replaceAll('\n', ' ')
      .trim(),
    entries,
  };
}

/** What a module exports and what it imports itself. */
function importsOf(module: Module, path: string): string {
  const own = module.declarations.filter((d) => d.isExported).map((d) => d.name.text);
  const lines = module.imports.map(({ names, from }) => {
    const shown = names.map(({ name, as }) => (as ? `${name.text} as ${as.text}` : name.text));
    return `import { ${shown.join(', ')} } from "${from}";`;
  });
  return [`import { ${own.join(', ')} } from "std/${path}";`, ...lines].join('\n');
}

/** The declaration up to its body, on one line. */
function signatureOf(declaration: Declaration, text: string): string {
  const { span } = declaration;
  const end = declaration.kind === 'fn' ? declaration.body.span.start : span.end;
  const lines = text.slice(span.start, end).split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('//'))
    .join(' ')
    .replace(/^export /, '')
    .replaceAll('( ', '(')
    .replaceAll(', )', ')')
    .trim();
}

interface Doc {
  readonly text: string;
  readonly source: string | undefined;
  readonly examples: readonly Example[];
}

const fence = /^Example:\s*\n```mlx\n([\s\S]*?)\n```$/gm;
const inline = /^Example: `(.+)`$/gm;

/** The parts of a doc comment: see stdlib/README.md. */
export function readDoc(doc: string, imports: string): Doc {
  const codes = [...doc.matchAll(inline), ...doc.matchAll(fence)].map((match) => match[1]!);
  const words = doc.replaceAll(fence, '').replaceAll(inline, '').trim();
  const [rest = '', source] = words.split(/^Source: /m);
  return {
    text: rest.replaceAll('\n', ' ').trim(),
    source: source?.replaceAll('\n', ' ').trim(),
    examples: codes.map((code) => ({ code, imports })),
  };
}
