/** Runs that a native addon executes: what the CPU and the Metal device share. */
import type { Run } from './device.ts';

/** What an addon tells of its runs. `wait` and `ready` give the problem, or an empty string. */
export interface RunAddon<Handle> {
  hasEnded(run: Handle): boolean;
  /** Blocks the thread until the run has ended. */
  wait(run: Handle): string;
  ready(run: Handle): Promise<string>;
}

/** A pending run of an addon; `toError` makes its problem an error. */
export class AddonRun<Handle> implements Run {
  readonly handle: Handle;
  readonly addon: RunAddon<Handle>;
  private readonly toError: (problem: string) => Error;

  constructor(addon: RunAddon<Handle>, handle: Handle, toError: (problem: string) => Error) {
    this.addon = addon;
    this.handle = handle;
    this.toError = toError;
  }

  get hasEnded(): boolean {
    return this.addon.hasEnded(this.handle);
  }

  wait(): Error | undefined {
    const problem = this.addon.wait(this.handle);
    return problem === '' ? undefined : this.toError(problem);
  }

  async ready(): Promise<void> {
    const problem = await this.addon.ready(this.handle);
    if (problem !== '') throw this.toError(problem);
  }
}

/** The handles of those runs that `addon` executes. The others are waited for, since it cannot order them; throws what went wrong in one. */
export function handlesOf<Handle>(
  addon: RunAddon<Handle>,
  runs: readonly Run[],
): readonly Handle[] {
  return runs.flatMap((run) => {
    if (run instanceof AddonRun && run.addon === addon) return [run.handle as Handle];
    const problem = run.wait();
    if (problem !== undefined) throw problem;
    return [];
  });
}
