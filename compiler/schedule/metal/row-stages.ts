/** The stages of one row, run by threads that share it, with what they keep in registers. */
import type { Buffer, KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction } from '../../passes/fused-group.ts';
import {
  add,
  constantValue,
  type Int,
  int,
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
import type { KernelBuilder } from '../kernel-builder.ts';
import { extentOf, nameOf, rename, type StageStep } from '../stage-program.ts';
import { inRange, isMultiple, simdWidth } from './layout.ts';
import { beginReductions, endReductions, updateReductions } from './reduction.ts';
import { planKept, type RowKept, type StageKept } from './row-kept.ts';

/** Rows up to this length belong to one simdgroup. */
export const simdRow = 1024;
/** Rows up to this length stay in registers. */
export const registerRow = 4096;
/** Elements of a row that one thread holds at most. */
const registerElements = 16;
/** Of a row of unknown length, elements that are jumped over together when the row ends before them. */
const chunkElements = { lanes: 128, threads: 1024 } as const;

/** A value whose elements the threads hold in registers. */
interface Held extends RowKept {
  readonly row: readonly Int[];
  readonly buffer: Buffer;
}

/** The stages of one row, run by `workers` threads that share it. */
export class RowStages {
  private readonly b: KernelBuilder;
  private readonly steps: readonly StageStep[];
  private readonly renaming: Map<string, Int>;
  private readonly workers: number;
  private readonly placement: 'threads' | 'lanes';
  /** Elements that a thread holds of a row of unknown length; undefined when it may be longer than that. */
  private readonly registers: number | undefined;
  private readonly kept: ReadonlyMap<number, StageKept>;
  private readonly held = new Map<Value, Held[]>();
  /** The element of the thread that the stage is at, in a row in registers, and its number among those that it loads together. */
  private element: Int | undefined;
  private inChunk: Int = zero;
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
    registers: number | undefined,
  ) {
    this.b = b;
    this.steps = steps;
    this.renaming = renaming;
    this.workers = placement === 'lanes' ? simdWidth : workers;
    this.placement = placement;
    this.registers = registers;
    this.kept = planKept(
      fused,
      steps,
      (step) => this.elementsOf(step) !== undefined,
      (step) => this.isGuarded(step),
    );
  }

  /** Whether stages hold anything for each other. */
  get keeps(): boolean {
    return [...this.kept.values()].some(({ all }) => all.length > 0);
  }

  /** Whether a thread takes several elements of the row, of which the last need not be there. */
  private isGuarded(step: StageStep): boolean {
    const each = this.elementsOf(step);
    return each !== undefined && each > 1 && !this.isExact(step);
  }

  private isExact(step: StageStep): boolean {
    return isMultiple(product(step.row.map(extentOf)), this.workers);
  }

  /** Elements of a thread that are loaded, or jumped over, together. */
  private chunkOf(step: StageStep, each: number): number {
    const isKnown = constantValue(product(step.row.map(extentOf))) !== undefined;
    return isKnown ? each : chunkElements[this.placement] / this.workers;
  }

  run(): void {
    this.steps.forEach((step, number) => this.runStage(step, number));
  }

  /** How many elements of the row each thread holds, when the row stays in registers. */
  private elementsOf(step: StageStep): number | undefined {
    if (step.row.length === 0) return undefined;
    const length = constantValue(product(step.row.map(extentOf)));
    if (length === undefined) return this.registers;
    const each = Math.ceil(length / this.workers);
    return each <= registerElements || (length <= simdRow && this.placement === 'lanes')
      ? each
      : undefined;
  }

  private runStage(step: StageStep, number: number): void {
    const { b } = this;
    this.stage = number;
    const running = beginReductions(b, step.reduces);
    const each = this.elementsOf(step);
    const { all = [], own = [] } = this.kept.get(number) ?? {};
    const hold =
      (size: number) =>
      (k: RowKept): Held => {
        const name = `${k.value.name ?? 'row'}_held`;
        const dtype = computeType(k.value.type.dtype);
        return { ...k, row: step.row, buffer: b.allocate(name, dtype, 'thread', int(size)) };
      };
    const filled = all.map(hold(each ?? 1));
    const loaded = this.isGuarded(step) ? filled.filter((h) => h.isLoad) : [];
    const first = own.map(hold(this.chunkOf(step, each ?? 1)));
    if (loaded.length > 0) {
      this.overRow(step, each, undefined, () => {
        for (const h of loaded) this.load(h, this.element!);
      });
    }
    const load = (): void => {
      for (const h of first) this.load(h, this.inChunk);
    };
    this.overRow(step, each, first.length > 0 ? load : undefined, (inside) => {
      if (this.element !== undefined) {
        this.useLoaded(first);
        for (const h of filled) {
          if (loaded.includes(h)) this.hold(h, undefined);
          else this.fill(h);
        }
      }
      updateReductions(b, running, this.renaming, inside);
      this.store(step, inside);
    });
    endReductions(b, running, this.placement === 'lanes' ? 1 : this.workers / simdWidth);
  }

  private load({ value, index, buffer }: Held, at: Int): void {
    const { b } = this;
    const scalar = b.load(value, rename(index, this.renaming));
    b.emit({ kind: 'store', buffer, index: at, value: scalar });
  }

  /** From here on, what the stage alone reads comes from the registers of the chunk. */
  private useLoaded(first: readonly Held[]): void {
    for (const held of first) {
      this.b.setOnChip(held.value, (wanted) =>
        this.element !== undefined && this.isHere(held, wanted)
          ? this.b.loadFrom(held.buffer, this.inChunk)
          : undefined,
      );
    }
  }

  /** Stores where `inside` holds; the values are computed before, where nothing branches. */
  private store(step: StageStep, inside: KernelScalar | undefined): void {
    const { b } = this;
    const values = step.stores.map(({ value, index: own }) => {
      const index = rename(own, this.renaming);
      const scalar = b.at(value, index);
      return { value, index, scalar: inside === undefined ? scalar : b.let('value', scalar) };
    });
    const all = (): void => {
      for (const { value, index, scalar } of values) b.store(value, index, scalar);
    };
    if (inside === undefined) all();
    else if (values.length > 0) b.if(inside, all);
  }

  /**
   * Calls `body` at the elements that a thread takes of the row, and before, chunk by chunk, `first`. `inside` says, where it is not
   * certain, which of them are there.
   */
  private overRow(
    step: StageStep,
    each: number | undefined,
    first: (() => void) | undefined,
    body: (inside: KernelScalar | undefined) => void,
  ): void {
    const { b } = this;
    const total = product(step.row.map(extentOf));
    if (step.row.length === 0) {
      b.loop('first', one, this.placement, () => this.bind(step, int(0), () => body(undefined)));
      return;
    }
    if (each === undefined) {
      b.loop('j', total, this.placement, (j) => this.bind(step, j, () => body(undefined)));
      return;
    }
    b.loop('t', int(this.workers), this.placement, (t) => {
      const left = this.isExact(step) ? total : b.letInteger('left', subtract(total, t), total);
      const at = (e: Int, run: (inside: KernelScalar | undefined) => void): void => {
        this.element = e;
        const position = add(multiply(e, int(this.workers)), t);
        const index = b.letInteger('j', position, total);
        if (this.isExact(step)) this.bind(step, index, () => run(undefined));
        else {
          const inside = inRange(multiply(e, int(this.workers)), left);
          b.whereLoadsHold(index, inside, () => this.bind(step, index, () => run(inside)));
        }
      };
      const unrolled = (extent: number, run: (i: Int) => void): void =>
        extent === 1 ? run(zero) : b.loop('e', int(extent), 'unroll', run);
      const size = this.chunkOf(step, each);
      const chunk = (start: Int): void => {
        for (const run of first === undefined ? [body] : [first, body]) {
          unrolled(size, (e) => {
            this.inChunk = e;
            at(add(start, e), run);
          });
        }
      };
      if (constantValue(total) !== undefined) chunk(zero);
      else {
        unrolled(each / size, (c) => {
          const start = multiply(c, int(size));
          b.if(inRange(multiply(start, int(this.workers)), total), () => chunk(start));
        });
      }
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
