/**
 * Fusion: tensor IR becomes groups that run as one kernel each.
 *
 *   m = reduce_max x; e = exp (x - m); s = reduce_sum e; y = e / s        one group of three stages
 *
 * One mechanism. Values in memory (materialize.ts), reductions and contractions are *candidates*, taken in program order. A
 * candidate joins the latest group among its producers when it reads that group's values exactly where they are computed; else
 * a group with which it shares a big input (siblings); else it starts a group. Joining the latest producer only keeps the order of
 * groups a topological order without looking for cycles.
 *
 * Behind an `optimization_barrier` nothing is computed before all that the barrier reads is there: what `checkpoint` computes
 * again must not join a kernel of the forward pass, or its result would be kept until the backward pass after all.
 *
 * Each refusal is kept with its reason and its price.
 */
import { type Int, int, multiply, product, zero } from '../symbolic/integer.ts';
import { byteSize } from '../tensor-ir/dtype.ts';
import type { Func, Operation, Program, Value } from '../tensor-ir/program.ts';
import type { FusedEntry, FusedFunction, Group, OperationGroup, Refusal } from './fused-group.ts';
import { type Candidate, GroupBuilder } from './group-builder.ts';
import { mergeHorizontally } from './horizontal.ts';
import { freshIndex, type Read, ReadAnalysis } from './index-map.ts';
import { chooseMaterialized, definitionsOf, estimateSize, isInlined } from './materialize.ts';
import { attachRiders } from './riders.ts';

/** Rows fewer than the first number and longer than the second are split into two kernels instead of running on a few threadgroups. */
const fewAndLong = [
  [16, 1 << 13],
  [128, 1 << 18],
] as const;
/** A dim of unknown size may well be this large where parallelism would be lost. */
const unknownDim = 1 << 16;

export function fuse(program: Program<'plain'>): readonly FusedEntry[] {
  return program.entries.map((entry) => ({ entry, fused: fuseFunction(entry.func) }));
}

export function fuseFunction(func: Func): FusedFunction {
  return new Fusion(func).run();
}

/** True when one pass over the rows would leave most of the machine idle. */
export function hasTooFewRows(space: readonly Int[], row: readonly Int[]): boolean {
  if (row.length === 0) return false;
  const rows = estimateSize(product(space.map(extentOf)));
  const length = estimateSize(product(row.map(extentOf)), unknownDim);
  return fewAndLong.some(([few, long]) => rows < few && length > long);
}

export function extentOf(index: Int): Int {
  const atom = index.terms[0]?.powers[0]?.atom;
  return atom?.kind === 'variable' && atom.extent !== undefined ? atom.extent : int(1);
}

type Building = GroupBuilder | OperationGroup;

class Fusion {
  private readonly func: Func;
  private readonly definitions: ReadonlyMap<Value, Operation>;
  private readonly stored: Set<Value>;
  private readonly analysis: ReadAnalysis;
  private readonly groups: Building[] = [];
  private readonly groupOf = new Map<
    Value,
    { readonly group: Building; readonly position: number }
  >();
  /** Groups that read a value from memory, latest last. */
  private readonly readers = new Map<Value, GroupBuilder[]>();
  /** For inlined values behind a barrier: the last group that has to run before they are computed. */
  private readonly fences = new Map<Value, number>();
  private readonly refusals: Refusal[] = [];
  private readonly regions = new Map<Operation, readonly FusedFunction[]>();
  private candidates = 0;

  constructor(func: Func) {
    this.func = func;
    this.definitions = definitionsOf(func);
    this.stored = chooseMaterialized(func, this.definitions);
    this.analysis = new ReadAnalysis(this.definitions, (value) => this.isLeaf(value));
  }

  run(): FusedFunction {
    const outside = new Set<Value>(this.func.results);
    for (const op of this.func.body) this.visit(op);
    this.collectOutsideReaders(outside);
    const inMemory = new Set<Value>(this.func.parameters);
    const finished: Group[] = this.groups.map((g) => {
      if (!(g instanceof GroupBuilder)) {
        for (const result of g.op.results) inMemory.add(result);
        return g;
      }
      const group = g.finish((value) => outside.has(value));
      for (const stage of group.stages) for (const store of stage.stores) inMemory.add(store.value);
      return group;
    });
    for (const op of this.func.body) {
      if (op.primitive.name === 'literal') inMemory.add(op.results[0]!);
    }
    return {
      parameters: this.func.parameters,
      results: this.func.results,
      groups: attachRiders(mergeHorizontally(finished, this.func, this.definitions, inMemory)),
      inMemory,
      definitions: this.definitions,
      refusals: this.refusals,
      regions: this.regions,
    };
  }

  private isLeaf(value: Value): boolean {
    if (this.stored.has(value)) return true;
    const op = this.definitions.get(value);
    return op === undefined || !isInlined(op);
  }

  private visit(op: Operation): void {
    switch (op.primitive.lower.kind) {
      case 'element':
        this.setFence(op);
        for (const result of op.results) if (this.stored.has(result)) this.addStore(result);
        break;
      case 'reduce':
        this.addReduce(op, op.primitive.lower.axes(op));
        break;
      case 'contraction': {
        const result = op.results[0]!;
        const position = this.groups.length;
        const index = this.freshIndex(result.type.shape);
        const group = GroupBuilder.startContraction(position, op, index, this.operandReads(op));
        this.addGroup(group);
        this.groupOf.set(result, { group, position });
        break;
      }
      default: {
        if (op.primitive.name === 'literal') break;
        const isControl = op.primitive.lower.kind === 'control';
        if (isControl) this.regions.set(op, op.regions.map(fuseFunction));
        const position = this.groups.length;
        const reads = new Set(this.operandReads(op).map((r) => r.value));
        const group: OperationGroup = { kind: 'operation', op, reads };
        this.groups.push(group);
        for (const result of op.results) this.groupOf.set(result, { group, position });
      }
    }
  }

  private setFence(op: Operation): void {
    const isBarrier = op.primitive.name === 'optimization_barrier';
    const fence = Math.max(
      -1,
      ...op.operands.map((v) => this.fenceOf(v)),
      ...(isBarrier ? this.operandReads(op).map((read) => this.positionOf(read.value)) : []),
    );
    if (fence >= 0) for (const result of op.results) this.fences.set(result, fence);
  }

  /** Values with memory of their own are where their group is. */
  private fenceOf(value: Value): number {
    return this.isLeaf(value) ? -1 : (this.fences.get(value) ?? -1);
  }

  private positionOf(value: Value): number {
    return this.groupOf.get(value)?.position ?? -1;
  }

  private operandReads(op: Operation): readonly Read[] {
    return op.operands.flatMap((v) => this.analysis.readsAt(v, this.freshIndex(v.type.shape)));
  }

  private freshIndex(shape: readonly Int[]): readonly Int[] {
    return freshIndex(`c${this.candidates++}_`, shape);
  }

  private addGroup(group: GroupBuilder): void {
    this.groups.push(group);
  }

  private addStore(value: Value): void {
    const index = this.freshIndex(value.type.shape);
    this.addCandidate({
      value,
      index,
      reduce: undefined,
      reads: this.analysis.readsOf(value, index),
      fence: this.fences.get(value) ?? -1,
    });
  }

  private addReduce(op: Operation, axes: readonly number[]): void {
    const value = op.results[0]!;
    const operand = op.operands[0]!;
    const operandIndex = this.freshIndex(operand.type.shape);
    const index = operandIndex.filter((_, axis) => !axes.includes(axis));
    const row = axes.map((axis) => operandIndex[axis]!).filter((v) => v !== zero);
    const reads = this.analysis.readsAt(operand, operandIndex);
    const fence = this.fenceOf(operand);
    this.addCandidate({ value, index, reduce: { op, row, operandIndex }, reads, fence });
  }

  private addCandidate(candidate: Candidate): void {
    const group = this.findGroup(candidate) ?? this.startGroup(candidate);
    this.groupOf.set(candidate.value, { group, position: group.position });
    for (const read of candidate.reads) {
      if (group.members.has(read.value)) continue;
      const list = this.readers.get(read.value);
      if (list === undefined) this.readers.set(read.value, [group]);
      else if (list[list.length - 1] !== group) list.push(group);
    }
  }

  private startGroup(candidate: Candidate): GroupBuilder {
    const group = GroupBuilder.start(this.groups.length, candidate);
    this.addGroup(group);
    return group;
  }

  private findGroup(candidate: Candidate): GroupBuilder | undefined {
    let latest = -1;
    for (const read of candidate.reads) latest = Math.max(latest, this.positionOf(read.value));
    const isProfitable = (space: readonly Int[], row: readonly Int[]): string | undefined =>
      hasTooFewRows(space, row) ? 'too few rows to fill the machine' : undefined;

    if (candidate.fence > latest) return this.findSibling(candidate, candidate.fence, isProfitable);
    const producer = this.groups[latest];
    if (producer instanceof GroupBuilder) {
      const anchors = candidate.reads.filter((r) => producer.members.has(r.value));
      const shared = this.sharedReads(candidate, producer, anchors);
      const result = producer.join(candidate, anchors, shared, isProfitable);
      if (result.joined) return producer;
      this.refuse(candidate, anchors[0], result.reason);
    }
    return this.findSibling(candidate, latest, isProfitable);
  }

  /** Leaves that the candidate and the group both read in full: what they are aligned by beyond the anchors. */
  private sharedReads(
    candidate: Candidate,
    group: GroupBuilder,
    anchors: readonly Read[],
  ): { mine: readonly Int[]; theirs: readonly Int[] }[] {
    const known = new Set(anchors.flatMap((a) => a.index));
    const variables = [...candidate.index, ...(candidate.reduce?.row ?? [])].filter(
      (v) => v !== zero,
    );
    if (variables.every((v) => known.has(v))) return [];
    for (const read of candidate.reads) {
      if (group.members.has(read.value) || !variables.every((v) => read.index.includes(v)))
        continue;
      for (const mine of group.outsideReads.get(read.value) ?? []) {
        const fits = anchors.every((a) => {
          const member = group.members.get(a.value)!;
          return a.index.every((v, i) => {
            const at = read.index.indexOf(v);
            return v === zero || at < 0 || mine[at] === member.index[i];
          });
        });
        if (fits) return [{ mine, theirs: read.index }];
      }
    }
    return [];
  }

  private findSibling(
    candidate: Candidate,
    latest: number,
    isProfitable: (space: readonly Int[], row: readonly Int[]) => string | undefined,
  ): GroupBuilder | undefined {
    const variables = [...candidate.index, ...(candidate.reduce?.row ?? [])].filter(
      (v) => v !== zero,
    );
    if (variables.length === 0) return undefined;
    for (const read of candidate.reads) {
      if (!variables.every((v) => read.index.includes(v))) continue;
      const groups = this.readers.get(read.value) ?? [];
      for (const group of groups.slice(-4).reverse()) {
        if (group.position <= latest || group.contraction !== undefined) continue;
        for (const mine of group.outsideReads.get(read.value) ?? []) {
          if (group.join(candidate, [], [{ mine, theirs: read.index }], isProfitable).joined)
            return group;
        }
      }
    }
    return undefined;
  }

  private refuse(candidate: Candidate, anchor: Read | undefined, reason: string): void {
    if (anchor === undefined) return;
    const { dtype, shape } = anchor.value.type;
    const bytes = multiply(product(shape), int(2 * byteSize(dtype)));
    this.refusals.push({ consumer: candidate.value, producer: anchor.value, reason, bytes });
  }

  /** Marks on-chip values that are read from outside their group, so that the group stores them. */
  private collectOutsideReaders(outside: Set<Value>): void {
    for (const group of this.groups) for (const value of group.reads) outside.add(value);
  }
}
