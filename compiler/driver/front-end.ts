/**
 * Sources by name: the root, the files it imports, and the standard library (`std/nn` is stdlib/nn.mlx). Each is
 * parsed once; the texts are kept to render diagnostics.
 */
import type { DiagnosticSink } from '../diagnostics/diagnostic.ts';
import type { Module } from '../syntax/ast.ts';
import { type LazyModule, lazyModule } from '../syntax/lazy-module.ts';
import { parse } from '../syntax/parse.ts';
import type { CompilerHost } from './host.ts';
import { KernelSources } from './kernel-sources.ts';

/** What to compile: the text itself, or a path that the host reads. */
export type Source =
  | string
  | { readonly path: string }
  | { readonly name: string; readonly text: string };

/** The files of stdlib/prelude. */
export const preludeModules: readonly string[] = [
  'elementwise',
  'reductions',
  'shapes',
  'ordering',
  'numeric',
  'products',
];

/** The name of a source given as text alone. */
const unnamed = 'source.mlx';

export class SourceTree {
  /** Every text read so far, by the name that spans carry. */
  readonly texts: Map<string, string> = new Map();
  /** What `extern` functions name. */
  readonly kernels: KernelSources;
  private readonly modules = new Map<string, Module>();
  private readonly host: CompilerHost;
  private readonly sink: DiagnosticSink;

  constructor(host: CompilerHost, sink: DiagnosticSink) {
    this.host = host;
    this.sink = sink;
    this.kernels = new KernelSources(host, sink, this.texts);
  }

  /** Parses the root; undefined when its file does not exist. */
  root(source: Source): Module | undefined {
    if (typeof source === 'string') return this.parse(unnamed, source);
    if ('text' in source) return this.parse(source.name, source.text);
    const text = this.host.readFile(source.path);
    return text === undefined ? undefined : this.parse(source.path, text);
  }

  /** The module that `specifier` names, as seen from the source `importer`; undefined when there is none. */
  resolve(importer: string, specifier: string): Module | undefined {
    const isLibrary = specifier.startsWith('std/');
    if (!isLibrary && !/^\.\.?\//.test(specifier)) return undefined;
    const name = isLibrary ? specifier : this.host.resolvePath(importer, specifier);
    const known = this.modules.get(name);
    if (known !== undefined) return known;
    const text = isLibrary
      ? this.host.readAsset(`stdlib/${specifier.slice('std/'.length)}.mlx`)
      : this.host.readFile(name);
    return text === undefined ? undefined : this.parse(name, text);
  }

  /** The names that every module sees without import, from stdlib/prelude/; parsed as far as they are named. */
  prelude(): readonly LazyModule[] {
    return preludeModules.flatMap((module) => {
      const text = this.host.readAsset(`stdlib/prelude/${module}.mlx`);
      if (text === undefined) return [];
      const name = `std/prelude/${module}`;
      this.texts.set(name, text);
      return [lazyModule({ name, text }, this.sink)];
    });
  }

  private parse(name: string, text: string): Module {
    this.texts.set(name, text);
    const module = parse({ name, text }, this.sink);
    this.modules.set(name, module);
    return module;
  }
}
