/** Folders and the parents that they lack. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder unless it is there, parents first. Throws what mkdir throws. (Node's own `recursive` tries without end
 * where a parent exists and the system still says ENOENT, as /proc does.)
 */
export function makeFolders(path: string, mode = 0o777): void {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeFolders(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
