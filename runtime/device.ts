/** What the runtime asks of a device: to take a plan, to bind a function to dims, to run it over memory. */
import type { Plan } from '../compiler/plan/plan.ts';
import type { Bundle } from './bundle.ts';
import type { Dims } from './sizes.ts';
import type { TypedArray } from './typed-array.ts';

export interface Device {
  /** `cpu`, `interp`, ...: what `--device` takes. */
  readonly name: string;
  /** The target whose plan and kernels it takes; that of its name when absent. */
  readonly target?: Plan['target'];
  /** Makes the functions of a bundle ready to run. `plan` is the bundle's plan, already checked. */
  open(bundle: Bundle, plan: Plan): Promise<Program>;
  /**
   * Memory for a result: `free` gives it back as soon as no run submitted before touches it, otherwise the garbage collector does.
   */
  allocate(bytes: number): {
    readonly buffer: ArrayBuffer;
    readonly free: (() => void) | undefined;
  };
}

export interface Program {
  /** Function `index` of the plan with all its dims bound. Results are cached by the caller. */
  instantiate(index: number, dims: Dims): Executable;
}

export interface Executable {
  /**
   * Reads one array a parameter leaf and fills one a result leaf, each of exactly the size of its buffer. A result
   * may be the memory of a donated parameter where the plan says `mayReuse`. The runs of a device take place in the order of these
   * calls; the arrays stay alive until the run has ended. Gives the run when it is pending, nothing when it has ended well.
   */
  run(
    parameters: readonly TypedArray[],
    results: readonly TypedArray[],
    context: RunContext,
  ): Run | undefined;
}

export interface RunContext {
  /** Positions of parameters that code outside the runtime can reach: they must not be read after `run` has returned. */
  readonly exposed: readonly number[];
  /** Pending runs whose results this one reads; it fails when one of them does. */
  readonly after: readonly Run[];
}

/** One execution that was pending when the call returned. */
export interface Run {
  readonly hasEnded: boolean;
  /** Blocks the thread until it has ended; what went wrong, if anything. */
  wait(): Error | undefined;
  /** Settles when it has ended; rejects with what went wrong. */
  ready(): Promise<void>;
}
