/**
 * Builds one kernel: names, nested blocks, buffers, and the lowering of tensor values to scalars.
 *
 * `at(value, index)` is the heart: element `index` of a value as a scalar expression. On-chip values (row reductions, tile
 * elements) are variables; values in memory are loads; all others inline their `element` rule. What does not depend on the inner
 * loops is bound to a name in the outermost block that knows all it needs, so invariant work leaves the loops here, once for
 * all schedules.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import type {
  Buffer,
  Kernel,
  KernelInteger,
  KernelParameter,
  KernelScalar,
  Loop,
  Placement,
  RangeCondition,
  Statement,
} from '../kernel-ir/program.ts';
import { dimIntegers } from '../kernel-ir/walk.ts';
import type { FusedFunction } from '../passes/fused-group.ts';
import {
  add,
  asVariable,
  constantValue,
  forEachVariable,
  type Int,
  indexVariable,
  int,
  isInRange,
  multiply,
  product,
  type Variable,
  zero,
} from '../symbolic/integer.ts';
import { byteSize, computeType, type DType } from '../tensor-ir/dtype.ts';
import { isBig } from '../tensor-ir/nd-array.ts';
import type { ElementBuilder } from '../tensor-ir/primitive.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';

interface Block {
  readonly statements: Statement[];
  readonly depth: number;
  /** Tells blocks of one depth apart. */
  readonly number: number;
}

/** A kernel and the value bound to each of its parameters (segmented parameters: one a segment). */
export interface ScheduledKernel {
  readonly kernel: Kernel;
  readonly bindings: readonly Value[];
}

/** Names the element of a value held on chip; undefined for an element that is not. */
export type OnChip = (index: readonly Int[]) => KernelScalar | undefined;

function zeroOf(dtype: DType): KernelScalar {
  return { kind: 'constant', dtype, value: dtype === 'bool' ? false : isBig(dtype) ? 0n : 0 };
}

function mentions(value: Int, name: string): boolean {
  let found = false;
  forEachVariable(value, (v) => {
    found ||= v.name === name;
  });
  return found;
}

/** Row-major position of an element. */
export function linearIndex(index: readonly Int[], shape: readonly Int[]): Int {
  let position = zero;
  for (let axis = 0; axis < shape.length; axis++) {
    position = add(multiply(position, shape[axis]!), index[axis]!);
  }
  return position;
}

export class KernelBuilder {
  private readonly fused: FusedFunction;
  private blocks: Block[] = [{ statements: [], depth: 0, number: 0 }];
  private blockCount = 0;
  /** Block depth at which each name (index variable, let, accumulator) is known. */
  private readonly depthOf = new Map<string, number>();
  private readonly usedNames = new Set<string>();
  private readonly buffers = new Map<
    Value,
    { buffer: Buffer; isRead: boolean; isWritten: boolean }
  >();
  private readonly onChip = new Map<Value, OnChip>();
  private readonly computedHere = new Set<Value>();
  private readonly memo = new Map<string, KernelScalar>();
  private readonly depthMemo = new Map<KernelScalar, number>();
  /** Where loads by an index are allowed. */
  private loadBound: { readonly name: string; readonly condition: KernelScalar } | undefined;
  /** The conditions of the guards around the scalar being built. */
  private readonly guards: (readonly RangeCondition[])[] = [];

  /** `reserved` are names that the kernel uses for other things: the dims. */
  constructor(fused: FusedFunction, reserved: readonly string[]) {
    this.fused = fused;
    for (const name of reserved) this.usedNames.add(name);
  }

  // -- names and blocks ------------------------------------------------------------------------------------

  uniqueName(base: string): string {
    const clean = base.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=[0-9])/, '_');
    let name = clean;
    for (let n = 1; this.usedNames.has(name); n++) name = `${clean}_${n}`;
    this.usedNames.add(name);
    return name;
  }

  private get block(): Block {
    return this.blocks[this.blocks.length - 1]!;
  }

  emit(statement: Statement): void {
    this.block.statements.push(statement);
  }

  /** A loop; `body` gets its index variable. A loop of one iteration is its body with the index 0. */
  loop(
    base: string,
    extent: Int,
    placement: Placement,
    body: (index: Int) => void,
    reduces?: Loop['reduces'],
  ): void {
    const name = this.uniqueName(base);
    const statements = this.nested(() => {
      this.depthOf.set(name, this.block.depth);
      body(indexVariable(name, extent));
    });
    const loop: Loop = { kind: 'loop', variable: name, extent, placement, body: statements };
    this.emit(reduces === undefined ? loop : { ...loop, reduces });
  }

  if(condition: KernelScalar, then: () => void, otherwise: () => void = () => {}): void {
    const thenStatements = this.nested(then);
    this.emit({ kind: 'if', condition, then: thenStatements, otherwise: this.nested(otherwise) });
  }

  private nested(body: () => void): readonly Statement[] {
    const block: Block = { statements: [], depth: this.block.depth + 1, number: ++this.blockCount };
    this.blocks.push(block);
    body();
    this.blocks.pop();
    return block.statements;
  }

  accumulator(
    base: string,
    dtype: DType,
    initial: KernelScalar,
  ): KernelScalar & { readonly name: string } {
    const name = this.uniqueName(base);
    this.depthOf.set(name, this.block.depth);
    this.emit({ kind: 'accumulator', name, dtype, initial });
    return { kind: 'variable', dtype, name };
  }

  /** Binds a name in the current block. */
  let(base: string, value: KernelScalar): KernelScalar {
    if (value.kind === 'variable' || value.kind === 'constant') return value;
    const name = this.uniqueName(base);
    this.depthOf.set(name, this.block.depth);
    this.emit({ kind: 'let', name, value });
    return { kind: 'variable', dtype: value.dtype, name };
  }

  letInteger(base: string, value: Int, extent: Int): Int {
    if (constantValue(value) !== undefined) return value;
    const name = this.uniqueName(base);
    this.depthOf.set(name, this.block.depth);
    this.emit({ kind: 'let-integer', name, value });
    return indexVariable(name, extent);
  }

  /** A name for a whole number bound by a statement that the caller emits (locate-segment). */
  declareIndex(base: string, extent: Int): Int {
    const name = this.uniqueName(base);
    this.depthOf.set(name, this.block.depth);
    return indexVariable(name, extent);
  }

  allocate(base: string, dtype: DType, space: Buffer['space'], size: Int): Buffer {
    const buffer: Buffer = { name: this.uniqueName(base), dtype, space, size };
    this.emit({ kind: 'allocate', buffer });
    return buffer;
  }

  // -- buffers ---------------------------------------------------------------------------------------------

  private bufferOf(value: Value): { buffer: Buffer; isRead: boolean; isWritten: boolean } {
    let entry = this.buffers.get(value);
    if (entry === undefined) {
      const name = this.uniqueName(
        value.name ?? this.fused.definitions.get(value)?.primitive.name ?? 'x',
      );
      const buffer: Buffer = {
        name,
        dtype: value.type.dtype,
        space: 'device',
        size: product(value.type.shape),
      };
      entry = { buffer, isRead: false, isWritten: false };
      this.buffers.set(value, entry);
    }
    return entry;
  }

  /** The memory of a value that the kernel reads by other means than `load`. */
  readFrom(value: Value): Buffer {
    const entry = this.bufferOf(value);
    entry.isRead = true;
    return entry.buffer;
  }

  load(value: Value, index: readonly Int[]): KernelScalar {
    const entry = this.bufferOf(value);
    entry.isRead = true;
    const { shape } = value.type;
    const dtype = computeType(value.type.dtype);
    const at = linearIndex(index, shape);
    const loaded: KernelScalar = {
      kind: 'load',
      dtype,
      buffer: { buffer: entry.buffer },
      index: at,
    };
    const bound = this.loadBound;
    if (bound === undefined || !mentions(at, bound.name)) return loaded;
    const { condition } = bound;
    return {
      kind: 'select',
      dtype,
      condition,
      then: loaded,
      otherwise: zeroOf(dtype),
      isGuard: true,
    };
  }

  /**
   * Builds something that may be computed where `condition` does not hold, at an index that is out of range there: loads from device
   * memory by this index give 0 instead.
   */
  whereLoadsHold(index: Int, condition: KernelScalar, body: () => void): void {
    const before = this.loadBound;
    this.loadBound = { name: asVariable(index)!.name, condition };
    body();
    this.loadBound = before;
  }

  loadFrom(buffer: Buffer, index: Int): KernelScalar {
    return { kind: 'load', dtype: computeType(buffer.dtype), buffer: { buffer }, index };
  }

  store(value: Value, index: readonly Int[], scalar: KernelScalar): void {
    const entry = this.bufferOf(value);
    entry.isWritten = true;
    this.emit({
      kind: 'store',
      buffer: entry.buffer,
      index: linearIndex(index, value.type.shape),
      value: scalar,
    });
  }

  // -- values ----------------------------------------------------------------------------------------------

  /** The value is computed by this kernel even though it also has memory: read it by its definition. */
  computeHere(value: Value): void {
    this.computedHere.add(value);
  }

  /** The value is held on chip: how to name its element at the current point. */
  setOnChip(value: Value, element: OnChip): void {
    this.onChip.set(value, element);
  }

  /**
   * Builds one of several alternatives: what it learns (values on chip, scalars at hand) the others do not know, but for the names that
   * it leaves in the blocks around.
   */
  apart(body: () => void): void {
    const known = new Map(this.memo);
    const held = [...this.onChip];
    const { depth } = this.block;
    body();
    for (const [key, scalar] of this.memo) {
      const isAround = scalar.kind === 'variable' && (this.depthOf.get(scalar.name) ?? 0) < depth;
      if (!known.has(key) && !isAround) this.memo.delete(key);
    }
    this.onChip.clear();
    for (const [value, element] of held) this.onChip.set(value, element);
  }

  /** Element `index` of a value. */
  at(value: Value, index: readonly Int[]): KernelScalar {
    const held = this.onChip.get(value)?.(index);
    if (held !== undefined) return held;
    const place = `${value.id}[${index.map((i) => i.key).join()}]`;
    const known = this.memo.get(place);
    if (known !== undefined) return known;
    // a scalar built under guards, or to stay in its block, serves again under the same guards in the same block only
    const key = this.guards.length === 0 ? place : `${this.guardKey()}${place}`;
    const guarded = this.memo.get(key);
    if (guarded !== undefined) return guarded;
    const scalar = this.hoist(value, this.lower(value, index));
    this.memo.set(key, scalar);
    return scalar;
  }

  private guardKey(): string {
    const guards = this.guards.map((g) => g.map((c) => `${c.value.key}<${c.extent.key}`).join('&'));
    return `block ${this.block.number} if ${guards.join(';')}: `;
  }

  private lower(value: Value, index: readonly Int[]): KernelScalar {
    const op = this.fused.definitions.get(value);
    const isLoaded =
      op === undefined || (this.fused.inMemory.has(value) && !this.computedHere.has(value));
    if (isLoaded) return this.load(value, index);
    if (op.primitive.lower.kind !== 'element') {
      throw new InternalError(`${op.primitive.name} is read on chip where it is not computed`);
    }
    return op.primitive.lower.element(
      this.elementBuilder(op),
      op,
      index,
      op.results.indexOf(value),
    );
  }

  private elementBuilder(op: Operation): ElementBuilder {
    return {
      read: (operand, index) => this.at(op.operands[operand]!, index),
      constant: (value, dtype) => ({ kind: 'constant', dtype: computeType(dtype), value }),
      call: (name, args, dtype) => ({ kind: 'call', name, args, dtype: dtype ?? args[0]!.dtype }),
      select: (condition, then, otherwise) => ({
        kind: 'select',
        dtype: then.dtype,
        condition,
        then,
        otherwise,
        isGuard: false,
      }),
      // f16 and bf16 are asked for by bitcast alone, which needs the narrow number itself
      convert: (value, dtype) =>
        value.dtype === dtype ? value : { kind: 'convert', dtype, value },
      bitcast: (value, dtype) => ({ kind: 'bitcast', dtype, value }),
      indexValue: (value, dtype) => {
        const constant = constantValue(value);
        const type = computeType(dtype);
        return constant === undefined
          ? { kind: 'index', dtype: type, value }
          : { kind: 'constant', dtype: type, value: constant };
      },
      asIndex: (value, extent) => this.index(value, extent),
      whereInRange: (conditions, then, otherwise) => this.guard(conditions, then, otherwise()),
      whereNotEmpty: (extents, then) => {
        const open = extents.filter((extent) => (constantValue(extent) ?? 0) < 1);
        return this.guard(
          open.map((extent) => ({ value: zero, extent, isTested: true })),
          then,
        );
      },
    };
  }

  /** `then` where all conditions hold, evaluated only there; else `otherwise`, or 0. Conditions that always hold are dropped. */
  guard(
    conditions: readonly RangeCondition[],
    then: () => KernelScalar,
    otherwise?: KernelScalar,
  ): KernelScalar {
    const open = conditions.filter((c) => c.isTested || !isInRange(c.value, c.extent));
    if (open.length === 0) return then();
    this.guards.push(open);
    const inside = then();
    this.guards.pop();
    const condition: KernelScalar = { kind: 'in-range', dtype: 'bool', conditions: open };
    return {
      kind: 'select',
      dtype: inside.dtype,
      condition,
      then: inside,
      otherwise: otherwise ?? zeroOf(inside.dtype),
      isGuard: true,
    };
  }

  /** Builds scalars in the current block as they stand: nothing moves out, even if it could be computed earlier. */
  inPlace<T>(body: () => T): T {
    this.guards.push([]);
    const result = body();
    this.guards.pop();
    return result;
  }

  /** A number as an index, clamped into its extent. */
  index(value: KernelScalar, extent: Int): Int {
    if (value.kind === 'index') return value.value;
    const name = this.uniqueName('at');
    const statement: Statement = {
      kind: 'let-index',
      name,
      value: this.underGuards(value),
      extent,
    };
    const depth = this.guards.length > 0 ? this.block.depth : this.depthOfScalar(value);
    this.depthOf.set(name, depth);
    this.blocks[depth]!.statements.push(statement);
    return indexVariable(name, extent);
  }

  /** A statement stands outside the guards of the scalar it serves: the value must not be read where they fail. */
  private underGuards(value: KernelScalar): KernelScalar {
    const conditions = this.guards.flat();
    if (conditions.length === 0) return value;
    return {
      kind: 'select',
      dtype: value.dtype,
      condition: { kind: 'in-range', dtype: 'bool', conditions },
      then: value,
      otherwise: zeroOf(value.dtype),
      isGuard: true,
    };
  }

  // -- invariants ------------------------------------------------------------------------------------------

  /** Moves what an inner loop does not change to the block where all of it is known. */
  private hoist(value: Value, scalar: KernelScalar): KernelScalar {
    if (
      this.guards.length > 0 ||
      scalar.kind === 'constant' ||
      scalar.kind === 'variable' ||
      scalar.kind === 'index'
    )
      return scalar;
    const depth = this.depthOfScalar(scalar);
    if (depth >= this.block.depth) return scalar;
    const name = this.uniqueName(
      value.name ?? this.fused.definitions.get(value)?.primitive.name ?? 'x',
    );
    this.depthOf.set(name, depth);
    this.blocks[depth]!.statements.push({ kind: 'let', name, value: scalar });
    return { kind: 'variable', dtype: scalar.dtype, name };
  }

  private depthOfInt(value: Int): number {
    let depth = 0;
    forEachVariable(value, (v: Variable) => {
      if (v.extent !== undefined) depth = Math.max(depth, this.depthOf.get(v.name) ?? 0);
    });
    return depth;
  }

  /** Depth of the outermost block in which the scalar can be computed. */
  depthOfScalar(scalar: KernelScalar): number {
    const known = this.depthMemo.get(scalar);
    if (known !== undefined) return known;
    const depth = this.computeDepth(scalar);
    this.depthMemo.set(scalar, depth);
    return depth;
  }

  private computeDepth(scalar: KernelScalar): number {
    switch (scalar.kind) {
      case 'constant':
        return 0;
      case 'variable':
        return this.depthOf.get(scalar.name) ?? 0;
      case 'index':
        return this.depthOfInt(scalar.value);
      case 'load':
        // memory on chip changes while the kernel runs
        return scalar.buffer.buffer.space === 'device'
          ? this.depthOfInt(scalar.index)
          : this.block.depth;
      case 'call':
        return Math.max(0, ...scalar.args.map((a) => this.depthOfScalar(a)));
      case 'select':
        return Math.max(
          ...[scalar.condition, scalar.then, scalar.otherwise].map((a) => this.depthOfScalar(a)),
        );
      case 'convert':
      case 'bitcast':
        return this.depthOfScalar(scalar.value);
      case 'in-range':
        return Math.max(
          0,
          ...scalar.conditions.flatMap((c) => [
            this.depthOfInt(c.value),
            this.depthOfInt(c.extent),
          ]),
        );
    }
  }

  // -- the end ---------------------------------------------------------------------------------------------

  /** Ends the kernel. Parameters are the buffers in order of first use; integers are the dims that occur. */
  finish(options: {
    readonly name: string;
    readonly grid: readonly Int[];
    readonly schedule: string;
    readonly summary: string;
    readonly threads?: number;
    readonly integers?: readonly KernelInteger[];
  }): ScheduledKernel {
    const body = this.blocks[0]!.statements;
    const parameters: KernelParameter[] = [];
    const bindings: Value[] = [];
    let bytes = zero;
    for (const [value, { buffer, isRead, isWritten }] of this.buffers) {
      const access = isWritten ? (isRead ? 'read-write' : 'write') : 'read';
      parameters.push({ buffer, access, isSegmented: false });
      bindings.push(value);
      const size = multiply(buffer.size, int(byteSize(buffer.dtype)));
      bytes = add(bytes, access === 'read-write' ? multiply(size, int(2)) : size);
    }
    const integers = [...(options.integers ?? []), ...dimIntegers(body, options.integers ?? [])];
    const { name, grid, schedule, summary } = options;
    const about = { summary, bytes, flops: zero, schedule };
    const kernel: Kernel = { name, parameters, integers, grid, body, about };
    return {
      kernel: options.threads === undefined ? kernel : { ...kernel, threads: options.threads },
      bindings,
    };
  }

  /** The statements so far, for schedules that assemble a kernel themselves. */
  get statements(): readonly Statement[] {
    return this.blocks[0]!.statements;
  }
}
