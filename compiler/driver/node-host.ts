/** The compiler's surroundings under Node: files, the clock, stderr. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CompilerHost } from './host.ts';
import { writeFolderAtomically } from './io/files.ts';

let foundRoot: string | undefined;

/** The folder of the package: the nearest one above this file that holds stdlib/ (it is two levels deeper when built). */
export function packageRoot(): string {
  if (foundRoot !== undefined) return foundRoot;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!(existsSync(join(folder, 'stdlib')) && existsSync(join(folder, 'package.json')))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error('the package mlxc is incomplete: no folder stdlib above its code');
    folder = parent;
  }
  foundRoot = folder;
  return folder;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/** Reads files below `cwd` (default: the process's). */
export function nodeHost(cwd: string = process.cwd()): CompilerHost {
  return {
    readFile: (path) => readText(resolve(cwd, path)),
    resolvePath: (importer, specifier) => join(dirname(importer), specifier),
    readAsset: (path) => readText(join(packageRoot(), path)),
    cpu: vectorUnits(),
    now: () => performance.now(),
    writeFolder: (path, files, marker) => writeFolderAtomically(resolve(cwd, path), files, marker),
    dump: (pass, text) => process.stderr.write(`--- ${pass}\n${text.trimEnd()}\n`),
  };
}

/** The version in package.json. */
export function packageVersion(): string {
  const text = nodeHost().readAsset('package.json');
  return (JSON.parse(text ?? '{}') as { version?: string }).version ?? 'unknown';
}

/** What this machine computes with, as far as it says. */
function vectorUnits(): 'avx512' | 'avx2' | 'neon' {
  if (process.arch === 'arm64') return 'neon';
  const info = process.platform === 'linux' ? (readText('/proc/cpuinfo') ?? '') : '';
  return /^flags\s*:.*\bavx512f\b/m.test(info) ? 'avx512' : 'avx2';
}
