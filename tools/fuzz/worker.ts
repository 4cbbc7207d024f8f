/** A process of the fuzzer: takes batches of programs by message, answers with a report. It may crash; pool.ts goes on. */
import { drawProgram } from './generator.ts';
import { type FuzzCase, makeCase } from './program.ts';
import { type BatchOptions, type BatchReport, runBatch } from './run.ts';

export interface Task {
  /** Programs by seed, or as they are. */
  readonly seeds?: readonly number[];
  readonly cases?: readonly FuzzCase[];
  readonly options: BatchOptions;
}

export type Answer =
  | { readonly kind: 'report'; readonly report: BatchReport }
  | { readonly kind: 'error'; readonly message: string };

process.on('message', (task: Task) => {
  const { seeds = [], cases = [], options } = task;
  const answer = async (): Promise<Answer> => {
    try {
      const drawn = seeds.map((seed) => makeCase(drawProgram(seed)));
      return { kind: 'report', report: await runBatch([...drawn, ...cases], options) };
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { kind: 'error', message };
    }
  };
  void answer().then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
