import { expect, test } from 'vitest';
import * as p from '../../compiler/primitives/registry.ts';
import { broadcastBack, filledLike, permuteTo } from '../../compiler/primitives/values.ts';
import { dimVariable, type Int, int, multiply } from '../../compiler/symbolic/integer.ts';
import type { Builder } from '../../compiler/tensor-ir/builder.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { bindDims, evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';
import { printMetal } from '../../compiler/to-metal/print.ts';
import { buildFunction } from '../support/functions.ts';
import { expectMetal, metalHelper } from '../support/metal-helpers.ts';
import { runOnMetal, scheduleForMetal } from '../support/run-on-metal.ts';

const B = dimVariable('B');
const N = dimVariable('N');

const type = (dtype: DType, ...shape: readonly (number | Int)[]): TensorType => ({
  dtype,
  shape: shape.map((d) => (typeof d === 'number' ? int(d) : d)),
});

const apply = (b: Builder, name: string, ...operands: readonly Value[]): Value =>
  b.apply(p.primitive(name), operands, {});
const reduce = (b: Builder, name: string, x: Value, axes: readonly number[]): Value =>
  b.apply(p.primitive(name), [x], { axes });
const constant = (b: Builder, value: number): Value =>
  b.apply(p.constant, [], { dtype: 'f32', shape: [], value });

function dot(b: Builder, x: Value, y: Value, left: number, right: number, batch = 0): Value {
  const axes = [...Array(batch).keys()];
  return b.apply(p.dotGeneral, [x, y], { contracting: [[left], [right]], batch: [axes, axes] });
}

const axesBut = (rank: number, axis: number): number[] =>
  [...Array(rank).keys()].filter((a) => a !== axis);

function softmax(b: Builder, x: Value, axis: number): Value {
  const rest = axesBut(x.type.shape.length, axis);
  const m = broadcastBack(b, reduce(b, 'reduce_max', x, [axis]), x.type.shape, [axis]);
  const e = apply(b, 'exp', apply(b, 'sub', x, m));
  const s = broadcastBack(b, reduce(b, 'reduce_sum', e, [axis]), x.type.shape, [axis]);
  expect(rest.length).toBe(x.type.shape.length - 1);
  return apply(b, 'div', e, s);
}

function layerNorm(b: Builder, x: Value, g: Value): Value {
  const axis = x.type.shape.length - 1;
  const { shape } = x.type;
  const size = b.apply(p.dimValue, [], { dim: shape[axis]!, dtype: 'f32' });
  const scale = (v: Value): Value =>
    apply(b, 'div', v, b.apply(p.broadcast, [size], { shape: v.type.shape, axes: [] }));
  const mean = scale(reduce(b, 'reduce_sum', x, [axis]));
  const centred = apply(b, 'sub', x, broadcastBack(b, mean, shape, [axis]));
  const variance = scale(reduce(b, 'reduce_sum', apply(b, 'mul', centred, centred), [axis]));
  const inverse = apply(b, 'rsqrt', apply(b, 'add', variance, filledLike(b, variance, 1e-5)));
  const normal = apply(b, 'mul', centred, broadcastBack(b, inverse, shape, [axis]));
  return apply(b, 'mul', normal, broadcastBack(b, g, shape, axesBut(axis + 1, axis)));
}

interface Case {
  readonly name: string;
  readonly types: readonly TensorType[];
  readonly build: (b: Builder, ...parameters: Value[]) => readonly Value[];
  readonly dims?: Readonly<Record<string, number>>;
  readonly schedules: readonly string[];
  readonly integerLimit?: number;
}

const gelu = (b: Builder, x: Value): Value =>
  apply(b, 'mul', x, apply(b, 'logistic', apply(b, 'mul', x, filledLike(b, x, 1.702))));

const rows = (
  count: number | Int,
  length: number | Int,
  dtype: DType = 'f32',
): readonly TensorType[] => [type(dtype, count, length)];

const cases: readonly Case[] = [
  {
    name: 'map with a tail',
    types: [type('f32', B, 7), type('f32', 7)],
    build: (b, x, y) => [gelu(b, apply(b, 'add', x!, broadcastBack(b, y!, x!.type.shape, [0])))],
    dims: { B: 43 },
    schedules: ['map'],
  },
  {
    name: 'map through a permutation',
    types: [type('bf16', 5, B, 6)],
    build: (b, x) => [gelu(b, b.apply(p.permute, [x!], { permutation: [2, 0, 1] }))],
    dims: { B: 11 },
    schedules: ['map'],
  },
  {
    name: 'map of half a million elements',
    types: [type('f16', 3, 1 << 16)],
    build: (b, x) => [
      apply(
        b,
        'abs',
        b.apply(p.slice, [x!], {
          start: [int(1), int(65000)],
          stop: [int(3), int(65003)],
          step: [int(1), int(1)],
        }),
      ),
    ],
    schedules: ['map'],
  },
  {
    name: 'two stores and a scalar',
    types: [type('f32', 100, 3), type('i32')],
    build: (b, x, n) => [apply(b, 'exp', x!), apply(b, 'neg', x!), apply(b, 'neg', n!)],
    schedules: ['map'],
  },
  {
    name: 'softmax of short rows',
    types: rows(B, 37),
    build: (b, x) => [softmax(b, x!, 1)],
    dims: { B: 13 },
    schedules: ['row'],
  },
  {
    name: 'softmax of tiny rows',
    types: rows(B, 10),
    build: (b, x) => [softmax(b, x!, 1)],
    dims: { B: 13 },
    schedules: ['point'],
  },
  {
    name: 'softmax of rows in registers',
    types: rows(3, 1500, 'bf16'),
    build: (b, x) => [softmax(b, x!, 1)],
    schedules: ['row'],
  },
  {
    name: 'softmax of rows of unknown length',
    types: rows(B, N, 'f16'),
    build: (b, x) => [softmax(b, x!, 1)],
    dims: { B: 3, N: 301 },
    schedules: ['row'],
  },
  {
    name: 'softmax of rows of unknown length that registers do not hold',
    types: rows(B, N),
    build: (b, x) => [softmax(b, x!, 1)],
    dims: { B: 2, N: 1300 },
    schedules: ['row'],
  },
  {
    name: 'softmax over columns',
    types: rows(N, 45),
    build: (b, x) => [softmax(b, x!, 0)],
    dims: { N: 21 },
    schedules: ['column'],
  },
  {
    name: 'layer norm',
    types: [type('f32', 2, B, 40), type('f32', 40)],
    build: (b, x, g) => [layerNorm(b, x!, g!)],
    dims: { B: 3 },
    schedules: ['row'],
  },
  {
    name: 'layer norm of long rows',
    types: [type('f32', 2, 2049), type('f32', 2049)],
    build: (b, x, g) => [layerNorm(b, x!, g!)],
    schedules: ['row'],
  },
  {
    name: 'row sums, with what follows on each row',
    types: rows(B, 129),
    build: (b, x) => {
      const s = reduce(b, 'reduce_sum', x!, [1]);
      return [s, apply(b, 'exp', apply(b, 'neg', apply(b, 'abs', s)))];
    },
    dims: { B: 9 },
    schedules: ['row'],
  },
  {
    name: 'argmax and argmin of rows',
    types: rows(B, 77),
    build: (b, x) => [b.apply(p.argmax, [x!], { axis: 1 }), b.apply(p.argmin, [x!], { axis: 1 })],
    dims: { B: 5 },
    schedules: ['row'],
  },
  ...[100, 600, 2000].map(
    (length): Case => ({
      name: `layer norm of rows of unknown length: ${length}`,
      types: [type('f32', B, N), type('f32', N)],
      build: (b, x, g) => [layerNorm(b, x!, g!)],
      dims: { B: 11, N: length },
      schedules: ['row'],
    }),
  ),
  {
    name: 'argmax of a long row of ties',
    types: [type('i32', 5000)],
    build: (b, x) => [b.apply(p.argmax, [x!], { axis: 0 })],
    schedules: ['row'],
    integerLimit: 3,
  },
  {
    name: 'argmax over columns',
    types: rows(50, 33),
    build: (b, x) => [b.apply(p.argmax, [x!], { axis: 0 })],
    schedules: ['row'],
  },
  {
    name: 'all, any, prod, min and max of integers',
    types: [type('i32', 6, 70), type('bool', 6, 70), type('i64', 6, 70)],
    build: (b, x, y, z) => [
      reduce(b, 'reduce_prod', x!, [1]),
      reduce(b, 'reduce_max', x!, [1]),
      reduce(b, 'reduce_all', y!, [1]),
      reduce(b, 'reduce_any', y!, [1]),
      reduce(b, 'reduce_min', z!, [1]),
      reduce(b, 'reduce_sum', z!, [1]),
    ],
    schedules: ['row', 'row', 'row'],
  },
  {
    name: 'column sums',
    types: rows(N, 70),
    build: (b, x) => [reduce(b, 'reduce_sum', apply(b, 'mul', x!, x!), [0])],
    dims: { N: 19 },
    schedules: ['column chunks', 'column'],
  },
  {
    name: 'column sums of many chunks',
    types: rows(N, 40),
    build: (b, x) => [reduce(b, 'reduce_sum', x!, [0])],
    dims: { N: 1120 },
    schedules: ['column chunks', 'column'],
  },
  {
    name: 'column sums with a batch',
    types: [type('f32', 3, N, 2, 64)],
    build: (b, x) => [reduce(b, 'reduce_max', x!, [1])],
    dims: { N: 19 },
    schedules: ['column chunks', 'column'],
  },
  {
    name: 'columns of what another kernel left',
    types: rows(N, B),
    build: (b, x) => {
      const s = reduce(b, 'reduce_sum', x!, [1]);
      const scaled = apply(b, 'mul', x!, broadcastBack(b, s, x!.type.shape, [1]));
      return [s, reduce(b, 'reduce_max', scaled, [0])];
    },
    dims: { N: 150, B: 21 },
    schedules: ['row', 'column'],
  },
  {
    name: 'a transposed operand',
    types: [type('f32', 3, 70, 100), type('f32', 100, 3, 70)],
    build: (b, x, y) => [apply(b, 'mul', permuteTo(b, x!, [2, 0, 1]), y!)],
    schedules: ['transpose'],
  },
  {
    name: 'transposed operands of unknown size, two of them',
    types: [type('f16', B, N), type('f16', B, N)],
    build: (b, x, y) => [apply(b, 'mul', permuteTo(b, x!, [1, 0]), permuteTo(b, y!, [1, 0]))],
    dims: { B: 37, N: 70 },
    schedules: ['transpose'],
  },
  {
    name: 'lines of unknown length in another order',
    types: [type('f32', 3, B, N)],
    build: (b, x) => [permuteTo(b, x!, [1, 0, 2])],
    dims: { B: 9, N: 300 },
    schedules: ['map'],
  },
  {
    name: 'long column sums, with what follows on each column',
    types: rows(1100, 40),
    build: (b, x) => {
      const s = reduce(b, 'reduce_sum', apply(b, 'abs', x!), [0]);
      return [reduce(b, 'reduce_max', x!, [0]), apply(b, 'exp', apply(b, 'neg', s))];
    },
    schedules: ['column chunks', 'column'],
  },
  {
    name: 'column sums over two dims of unknown size',
    types: [type('f32', B, N, 32)],
    build: (b, x) => [reduce(b, 'reduce_sum', x!, [0, 1])],
    dims: { B: 3, N: 90 },
    schedules: ['column chunks', 'column'],
  },
  {
    name: 'cumulative sums of long rows side by side',
    types: rows(270, 512, 'i32'),
    build: (b, x) => [b.apply(p.primitive('cumsum'), [x!], { axis: 0, reverse: true })],
    schedules: ['cumulative chunks', 'cumulative'],
  },
  {
    name: 'recurrences of long rows side by side',
    types: [type('f32', 260, 2, 256), type('f32', 260, 2, 256)],
    build: (b, x, y) => [
      b.apply(
        p.primitive('linear_recurrence'),
        [x!, y!].map((v) => apply(b, 'tanh', v)),
        {
          axis: 0,
          reverse: false,
        },
      ),
    ],
    schedules: ['cumulative chunks', 'cumulative'],
  },
  {
    name: 'mean of a long vector',
    types: [type('f32', 70000), type('f32', 70000)],
    build: (b, x, y) => {
      const d = apply(b, 'sub', x!, y!);
      const s = reduce(b, 'reduce_sum', apply(b, 'mul', d, d), [0]);
      return [apply(b, 'div', s, constant(b, 70000))];
    },
    schedules: ['partial reduction', 'row'],
  },
  {
    name: 'argmax of a long vector',
    types: [type('f32', 40000)],
    build: (b, x) => [b.apply(p.argmax, [x!], { axis: 0 })],
    schedules: ['partial reduction', 'row'],
  },
  {
    name: 'sum of a matrix to a scalar',
    types: rows(B, 300),
    build: (b, x) => [reduce(b, 'reduce_sum', x!, [0, 1])],
    dims: { B: 70 },
    schedules: ['partial reduction', 'row'],
  },
  {
    name: 'product of matrices with every edge',
    types: [type('f32', B, 21), type('f32', 21, 50), type('f32', 50)],
    build: (b, x, w, bias) => {
      const h = dot(b, x!, w!, 1, 0);
      return [gelu(b, apply(b, 'add', h, broadcastBack(b, bias!, h.type.shape, [0])))];
    },
    dims: { B: 35 },
    schedules: ['contraction'],
  },
  {
    name: 'product of whole tiles in half precision',
    types: [type('f16', 64, 32), type('f16', 64, 32)],
    build: (b, x, w) => [dot(b, x!, w!, 1, 1)],
    schedules: ['contraction'],
  },
  {
    name: 'product of tiles of 64',
    types: [type('bf16', 16, 9), type('bf16', 9, 1 << 14)],
    build: (b, x, w) => [
      dot(
        b,
        x!,
        b.apply(p.slice, [w!], {
          start: [int(0), int(0)],
          stop: [int(9), int(70)],
          step: [int(1), int(1)],
        }),
        1,
        0,
      ),
    ],
    schedules: ['contraction'],
  },
  {
    name: 'batched product with transposed operands',
    types: [type('f32', 3, 17, B), type('f32', 3, 17, 24)],
    build: (b, x, y) => [dot(b, x!, y!, 1, 1, 1)],
    dims: { B: 41 },
    schedules: ['contraction'],
  },
  {
    name: 'matrix times vector',
    types: [type('f32', 40, 90), type('f32', 90)],
    build: (b, x, y) => [apply(b, 'tanh', dot(b, x!, y!, 1, 0))],
    schedules: ['row'],
  },
  {
    name: 'vector times matrix',
    types: [type('f32', 90), type('f32', 90, 40)],
    build: (b, x, y) => [dot(b, x!, y!, 0, 0)],
    schedules: ['column'],
  },
  {
    name: 'integer product',
    types: [type('i32', 20, 30), type('i32', 30, 20)],
    build: (b, x, y) => [dot(b, x!, y!, 1, 0)],
    schedules: ['row'],
  },
  {
    name: 'causal mask and gather',
    types: [type('f32', 20, 16), type('i32', B)],
    build: (b, x, i) => {
      const g = b.apply(p.gather, [x!, i!], { axes: [0] });
      const padded = b.apply(p.pad, [g, constant(b, -1)], {
        low: [int(2), int(0)],
        high: [int(-1), int(3)],
        interior: [int(0), int(1)],
      });
      return [softmax(b, padded, 1)];
    },
    dims: { B: 12 },
    schedules: ['column'],
    integerLimit: 24,
  },
  {
    name: 'scatter of rows',
    types: [type('f32', 9, 5), type('f32', B, 5), type('i32', B)],
    build: (b, x, u, i) => [b.apply(p.scatter, [x!, u!, i!], { axes: [0], mode: 'add' })],
    dims: { B: 30 },
    schedules: ['scatter'],
    integerLimit: 11,
  },
  {
    name: 'scatter into a vector',
    types: [type('i32', 40), type('i32', 60), type('i32', 60)],
    build: (b, x, u, i) => [b.apply(p.scatter, [x!, u!, i!], { axes: [0], mode: 'set' })],
    schedules: ['scatter'],
    integerLimit: 45,
  },
  {
    name: 'an optimiser step over tensors of several sizes',
    types: [
      type('f32', 33),
      type('f32', B, 3),
      type('f32', 2, 600),
      type('f32', 33),
      type('f32', B, 3),
      type('f32', 2, 600),
    ],
    build: (b, ...values) =>
      [0, 1, 2].map((k) => {
        const [x, g] = [values[k]!, values[k + 3]!];
        return apply(b, 'sub', x, apply(b, 'mul', g, filledLike(b, g, 0.125)));
      }),
    dims: { B: 7 },
    schedules: ['horizontal map'],
  },
  {
    name: 'sizes that are products of dims',
    types: [type('f32', B, multiply(N, int(2)))],
    build: (b, x) => [
      reduce(b, 'reduce_sum', b.apply(p.reshape, [x!], { shape: [multiply(B, N), int(2)] }), [1]),
    ],
    dims: { B: 3, N: 5 },
    schedules: ['point'],
  },
];

/** A small generator of repeatable numbers (Park and Miller, 1988). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function makeArgument(
  { dtype, shape }: TensorType,
  dims: Readonly<Record<string, number>>,
  next: () => number,
  limit: number,
): NdArray {
  const sizes = shape.map((d) => sizeOf(d, dims));
  const values = Array.from({ length: elementCount(sizes) }, () => {
    if (dtype === 'bool') return next() < 0.98;
    return dtype[0] === 'i' ? Math.floor(next() * limit) - Math.floor(limit / 8) : next() * 4 - 2;
  });
  return arrayOf(dtype, sizes, dtype === 'i64' ? values.map((v) => BigInt(v as number)) : values);
}

function sizeOf(dim: Int, dims: Readonly<Record<string, number>>): number {
  const value = Function(...Object.keys(dims), `return ${dim.key}`) as (...v: number[]) => number;
  return value(...Object.values(dims));
}

function functionOf(c: Case): Func {
  return buildFunction(c.name.replace(/\W+/g, '_'), c.types, c.build);
}

const tolerance: Partial<Record<DType, number>> = { f32: 1e-4, f16: 4e-3, bf16: 3e-2 };

test.each(cases)('$name gives what the evaluator gives', (c) => {
  const func = functionOf(c);
  const kernels = scheduleForMetal([func]).kernels;
  expect(kernels.map((k) => k.about.schedule)).toEqual(c.schedules);
  const next = random(7);
  const dims = c.dims ?? {};
  const args = c.types.map((t) => makeArgument(t, dims, next, c.integerLimit ?? 100));
  const bound = new Map([...bindDims(func, args), ...Object.entries(dims)]);
  const expected = evaluateFunction(func, args, bound);
  const results = runOnMetal(func, args, dims);
  results.forEach((result, i) => {
    const wanted = expected[i]!;
    expect(result.shape).toEqual(wanted.shape);
    const limit = tolerance[result.dtype] ?? 0;
    result.data.forEach((value, at) => {
      const want = wanted.data[at]!;
      const error = Math.abs(Number(value) - Number(want));
      if (!(error <= limit * (1 + Math.abs(Number(want))))) {
        throw new Error(`result ${i}[${at}] is ${value}, expected ${want}`);
      }
    });
  });
});

test('all of them pass the strict check', async () => {
  const sources = new Map<string, string>();
  for (const c of cases) {
    sources.set(c.name, printMetal(scheduleForMetal([functionOf(c)]).kernels, metalHelper));
  }
  await expectMetal(sources);
});
