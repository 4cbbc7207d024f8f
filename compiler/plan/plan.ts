/**
 * The plan: all that the runtime needs to run a function, as plain JSON (`plan.json` in a bundle). Sizes are integer
 * expressions over dims, written as text (`print` of symbolic/integer.ts), read by `parseInteger` and evaluated once per
 * binding of the dims; the result is cached.
 *
 *   PlanFunction ::= parameters, results, dims, guards, buffers, steps
 *   Step         ::= dispatch | loop | branch | copy
 *
 * Steps run in order; a device may overlap steps that share no buffer that one of them writes.
 */
import type { DType, ElementType } from '../tensor-ir/dtype.ts';

/** Raised when the meaning of a field changes; a bundle of another version is refused. */
export const planVersion = 1;

/** An integer expression over dims, such as `4*B*N`. */
export type IntegerText = string;

export interface PlanLeaf {
  /** `c64`: its buffer holds two f32 an element, the real part first. */
  readonly dtype: ElementType;
  readonly shape: readonly IntegerText[];
  /** A random key: `u32[2]` outside. */
  readonly isKey?: boolean;
}

export type PlanTree =
  | { readonly kind: 'leaf'; readonly leaf: PlanLeaf }
  | {
      readonly kind: 'struct';
      readonly name: string;
      readonly fields: readonly { readonly name: string; readonly tree: PlanTree }[];
    }
  | { readonly kind: 'tuple'; readonly items: readonly PlanTree[] }
  | { readonly kind: 'array'; readonly items: readonly PlanTree[] };

export interface PlanParameter {
  readonly name: string;
  readonly doc?: string;
  readonly tree: PlanTree;
}

export interface PlanGuard {
  readonly relation: 'equal' | 'at-least' | 'divisible';
  readonly left: IntegerText;
  readonly right: IntegerText;
  readonly message: string;
}

/**
 * Memory of a function. Parameters come first (one a leaf, in order), then results (one a leaf, in order), then
 * constants, then temporaries.
 */
export interface PlanBuffer {
  readonly kind: 'parameter' | 'result' | 'constant' | 'temporary';
  readonly name: string;
  readonly dtype: DType;
  /** Elements. */
  readonly size: IntegerText;
  /** Constants: the key in constants.safetensors. */
  readonly constant?: string;
  /** Temporaries: first and last step (indices in `steps`, loops count as one) that touch it. */
  readonly firstStep?: number;
  readonly lastStep?: number;
  /** Temporaries of a program without dims: byte offset in the arena, known when compiled. */
  readonly offset?: number;
  /** Results: this result may be written over the memory of the parameter buffer with this index, if the caller donates it. */
  readonly mayReuse?: number;
  /** Results that are a parameter, a constant or another result unchanged: the index of that buffer; no memory of their own. */
  readonly sameAs?: number;
}

export interface DispatchStep {
  readonly kind: 'dispatch';
  /** Index into `kernels` of the plan. */
  readonly kernel: number;
  /** A buffer index for each binding of the kernel, in its order (segmented parameters: all their segments in a row). */
  readonly buffers: readonly number[];
  /** A value for each integer of the kernel. */
  readonly integers: readonly IntegerText[];
  readonly grid: readonly IntegerText[];
  /** For people and profiles: bytes and flops of this dispatch. */
  readonly bytes: IntegerText;
  readonly flops: IntegerText;
}

/**
 * Runs `body` `count` times. `index` (an i32 scalar buffer), if given, holds 0, 1, ... or with `reverse` count - 1, ..., 0;
 * `$iteration` in copies is the same number.
 */
export interface LoopStep {
  readonly kind: 'loop';
  readonly count: IntegerText;
  readonly reverse: boolean;
  readonly index?: number;
  /** A bool scalar buffer: the loop ends before an iteration that finds it false. */
  readonly condition?: number;
  readonly body: readonly Step[];
}

/** Runs one side by a bool scalar buffer. */
export interface BranchStep {
  readonly kind: 'branch';
  readonly condition: number;
  readonly then: readonly Step[];
  readonly otherwise: readonly Step[];
}

export interface CopyStep {
  readonly kind: 'copy';
  readonly from: number;
  /** Elements into `from` and `to`; may name `$iteration`, the index of the innermost loop. */
  readonly fromOffset: IntegerText;
  readonly to: number;
  readonly toOffset: IntegerText;
  readonly size: IntegerText;
}

export type Step = DispatchStep | LoopStep | BranchStep | CopyStep;

export interface PlanFunction {
  readonly name: string;
  readonly doc: string;
  readonly parameters: readonly PlanParameter[];
  readonly result: PlanTree;
  readonly dims: readonly string[];
  readonly guards: readonly PlanGuard[];
  readonly buffers: readonly PlanBuffer[];
  readonly steps: readonly Step[];
}

/** What the host must know of a kernel to call it. */
export interface PlanKernel {
  readonly name: string;
  readonly bindings: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly access: 'read' | 'write' | 'read-write';
  }[];
  readonly integers: readonly string[];
  /** CPU: bytes of scratch per worker, over the kernel's dims; `0` for none. */
  readonly scratchBytes: IntegerText;
  /** Metal: threads in a threadgroup; 0 for CPU plans. */
  readonly threads: number;
  /** Metal: more than 31 bindings travel as one table of addresses in buffer 0. */
  readonly bindingTable: boolean;
  readonly schedule: string;
  readonly summary: string;
  /** Metal: a kernel that the user wrote (`extern`). */
  readonly external?: PlanExternal;
}

/**
 * A kernel of the user. Its buffers have the indices 0, 1, ... in the order of the bindings; the integers follow as one struct of
 * `int`. The grid of its dispatches counts threads along z, y, x: groups at its edges are smaller (`dispatchThreads`).
 */
export interface PlanExternal {
  /** Its name in the library: `row_scale`, `rows::scale`. */
  readonly entry: string;
  /** Threads of a threadgroup along x, y and z. */
  readonly threadgroup: readonly [number, number, number];
  /** The file of the bundle that is its library; absent when it is in kernels.metal. */
  readonly library?: string;
  /** For a kernel made by metal-shaderconverter: what stands in its one buffer instead. */
  readonly arguments?: PlanArgumentBuffer;
}

/** A top-level argument buffer: entries of 24 bytes (address, 0, byte length), in the order of the shader converter. */
export interface PlanArgumentBuffer {
  readonly index: number;
  readonly size: number;
  /** `binding` numbers the kernel's bindings; without it the entry is the struct of integers. */
  readonly entries: readonly { readonly offset: number; readonly binding?: number }[];
}

/** The kernels and steps of one device; both devices share signatures. */
export interface Plan {
  readonly version: typeof planVersion;
  readonly target: 'cpu' | 'metal';
  readonly kernels: readonly PlanKernel[];
  readonly functions: readonly PlanFunction[];
}

/** plan.json: the plans of a bundle, one for each target that it was built for. All have the same functions. */
export interface BundlePlan {
  readonly version: typeof planVersion;
  /** What the bundle is called; for people. */
  readonly name: string;
  readonly plans: { readonly [target in Plan['target']]?: Plan };
}
