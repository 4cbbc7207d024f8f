/**
 * A function of a plan with its dims bound, as flat arrays for the addon.
 *
 *   buffers: (kind, place, bytes)*          kind 0 parameter, 1 result, 2 constant, 3 temporary; place: which one, or the
 *                                           byte offset in the arena
 *   steps:   1 kernel launch launch launch buffers.length buffer* integers.length integer*          dispatch
 *            2 count reverse index|-1 condition|-1 length step*                                     loop
 *            3 condition thenLength otherwiseLength step* step*                                     branch
 *            4 from fromOffset fromStep to toOffset toStep bytes                                    copy, all in bytes
 *
 * What the three numbers of a launch are is the device's own: `cpuLaunch`, `metalLaunch`.
 */
import type {
  CopyStep,
  DispatchStep,
  PlanFunction,
  PlanKernel,
  Step,
} from '../compiler/plan/plan.ts';
import { byteSize } from '../compiler/tensor-ir/dtype.ts';
import { placeTemporaries } from './arena.ts';
import { MlxcError } from './errors.ts';
import { type Dims, rebuild, type Sizes } from './sizes.ts';

export interface EncodedPlan {
  readonly buffers: Float64Array;
  readonly steps: Float64Array;
  readonly arenaBytes: number;
  /** What one thread takes for all steps, roughly: loops to their end, branches by their longer side. */
  readonly nanoseconds: number;
}

const bufferKinds = { parameter: 0, result: 1, constant: 2, temporary: 3 } as const;

/** Below this many nanoseconds of work a launch stays on the caller's thread. */
const serialNanoseconds = 8_000;
/** What one thread moves and computes in a nanosecond, roughly. */
const bytesPerNanosecond = 8;
const flopsPerNanosecond = { contraction: 64, other: 8 };
/** Parts a thread: enough to even out, few enough to cost nothing. */
const partsPerThread = 8;

/** A dispatch with its dims bound. */
export interface BoundDispatch {
  readonly kernel: PlanKernel;
  readonly grid: readonly number[];
  readonly scratchBytes: number;
  /** What one thread takes, roughly. */
  readonly nanoseconds: number;
}

/** How a device launches a dispatch. */
export type Launch = (dispatch: BoundDispatch) => readonly [number, number, number];

/** Tasks, tasks a part, bytes of scratch a worker. */
export function cpuLaunch(threads: number): Launch {
  return ({ grid, scratchBytes, nanoseconds }) => {
    const total = grid.reduce((product, extent) => product * extent, 1);
    const parts = Math.max(
      1,
      Math.min(threads * partsPerThread, Math.floor(nanoseconds / (serialNanoseconds / 2))),
    );
    const isSerial = nanoseconds < serialNanoseconds || threads === 1;
    const grain = isSerial ? Math.max(1, total) : Math.max(1, Math.ceil(total / parts));
    return [total, grain, scratchBytes];
  };
}

/** Threadgroups along x, y and z: the last extent of the grid, the one before it, the product of the others. */
export const metalLaunch: Launch = ({ kernel, grid }) => {
  const outer = grid.slice(0, -2).reduce((product, extent) => product * extent, 1);
  const groups = [grid.at(-1) ?? 1, grid.at(-2) ?? 1, outer] as const;
  if (groups.some((count) => count >= 2 ** 32)) {
    throw new MlxcError('MLX5112', `the grid of ${kernel.name} is too large for Metal`);
  }
  return groups;
};

export function encodePlan(
  planned: PlanFunction,
  kernels: readonly PlanKernel[],
  sizes: Sizes,
  dims: Dims,
  launch: Launch,
): EncodedPlan {
  const bytes = planned.buffers.map((buffer) =>
    buffer.sameAs === undefined ? sizes.countOrNone(buffer.size, dims) * byteSize(buffer.dtype) : 0,
  );
  const arena = placeTemporaries(planned, (index) => bytes[index]!);
  const next = { parameter: 0, result: 0, constant: 0, temporary: 0 };
  const buffers = planned.buffers.flatMap((buffer, index) => {
    const number = next[buffer.kind]++;
    const isUnused = buffer.kind === 'temporary' && !arena.offsets.has(index);
    const place = buffer.kind === 'temporary' ? (arena.offsets.get(index) ?? 0) : number;
    return [bufferKinds[buffer.kind], place, isUnused ? 0 : bytes[index]!];
  });
  const encoder = new StepEncoder(planned, kernels, sizes, dims, launch);
  const steps = planned.steps.flatMap((step) => encoder.encode(step, 1));
  return {
    buffers: Float64Array.from(buffers),
    steps: Float64Array.from(steps),
    arenaBytes: arena.bytes,
    nanoseconds: encoder.nanosecondsOf(planned.steps),
  };
}

class StepEncoder {
  private readonly planned: PlanFunction;
  private readonly kernels: readonly PlanKernel[];
  private readonly sizes: Sizes;
  private readonly dims: Dims;
  private readonly launch: Launch;

  constructor(
    planned: PlanFunction,
    kernels: readonly PlanKernel[],
    sizes: Sizes,
    dims: Dims,
    launch: Launch,
  ) {
    this.planned = planned;
    this.kernels = kernels;
    this.sizes = sizes;
    this.dims = dims;
    this.launch = launch;
  }

  /** `iterations` is the count of the innermost loop around the step. */
  encode(step: Step, iterations: number): number[] {
    switch (step.kind) {
      case 'dispatch':
        return this.encodeDispatch(step);
      case 'loop': {
        const count = this.sizes.countOrNone(step.count, this.dims);
        const body = step.body.flatMap((inner) => this.encode(inner, count));
        const { reverse, index = -1, condition = -1 } = step;
        return [2, count, Number(reverse), index, condition, body.length, ...body];
      }
      case 'branch': {
        const then = step.then.flatMap((inner) => this.encode(inner, iterations));
        const otherwise = step.otherwise.flatMap((inner) => this.encode(inner, iterations));
        return [3, step.condition, then.length, otherwise.length, ...then, ...otherwise];
      }
      case 'copy':
        return this.encodeCopy(step, iterations);
    }
  }

  nanosecondsOf(steps: readonly Step[]): number {
    return steps.reduce((sum, step) => sum + this.nanosecondsOfStep(step), 0);
  }

  private nanosecondsOfStep(step: Step): number {
    switch (step.kind) {
      case 'dispatch':
        return this.nanosecondsOfDispatch(step);
      case 'loop':
        return this.sizes.countOrNone(step.count, this.dims) * this.nanosecondsOf(step.body);
      case 'branch':
        return Math.max(this.nanosecondsOf(step.then), this.nanosecondsOf(step.otherwise));
      case 'copy':
        return (
          (2 * this.sizes.countOrNone(step.size, this.dims) * this.elementBytes(step)) /
          bytesPerNanosecond
        );
    }
  }

  private nanosecondsOfDispatch(step: DispatchStep): number {
    const { sizes, dims } = this;
    const { schedule } = this.kernels[step.kernel]!;
    return (
      sizes.countOrNone(step.bytes, dims) / bytesPerNanosecond +
      sizes.countOrNone(step.flops, dims) /
        flopsPerNanosecond[schedule === 'contraction' ? 'contraction' : 'other']
    );
  }

  private elementBytes(step: CopyStep): number {
    return byteSize(this.planned.buffers[step.from]!.dtype);
  }

  private encodeDispatch(step: DispatchStep): number[] {
    const { sizes, dims } = this;
    const kernel = this.kernels[step.kernel]!;
    const launch = this.launch({
      kernel,
      grid: step.grid.map((extent) => sizes.countOrNone(extent, dims)),
      scratchBytes: sizes.countOrNone(kernel.scratchBytes, dims),
      nanoseconds: this.nanosecondsOfDispatch(step),
    });
    const integers = step.integers.map((text) => sizes.evaluate(text, dims));
    return [
      1,
      step.kernel,
      ...launch,
      step.buffers.length,
      ...step.buffers,
      integers.length,
      ...integers,
    ];
  }

  private encodeCopy(step: CopyStep, iterations: number): number[] {
    const element = this.elementBytes(step);
    const bytes = this.sizes.countOrNone(step.size, this.dims) * element;
    const from = this.linear(step.fromOffset, iterations);
    const to = this.linear(step.toOffset, iterations);
    return [
      4,
      step.from,
      from.start * element,
      from.step * element,
      step.to,
      to.start * element,
      to.step * element,
      bytes,
    ];
  }

  /** start + step * $iteration; MLX5102 when the text is anything else. */
  private linear(text: string, iterations: number): { start: number; step: number } {
    const at = (iteration: number): number => this.sizes.evaluate(text, this.dims, iteration);
    if (iterations === 0) return { start: 0, step: 0 };
    const start = at(0);
    const step = iterations > 1 ? at(1) - start : 0;
    if (iterations > 2 && at(iterations - 1) !== start + step * (iterations - 1)) {
      throw new MlxcError('MLX5102', `the offset ${text} of a copy is not linear`, rebuild);
    }
    return { start, step };
  }
}
