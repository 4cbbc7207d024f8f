/** Processes that run batches. One that crashes or hangs costs its batch only, which is then run program by program. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BatchReport, Failure } from './run.ts';
import type { Answer, Task } from './worker.ts';

/** Why a process gave no answer. */
class Lost extends Error {}

export interface WorkerOptions {
  /** How long to wait for an answer: so many seconds, and so many for each program. */
  readonly seconds?: number;
  readonly perProgram?: number;
  /** Variables that the process has beside those of this one. */
  readonly environment?: Readonly<Record<string, string>>;
}

export class Worker {
  private child: ChildProcess | undefined;
  private readonly options: WorkerOptions;

  constructor(options: WorkerOptions = {}) {
    this.options = options;
  }

  /** The report of a batch; what crashed or hung is a failure in it. */
  async run(task: Task): Promise<BatchReport> {
    const programs = (task.seeds?.length ?? 0) + (task.cases?.length ?? 0);
    const { seconds = 60, perProgram = 5 } = this.options;
    try {
      return await this.ask(task, seconds + programs * perProgram);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      if (programs === 1) return lostReport(task, error.message);
      const reports: BatchReport[] = [];
      for (const half of halves(task)) reports.push(await this.run(half));
      return mergeReports(reports);
    }
  }

  stop(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private ask(task: Task, seconds: number): Promise<BatchReport> {
    this.child ??= start(this.options.environment);
    const { child } = this;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => lose(`no answer within ${seconds} seconds`), seconds * 1000);
      const end = (): void => {
        clearTimeout(timer);
        child.removeAllListeners();
      };
      const lose = (reason: string): void => {
        end();
        this.stop();
        reject(new Lost(reason));
      };
      child.once('exit', (code, signal) => {
        this.child = undefined;
        lose(`the process ended with ${signal ?? code}`);
      });
      child.once('message', (answer: Answer) => {
        end();
        if (answer.kind === 'report') resolve(answer.report);
        else if ((task.seeds?.length ?? 0) + (task.cases?.length ?? 0) === 1)
          resolve(lostReport(task, answer.message));
        else reject(new Lost(answer.message));
      });
      child.send(task);
    });
  }
}

function halves({ seeds = [], cases = [], options }: Task): readonly Task[] {
  const middle = Math.ceil((seeds.length + cases.length) / 2);
  const split = Math.max(0, middle - seeds.length);
  return [
    { seeds: seeds.slice(0, middle), cases: cases.slice(0, split), options },
    { seeds: seeds.slice(middle), cases: cases.slice(split), options },
  ];
}

/** From sources through tsx, or as built. */
function start(environment: WorkerOptions['environment'] = {}): ChildProcess {
  const source = fileURLToPath(new URL('worker.ts', import.meta.url));
  const path = existsSync(source) ? source : fileURLToPath(new URL('worker.js', import.meta.url));
  const execArgv = path.endsWith('.ts') ? ['--import', 'tsx'] : [];
  return fork(path, {
    execArgv,
    serialization: 'advanced',
    env: { ...process.env, ...environment },
  });
}

function lostReport(task: Task, message: string): BatchReport {
  const name = task.cases?.[0]?.name ?? `f${task.seeds?.[0]}`;
  const failure: Failure = { name, stage: 'lost', problem: message.split('\n')[0]!, message };
  return { ...emptyReport, failures: [failure], programs: 1 };
}

export const emptyReport: BatchReport = {
  failures: [],
  programs: 0,
  calls: 0,
  refused: 0,
  compared: 0,
  skipped: 0,
  onMetal: 0,
  kernels: 0,
  primitives: {},
  features: {},
};

export function mergeReports(reports: readonly BatchReport[]): BatchReport {
  return reports.reduce(
    (a, b) => ({
      failures: [...a.failures, ...b.failures],
      programs: a.programs + b.programs,
      calls: a.calls + b.calls,
      refused: a.refused + b.refused,
      compared: a.compared + b.compared,
      skipped: a.skipped + b.skipped,
      onMetal: a.onMetal + b.onMetal,
      kernels: a.kernels + b.kernels,
      primitives: addCounts(a.primitives, b.primitives),
      features: addCounts(a.features, b.features),
    }),
    emptyReport,
  );
}

type Counts = Readonly<Record<string, number>>;

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
