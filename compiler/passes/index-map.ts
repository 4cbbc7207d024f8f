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
    this.walk(value, index, this.collector(reads));
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
    const seen = new Set<string>();
    const visit = (v: Value, at: readonly Int[]): boolean => {
      const key = `${v.id}[${at.map((i) => i.key).join()}]`;
      if (seen.has(key)) return false;
      seen.add(key);
      return enter(v, at, this.isLeaf(v)) && !this.isLeaf(v);
    };
    if (visit(value, index)) this.descend(value, index, visit);
  }

  private collector(reads: Read[]): (value: Value, index: readonly Int[]) => boolean {
    const seen = new Set<string>();
    return (value, index) => {
      const key = `${value.id}[${index.map((i) => i.key).join()}]`;
      if (seen.has(key)) return false;
      seen.add(key);
      if (!this.isLeaf(value)) return true;
      reads.push({ value, index });
      return false;
    };
  }

  /** Runs the element rule of the definition of `value`, and goes on where `enter` says so. */
  private descend(
    value: Value,
    index: readonly Int[],
    enter: (value: Value, index: readonly Int[]) => boolean,
  ): void {
    const op = this.definitions.get(value);
    if (op === undefined || op.primitive.lower.kind !== 'element') return;
    const builder: ElementBuilder = {
      read: (operand, at) => {
        const source = op.operands[operand]!;
        if (enter(source, at)) this.descend(source, at, enter);
        return nothing;
      },
      constant: () => nothing,
      call: () => nothing,
      select: () => nothing,
      convert: () => nothing,
      bitcast: () => nothing,
      indexValue: () => nothing,
      asIndex: (_, extent) => indexVariable(`at${this.runTimeIndices++}`, extent),
      whereInRange: (_, then, otherwise) => {
        then();
        otherwise();
        return nothing;
      },
    };
    op.primitive.lower.element(builder, op, index, op.results.indexOf(value));
  }
}
