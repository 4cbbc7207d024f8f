/**
 * Random well-typed functions over the primitives: what fusion, schedules and printers are held against. Values stay
 * bounded (everything that grows is squashed), so that evaluator and device can be compared closely.
 */
import { primitive } from '../../compiler/primitives/registry.ts';
import {
  constantValue,
  dimVariable,
  evaluate,
  type Int,
  int,
  product,
  subtract,
} from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attrs, Func, Value } from '../../compiler/tensor-ir/program.ts';

/** Small fast generator (mulberry32): the same numbers for the same seed everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }
}

/** The dims that random functions use, with sizes to call them with. */
export const dimSizes: Readonly<Record<string, number>> = { B: 3, N: 37 };

const B = dimVariable('B');
const N = dimVariable('N');

export interface RandomFunction {
  readonly func: Func;
  readonly args: readonly NdArray[];
  readonly seed: number;
}

export function randomFunction(seed: number, operations = 14): RandomFunction {
  return new Generator(seed).run(operations);
}

class Generator {
  private readonly random: Random;
  private readonly seed: number;
  private readonly b = new Builder();
  private readonly parameters: Value[] = [];
  private readonly pool: Value[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  run(operations: number): RandomFunction {
    const shapes: readonly (readonly Int[])[] = [
      [B, N],
      [N],
      [B, int(4), int(5)],
      [int(4), int(5)],
      [B],
      [],
      [int(5), N],
      [N, B],
      [int(1), N],
      [int(70), int(33)],
    ];
    const count = 2 + this.random.below(3);
    for (let i = 0; i < count; i++) {
      const value = makeValue({ dtype: 'f32', shape: this.random.pick(shapes) }, `x${i}`);
      this.parameters.push(value);
      this.pool.push(value);
    }
    for (let i = 0; i < operations; i++) this.step();
    const made = this.pool.slice(count);
    const results = new Set<Value>([made[made.length - 1] ?? this.pool[0]!]);
    for (let i = this.random.below(3); i > 0; i--) results.add(this.random.pick(made));
    const func = this.b.finish(`random${this.seed}`, this.parameters, [...results]);
    return { func, args: this.parameters.map((p) => this.argument(p)), seed: this.seed };
  }

  private argument(value: Value): NdArray {
    const shape = value.type.shape.map((d) => evaluate(d, (name) => dimSizes[name]));
    const length = shape.reduce((a, c) => a * c, 1);
    return {
      dtype: 'f32',
      shape,
      data: Float64Array.from({ length }, () => Math.fround(4 * this.random.next() - 2)),
    };
  }

  private apply(name: string, operands: readonly Value[], attrs: Attrs = {}): Value {
    return this.b.apply(primitive(name), operands, attrs);
  }

  private add(value: Value): void {
    this.pool.push(value);
  }

  private float(): Value {
    const floats = this.pool.filter((v) => v.type.dtype === 'f32');
    // recent values more often: chains, not stars
    return this.random.chance(0.6)
      ? floats[floats.length - 1 - this.random.below(Math.min(4, floats.length))]!
      : this.random.pick(floats);
  }

  /** y brought to x's shape: as it is, or reduced to a scalar and broadcast. */
  private like(x: Value, y: Value): Value {
    const same =
      x.type.shape.length === y.type.shape.length &&
      x.type.shape.every((d, i) => d === y.type.shape[i]);
    if (same) return y;
    const axes = this.embedding(y.type.shape, x.type.shape);
    if (axes !== undefined) return this.apply('broadcast', [y], { shape: x.type.shape, axes });
    const all = y.type.shape.map((_, i) => i);
    const scalar = all.length === 0 ? y : this.squash(this.apply('reduce_sum', [y], { axes: all }));
    return this.apply('broadcast', [scalar], { shape: x.type.shape, axes: [] });
  }

  /** Increasing axes of `to` onto which `from` fits. */
  private embedding(from: readonly Int[], to: readonly Int[]): readonly number[] | undefined {
    const axes: number[] = [];
    let next = 0;
    for (const dim of from) {
      while (next < to.length && to[next] !== dim) next++;
      if (next === to.length) return undefined;
      axes.push(next++);
    }
    return axes;
  }

  private squash(x: Value): Value {
    return this.apply('tanh', [x]);
  }

  private step(): void {
    const kinds = [
      'unary',
      'unary',
      'binary',
      'binary',
      'binary',
      'reduce',
      'reduce',
      'softmax',
      'view',
      'view',
      'dot',
      'gather',
      'select',
      'arg',
      'pad',
      'concatenate',
      'scatter',
      'convert',
    ] as const;
    const x = this.float();
    const { shape } = x.type;
    const rank = shape.length;
    switch (this.random.pick(kinds)) {
      case 'unary':
        this.add(this.apply(this.random.pick(['neg', 'abs', 'tanh', 'sin', 'erf', 'cos']), [x]));
        break;
      case 'binary': {
        const y = this.like(x, this.float());
        const name = this.random.pick(['add', 'sub', 'mul', 'max', 'min']);
        this.add(this.squash(this.apply(name, [x, y])));
        break;
      }
      case 'reduce':
        if (rank > 0) this.add(this.reduce(x));
        break;
      case 'softmax':
        if (rank > 0) this.add(this.softmax(x));
        break;
      case 'view':
        this.add(this.view(x));
        break;
      case 'dot':
        if (rank >= 1) this.add(this.dot(x));
        break;
      case 'gather':
        if (rank > 0) this.add(this.gather(x));
        break;
      case 'scatter':
        if (rank > 0) this.add(this.scatter(x));
        break;
      case 'select': {
        const y = this.like(x, this.float());
        // compared with a constant: two computed values may tie up to rounding
        const bound = this.apply('constant', [], { dtype: 'f32', shape, value: 0.37 });
        const condition = this.apply(this.random.pick(['lt', 'ge']), [
          this.like(x, this.random.pick(this.parameters)),
          bound,
        ]);
        this.add(this.apply('select', [condition, y, this.apply('neg', [x])]));
        break;
      }
      case 'arg': {
        // of an argument: computed values may tie up to rounding
        const source = this.random.pick(this.parameters);
        const axes = source.type.shape.length;
        if (axes === 0) break;
        const name = this.random.pick(['argmax', 'argmin']);
        const found = this.apply(name, [source], { axis: this.random.below(axes) });
        this.add(this.squash(this.apply('convert', [found], { dtype: 'f32' })));
        break;
      }
      case 'pad':
        if (rank > 0) {
          const zero = this.apply('constant', [], { dtype: 'f32', shape: [], value: 0.5 });
          const amount = (): Int[] => shape.map(() => int(this.random.below(3)));
          const interior = shape.map(() => int(this.random.chance(0.2) ? 1 : 0));
          this.add(this.apply('pad', [x, zero], { low: amount(), high: amount(), interior }));
        }
        break;
      case 'concatenate':
        if (rank > 0)
          this.add(
            this.apply('concatenate', [x, this.apply('neg', [x])], {
              axis: this.random.below(rank),
            }),
          );
        break;
      case 'convert': {
        const dtype: DType = this.random.pick(['i32', 'f16', 'bf16', 'i64', 'bool'] as const);
        const narrow = this.apply('convert', [this.apply('round', [x])], { dtype });
        this.add(this.apply('convert', [narrow], { dtype: 'f32' }));
        break;
      }
    }
  }

  private someAxes(rank: number): readonly number[] {
    const axes = [...Array(rank).keys()].filter(() => this.random.chance(0.5));
    return axes.length > 0 ? axes : [this.random.below(rank)];
  }

  private reduce(x: Value): Value {
    const axes = this.someAxes(x.type.shape.length);
    const name = this.random.pick(['reduce_sum', 'reduce_max', 'reduce_min', 'reduce_prod']);
    return this.squash(this.apply(name, [x], { axes }));
  }

  private softmax(x: Value): Value {
    const { shape } = x.type;
    const axis = this.random.below(shape.length);
    const others = [...Array(shape.length).keys()].filter((a) => a !== axis);
    const along = (v: Value): Value => this.apply('broadcast', [v], { shape, axes: others });
    const m = this.apply('reduce_max', [x], { axes: [axis] });
    const e = this.apply('exp', [this.apply('sub', [x, along(m)])]);
    return this.apply('div', [e, along(this.apply('reduce_sum', [e], { axes: [axis] }))]);
  }

  private view(x: Value): Value {
    const { shape } = x.type;
    const rank = shape.length;
    switch (this.random.below(5)) {
      case 0: {
        const permutation = [...Array(rank).keys()];
        for (let i = rank - 1; i > 0; i--) {
          const j = this.random.below(i + 1);
          [permutation[i], permutation[j]] = [permutation[j]!, permutation[i]!];
        }
        return this.apply('permute', [x], { permutation });
      }
      case 1:
        return this.apply('reshape', [x], { shape: [product(shape)] });
      case 2:
        return rank === 0 ? x : this.apply('reverse', [x], { axes: this.someAxes(rank) });
      case 3: {
        if (rank === 0) return this.apply('broadcast', [x], { shape: [int(6)], axes: [] });
        const axis = this.random.below(rank);
        const size = shape[axis]!;
        const isLong = size === N || (constantValue(size) ?? 0) > 4;
        const start = shape.map((_, i) => int(i === axis && isLong ? 1 : 0));
        const stop = shape.map((d, i) => (i === axis && isLong ? subtract(d, int(2)) : d));
        const step = shape.map((_, i) => int(i === axis && isLong && size !== N ? 2 : 1));
        return this.apply('slice', [x], { start, stop, step });
      }
      default: {
        const to = [int(2), ...shape];
        return this.apply('broadcast', [x], { shape: to, axes: shape.map((_, i) => i + 1) });
      }
    }
  }

  private dot(x: Value): Value {
    const { shape } = x.type;
    const axis = this.random.below(shape.length);
    const other = this.float();
    const match = other.type.shape.indexOf(shape[axis]!);
    const y = match >= 0 ? other : x;
    const right = match >= 0 ? match : axis;
    const free = shape.length - 1 + y.type.shape.length - 1;
    if (free > 4) return this.reduce(x);
    return this.squash(
      this.apply('dot_general', [x, y], { contracting: [[axis], [right]], batch: [[], []] }),
    );
  }

  private indices(shape: readonly Int[], size: Int): Value {
    const iota = this.apply('iota', [], {
      dtype: 'i32',
      shape,
      axis: this.random.below(Math.max(shape.length, 1)),
    });
    const factor = this.apply('constant', [], { dtype: 'i32', shape, value: 7 });
    const bound = this.apply(
      'broadcast',
      [this.apply('dim_value', [], { dim: size, dtype: 'i32' })],
      { shape, axes: [] },
    );
    return this.apply('rem', [this.apply('mul', [iota, factor]), bound]);
  }

  private gather(x: Value): Value {
    const { shape } = x.type;
    const axis = this.random.below(shape.length);
    const points: readonly Int[] = this.random.chance(0.5) ? [int(6)] : [B, int(2)];
    return this.apply('gather', [x, this.indices(points, shape[axis]!)], { axes: [axis] });
  }

  private scatter(x: Value): Value {
    const { shape } = x.type;
    const axis = this.random.below(shape.length);
    const points: readonly Int[] = [int(6)];
    const rest = shape.filter((_, i) => i !== axis);
    const source = this.apply('reshape', [x], { shape: [product(shape)] });
    const scalar = this.squash(this.apply('reduce_sum', [source], { axes: [0] }));
    const spread = this.apply('broadcast', [scalar], { shape: [...points, ...rest], axes: [] });
    const ramp = this.apply(
      'convert',
      [this.apply('iota', [], { dtype: 'i32', shape: [...points, ...rest], axis: 0 })],
      { dtype: 'f32' },
    );
    const update = this.squash(this.apply('add', [spread, ramp]));
    const mode = this.random.pick(['add', 'set', 'max', 'min']);
    return this.apply('scatter', [x, update, this.indices(points, shape[axis]!)], {
      axes: [axis],
      mode,
    });
  }
}
