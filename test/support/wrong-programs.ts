/**
 * The corpus of wrong programs, test/golden/diagnostics/*.mlx: short programs with the mistakes that people make, and what
 * must be said about each.
 *
 *   // --- title
 *   // expect: MLX2001 at 1:28           one line for each diagnostic, in their order; from other files `./b.mlx:1:28`
 *   fn f(x: f32) -> f32 { y }            lines count from here
 *   // file: ./b.mlx                     a further file of the program
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { indexLines, positionAt } from '../../compiler/diagnostics/line-index.ts';
import { renderDiagnostic } from '../../compiler/diagnostics/render.ts';
import { checkSource } from '../../compiler/driver/check-source.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';

export const corpus: URL = new URL('../golden/diagnostics/', import.meta.url);

export interface WrongProgram {
  readonly title: string;
  /** `MLX2001 at 1:28` */
  readonly expected: readonly string[];
  readonly files: ReadonlyMap<string, string>;
}

/** The name of the first file of each program. */
export const mainFile = 'program.mlx';

/** The files of the corpus without their extension, in order. */
export function areas(): readonly string[] {
  return readdirSync(corpus)
    .filter((name) => name.endsWith('.mlx'))
    .map((name) => name.replace(/\.mlx$/, ''))
    .sort();
}

export function readArea(area: string): readonly WrongProgram[] {
  const text = readFileSync(new URL(`${area}.mlx`, corpus), 'utf8');
  return text
    .split(/^\/\/ --- /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...lines] = part.trimEnd().split('\n');
      const expected: string[] = [];
      while (lines[0]?.startsWith('// expect: ') === true) {
        expected.push(lines.shift()!.slice('// expect: '.length));
      }
      const files = new Map<string, string>();
      let name = mainFile;
      for (const line of lines) {
        const other = /^\/\/ file: (.*)$/.exec(line)?.[1];
        if (other === undefined) files.set(name, `${files.get(name) ?? ''}${line}\n`);
        else name = other;
      }
      return { title, expected, files };
    });
}

export interface Verdict {
  readonly diagnostics: readonly Diagnostic[];
  /** As `expected` has it. */
  readonly found: readonly string[];
  /** What the user sees. */
  readonly rendered: string;
}

export function judge({ files }: WrongProgram): Verdict {
  const host = {
    ...nodeHost(),
    readFile: (path: string) => files.get(path),
    resolvePath: (_: string, specifier: string) => specifier,
  };
  const source = { name: mainFile, text: files.get(mainFile) ?? '' };
  const result = checkSource(source, { host });
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  return {
    diagnostics,
    found: diagnostics.map((d) => {
      const text = result.sources.get(d.span.file) ?? '';
      const { line, column } = positionAt(indexLines(text), d.span.start);
      const file = d.span.file === mainFile ? '' : `${d.span.file}:`;
      return `${d.code} at ${file}${line}:${column}`;
    }),
    rendered: diagnostics
      .map((d) => renderDiagnostic(d, (f) => result.sources.get(f), { color: false }))
      .join('\n\n'),
  };
}
