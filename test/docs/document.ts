/** Documents for people: their code blocks, and the parts of them that the compiler writes: tables, and what the programs in `mlx run` and `mlx error` blocks print. */
import { readdirSync, readFileSync } from 'node:fs';
import { collectSections } from '../../tools/reference/collect.ts';
import { TestShell } from '../support/shell.ts';

export const root: URL = new URL('../../', import.meta.url);

/** The README and everything in docs/, from the root of the repository. */
export const documents: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(new URL('docs/', root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function readDocument(name: string): string {
  return readFileSync(new URL(name, root), 'utf8');
}

export interface CodeBlock {
  /** What follows the opening fence, such as `mlx` or `mlx error`. */
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

const fence = /^```([^\n]*)\n([\s\S]*?)^```$/gm;

export function codeBlocks(document: string, language: string): readonly CodeBlock[] {
  return [...document.matchAll(fence)]
    .map((match) => ({
      language: match[1]!,
      text: match[2]!,
      line: document.slice(0, match.index).split('\n').length,
    }))
    .filter((block) => block.language === language);
}

/** What `mlxc check example.mlx` prints about a source. */
async function problemsOf(text: string): Promise<string> {
  const shell = new TestShell();
  try {
    const { code, err } = await shell.run('check', shell.file('example.mlx', text));
    if (code !== 1) throw new Error(`no mistake in:\n${text}`);
    return err;
  } finally {
    shell.remove();
  }
}

/** What `mlxc run example.mlx main` prints. */
async function resultOf(text: string): Promise<string> {
  const shell = new TestShell();
  try {
    const { code, out, err } = await shell.run('run', shell.file('example.mlx', text), 'main');
    if (code !== 0) throw new Error(`${err}\n${text}`);
    return out;
  } finally {
    shell.remove();
  }
}

/** Exported names of a module of the standard library, in order. */
function exportsOf(module: string): readonly string[] {
  const text = readDocument(`stdlib/${module}.mlx`);
  return [...text.matchAll(/^export (?:fn|struct|const) (\w+)/gm)].map((match) => match[1]!);
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' ');
}

function table(rows: readonly (readonly [string, readonly string[]])[]): string {
  const lines = rows.map(([head, names]) => `| ${head} | ${quoted(names)} |`);
  return ['| | |', '| --- | --- |', ...lines].join('\n');
}

/** The prelude in the groups of docs/stdlib.md, other names behind a function's own. */
function preludeTable(): string {
  return table(
    collectSections([]).map(({ title, entries }) => [
      title.toLowerCase(),
      entries.flatMap(({ name, aliases }) => [name, ...aliases]),
    ]),
  );
}

function libraryTable(): string {
  const modules = readdirSync(new URL('stdlib/', root))
    .filter((file) => file.endsWith('.mlx'))
    .map((file) => file.replace('.mlx', ''));
  return table(modules.map((module) => [`\`std/${module}\``, exportsOf(module)] as const));
}

/** The document with its tables of names, and what is printed for its mistakes, written anew. */
export async function refresh(document: string): Promise<string> {
  let fresh = document
    .replace(/(<!-- table: prelude -->\n)(\|.*\n)*/, (_, mark) => `${mark}${preludeTable()}\n`)
    .replace(/(<!-- table: std -->\n)(\|.*\n)*/, (_, mark) => `${mark}${libraryTable()}\n`);
  for (const { text } of codeBlocks(document, 'mlx error')) {
    fresh = withOutput(fresh, text, await problemsOf(text));
  }
  for (const { text } of codeBlocks(document, 'mlx run')) {
    fresh = withOutput(fresh, text, await resultOf(text));
  }
  return fresh;
}

/** The document with `output` in the block below the program `text`. */
function withOutput(document: string, text: string, output: string): string {
  const start = document.indexOf('```text\n', document.indexOf(text)) + '```text\n'.length;
  const end = document.indexOf('```', start);
  return document.slice(0, start) + output + document.slice(end);
}
