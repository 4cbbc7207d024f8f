/** Runs work again each time one of its files changes. */
import { resolve } from 'node:path';
import type { Shell } from './shell.ts';

/**
 * Calls `work` now and at every change of the files that it said it read, until the user interrupts. Changes during a
 * run lead to one more run.
 */
export async function watch(shell: Shell, work: () => Promise<readonly string[]>): Promise<void> {
  const { watch: watchFiles } = await import('chokidar');
  const watcher = watchFiles([], { ignoreInitial: true, atomic: true });
  let isRunning = false;
  let isStale = false;
  const run = async (): Promise<void> => {
    if (isRunning) {
      isStale = true;
      return;
    }
    isRunning = true;
    do {
      isStale = false;
      watcher.add((await work()).map((file) => resolve(shell.cwd, file)));
    } while (isStale);
    isRunning = false;
  };
  watcher.on('all', () => void run());
  await run();
  await shell.untilInterrupted();
  await watcher.close();
}
