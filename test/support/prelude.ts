/** The standard library for tests that go without a driver: its files, and the prelude as the elaborator takes it. */
import { readdirSync, readFileSync } from 'node:fs';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { preludeModules } from '../../compiler/driver/front-end.ts';
import { type LazyModule, lazyModule } from '../../compiler/syntax/lazy-module.ts';

const library = new URL('../../stdlib/', import.meta.url);

/** All files of the standard library, as paths in stdlib/: `nn.mlx`, `prelude/reductions.mlx`. */
export const libraryFiles: readonly string[] = readdirSync(library, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.mlx'))
  .sort();

export function readLibrary(file: string): string {
  return readFileSync(new URL(file, library), 'utf8');
}

const texts = new Map(
  preludeModules.map((module) => {
    return [`std/prelude/${module}`, readLibrary(`prelude/${module}.mlx`)] as const;
  }),
);
const problems = new Diagnostics();
const modules = [...texts].map(([name, text]) => lazyModule({ name, text }, problems));

/** Each declaration is parsed once for all tests; the texts are added to `sources`. */
export function preludeOf(sources?: Map<string, string>): readonly LazyModule[] {
  for (const [name, text] of texts) sources?.set(name, text);
  return modules;
}
