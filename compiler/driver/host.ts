/**
 * What the compiler asks of its surroundings. `compile` does nothing else to the outside: with a host made of strings it runs in
 * a browser. `node-host.ts` is the one for Node.
 */
/** Devices that kernels are written for. */
export type Target = 'cpu' | 'metal';

export interface CompilerHost {
  /** The text of a file, or undefined when there is none. `path` is as written, or resolved by `resolvePath`. */
  readFile(path: string): string | undefined;
  /** `specifier` (`./layers.mlx`) as seen from the file `importer`. */
  resolvePath(importer: string, specifier: string): string;
  /**
   * A file that comes with the compiler, by its path from the root of the package: `stdlib/nn.mlx`,
   * `compiler/to-c/helpers/math.h`. Undefined when there is none.
   */
  readAsset(path: string): string | undefined;
  /** The vector units that kernels.c is written for; `avx2` when absent. */
  readonly cpu?: 'avx512' | 'avx2' | 'neon';
  /** Milliseconds from some origin, for timings; without it all timings are 0. */
  now?(): number;
  /**
   * Writes a folder of files so that it is there whole or not at all, in place of an older one that has `marker`.
   * Without it bundles stay in memory.
   */
  writeFolder?(path: string, files: ReadonlyMap<string, string | Uint8Array>, marker: string): void;
  /** Takes the text of each stage that `dump` names. */
  dump?(pass: string, text: string): void;
}
