/**
 * Runs kernels of the Metal schedules on plain numbers, to hold them against the reference evaluator, and watches what a GPU
 * would not forgive: reads and writes out of range, memory read before it is written, races between threads without a barrier,
 * barriers and simdgroup functions that not all threads reach.
 *
 * Threads of a threadgroup run in lock step, statement by statement. Races are found by who touched an element since the last
 * barrier or, among threadgroups, in the whole dispatch.
 */
import { bindShared } from '../../compiler/kernel-ir/bind-shared.ts';
import { combine, replacesBest } from '../../compiler/kernel-ir/monoids.ts';
import type {
  Buffer,
  Kernel,
  KernelScalar,
  Loop,
  Statement,
} from '../../compiler/kernel-ir/program.ts';
import { evaluateScalar, scalarFunction } from '../../compiler/kernel-ir/scalar-functions.ts';
import { bitcastElement } from '../../compiler/primitives/convert.ts';
import {
  type Atom,
  asVariable,
  constantValue,
  evaluate,
  type Int,
} from '../../compiler/symbolic/integer.ts';
import {
  byteSize,
  computeType,
  type DType,
  isFloat,
  isSigned,
} from '../../compiler/tensor-ir/dtype.ts';
import { type Element, isBig, roundTo, wrapBigint } from '../../compiler/tensor-ir/nd-array.ts';

export class KernelFault extends Error {
  override readonly name: string = 'KernelFault';
}

/** Elements of a tensor in device memory; undefined where nothing was written yet. */
export type Memory = (Element | undefined)[];

const simdWidth = 32;

type Integers = ReadonlyMap<string, number>;

const compiledIntegers = new Map<Int, (integers: Integers) => number>();

/** The value of an integer as a function of its variables. */
function compiled(value: Int): (integers: Integers) => number {
  let run = compiledIntegers.get(value);
  if (run === undefined) {
    const constant = constantValue(value);
    const variable = asVariable(value)?.name;
    if (constant !== undefined) run = () => constant;
    else if (variable !== undefined) run = (integers) => integers.get(variable)!;
    else run = compilePolynomial(value);
    compiledIntegers.set(value, run);
  }
  return run;
}

function compilePolynomial(value: Int): (integers: Integers) => number {
  const isPlain = value.terms.every(
    (t) => t.denominator === 1 && t.powers.every((p) => p.exponent > 0),
  );
  if (!isPlain) return (integers) => evaluate(value, (n) => integers.get(n));
  const terms = value.terms.map((t) => ({
    factor: t.numerator,
    atoms: t.powers.flatMap((p) => Array.from({ length: p.exponent }, () => compileAtom(p.atom))),
  }));
  return (integers) => {
    let total = 0;
    for (const { factor, atoms } of terms) {
      let term = factor;
      for (const atom of atoms) term *= atom(integers);
      total += term;
    }
    return total;
  };
}

function compileAtom(atom: Atom): (integers: Integers) => number {
  if (atom.kind === 'variable') {
    const { name } = atom;
    return (integers) => integers.get(name)!;
  }
  const left = compiled(atom.left);
  const right = compiled(atom.right);
  switch (atom.kind) {
    case 'floordiv':
      return (integers) => Math.floor(left(integers) / right(integers));
    case 'mod':
      return (integers) => {
        const divisor = right(integers);
        const dividend = left(integers);
        return dividend - divisor * Math.floor(dividend / divisor);
      };
    case 'min':
      return (integers) => Math.min(left(integers), right(integers));
    case 'max':
      return (integers) => Math.max(left(integers), right(integers));
  }
}

interface Access {
  writer: number;
  reader: number;
}

const untouched: Readonly<Access> = { writer: -1, reader: -1 };

/** Adds what was touched to what was touched before. */
function merge(from: ReadonlyMap<number, Access>, to: Map<number, Access>): void {
  for (const [index, access] of from) {
    const before = to.get(index) ?? untouched;
    to.set(index, {
      writer: Math.max(before.writer, access.writer),
      reader: access.reader === -1 ? before.reader : access.reader,
    });
  }
}

/** Memory that several threads share, with who touched each element since the last barrier. */
class Shared {
  readonly data: Memory;
  private readonly name: string;
  private touched = new Map<number, Access>();
  /** By this threadgroup before its last barrier of device memory. */
  private ordered = new Map<number, Access>();
  /** By the threadgroups that ran before this one. */
  private readonly others = new Map<number, Access>();

  constructor(name: string, data: Memory) {
    this.name = name;
    this.data = data;
  }

  forget(): void {
    this.touched = new Map();
  }

  /** A barrier of device memory: orders it for this threadgroup, and for no other. */
  order(): void {
    merge(this.touched, this.ordered);
    this.touched = new Map();
  }

  /** From here on another threadgroup runs, which nothing orders after those before. */
  enterThreadgroup(): void {
    merge(this.touched, this.others);
    merge(this.ordered, this.others);
    this.touched = new Map();
    this.ordered = new Map();
  }

  read(index: number, thread: number): Element {
    this.check(index);
    const access = this.access(index);
    const isForeign = (this.others.get(index)?.writer ?? -1) >= 0;
    if (isForeign || (access.writer >= 0 && access.writer !== thread)) {
      this.fault(`race: read after write`, index);
    }
    access.reader = access.reader === -1 || access.reader === thread ? thread : -2;
    const value = this.data[index];
    if (value === undefined) this.fault('read before it was written', index);
    return value;
  }

  write(index: number, thread: number, value: Element): void {
    this.check(index);
    const access = this.access(index);
    const other = this.others.get(index) ?? untouched;
    if (other.writer >= 0 || (access.writer >= 0 && access.writer !== thread)) {
      this.fault('race: written twice', index);
    }
    if (other.reader !== -1 || (access.reader !== -1 && access.reader !== thread)) {
      this.fault('race: written after another thread read it', index);
    }
    access.writer = thread;
    this.data[index] = value;
  }

  private access(index: number): Access {
    let access = this.touched.get(index);
    if (access === undefined) {
      access = { writer: -1, reader: -1 };
      this.touched.set(index, access);
    }
    return access;
  }

  private check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.data.length) {
      this.fault(`out of range (${this.data.length} elements)`, index);
    }
  }

  private fault(what: string, index: number): never {
    throw new KernelFault(`${this.name}[${index}]: ${what}`);
  }
}

/** Runs a kernel. `bindings` are its buffers in order, segments one after the other; results are written into them. */
export function runMetalKernel(
  original: Kernel,
  bindings: readonly Memory[],
  dims: ReadonlyMap<string, number>,
): void {
  // as printed: shared scalars are computed once
  const kernel = bindShared(original);
  const integers = new Map<string, number>();
  for (const { name, value } of kernel.integers) {
    integers.set(
      name,
      evaluate(value, (n) => dims.get(n)),
    );
  }
  const device = new Map<Buffer, Shared[]>();
  let next = 0;
  for (const p of kernel.parameters) {
    const count = p.isSegmented ? kernel.segments! : 1;
    const list = bindings.slice(next, next + count).map((data) => new Shared(p.buffer.name, data));
    device.set(p.buffer, list);
    next += count;
  }
  const extents = kernel.grid.map((e) => evaluate(e, (n) => dims.get(n)));
  const total = extents.reduce((a, b) => a * b, 1);
  for (let group = 0; group < total; group++) {
    const position: number[] = [];
    let rest = group;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      position.unshift(rest % extents[axis]!);
      rest = Math.floor(rest / extents[axis]!);
    }
    new Threadgroup(kernel, device, integers, extents, position, group).run();
  }
}

class Threadgroup {
  private readonly kernel: Kernel;
  private readonly device: ReadonlyMap<Buffer, readonly Shared[]>;
  private readonly extents: readonly number[];
  private readonly position: readonly number[];
  private readonly firstThread: number;
  private readonly threads: number;
  private readonly variables: Map<string, Element>[];
  private readonly integers: Map<string, number>[];
  private readonly local: Map<Buffer, Memory>[];
  private readonly threadgroup = new Map<Buffer, Shared>();
  /** Matrices of each simdgroup by name. */
  private readonly matrices: Map<string, Float64Array[]>[];
  private gridAxis = 0;

  constructor(
    kernel: Kernel,
    device: ReadonlyMap<Buffer, readonly Shared[]>,
    integers: ReadonlyMap<string, number>,
    extents: readonly number[],
    position: readonly number[],
    group: number,
  ) {
    this.kernel = kernel;
    this.device = device;
    this.extents = extents;
    this.position = position;
    this.threads = kernel.threads!;
    this.firstThread = group * this.threads;
    const each = <T>(make: () => T, count: number): T[] => Array.from({ length: count }, make);
    this.variables = each(() => new Map(), this.threads);
    this.integers = each(() => new Map(integers), this.threads);
    this.local = each(() => new Map(), this.threads);
    this.matrices = each(() => new Map(), this.threads / simdWidth);
  }

  run(): void {
    for (const memory of [...this.device.values()].flat()) memory.enterThreadgroup();
    this.block(this.kernel.body, [...Array(this.threads).keys()]);
  }

  private block(statements: readonly Statement[], active: readonly number[]): void {
    if (active.length === 0) return;
    for (const s of statements) this.statement(s, active);
  }

  private integer(value: Int, thread: number): number {
    return compiled(value)(this.integers[thread]!);
  }

  private statement(s: Statement, active: readonly number[]): void {
    switch (s.kind) {
      case 'loop':
        this.loop(s, active);
        return;
      case 'let':
      case 'assign':
        for (const t of active) this.variables[t]!.set(s.name, this.scalar(s.value, t));
        return;
      case 'accumulator':
        for (const t of active) this.variables[t]!.set(s.name, this.scalar(s.initial, t));
        return;
      case 'let-index':
        for (const t of active) {
          const last = this.integer(s.extent, t) - 1;
          const value = Math.max(0, Math.min(last, Number(this.scalar(s.value, t))));
          this.integers[t]!.set(s.name, value);
        }
        return;
      case 'let-integer':
        for (const t of active) this.integers[t]!.set(s.name, this.integer(s.value, t));
        return;
      case 'allocate':
        this.allocate(s.buffer, active);
        return;
      case 'store':
        // in lock step: all values are read before any is written
        {
          const values = active.map((t) => this.scalar(s.value, t));
          active.forEach((t, i) => {
            this.write(s.buffer, this.integer(s.index, t), t, values[i]!);
          });
        }
        return;
      case 'if': {
        const holds: number[] = [];
        const fails: number[] = [];
        for (const t of active) {
          (Number(this.scalar(s.condition, t)) !== 0 ? holds : fails).push(t);
        }
        this.block(s.then, holds);
        this.block(s.otherwise, fails);
        return;
      }
      case 'barrier':
        if (active.length !== this.threads) throw new KernelFault('barrier in divergent flow');
        for (const memory of this.threadgroup.values()) memory.forget();
        if (s.device) {
          for (const memory of [...this.device.values()].flat()) memory.order();
        }
        return;
      case 'simd-reduce':
        this.simdReduce(s, active);
        return;
      case 'locate-segment': {
        for (const t of active) {
          const own = this.integers[t]!;
          const task = this.integer(s.task, t);
          const starts = s.starts.map((n) => own.get(n)!);
          let segment = 0;
          starts.forEach((start, i) => {
            if (start <= task) segment = i;
          });
          own.set(s.segment, segment);
          own.set(s.local, task - starts[segment]!);
          own.set(s.length, own.get(s.lengths[segment]!)!);
          own.set('$segment', segment);
        }
        return;
      }
      case 'matrix-declare':
        for (const g of this.wholeSimdgroups(active)) {
          this.matrices[g]!.set(
            s.name,
            Array.from({ length: s.count }, () => {
              const fill = s.isUndefined === true ? Number.NaN : 0;
              return new Float64Array(64).fill(fill);
            }),
          );
        }
        return;
      case 'matrix-load':
        for (const g of this.wholeSimdgroups(active)) {
          const t = g * simdWidth;
          const stride = this.integer(s.stride, t);
          const offset = this.integer(s.offset, t);
          const matrix = this.matrices[g]!.get(s.name)![this.integer(s.element, t)]!;
          for (let r = 0; r < 8; r++) {
            for (let c = 0; c < 8; c++) {
              const at = offset + r * stride + c;
              matrix[s.transpose ? c * 8 + r : r * 8 + c] = Number(this.read(s.buffer, at, t));
            }
          }
        }
        return;
      case 'matrix-store':
        for (const g of this.wholeSimdgroups(active)) {
          const t = g * simdWidth;
          const stride = this.integer(s.stride, t);
          const offset = this.integer(s.offset, t);
          const matrix = this.matrices[g]!.get(s.name)![this.integer(s.element, t)]!;
          for (let r = 0; r < 8; r++) {
            for (let c = 0; c < 8; c++) {
              this.write(s.buffer, offset + r * stride + c, t, matrix[r * 8 + c]!);
            }
          }
        }
        return;
      case 'matrix-multiply-accumulate':
        for (const g of this.wholeSimdgroups(active)) {
          const t = g * simdWidth;
          const own = this.matrices[g]!;
          const d = own.get(s.d)![this.integer(s.dElement, t)]!;
          const a = own.get(s.a)![this.integer(s.aElement, t)]!;
          const b = own.get(s.b)![this.integer(s.bElement, t)]!;
          for (let r = 0; r < 8; r++) {
            for (let c = 0; c < 8; c++) {
              let sum = d[r * 8 + c]!;
              for (let k = 0; k < 8; k++) sum = Math.fround(sum + a[r * 8 + k]! * b[k * 8 + c]!);
              d[r * 8 + c] = sum;
            }
          }
        }
        return;
      case 'micro-kernel':
      case 'sort-pairs':
        throw new KernelFault(`${s.kind} on Metal`);
    }
  }

  private loop(loop: Loop, active: readonly number[]): void {
    const { variable, placement, body } = loop;
    if (placement === 'grid') {
      const axis = this.gridAxis++;
      for (const t of active) {
        const extent = this.integer(loop.extent, t);
        if (extent !== this.extents[axis]) {
          throw new KernelFault(
            `grid axis ${axis}: ${extent} iterations, ${this.extents[axis]} groups`,
          );
        }
        this.integers[t]!.set(variable, this.position[axis]!);
      }
      this.block(body, active);
      return;
    }
    const [worker, count] = this.workers(placement);
    for (let round = 0; ; round++) {
      const running = active.filter((t) => {
        const at = worker(t) + round * count;
        if (at >= this.integer(loop.extent, t)) return false;
        this.integers[t]!.set(variable, at);
        return true;
      });
      if (running.length === 0) return;
      this.block(body, running);
    }
  }

  /** The number of a thread among those that share a loop, and how many they are. */
  private workers(placement: Loop['placement']): readonly [(t: number) => number, number] {
    switch (placement) {
      case 'threads':
        return [(t) => t, this.threads];
      case 'simdgroups':
        return [(t) => Math.floor(t / simdWidth), this.threads / simdWidth];
      case 'lanes':
        return [(t) => t % simdWidth, simdWidth];
      default:
        return [() => 0, 1];
    }
  }

  private allocate(buffer: Buffer, active: readonly number[]): void {
    const memory = (): Memory =>
      new Array<undefined>(this.integer(buffer.size, active[0]!)).fill(undefined);
    if (buffer.space === 'threadgroup') {
      if (!this.threadgroup.has(buffer)) {
        this.threadgroup.set(buffer, new Shared(buffer.name, memory()));
      }
    } else for (const t of active) this.local[t]!.set(buffer, memory());
  }

  private memoryOf(buffer: Buffer, thread: number): Shared | undefined {
    if (buffer.space === 'threadgroup') return this.threadgroup.get(buffer)!;
    const list = this.device.get(buffer);
    return list?.[list.length > 1 ? this.integers[thread]!.get('$segment')! : 0];
  }

  private read(buffer: Buffer, index: number, thread: number): Element {
    const memory = this.memoryOf(buffer, thread);
    if (memory !== undefined) return memory.read(index, this.identity(buffer, thread));
    const own = this.local[thread]!.get(buffer)!;
    const value = own[index];
    if (value === undefined)
      throw new KernelFault(`${buffer.name}[${index}] of a thread is not set`);
    return value;
  }

  private write(buffer: Buffer, index: number, thread: number, value: Element): void {
    const stored = asStored(value, buffer.dtype);
    const memory = this.memoryOf(buffer, thread);
    if (memory !== undefined) {
      memory.write(index, this.identity(buffer, thread), stored);
      return;
    }
    const own = this.local[thread]!.get(buffer)!;
    if (index < 0 || index >= own.length) {
      throw new KernelFault(`${buffer.name}[${index}] of a thread`);
    }
    own[index] = stored;
  }

  private identity(buffer: Buffer, thread: number): number {
    return buffer.space === 'device' ? this.firstThread + thread : thread;
  }

  /** Simdgroups in full: their functions need all 32 lanes. */
  private wholeSimdgroups(active: readonly number[]): readonly number[] {
    const groups = new Map<number, number>();
    for (const t of active) {
      const g = Math.floor(t / simdWidth);
      groups.set(g, (groups.get(g) ?? 0) + 1);
    }
    for (const count of groups.values()) {
      if (count !== simdWidth) throw new KernelFault('simdgroup function in divergent flow');
    }
    return [...groups.keys()];
  }

  private simdReduce(
    s: Extract<Statement, { kind: 'simd-reduce' }>,
    active: readonly number[],
  ): void {
    for (const g of this.wholeSimdgroups(active)) {
      const lanes = [...Array(simdWidth).keys()].map((l) => this.variables[g * simdWidth + l]!);
      const dtype = this.dtypeOf(s.name);
      const constant = (value: Element): KernelScalar => ({ kind: 'constant', dtype, value });
      let best = lanes[0]!.get(s.name)!;
      let at = s.index === undefined ? 0 : lanes[0]!.get(s.index)!;
      for (const lane of lanes.slice(1)) {
        const other = lane.get(s.name)!;
        if (s.monoid === 'argmax' || s.monoid === 'argmin') {
          const index = lane.get(s.index!)!;
          const isTie = Object.is(other, best) || other === best;
          const replaces = this.scalar(replacesBest(s.monoid, constant(other), constant(best)), 0);
          if (isTie ? index < at : Number(replaces) !== 0) {
            best = other;
            at = index;
          }
        } else best = this.scalar(combine(s.monoid, constant(best), constant(other)), 0);
      }
      for (const lane of lanes) {
        lane.set(s.name, best);
        if (s.index !== undefined) lane.set(s.index, at);
      }
    }
  }

  private dtypeOf(name: string): DType {
    let dtype: DType = 'f32';
    const visit = (statements: readonly Statement[]): void => {
      for (const s of statements) {
        if (s.kind === 'accumulator' && s.name === name) dtype = s.dtype;
        if (s.kind === 'loop') visit(s.body);
        if (s.kind === 'if') {
          visit(s.then);
          visit(s.otherwise);
        }
      }
    };
    visit(this.kernel.body);
    return dtype;
  }

  private scalar(s: KernelScalar, thread: number): Element {
    switch (s.kind) {
      case 'constant':
        return asStored(typeof s.value === 'boolean' ? Number(s.value) : s.value, s.dtype);
      case 'load':
        return this.read(s.buffer.buffer, this.integer(s.index, thread), thread);
      case 'variable': {
        const value = this.variables[thread]!.get(s.name);
        if (value === undefined) throw new KernelFault(`${s.name} is not known here`);
        return value;
      }
      case 'index':
        return asStored(this.integer(s.value, thread), s.dtype);
      case 'call': {
        const [x, y] = s.args.map((a) => this.scalar(a, thread));
        const dtype = computeType(s.args[0]!.dtype);
        return asStored(evaluateScalar(scalarFunction(s.name), dtype, x!, y ?? 0), s.dtype);
      }
      case 'select': {
        const holds = Number(this.scalar(s.condition, thread)) !== 0;
        // Metal may evaluate both sides unless the select is a guard
        if (!s.isGuard) this.scalar(holds ? s.otherwise : s.then, thread);
        return this.scalar(holds ? s.then : s.otherwise, thread);
      }
      case 'convert':
        return convert(this.scalar(s.value, thread), s.value.dtype, s.dtype);
      case 'bitcast':
        return bitcastElement(this.scalar(s.value, thread), s.value.dtype, s.dtype);
      case 'in-range':
        return Number(
          s.conditions.every(({ value, extent }) => {
            const v = this.integer(value, thread);
            return v >= 0 && v < this.integer(extent, thread);
          }),
        );
    }
  }
}

/** An element as a buffer or register of `dtype` holds it. */
function asStored(value: Element, dtype: DType): Element {
  if (dtype === 'bool') return Number(value) !== 0 ? 1 : 0;
  if (isFloat(dtype)) return roundTo(Number(value), dtype);
  return wrapBigint(BigInt(value), dtype);
}

function convert(value: Element, from: DType, to: DType): Element {
  if (to === 'bool' || isFloat(to) || !isFloat(from)) return asStored(value, to);
  const x = Number(value);
  if (Number.isNaN(x)) return isBig(to) ? 0n : 0;
  const bits = BigInt(8 * byteSize(to));
  const low = isSigned(to) ? -(1n << (bits - 1n)) : 0n;
  const high = low + (1n << bits) - 1n;
  if (x >= Number(high)) return asStored(high, to);
  if (x <= Number(low)) return asStored(low, to);
  return asStored(BigInt(Math.trunc(x)), to);
}
