/** Runs the stages of a compilation one after the other: times each, verifies and prints what it made when asked. */
import { InternalError } from '../diagnostics/internal-error.ts';
import { TransformProblem } from '../transforms/problem.ts';

export interface StageTiming {
  readonly stage: string;
  readonly milliseconds: number;
}

export interface StageOptions {
  /** Check the invariants after each stage (MLXC_VERIFY). */
  readonly verify: boolean;
  /** `all`, or the name of a stage whose result is printed (MLXC_DUMP). */
  readonly dump: string | undefined;
  readonly print: (stage: string, text: string) => void;
  readonly now: () => number;
}

/** What to do with the result of a stage beside handing it on. */
export interface Inspection<T> {
  readonly show?: (result: T) => string;
  readonly verify?: (result: T) => void;
}

export class StageRunner {
  readonly timings: StageTiming[] = [];
  private readonly options: StageOptions;

  constructor(options: StageOptions) {
    this.options = options;
  }

  /** An exception in a stage is a bug of ours: it gets the name of the stage. User's errors pass through. */
  run<T>(stage: string, work: () => T, inspection: Inspection<NoInfer<T>> = {}): T {
    const { verify, dump, print, now } = this.options;
    const started = now();
    const result = inStage(stage, work);
    this.timings.push({ stage, milliseconds: now() - started });
    if (inspection.show !== undefined && (dump === 'all' || dump === stage)) {
      print(stage, inspection.show(result));
    }
    if (verify && inspection.verify !== undefined) {
      inStage(`verify after ${stage}`, () => inspection.verify!(result));
    }
    return result;
  }
}

function inStage<T>(stage: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TransformProblem) throw error;
    const cause = error instanceof Error ? error : new Error(String(error));
    const details = cause instanceof InternalError ? cause.details : '';
    const wrapped = new InternalError(`${stage}: ${cause.message}`, details);
    if (cause.stack !== undefined) wrapped.stack = cause.stack;
    throw wrapped;
  }
}
