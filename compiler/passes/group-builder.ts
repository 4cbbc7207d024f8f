/**
 * A fused group while it grows. Values of the group are *members*, each with its index over the group's variables; joining
 * means finding, for every variable of the newcomer, the variable of the group that it must equal.
 */
import { asVariable, type Int, indexVariable, one, substitute, zero } from '../symbolic/integer.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';
import type { FusedGroup, GroupReduce, GroupStore, Stage } from './fused-group.ts';
import type { Read } from './index-map.ts';

/** A reduction or a stored value that looks for a group. */
export interface Candidate {
  readonly value: Value;
  /** Index variables of the result (0 where an axis has size 1). */
  readonly index: readonly Int[];
  readonly reduce:
    | {
        readonly op: Operation;
        readonly row: readonly Int[];
        readonly operandIndex: readonly Int[];
      }
    | undefined;
  readonly reads: readonly Read[];
  /** The last group that has to run before, though the candidate may read nothing from it; -1 for none. */
  readonly fence: number;
}

interface MutableStage {
  row: Int[];
  readonly reduces: GroupReduce[];
  stores: GroupStore[];
}

export interface Member {
  readonly index: readonly Int[];
  /** Reductions: the stage that computes it. Stored values: the stage whose loop holds it. Contraction: -1. */
  readonly stage: number;
  /** First stage at which all that the value depends on is known. */
  readonly level: number;
  readonly isOnChip: boolean;
}

export type JoinResult =
  | { readonly joined: true }
  | { readonly joined: false; readonly reason: string };

const refuse = (reason: string): JoinResult => ({ joined: false, reason });

let groupCount = 0;

export class GroupBuilder {
  space: Int[];
  readonly contraction: Operation | undefined;
  readonly stages: MutableStage[] = [];
  readonly members: Map<Value, Member> = new Map();
  /** The places at which leaves outside the group are read, over the group's variables: what siblings are matched by. */
  readonly outsideReads: Map<Value, (readonly Int[])[]> = new Map();
  /** What the operands of the contraction read. */
  private readonly operandReads = new Set<Value>();
  readonly position: number;
  private readonly tag: number;
  private variables = 0;

  constructor(position: number, space: readonly Int[], contraction: Operation | undefined) {
    this.position = position;
    this.space = space.filter((v) => v !== zero);
    this.contraction = contraction;
    this.tag = groupCount++;
  }

  /** A group of its own for a candidate. */
  static start(position: number, candidate: Candidate): GroupBuilder {
    const group = new GroupBuilder(position, candidate.index, undefined);
    group.place(candidate, new Map(), 0);
    return group;
  }

  /** A group led by a contraction, whose result has the index `index`. */
  static startContraction(
    position: number,
    op: Operation,
    index: readonly Int[],
    reads: readonly Read[],
  ): GroupBuilder {
    const group = new GroupBuilder(position, index, op);
    for (const read of reads) group.operandReads.add(read.value);
    group.members.set(op.results[0]!, { index, stage: -1, level: 0, isOnChip: true });
    return group;
  }

  /** A pure map: nothing is reduced, and every element is a point of the space. */
  get isMap(): boolean {
    return (
      this.contraction === undefined &&
      this.stages.every((s) => s.reduces.length === 0 && s.row.length === 0)
    );
  }

  /** Values in memory that the group needs. */
  get reads(): ReadonlySet<Value> {
    return new Set([...this.outsideReads.keys(), ...this.operandReads]);
  }

  /** Tries to add the candidate by what it reads from this group (`anchors`), or by what both read (`shared`). */
  join(
    candidate: Candidate,
    anchors: readonly Read[],
    shared: readonly { readonly mine: readonly Int[]; readonly theirs: readonly Int[] }[],
    isProfitable: (space: readonly Int[], row: readonly Int[]) => string | undefined,
  ): JoinResult {
    // newcomer's variable name -> variable of the group
    const map = new Map<string, Int>();
    const unify = (theirs: readonly Int[], mine: readonly Int[]): string | undefined => {
      for (let i = 0; i < mine.length; i++) {
        const target = mine[i]!;
        const source = theirs[i]!;
        if (target === zero && source === zero) continue;
        const variable = asVariable(source);
        const own = asVariable(target);
        if (variable?.extent === undefined || own?.extent === undefined)
          return 'read at another place than it is computed';
        if (variable.extent !== own.extent) return 'the sizes differ';
        const before = map.get(variable.name);
        if (before !== undefined && before !== target) return 'read at a diagonal';
        map.set(variable.name, target);
      }
      return undefined;
    };
    let level = 0;
    for (const read of anchors) {
      const member = this.members.get(read.value)!;
      const problem = unify(read.index, member.index);
      if (problem !== undefined) return refuse(problem);
      level = Math.max(level, member.level);
    }
    for (const pair of shared) {
      const problem = unify(pair.theirs, pair.mine);
      if (problem !== undefined) return refuse(problem);
    }
    if (new Set(map.values()).size !== map.size) return refuse('two axes fall on one');
    return this.fit(candidate, map, level, isProfitable);
  }

  private fit(
    candidate: Candidate,
    map: Map<string, Int>,
    level: number,
    isProfitable: (space: readonly Int[], row: readonly Int[]) => string | undefined,
  ): JoinResult {
    const nameOf = (v: Int): string => asVariable(v)!.name;
    const parallel = candidate.index.filter((v) => v !== zero);
    const row = candidate.reduce?.row.filter((v) => v !== zero) ?? [];
    let space = this.space;
    let converted: Int[] | undefined;

    if (candidate.reduce !== undefined) {
      const images = parallel.map((v) => map.get(nameOf(v)));
      if (images.some((v) => v === undefined))
        return refuse('it needs parallel axes that the group lacks');
      if (this.isMap && images.length < space.length) {
        // a pure map becomes a row group: axes that are reduced leave the space
        const kept = space.filter((v) => images.includes(v));
        const left = space.filter((v) => !images.includes(v));
        const rows = row.map((v) => map.get(nameOf(v)));
        if (left.some((v) => !rows.includes(v)))
          return refuse('the group has axes that it does not reduce');
        converted = left;
        space = kept;
      } else {
        if (images.length !== space.length || images.some((v) => !space.includes(v!))) {
          return refuse('its parallel axes are not those of the group');
        }
        if (row.some((v) => space.includes(map.get(nameOf(v)) ?? one)))
          return refuse('it reduces an axis that the group keeps');
      }
    } else {
      const images = parallel.map((v) => map.get(nameOf(v)));
      if (space.some((v) => !images.includes(v)))
        return refuse('it does not run over all axes of the group');
      if (this.contraction !== undefined && images.length > space.length)
        return refuse('a contraction keeps no rows');
    }
    if (this.contraction !== undefined && candidate.reduce !== undefined)
      return refuse('a contraction keeps no rows');

    const isRowOf = (v: Int): boolean => !space.includes(map.get(nameOf(v)) ?? one);
    const rowPart = candidate.reduce !== undefined ? row : parallel.filter(isRowOf);
    if (candidate.reduce === undefined && rowPart.length > 0 && this.isMap) {
      return refuse('the group is a map over fewer axes');
    }
    const isSibling = candidate.reduce !== undefined && level === 0 && this.startsWithRow(row, map);
    if (!isSibling && (rowPart.length > 0 || converted !== undefined)) {
      const problem = isProfitable(space, rowPart);
      if (problem !== undefined) return refuse(problem);
    }
    if (converted !== undefined) {
      this.space = space;
      for (const stage of this.stages) stage.row = [...converted];
    }
    this.place(candidate, map, level);
    return { joined: true };
  }

  /** Puts the candidate into the first stage that fits, or a new one, renaming its variables to the group's. */
  private place(candidate: Candidate, map: Map<string, Int>, level: number): void {
    const nameOf = (v: Int): string => asVariable(v)!.name;
    const row = (candidate.reduce !== undefined ? candidate.reduce.row : candidate.index).filter(
      (v) => v !== zero && !this.space.includes(map.get(nameOf(v)) ?? v),
    );
    let chosen = -1;
    for (let s = level; s < this.stages.length && chosen < 0; s++) {
      if (this.matchRow(this.stages[s]!, row, map)) chosen = s;
    }
    if (chosen < 0) {
      const fresh = row.map((v) => {
        const image = map.get(nameOf(v));
        const isTaken = image !== undefined && !this.space.includes(image);
        return isTaken ? image : this.freshVariable(asVariable(v)!.extent!);
      });
      row.forEach((v, i) => map.set(nameOf(v), fresh[i]!));
      this.stages.push({ row: fresh, reduces: [], stores: [] });
      chosen = this.stages.length - 1;
    }
    const rename = (index: readonly Int[]): readonly Int[] =>
      index.map((i) => substitute(i, (v) => map.get(v.name)));
    const stage = this.stages[chosen]!;
    const index = rename(candidate.index);
    if (candidate.reduce !== undefined) {
      const operandIndex = rename(candidate.reduce.operandIndex);
      stage.reduces.push({ op: candidate.reduce.op, value: candidate.value, index, operandIndex });
      this.members.set(candidate.value, {
        index,
        stage: chosen,
        level: chosen + 1,
        isOnChip: true,
      });
    } else {
      stage.stores.push({ value: candidate.value, index });
      this.members.set(candidate.value, { index, stage: chosen, level, isOnChip: false });
    }
    for (const read of candidate.reads) {
      if (this.members.has(read.value)) continue;
      const list = this.outsideReads.get(read.value);
      const renamed = rename(read.index);
      if (list === undefined) this.outsideReads.set(read.value, [renamed]);
      else if (list.length < 4) list.push(renamed);
    }
  }

  /** Whether the first stage reduces over this very row: another reduction beside costs no parallelism. */
  private startsWithRow(row: readonly Int[], map: ReadonlyMap<string, Int>): boolean {
    const [first] = this.stages;
    return (
      first !== undefined && first.reduces.length > 0 && this.matchRow(first, row, new Map(map))
    );
  }

  /** Whether a stage has this row; on success completes the map. */
  private matchRow(stage: MutableStage, row: readonly Int[], map: Map<string, Int>): boolean {
    if (stage.row.length !== row.length) return false;
    const found: [string, Int][] = [];
    for (let i = 0; i < row.length; i++) {
      const variable = asVariable(row[i]!)!;
      const image = map.get(variable.name);
      const target = image ?? stage.row[i]!;
      if (!stage.row.includes(target) || asVariable(target)!.extent !== variable.extent)
        return false;
      found.push([variable.name, target]);
    }
    if (new Set(found.map(([, v]) => v)).size !== row.length) return false;
    for (const [name, target] of found) map.set(name, target);
    return true;
  }

  private freshVariable(extent: Int): Int {
    return indexVariable(`g${this.tag}_${this.variables++}`, extent);
  }

  /**
   * Ends the group: reductions and contractions that somebody outside reads get a store, and values that were to be stored but
   * are read inside the group only lose theirs.
   */
  finish(needsMemory: (value: Value) => boolean): FusedGroup {
    for (const stage of this.stages)
      stage.stores = stage.stores.filter((s) => needsMemory(s.value));
    for (const [value, member] of this.members) {
      if (!member.isOnChip || !needsMemory(value)) continue;
      let stage = this.stages.findIndex((s, i) => i >= member.level && s.row.length === 0);
      if (stage < 0) {
        this.stages.push({ row: [], reduces: [], stores: [] });
        stage = this.stages.length - 1;
      }
      this.stages[stage]!.stores.push({ value, index: member.index });
    }
    return {
      kind: 'fused',
      space: this.space,
      contraction: this.contraction,
      stages: (this.stages as readonly Stage[]).filter(
        (s) => s.reduces.length + s.stores.length > 0,
      ),
      reads: this.reads,
      riders: [],
    };
  }
}
