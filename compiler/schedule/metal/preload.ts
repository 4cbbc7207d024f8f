/**
 * Loads before arithmetic: when a thread takes several elements, what each of them reads is loaded by a loop of its own into
 * registers, so that all the loads are under way before anything waits for one. Within one loop, guards and the branches of
 * functions keep compilers from moving loads ahead.
 */
import type { Buffer } from '../../kernel-ir/program.ts';
import type { FusedFunction } from '../../passes/fused-group.ts';
import { ReadAnalysis } from '../../passes/index-map.ts';
import { forEachVariable, type Int, int, isInRange, one } from '../../symbolic/integer.ts';
import { computeType } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { stageLeaves } from '../memory-reads.ts';
import { rename, type StageStep } from '../stage-program.ts';

/** More tensors than this would take too many registers. */
const mostTensors = 8;

interface Preloaded {
  readonly value: Value;
  readonly index: readonly Int[];
  readonly buffer: Buffer;
}

/** Whether the element is there at every point, at an index that is known without reading anything. */
export function isAlwaysThere(value: Value, index: readonly Int[]): boolean {
  return index.every((i, axis) => {
    let isKnown = true;
    forEachVariable(i, (v) => {
      // run-time indices of gathers have no name here
      if (/^at\d+$/.test(v.name)) isKnown = false;
    });
    return isKnown && isInRange(i, value.type.shape[axis]!);
  });
}

/** The tensors in memory behind what a stage stores or reduces, held in registers for each of a thread's elements. */
export class Preloads {
  private readonly b: KernelBuilder;
  private readonly held: readonly Preloaded[];

  constructor(b: KernelBuilder, fused: FusedFunction, step: StageStep, each: number) {
    this.b = b;
    const reads = each > 1 ? readsOf(fused, step) : [];
    this.held = (reads.length > mostTensors ? [] : reads).map((read) => {
      const dtype = computeType(read.value.type.dtype);
      const name = `${read.value.name ?? 'x'}_held`;
      return { ...read, buffer: b.allocate(name, dtype, 'thread', int(each)) };
    });
  }

  get isEmpty(): boolean {
    return this.held.length === 0;
  }

  /** Loads for element `e` of the thread, at the point that the renaming tells. */
  load(e: Int, renaming: ReadonlyMap<string, Int>): void {
    for (const { value, index, buffer } of this.held) {
      const loaded = this.b.load(value, rename(index, renaming));
      this.b.emit({ kind: 'store', buffer, index: e, value: loaded });
    }
  }

  /** From here on, what was loaded for element `e` is read from its register. */
  use(e: Int, renaming: ReadonlyMap<string, Int>): void {
    for (const value of new Set(this.held.map((h) => h.value))) {
      const places = this.held
        .filter((h) => h.value === value)
        .map(({ index, buffer }) => ({ index: rename(index, renaming), buffer }));
      this.b.setOnChip(value, (wanted) => {
        const place = places.find(({ index }) => index.every((i, axis) => i === wanted[axis]));
        return place && this.b.loadFrom(place.buffer, e);
      });
    }
  }
}

function readsOf(
  fused: FusedFunction,
  step: StageStep,
): { readonly value: Value; readonly index: readonly Int[] }[] {
  const analysis = new ReadAnalysis(fused.definitions, stageLeaves(fused, [step]));
  const reads: { value: Value; index: readonly Int[] }[] = [];
  const visit = (value: Value, index: readonly Int[], isLeaf: boolean): boolean => {
    if (!isLeaf) return true;
    const isNew = reads.every((r) => r.value !== value || r.index.some((i, a) => i !== index[a]));
    if (isNew && value.type.shape.some((d) => d !== one) && isAlwaysThere(value, index)) {
      reads.push({ value, index });
    }
    return false;
  };
  for (const { reads: own } of step.reduces) {
    for (const { value, index } of own) analysis.walk(value, index, visit);
  }
  for (const { value, index } of step.stores) analysis.walk(value, index, visit);
  return reads;
}
