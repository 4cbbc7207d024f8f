/** Files, read whole with clear errors and written so that nobody ever sees half of one. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../../../runtime/make-folders.ts';
import { FileProblem } from '../errors.ts';

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'no such file';
    case 'EISDIR':
      return 'is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'no permission';
    case 'ENOSPC':
      return 'no space left on the disk';
    case 'ERR_FS_FILE_TOO_LARGE':
      return 'is too large to read at once (2 GiB)';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** The bytes of a file. `place` names it in errors: MLX5001 when it is absent or cannot be read. */
export function readBytes(path: string, place: string, hint?: string): Uint8Array {
  try {
    if (statSync(path).isDirectory()) throw new FileProblem('MLX5001', place, 'is a folder', hint);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof FileProblem) throw error;
    throw new FileProblem('MLX5001', place, reasonOf(error), hint);
  }
}

/** Writes beside the place and renames: readers see the old file or the new one. MLX5002 when it cannot be written. */
export function writeAtomically(path: string, content: string | Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new FileProblem('MLX5002', path, `cannot be written: ${reasonOf(error)}`);
  }
}

/**
 * Writes a folder of files under a temporary name, then swaps it in for `path`. A folder already there must hold
 * `marker`, so that nothing of the user's is ever replaced (MLX5002).
 */
export function writeFolderAtomically(
  path: string,
  files: ReadonlyMap<string, string | Uint8Array>,
  marker: string,
): void {
  const present = statSync(path, { throwIfNoEntry: false });
  const isOurs =
    present?.isDirectory() && statSync(join(path, marker), { throwIfNoEntry: false })?.isFile();
  if (present !== undefined && isOurs !== true) {
    throw new FileProblem(
      'MLX5002',
      path,
      'exists and is no bundle, so it is left alone',
      'give another name with -o',
    );
  }
  const temporary = `${path}.${process.pid}.tmp`;
  const old = `${path}.${process.pid}.old`;
  try {
    rmSync(temporary, { recursive: true, force: true });
    makeFolders(temporary);
    for (const [name, content] of files) writeFileSync(join(temporary, name), content);
    if (present !== undefined) renameSync(path, old);
    renameSync(temporary, path);
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!statSync(path, { throwIfNoEntry: false }) && statSync(old, { throwIfNoEntry: false }))
      renameSync(old, path);
    throw new FileProblem('MLX5002', path, `cannot be written: ${reasonOf(error)}`);
  }
}
