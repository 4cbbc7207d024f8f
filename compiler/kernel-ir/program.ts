/**
 * The kernel IR: explicit loops over named axes, loads, stores, barriers and tile products. Everything is decided
 * here; the printers (`to-c`, `to-metal`) only print.
 *
 *   Kernel     ::= parameters, params, grid, body
 *   Statement  ::= loop | let | accumulator | assign | allocate | store | if | barrier | tile operations
 *   Scalar     ::= constant | load | variable | index | call | select | convert | ...   a DAG: shared nodes are
 *                  bound to names by `bindShared` before printing
 *
 * Indices are symbolic integers (symbolic/integer.ts) over loop variables, params and run-time indices.
 *
 * Execution. The grid is a list of extents. CPU: the kernel is called as name(buffers, params, scratch, begin, end) with
 * 0 <= begin < end <= product(grid); each point of the (row-major flattened) grid is one task, run in any order by any
 * worker; `threadgroup` is absent. Metal: the grid counts threadgroups (x fastest is the LAST extent), each of
 * `threadgroup` threads; loops placed at `threadgroup-threads`, `simdgroup` and `lane` bind hardware ids.
 */
import type { Int } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';

/**
 * How elements combine. `argmax`/`argmin` carry (value, index) pairs and give the first index; NaN wins, as in NumPy.
 * max and min propagate NaN.
 */
export type Monoid = 'sum' | 'prod' | 'max' | 'min' | 'all' | 'any' | 'argmax' | 'argmin';

// ---------------------------------------------------------------------------------------------------------
// Scalars

export type KernelScalar =
  | { readonly kind: 'constant'; readonly dtype: DType; readonly value: number | bigint | boolean }
  /** An element of a buffer converted to its compute type (`dtype`: f32 for f16 and bf16 buffers). */
  | {
      readonly kind: 'load';
      readonly dtype: DType;
      readonly buffer: BufferReference;
      readonly index: Int;
    }
  | { readonly kind: 'variable'; readonly dtype: DType; readonly name: string }
  | { readonly kind: 'index'; readonly dtype: DType; readonly value: Int }
  /** A function of scalar-functions.ts; arguments share one dtype; `dtype` is the result's (bool for comparisons). */
  | {
      readonly kind: 'call';
      readonly dtype: DType;
      readonly name: string;
      readonly args: readonly KernelScalar[];
    }
  | {
      readonly kind: 'select';
      readonly dtype: DType;
      readonly condition: KernelScalar;
      readonly then: KernelScalar;
      readonly otherwise: KernelScalar;
      /** True when `then` must not be evaluated unless the condition holds (it may read out of range). */
      readonly isGuard: boolean;
    }
  | { readonly kind: 'convert'; readonly dtype: DType; readonly value: KernelScalar }
  | { readonly kind: 'bitcast'; readonly dtype: DType; readonly value: KernelScalar }
  /** All of 0 <= value < extent. */
  | {
      readonly kind: 'in-range';
      readonly dtype: 'bool';
      readonly conditions: readonly RangeCondition[];
    };

export interface RangeCondition {
  readonly value: Int;
  readonly extent: Int;
  /** Tested at run time even where ranges prove it: proofs take dims to be at least 1. */
  readonly isTested?: true;
}

// ---------------------------------------------------------------------------------------------------------
// Memory

export type Space =
  /** Device memory: a kernel parameter. */
  | 'device'
  /** Metal threadgroup memory; size must be constant. */
  | 'threadgroup'
  /** Registers of one thread, or a local array of a CPU task; size must be constant. */
  | 'thread'
  /** CPU only: memory of one worker, sized when the plan runs; contents survive from task to task. */
  | 'scratch';

export interface Buffer {
  readonly name: string;
  readonly dtype: DType;
  readonly space: Space;
  /** Elements. */
  readonly size: Int;
}

export interface BufferReference {
  readonly buffer: Buffer;
}

export interface KernelParameter {
  readonly buffer: Buffer;
  readonly access: 'read' | 'write' | 'read-write';
  /** For kernels with segments: one binding per segment, picked by the segment variable. */
  readonly isSegmented: boolean;
}

/** A whole number handed to the kernel at each call: a dim, or any expression over dims computed by the host. */
export interface KernelInteger {
  readonly name: string;
  readonly value: Int;
}

// ---------------------------------------------------------------------------------------------------------
// Statements

export type Placement =
  /** One task (CPU) or threadgroup (Metal) per iteration: only as outermost loops; extents multiply to the grid. */
  | 'grid'
  /** Metal: iterations spread over the threads of a threadgroup: thread t runs t, t + threads, t + 2*threads, ... */
  | 'threads'
  /** Metal: iterations spread over the simdgroups of a threadgroup. */
  | 'simdgroups'
  /** Metal: iterations spread over the 32 lanes of a simdgroup. */
  | 'lanes'
  /** In order. */
  | 'serial'
  /** In order, unrolled; constant extent. */
  | 'unroll'
  /** CPU: any order, vectorised (`#pragma omp simd`); accumulators in `reduces` combine by their monoid. */
  | 'vector';

export interface LoopReduction {
  readonly name: string;
  readonly monoid: Monoid;
  /** argmax and argmin: `name` holds the value, this accumulator its index. */
  readonly index?: string;
}

export interface Loop {
  readonly kind: 'loop';
  /** Name of the index variable; unique in the kernel. */
  readonly variable: string;
  readonly extent: Int;
  readonly placement: Placement;
  /** Accumulators declared outside that this vector loop combines into. */
  readonly reduces?: readonly LoopReduction[];
  readonly body: readonly Statement[];
}

export type Statement =
  | Loop
  /** A name for a value. */
  | { readonly kind: 'let'; readonly name: string; readonly value: KernelScalar }
  /** A run-time index: the printer clamps the value into [0, extent - 1], so that `name` is an index variable of that extent. */
  | {
      readonly kind: 'let-index';
      readonly name: string;
      readonly value: KernelScalar;
      readonly extent: Int;
    }
  /** A whole number computed from others, for readability and to save work. */
  | { readonly kind: 'let-integer'; readonly name: string; readonly value: Int }
  | {
      readonly kind: 'accumulator';
      readonly name: string;
      readonly dtype: DType;
      readonly initial: KernelScalar;
    }
  | { readonly kind: 'assign'; readonly name: string; readonly value: KernelScalar }
  | { readonly kind: 'allocate'; readonly buffer: Buffer }
  | {
      readonly kind: 'store';
      readonly buffer: Buffer;
      readonly index: Int;
      readonly value: KernelScalar;
    }
  | {
      readonly kind: 'if';
      readonly condition: KernelScalar;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  /** All threads of the threadgroup; orders threadgroup memory (and device memory when `device`). */
  | { readonly kind: 'barrier'; readonly device: boolean }
  /**
   * Metal: combine `name` over the 32 lanes of each simdgroup; afterwards every lane holds the result. argmax and argmin:
   * `name` holds the value, `index` its index.
   */
  | {
      readonly kind: 'simd-reduce';
      readonly name: string;
      readonly monoid: Monoid;
      readonly index?: string;
    }
  /**
   * Finds the segment of a task: `segment` and `local` (task within it) from `task`, given that segment s starts at task
   * value of the kernel integer `starts[s]`.
   */
  | {
      readonly kind: 'locate-segment';
      readonly task: Int;
      readonly segment: string;
      readonly local: string;
      readonly starts: readonly string[];
      /** Number of elements of each segment, bound to the integer named `length`. */
      readonly length: string;
      readonly lengths: readonly string[];
    }
  /**
   * CPU: c[r][n] = (or +=) sum over k < depth of a[aOffset + r*aRowStride + k*aDepthStride] * b[bOffset + k*columns + n] for r < rows,
   * n < columns: b is a packed panel, a is packed either way round (its strides say which). a, b and c are f32 (or f64) buffers in
   * scratch or thread space; rows and columns are the register block of the machine (constants).
   */
  | {
      readonly kind: 'micro-kernel';
      readonly a: Buffer;
      readonly aOffset: Int;
      readonly aRowStride: Int;
      readonly aDepthStride: Int;
      readonly b: Buffer;
      readonly bOffset: Int;
      readonly c: Buffer;
      readonly cOffset: Int;
      /** Elements between rows of c. */
      readonly cStride: Int;
      readonly depth: Int;
      readonly rows: number;
      readonly columns: number;
      readonly accumulate: boolean;
    }
  /**
   * CPU: sorts `count` pairs by key, ascending, stably. Keys are u32 or u64, values i32; the spare buffers are as large, and hold
   * nothing of use afterwards.
   */
  | {
      readonly kind: 'sort-pairs';
      readonly keys: Buffer;
      readonly values: Buffer;
      readonly spareKeys: Buffer;
      readonly spareValues: Buffer;
      readonly count: Int;
    }
  /** Metal: declares an array of 8x8 simdgroup matrices, filled with zero unless `isUndefined`. */
  | {
      readonly kind: 'matrix-declare';
      readonly name: string;
      readonly dtype: DType;
      readonly count: number;
      readonly isUndefined?: boolean;
    }
  | {
      readonly kind: 'matrix-load';
      readonly name: string;
      /** Which matrix of the array: a constant once the loops around are unrolled. */
      readonly element: Int;
      readonly buffer: Buffer;
      readonly offset: Int;
      readonly stride: Int;
      readonly transpose: boolean;
    }
  /** d[i] += a[j] * b[k]. */
  | {
      readonly kind: 'matrix-multiply-accumulate';
      readonly d: string;
      readonly dElement: Int;
      readonly a: string;
      readonly aElement: Int;
      readonly b: string;
      readonly bElement: Int;
    }
  | {
      readonly kind: 'matrix-store';
      readonly name: string;
      readonly element: Int;
      readonly buffer: Buffer;
      readonly offset: Int;
      readonly stride: Int;
    };

export interface Kernel {
  /** A C identifier, unique in the program, made from source names: `softmax`, `linear_gelu`. */
  readonly name: string;
  readonly parameters: readonly KernelParameter[];
  readonly integers: readonly KernelInteger[];
  /** Task or threadgroup counts; evaluated by the host with the dims of the call. */
  readonly grid: readonly Int[];
  /** Metal: threads in a threadgroup (a multiple of 32). */
  readonly threads?: number;
  /** How many segments a horizontally fused kernel has. */
  readonly segments?: number;
  readonly body: readonly Statement[];
  /** A kernel that the user wrote: then the body is empty, and the grid counts threads along z, y and x. */
  readonly external?: ExternalKernel;
  /** What to tell people: the source lines it computes, and its cost. */
  readonly about: KernelAbout;
}

export interface KernelAbout {
  /** One line: what it computes, such as `softmax: lines 3-5 of model.mlx`. */
  readonly summary: string;
  /** Minimum bytes moved: each input read once, each output written once. */
  readonly bytes: Int;
  readonly flops: Int;
  /** The schedule's class: map, row, column, contraction, ... */
  readonly schedule: string;
}

/** An `extern` function's kernel. Buffers and integers reach it as they reach ours (launch.ts). */
export interface ExternalKernel {
  readonly language: string;
  /** Names the source. */
  readonly source: string;
  /** Its name there. */
  readonly entry: string;
  /** Threads of a threadgroup along x, y and z; smaller at the edges of the grid. */
  readonly threadgroup: readonly [number, number, number];
}
