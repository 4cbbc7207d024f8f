/**
 * The record of a primitive: its name and every rule about it, in one place. All fields are required, so a gap
 * is a compile error; "no derivative" and "not linear" are values with their reason.
 */
import type { KernelScalar, Monoid } from '../kernel-ir/program.ts';
import type { Int } from '../symbolic/integer.ts';
import type { Builder } from './builder.ts';
import type { DType } from './dtype.ts';
import type { NdArray } from './nd-array.ts';
import type { Attrs, Func, Operation, TensorType, Value } from './program.ts';

/** Why the operands or attrs do not fit: a user's mistake if it came from the source, else a bug of ours. */
export class ShapeProblem extends Error {
  override readonly name: string = 'ShapeProblem';
}

/** A rule that is absent on purpose. */
export interface Absent {
  readonly absent: string;
}

/** What a jvp, batch or lowering rule sees of one operation. */
export interface OperationView<A extends Attrs> {
  readonly operands: readonly Value[];
  readonly results: readonly Value[];
  readonly attrs: A;
  readonly regions: readonly Func[];
}

/**
 * Tangents of the results from tangents of the operands; undefined stands for a zero tangent, on both sides.
 * `op.operands` and `op.results` are the primal values, already in the function being built.
 */
export type JvpRule<A extends Attrs> = (
  b: Builder,
  op: OperationView<A>,
  tangents: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/**
 * Cotangents of the operands from cotangents of the results (undefined = zero). `isLinear[i]` says that operand i is
 * linear (unknown: only its type may be read); the other operands are known values. Returns undefined for
 * operands that are not linear, or whose cotangent is zero.
 */
export type TransposeRule<A extends Attrs> = (
  b: Builder,
  op: OperationView<A>,
  isLinear: readonly boolean[],
  cotangents: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/**
 * The operation over a whole batch. A mapped operand carries the batch as axis 0 (`isMapped[i]`); every result
 * must carry it as axis 0 too. `size` is the batch size, `op.results` are the unbatched ones (types only).
 */
export type BatchRule<A extends Attrs> = (
  b: Builder,
  op: OperationView<A>,
  operands: readonly Value[],
  isMapped: readonly boolean[],
  size: Int,
) => readonly Value[];

/**
 * Rules of a primitive with regions (control flow, `checkpoint`, custom derivatives). They come before the plain
 * rules of its record: primal and tangent results of a loop come out of one operation, and reverse mode
 * has to split such an operation in two. `op.operands` are values of the function being built.
 */
export interface RegionRules {
  readonly jvp: (
    b: Builder,
    op: Operation,
    tangents: readonly (Value | undefined)[],
  ) => {
    readonly primals: readonly Value[];
    readonly tangents: readonly (Value | undefined)[];
  };
  /**
   * Splits an operation with some linear operands into operations on known values, which also give the residuals,
   * and operations linear in the others. Together they define the results of `op`, the same objects.
   */
  readonly split: (
    op: Operation,
    isLinear: readonly boolean[],
  ) => { readonly known: readonly Operation[]; readonly linear: readonly Operation[] };
  /** As TransposeRule, for an operation that came out of `split`. */
  readonly transpose: (
    b: Builder,
    op: Operation,
    isLinear: readonly boolean[],
    cotangents: readonly (Value | undefined)[],
  ) => readonly (Value | undefined)[];
  /** As BatchRule, but says which results carry the batch. */
  readonly batch: (
    b: Builder,
    op: Operation,
    isMapped: readonly boolean[],
    size: Int,
  ) => { readonly results: readonly Value[]; readonly isMapped: readonly boolean[] };
}

/** Floating-point operations per result element (reductions and contractions: per element combined). */
export interface Cost {
  readonly flops: number;
}

/**
 * What an operation means as a comprehension (see kernel-ir/README.md): how to compute one element of the result
 * from elements of the operands.
 */
export type Lowering<A extends Attrs> =
  /** One element from elements of the operands: element-wise ops, and views as index maps. */
  | {
      readonly kind: 'element';
      readonly element: (
        k: ElementBuilder,
        op: OperationView<A>,
        index: readonly Int[],
        result: number,
      ) => KernelScalar;
      /** True when the rule only moves elements (views): inlining it into a reader is free. */
      readonly isView: boolean;
    }
  /** A monoid over some axes of the operands: sum, max, argmax... Axes are removed from the result. */
  | {
      readonly kind: 'reduce';
      readonly monoid: Monoid;
      readonly axes: (op: OperationView<A>) => readonly number[];
    }
  /** dot_general: sum over shared axes of a product, with a tiled schedule of its own. */
  | { readonly kind: 'contraction' }
  /** Deterministic update of a copy of operand 0. */
  | { readonly kind: 'scatter' }
  /** Regions run by the plan: cond, while, scan. */
  | { readonly kind: 'control' }
  /** A schedule of its own in schedule/ by the primitive's name (sort, cumulative, ...). */
  | { readonly kind: 'custom' }
  /** Other operations that mean the same, put in its place before fusion (passes/expand-composites.ts). */
  | {
      readonly kind: 'composite';
      readonly expand: (b: Builder, op: OperationView<A>) => readonly Value[];
    }
  /** Never reaches a kernel: removed by the pass named. */
  | { readonly kind: 'removed'; readonly by: string };

/** Builds scalar expressions of one kernel. Scalars are in compute types: f16 and bf16 operands read as f32. */
export interface ElementBuilder {
  /** Element `index` of operand `operand`: a load, or the operand's own rule inlined. */
  read(operand: number, index: readonly Int[]): KernelScalar;
  constant(value: number | bigint | boolean, dtype: DType): KernelScalar;
  /** A scalar function of kernel-ir/scalar-functions.ts applied to arguments of one dtype. */
  call(name: string, args: readonly KernelScalar[], dtype?: DType): KernelScalar;
  select(condition: KernelScalar, then: KernelScalar, otherwise: KernelScalar): KernelScalar;
  convert(value: KernelScalar, dtype: DType): KernelScalar;
  bitcast(value: KernelScalar, dtype: DType): KernelScalar;
  /** An index as a number of the given dtype (iota). */
  indexValue(index: Int, dtype: DType): KernelScalar;
  /** A number as an index of an axis of the given extent, clamped into [0, extent - 1] (gather). */
  asIndex(value: KernelScalar, extent: Int): Int;
  /** `then` where 0 <= value < extent for all conditions, else `otherwise`; `then` is not evaluated elsewhere. */
  whereInRange(
    conditions: readonly { readonly value: Int; readonly extent: Int }[],
    then: () => KernelScalar,
    otherwise: () => KernelScalar,
  ): KernelScalar;
  /**
   * `then` where none of the extents is 0 when running, else 0; `then` is not evaluated elsewhere. A clamped index
   * (`asIndex`) points at an element only where its axis has one.
   */
  whereNotEmpty(extents: readonly Int[], then: () => KernelScalar): KernelScalar;
}

export interface Primitive<A extends Attrs = Attrs> {
  readonly name: string;
  readonly inferType: (
    operands: readonly TensorType[],
    attrs: A,
    regions: readonly Func[],
  ) => readonly TensorType[];
  /** The meaning in plain TypeScript: constant folding and test oracle. */
  readonly evaluate: (
    operands: readonly NdArray[],
    attrs: A,
    context: EvaluateContext<A>,
  ) => readonly NdArray[];
  readonly jvp: JvpRule<A> | Absent;
  readonly transpose: TransposeRule<A> | Absent;
  readonly batch: BatchRule<A> | Absent;
  /** Only for primitives with regions; then the three rules above are absent. */
  readonly regional?: RegionRules;
  readonly cost: Cost;
  readonly lower: Lowering<A>;
}

export interface EvaluateContext<A extends Attrs> {
  readonly op: Operation<A>;
  /** Result types with all dims known. */
  readonly resultTypes: readonly TensorType[];
  /** Runs a region. */
  readonly call: (func: Func, args: readonly NdArray[]) => readonly NdArray[];
  /** The value of an Int under the current dims. */
  readonly size: (dim: Int) => number;
}

/** Erases the attrs type: the registry holds primitives of all kinds. */
export function definePrimitive<A extends Attrs>(primitive: Primitive<A>): Primitive<A> {
  return primitive;
}

export function isAbsent(rule: unknown): rule is Absent {
  return typeof rule === 'object' && rule !== null && 'absent' in rule;
}
