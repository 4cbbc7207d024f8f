/**
 * Reads an expression as a comprehension: which elements of which tensors one element of a value needs. Views and element-wise
 * operations are looked through by their own `element` rules; what remains are the leaves, each with its index map.
 *
 *   y = broadcast(max(x)) - x     readsOf(y, [i, j]) = { max(x) at [i], x at [i, j] }
 */

import type { KernelScalar } from '../kernel-ir/program.ts';
import { type Int, indexVariable, one, zero } from '../symbolic/integer.ts';
import type { ElementBuilder } from '../tensor-ir/primitive.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';

export interface Read {
  readonly value: Value;
  readonly index: readonly Int[];
}

const nothing: KernelScalar = { kind: 'constant', dtype: 'f32', value: 0 };

/** One index variable per axis, with the axis as extent; axes of size 1 have the index 0. */
export function freshIndex(prefix: string, shape: readonly Int[]): readonly Int[] {
  return shape.map((extent, i) => (extent === one ? zero : indexVariable(`${prefix}${i}`, extent)));
}

/** Where values have been visited. Indices are interned integers, mostly passed on as the same array. */
class Visited {
  private readonly places = new Map<Value, (readonly Int[])[]>();

  /** True the first time. */
  add(value: Value, index: readonly Int[]): boolean {
    const list = this.places.get(value);
    if (list === undefined) {
      this.places.set(value, [index]);
      return true;
    }
    if (list.some((known) => known === index || known.every((i, axis) => i === index[axis])))
      return false;
    list.push(index);
    return true;
  }
}

type Enter = (value: Value, index: readonly Int[]) => boolean;

/** An `ElementBuilder` that computes nothing and follows what an element rule reads. */
class ReadFollower implements ElementBuilder {
  private readonly op: Operation;
  private readonly enter: Enter;
  private readonly analysis: ReadAnalysis;

  constructor(analysis: ReadAnalysis, op: Operation, enter: Enter) {
    this.analysis = analysis;
    this.op = op;
    this.enter = enter;
  }

  read(operand: number, at: readonly Int[]): KernelScalar {
    const source = this.op.operands[operand]!;
    if (this.enter(source, at)) this.analysis.descend(source, at, this.enter);
    return nothing;
  }

  constant(): KernelScalar {
    return nothing;
  }

  call(): KernelScalar {
    return nothing;
  }

  select(): KernelScalar {
    return nothing;
  }

  convert(): KernelScalar {
    return nothing;
  }

  bitcast(): KernelScalar {
    return nothing;
  }

  indexValue(): KernelScalar {
    return nothing;
  }

  asIndex(_: KernelScalar, extent: Int): Int {
    return this.analysis.runTimeIndex(extent);
  }

  whereInRange(_: unknown, then: () => KernelScalar, otherwise: () => KernelScalar): KernelScalar {
    then();
    otherwise();
    return nothing;
  }

  whereNotEmpty(_: unknown, then: () => KernelScalar): KernelScalar {
    return then();
  }
}

export class ReadAnalysis {
  private runTimeIndices = 0;
  private readonly definitions: ReadonlyMap<Value, Operation>;
  private readonly isLeaf: (value: Value) => boolean;

  /** `isLeaf` says where to stop: values in memory and values computed on chip by reductions and contractions. */
  constructor(definitions: ReadonlyMap<Value, Operation>, isLeaf: (value: Value) => boolean) {
    this.definitions = definitions;
    this.isLeaf = isLeaf;
  }

  /** The leaves that `value` at `index` reads, each place once, in order of first use. `value` itself is looked through. */
  readsOf(value: Value, index: readonly Int[]): readonly Read[] {
    const reads: Read[] = [];
    this.descend(value, index, this.collector(reads));
    return reads;
  }

  /** The same for a value that may itself be a leaf. */
  readsAt(value: Value, index: readonly Int[]): readonly Read[] {
    const reads: Read[] = [];
    const enter = this.collector(reads);
    if (enter(value, index)) this.descend(value, index, enter);
    return reads;
  }

  /**
   * Visits every value that one element needs, readers before what they read, each (value, index) once. `enter` returns false to stay
   * out of a value's definition; leaves are never looked through.
   */
  walk(
    value: Value,
    index: readonly Int[],
    enter: (value: Value, index: readonly Int[], isLeaf: boolean) => boolean,
  ): void {
    const visited = new Visited();
    const visit: Enter = (v, at) => {
      if (!visited.add(v, at)) return false;
      const isLeaf = this.isLeaf(v);
      return enter(v, at, isLeaf) && !isLeaf;
    };
    if (visit(value, index)) this.descend(value, index, visit);
  }

  private collector(reads: Read[]): Enter {
    const visited = new Visited();
    return (value, index) => {
      if (!visited.add(value, index)) return false;
      if (!this.isLeaf(value)) return true;
      reads.push({ value, index });
      return false;
    };
  }

  /** Runs the element rule of the definition of `value`, and goes on where `enter` says so. */
  descend(value: Value, index: readonly Int[], enter: Enter): void {
    const op = this.definitions.get(value);
    if (op === undefined || op.primitive.lower.kind !== 'element') return;
    const follower = new ReadFollower(this, op, enter);
    op.primitive.lower.element(follower, op, index, op.results.indexOf(value));
  }

  /** An index that is known when the kernel runs only. */
  runTimeIndex(extent: Int): Int {
    return indexVariable(`at${this.runTimeIndices++}`, extent);
  }
}
