/**
 * What fusion hands to the schedules: groups of operations that run as one kernel (rarely two), in order.
 *
 * A fused group computes over a parallel *space* of index variables. Its *stages* run one after the other at each point
 * of the space; a stage may add *row* variables, over which it reduces or stores. Softmax over `f32[B, N]` is
 *
 *   space (i < B)
 *     stage 0, row (j < N): reduce m = max x[i, j]
 *     stage 1, row (j < N): reduce s = sum exp(x[i, j] - m)
 *     stage 2, row (j < N): store  y[i, j] = exp(x[i, j] - m) / s
 *
 * Everything else (views, element-wise operations) is inlined where it is read. A group may be led by a contraction, whose
 * space is its result's index space; its stages are then the epilogue. See shared design: one mechanism, not a zoo of templates.
 */
import type { Int } from '../symbolic/integer.ts';
import type { Entry, Operation, Value } from '../tensor-ir/program.ts';

export interface GroupReduce {
  readonly op: Operation;
  readonly value: Value;
  /** Index of the result, over the space. */
  readonly index: readonly Int[];
  /** Index at which the operand is read, over space and row. */
  readonly operandIndex: readonly Int[];
}

export interface GroupStore {
  readonly value: Value;
  /** Index of the element that one point of space and row stores. */
  readonly index: readonly Int[];
}

export interface Stage {
  /** Row variables, outermost first (each an index variable with its extent); empty for one element a point. */
  readonly row: readonly Int[];
  readonly reduces: readonly GroupReduce[];
  readonly stores: readonly GroupStore[];
}

export interface FusedGroup {
  readonly kind: 'fused';
  /** Index variables, outermost first. */
  readonly space: readonly Int[];
  /** The dot_general that leads the group; its result is read at the point of the space. */
  readonly contraction: Operation | undefined;
  readonly stages: readonly Stage[];
  /** Values in memory that the group reads, operands of the contraction included, riders not. */
  readonly reads: ReadonlySet<Value>;
  /** Scalars that the first point of a map stores besides: cheaper than a kernel of their own (see riders.ts). */
  readonly riders: readonly GroupStore[];
}

/** An operation with a schedule of its own: scatter, control flow, sort. Operands are inlined expressions, but buffers for control flow. */
export interface OperationGroup {
  readonly kind: 'operation';
  readonly op: Operation;
  /** Values in memory that it reads. */
  readonly reads: ReadonlySet<Value>;
}

/** Independent element-wise groups of one shape of body, run as one dispatch with a table of segments. */
export interface HorizontalGroup {
  readonly kind: 'horizontal';
  readonly members: readonly FusedGroup[];
  readonly riders: readonly GroupStore[];
}

export type Group = FusedGroup | OperationGroup | HorizontalGroup;

/** Why two things did not become one kernel, and what it costs. */
export interface Refusal {
  readonly consumer: Value;
  readonly producer: Value | undefined;
  readonly reason: string;
  /** Bytes written and read again because of it. */
  readonly bytes: Int;
}

export interface FusedFunction {
  readonly parameters: readonly Value[];
  readonly results: readonly Value[];
  readonly groups: readonly Group[];
  /** Values that live in device memory: parameters, literals, and everything that a group stores. */
  readonly inMemory: ReadonlySet<Value>;
  /** The operation that defines each value. */
  readonly definitions: ReadonlyMap<Value, Operation>;
  readonly refusals: readonly Refusal[];
  /** Fused bodies of control-flow operations, by region. */
  readonly regions: ReadonlyMap<Operation, readonly FusedFunction[]>;
}

export interface FusedEntry {
  readonly entry: Entry;
  readonly fused: FusedFunction;
}
