/** Parses and elaborates a text beside the standard library: the problems, and the program where there are none. */
import { readFileSync } from 'node:fs';
import { type Diagnostic, Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { type ElaborateOptions, elaborate } from '../../compiler/elaborate/elaborate.ts';
import type { Module } from '../../compiler/syntax/ast.ts';
import { parse } from '../../compiler/syntax/parse.ts';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import { preludeOf } from './prelude.ts';

const library = new Map<string, Module | undefined>();
const librarySources = new Map<string, string>();

/** A module of the standard library; each is parsed once. */
export function libraryModule(specifier: string): Module | undefined {
  if (!library.has(specifier)) library.set(specifier, readLibrary(specifier));
  return library.get(specifier);
}

function readLibrary(specifier: string): Module | undefined {
  if (!/^std\/\w+$/.test(specifier)) return undefined;
  const path = new URL(`../../stdlib/${specifier.slice('std/'.length)}.mlx`, import.meta.url);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  librarySources.set(specifier, text);
  return parse({ name: specifier, text }, new Diagnostics());
}

export interface Checked {
  readonly program: Program<'traced'>;
  readonly problems: readonly Diagnostic[];
  /** Texts by file, to render the problems. */
  readonly sources: ReadonlyMap<string, string>;
}

/** `files` are further modules, by the name that imports use (`./other.mlx`). */
export function checkText(
  text: string,
  name = 'test.mlx',
  files: Readonly<Record<string, string>> = {},
  options: Partial<Pick<ElaborateOptions, 'dims' | 'entries'>> = {},
): Checked {
  const sink = new Diagnostics();
  const own = new Map<string, Module>();
  const resolve = (_: string, specifier: string): Module | undefined => {
    const source = files[specifier];
    if (source === undefined) return libraryModule(specifier);
    let module = own.get(specifier);
    if (module === undefined) {
      module = parse({ name: specifier, text: source }, sink);
      own.set(specifier, module);
    }
    return module;
  };
  const root = parse({ name, text }, sink);
  const program = elaborate(root, {
    resolve,
    prelude: preludeOf(librarySources),
    sink,
    ...options,
  });
  const sources = new Map([...librarySources, ...Object.entries(files), [name, text]]);
  return { program, problems: sink.list, sources };
}
