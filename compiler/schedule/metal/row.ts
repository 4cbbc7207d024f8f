/**
 * Metal schedule of groups that reduce over rows.
 *
 * A row belongs to a simdgroup when it is short (several rows a threadgroup, no barrier), else to a threadgroup:
 *
 *   for row                                    grid
 *     for t                                    threads
 *       for e unrolled: j = 256*e + t
 *         v[e] = x[row, j]; m = max(m, v[e])
 *     m = max over the simdgroup, then over the threadgroup
 *     ... the next stages, from v[e]
 *
 * Rows of known length up to `registerRow` stay in registers between the stages: one read, one write. Longer rows are read
 * again. Of rows of unknown length the first 1024 elements stay in registers, and a loop over what is left reads again.
 */
import type { Buffer, KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { ReadAnalysis } from '../../passes/index-map.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  max,
  multiply,
  one,
  product,
  substitute,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { computeType } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import { stageLeaves } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, rename, type StageStep, stageSteps } from '../stage-program.ts';
import { type Kept, planStaging } from '../staging.ts';
import {
  builderOf,
  defaultThreads,
  gridLoops,
  isMultiple,
  simdWidth,
  whereBelow,
} from './layout.ts';
import { isAlwaysThere } from './preload.ts';
import { beginReductions, endReductions, updateReductions } from './reduction.ts';

/** Rows up to this length belong to one simdgroup. */
const simdRow = 1024;
/** Rows up to this length stay in registers. */
const registerRow = 4096;
/** Elements of a row that one thread holds at most. */
const registerElements = 16;
/** Of a row of unknown length: more would be tested for and jumped over in vain where rows are short. */
const unknownElements = 4;
/** Tensors of which a stage loads its elements first; more would take too many registers. */
const mostHeld = 3;

export function scheduleRows(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel {
  return runRows(fused, group, stageSteps(group), label);
}

/** Runs stages over rows; `steps` need not be those of the group (the second stage of a split reduction). */
export function runRows(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const rows = product(group.space.map(extentOf));
  const length = longestRow(steps);
  const variables = group.space.map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  if (length !== undefined && length <= simdRow && rows !== one) {
    return simdgroupRows(fused, group, steps, label, b, rows);
  }
  const threads = threadsForRow(length);
  const stages = new RowStages(fused, b, steps, renaming, threads, 'threads');
  gridLoops(b, variables, renaming, () => stages.run());
  const grid = variables.length === 0 ? [one] : variables.map((v) => v.extent);
  return b.finish({ ...label, grid, threads, schedule: 'row' });
}

/** The greatest length of a row, when all are known. */
function longestRow(steps: readonly StageStep[]): number | undefined {
  let longest = 0;
  for (const step of steps) {
    const length = constantValue(product(step.row.map(extentOf)));
    if (length === undefined) return undefined;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** Four elements a thread and more for long rows. */
function threadsForRow(length: number | undefined): number {
  if (length === undefined) return defaultThreads;
  const wanted = Math.ceil(length / 4 / simdWidth) * simdWidth;
  if (length > registerRow) return 1024;
  return Math.min(Math.max(wanted, simdWidth), 512);
}

function simdgroupRows(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  b: KernelBuilder,
  rows: Int,
): ScheduledKernel {
  const renaming = new Map<string, Int>();
  const perGroup = Math.min(8, constantValue(rows) ?? 8);
  const blocks = ceildiv(rows, int(perGroup));
  const stages = new RowStages(fused, b, steps, renaming, simdWidth, 'lanes');
  b.loop('block', blocks, 'grid', (block) => {
    b.loop('s', int(perGroup), 'simdgroups', (s) => {
      const position = add(multiply(block, int(perGroup)), s);
      whereBelow(b, 'row', position, rows, isMultiple(rows, perGroup), (row) => {
        delinearize(row, group.space.map(extentOf)).forEach((index, axis) =>
          renaming.set(nameOf(group.space[axis]!), index),
        );
        stages.run();
      });
    });
  });
  const threads = perGroup * simdWidth;
  return b.finish({ ...label, grid: [blocks], threads, schedule: 'row' });
}

/** What a stage keeps: values that it computes, and tensors that it loads. */
interface RowKept extends Kept {
  readonly isLoad: boolean;
}

/** A value whose elements the threads hold in registers. */
interface Held extends RowKept {
  readonly row: readonly Int[];
  readonly buffer: Buffer;
}

/** The stages of one row, run by `workers` threads that share it. */
class RowStages {
  private readonly b: KernelBuilder;
  private readonly steps: readonly StageStep[];
  private readonly renaming: Map<string, Int>;
  private readonly workers: number;
  private readonly placement: 'threads' | 'lanes';
  private readonly kept: ReadonlyMap<number, readonly RowKept[]>;
  private readonly held = new Map<Value, Held[]>();
  /** The element of the thread that the stage is at, in a row in registers. */
  private element: Int | undefined;
  /** The stage that is being built: only there a held value is also a plain name. */
  private stage = 0;
  private row: readonly Int[] = [];

  constructor(
    fused: FusedFunction,
    b: KernelBuilder,
    steps: readonly StageStep[],
    renaming: Map<string, Int>,
    workers: number,
    placement: 'threads' | 'lanes',
  ) {
    this.b = b;
    this.steps = steps;
    this.renaming = renaming;
    this.workers = workers;
    this.placement = placement;
    this.kept = planKept(
      fused,
      steps,
      (step) => this.elementsOf(step) !== undefined,
      (step) => this.isGuarded(step),
    );
  }

  run(): void {
    this.steps.forEach((step, number) => this.runStage(step, number));
  }

  /** How many elements of the row each thread holds, when the row stays in registers. */
  private elementsOf(step: StageStep): number | undefined {
    if (step.row.length === 0) return undefined;
    const length = constantValue(product(step.row.map(extentOf)));
    if (length === undefined) return this.placement === 'threads' ? unknownElements : undefined;
    const each = Math.ceil(length / this.workers);
    return each <= registerElements || (length <= simdRow && this.placement === 'lanes')
      ? each
      : undefined;
  }

  /** Whether a thread takes several elements of the row, of which the last need not be there. */
  private isGuarded(step: StageStep): boolean {
    const each = this.elementsOf(step);
    if (each === undefined || each === 1) return false;
    return !isMultiple(product(step.row.map(extentOf)), this.workers);
  }

  private runStage(step: StageStep, number: number): void {
    const { b } = this;
    this.stage = number;
    const running = beginReductions(b, step.reduces);
    // without anything to hold, a row of unknown length needs no registers
    const isHeld = this.kept.size > 0 || longestRow([step]) !== undefined;
    const each = isHeld ? this.elementsOf(step) : undefined;
    const filled = (this.kept.get(number) ?? []).map((k): Held => {
      const { value } = k;
      const name = `${value.name ?? 'row'}_held`;
      const dtype = computeType(value.type.dtype);
      return { ...k, row: step.row, buffer: b.allocate(name, dtype, 'thread', int(each!)) };
    });
    // loads come first, as in preload.ts
    const loaded = this.isGuarded(step) ? filled.filter((h) => h.isLoad) : [];
    if (loaded.length > 0) {
      this.overRegisters(step, each!, () => {
        for (const { value, index, buffer } of loaded) {
          const scalar = b.load(value, rename(index, this.renaming));
          b.emit({ kind: 'store', buffer, index: this.element!, value: scalar });
        }
      });
    }
    this.overRow(step, each, () => {
      if (this.element !== undefined) {
        for (const h of filled) {
          if (loaded.includes(h)) this.hold(h, undefined);
          else this.fill(h);
        }
      }
      updateReductions(b, running, this.renaming);
      for (const store of step.stores) {
        const index = rename(store.index, this.renaming);
        b.store(store.value, index, b.at(store.value, index));
      }
    });
    endReductions(b, running, this.placement === 'lanes' ? 1 : this.workers / simdWidth);
  }

  /** Calls `body` at the element that a thread of the row is at; a second time for the rest of a row of unknown length. */
  private overRow(step: StageStep, each: number | undefined, body: () => void): void {
    const { b } = this;
    const total = product(step.row.map(extentOf));
    const bind = (flat: Int): void => this.bind(step, flat, body);
    if (step.row.length === 0) {
      b.loop('first', one, this.placement, () => bind(int(0)));
      return;
    }
    if (each === undefined) {
      b.loop('j', total, this.placement, bind);
      return;
    }
    this.overRegisters(step, each, body);
    if (constantValue(total) !== undefined) return;
    const rest = max(subtract(total, int(each * this.workers)), zero);
    b.loop('rest', rest, this.placement, (r) => {
      bind(b.letInteger('j', add(int(each * this.workers), r), total));
    });
  }

  /** Calls `body` at the elements of the row that the thread has registers for. */
  private overRegisters(step: StageStep, each: number, body: () => void): void {
    const { b } = this;
    const total = product(step.row.map(extentOf));
    const bind = (flat: Int): void => this.bind(step, flat, body);
    b.loop('t', int(this.workers), this.placement, (t) => {
      const at = (e: Int): void => {
        this.element = e;
        const position = add(multiply(e, int(this.workers)), t);
        whereBelow(b, 'j', position, total, isMultiple(total, this.workers), bind);
      };
      if (each === 1) at(int(0));
      else b.loop('e', int(each), 'unroll', at);
    });
  }

  private bind(step: StageStep, flat: Int, body: () => void): void {
    delinearize(flat, step.row.map(extentOf)).forEach((index, axis) =>
      this.renaming.set(nameOf(step.row[axis]!), index),
    );
    this.row = step.row;
    body();
    this.element = undefined;
  }

  /** Computes the element of a value that later stages want again, and holds it. */
  private fill(held: Held): void {
    const { b } = this;
    const { value, buffer } = held;
    const here = rename(held.index, this.renaming);
    const scalar = b.let(value.name ?? 'held', b.at(value, here));
    b.emit({ kind: 'store', buffer, index: this.element!, value: scalar });
    this.hold(held, scalar);
  }

  /** Later reads of the element that is here come from the register; in this stage they are `scalar`, if that is given. */
  private hold(held: Held, scalar: KernelScalar | undefined): void {
    const { b } = this;
    const { value } = held;
    const list = this.held.get(value);
    if (list !== undefined) {
      list.push(held);
      return;
    }
    const all = [held];
    this.held.set(value, all);
    const home = this.stage;
    b.setOnChip(value, (wanted) => {
      if (this.element === undefined) return undefined;
      for (const h of all) {
        if (!this.isHere(h, wanted)) continue;
        if (scalar !== undefined && this.stage === home && h === held) return scalar;
        return b.loadFrom(h.buffer, this.element);
      }
      return undefined;
    });
  }

  /** Whether the wanted element is the one at which this thread is now, in the row that holds the value. */
  private isHere(held: Held, wanted: readonly Int[]): boolean {
    if (held.row.length !== this.row.length) return false;
    if (!held.row.every((v, i) => extentOf(v) === extentOf(this.row[i]!))) return false;
    const current = new Map(this.renaming);
    held.row.forEach((v, i) => {
      current.set(nameOf(v), this.renaming.get(nameOf(this.row[i]!))!);
    });
    return held.index.every(
      (i, axis) => substitute(i, (v) => current.get(v.name)) === wanted[axis],
    );
  }
}

/**
 * What stages keep in registers: dear values, tensors that several stages load at the same element, and all that a stage loads at
 * elements that need not be there, so that its loads come first.
 */
function planKept(
  fused: FusedFunction,
  steps: readonly StageStep[],
  isInRegisters: (step: StageStep) => boolean,
  isGuarded: (step: StageStep) => boolean,
): ReadonlyMap<number, readonly RowKept[]> {
  const kept = new Map<number, RowKept[]>();
  for (const [number, list] of planStaging(fused, steps)) {
    if (isInRegisters(steps[number]!)) {
      kept.set(
        number,
        list.map((k) => ({ ...k, isLoad: false })),
      );
    }
  }
  // loads come before what is computed from them
  const keep = (number: number, value: Value, index: readonly Int[]): void => {
    const list = kept.get(number) ?? [];
    list.unshift({ value, index, isLoad: true });
    kept.set(number, list);
  };
  const first = new Map<Value, { number: number; index: readonly Int[]; isKept: boolean }>();
  const chosen = new Set([...kept.values()].flatMap((list) => list.map((k) => k.value)));
  const onChip = new Set(steps.flatMap((s) => s.reduces.map((r) => r.value)));
  const analysis = new ReadAnalysis(fused.definitions, stageLeaves(fused, steps));
  steps.forEach((step, number) => {
    if (!isInRegisters(step)) return;
    const visit = (value: Value, index: readonly Int[], leaf: boolean): boolean => {
      if (!leaf)
        return !chosen.has(value) || kept.get(number)?.some((k) => k.value === value) === true;
      if (onChip.has(value) || !isPlain(value, index, step)) return false;
      const before = first.get(value);
      if (before === undefined) first.set(value, { number, index, isKept: false });
      else if (!before.isKept && isSameElement(steps, before, step, index)) {
        before.isKept = true;
        keep(before.number, value, before.index);
      }
      return false;
    };
    for (const reduce of step.reduces)
      for (const r of reduce.reads) analysis.walk(r.value, r.index, visit);
    for (const store of step.stores) analysis.walk(store.value, store.index, visit);
  });
  for (const [value, { number, index, isKept }] of first) {
    const isRoomy = (kept.get(number)?.length ?? 0) < mostHeld;
    if (!isKept && isRoomy && isGuarded(steps[number]!)) keep(number, value, index);
  }
  return kept;
}

/** An element that is there for every point, with each row variable indexing an axis. */
function isPlain(value: Value, index: readonly Int[], step: StageStep): boolean {
  return step.row.every((v) => index.includes(v)) && isAlwaysThere(value, index);
}

function isSameElement(
  steps: readonly StageStep[],
  before: { readonly number: number; readonly index: readonly Int[] },
  step: StageStep,
  index: readonly Int[],
): boolean {
  const { row } = steps[before.number]!;
  if (steps[before.number] === step || row.length !== step.row.length) return false;
  if (!row.every((v, i) => extentOf(v) === extentOf(step.row[i]!))) return false;
  const current = new Map(row.map((v, i) => [nameOf(v), step.row[i]!]));
  return before.index.every((i, axis) => substitute(i, (v) => current.get(v.name)) === index[axis]);
}
