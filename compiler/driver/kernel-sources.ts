/**
 * The sources of `extern` functions: files beside the module, or text in it. Metal is read here and becomes part of
 * kernels.metal; HLSL and DXIL go through other compilers first (toolchain/).
 */
import type { DiagnosticSink } from '../diagnostics/diagnostic.ts';
import { kernelInclude, kernelNamesClash } from '../diagnostics/problems/kernels.ts';
import type { Span } from '../diagnostics/span.ts';
import type { KernelSource as FoundKernel } from '../elaborate/kernels.ts';
import type { KernelClause } from '../syntax/ast.ts';
import { type ScannedSource, scanMetal } from '../to-metal/scan-source.ts';
import type { CompilerHost } from './host.ts';

export type KernelLanguage = 'metal' | 'hlsl' | 'dxil';

export interface KernelSource {
  readonly name: string;
  readonly language: KernelLanguage;
  /** Where it stands, for tools that read files; undefined for text in the module. */
  readonly path: string | undefined;
  /** Of DXIL undefined: it is no text. */
  readonly text: string | undefined;
  /** Names that it takes; empty but for Metal. */
  readonly names: readonly string[];
}

interface Read extends KernelSource {
  readonly scanned: ScannedSource | undefined;
}

export class KernelSources {
  private readonly sources = new Map<string, Read>();
  private readonly host: CompilerHost;
  private readonly sink: DiagnosticSink;
  /** Texts that diagnostics point into. */
  private readonly texts: Map<string, string>;

  constructor(host: CompilerHost, sink: DiagnosticSink, texts: Map<string, string>) {
    this.host = host;
    this.sink = sink;
    this.texts = texts;
  }

  get all(): ReadonlyMap<string, KernelSource> {
    return this.sources;
  }

  /** As elaborate/kernels.ts asks for it. `owner` is the function, which names text that has no file. */
  find(importer: string, clause: KernelClause, owner: string): FoundKernel | undefined {
    const { source, sourceSpan } = clause;
    const language = clause.language.text as KernelLanguage;
    const isPath = /^\.\.?\//.test(source);
    if (!isPath && /^[\w/\\.-]*$/.test(source)) return undefined;
    const name = isPath ? this.host.resolvePath(importer, source) : `${importer}#${owner}`;
    let found = this.sources.get(name);
    if (found === undefined) {
      const text = isPath ? this.host.readFile(name) : source;
      if (text === undefined) return undefined;
      found = this.read(name, language, isPath ? name : undefined, text, sourceSpan);
    }
    const { scanned } = found;
    return { name, kernels: scanned === undefined || scanned.isOpen ? undefined : scanned.kernels };
  }

  private read(
    name: string,
    language: KernelLanguage,
    path: string | undefined,
    text: string,
    span: Span,
  ): Read {
    const isText = language !== 'dxil';
    const scanned = language === 'metal' ? scanMetal(text) : undefined;
    const names = scanned?.names ?? [];
    const found = { name, language, path, text: isText ? text : undefined, names, scanned };
    // said once a source, where it is first named
    if (scanned !== undefined) this.checkMetal(name, path, scanned, span);
    this.sources.set(name, found);
    if (isText && path !== undefined) this.texts.set(path, text);
    return found;
  }

  private checkMetal(
    name: string,
    path: string | undefined,
    scanned: ScannedSource,
    span: Span,
  ): void {
    const error = (problem: ReturnType<typeof kernelInclude>): void =>
      this.sink.report({ ...problem, severity: 'error' });
    for (const { path: included, offset } of scanned.includes) {
      const end = offset + '#include'.length;
      const place = path === undefined ? span : { file: path, start: offset, end };
      error(kernelInclude(included, name, place));
    }
    for (const other of this.sources.values()) {
      const shared = scanned.names.find((n) => other.names.includes(n));
      if (shared !== undefined) error(kernelNamesClash(shared, name, other.name, span));
    }
  }
}
