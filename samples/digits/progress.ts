/** A progress bar on stderr: redrawn in place on a terminal, a line now and then elsewhere. */

export interface Progress {
  /** One step more is done; `note` is shown beside the bar. */
  step(note: string): void;
}

const width = 30;
const redrawMilliseconds = 50;

export function makeProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  let done = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    step(note) {
      done++;
      const isLast = done === total;
      const percent = Math.floor((100 * done) / total);
      if (!stream.isTTY) {
        const isTenth = Math.floor((10 * done) / total) > Math.floor((10 * (done - 1)) / total);
        if (isTenth) stream.write(`${String(percent).padStart(3)} %  ${note}\n`);
        return;
      }
      const now = performance.now();
      if (!isLast && now - drawnAt < redrawMilliseconds) return;
      drawnAt = now;
      const filled = Math.round((width * done) / total);
      const bar = '━'.repeat(filled) + '╌'.repeat(width - filled);
      stream.write(`\r${bar} ${String(percent).padStart(3)} %  ${note}\x1b[K${isLast ? '\n' : ''}`);
    },
  };
}
