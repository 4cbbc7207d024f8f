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
const isTrue: KernelScalar = { kind: 'constant', dtype: 'bool', value: true };

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
    const seen = new Set<string>();
    this.visitDefinition(value, index, reads, seen);
    return reads;
  }

  /** The same for a value that may itself be a leaf. */
  readsAt(value: Value, index: readonly Int[]): readonly Read[] {
    const reads: Read[] = [];
    this.visit(value, index, reads, new Set());
    return reads;
  }

  private visit(value: Value, index: readonly Int[], reads: Read[], seen: Set<string>): void {
    const key = `${value.id}[${index.map((i) => i.key).join()}]`;
    if (seen.has(key)) return;
    seen.add(key);
    if (this.isLeaf(value)) reads.push({ value, index });
    else this.visitDefinition(value, index, reads, seen);
  }

  private visitDefinition(
    value: Value,
    index: readonly Int[],
    reads: Read[],
    seen: Set<string>,
  ): void {
    const op = this.definitions.get(value);
    if (op === undefined || op.primitive.lower.kind !== 'element') {
      reads.push({ value, index });
      return;
    }
    const builder: ElementBuilder = {
      read: (operand, at) => {
        this.visit(op.operands[operand]!, at, reads, seen);
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
        return isTrue;
      },
    };
    op.primitive.lower.element(builder, op, index, op.results.indexOf(value));
  }
}
