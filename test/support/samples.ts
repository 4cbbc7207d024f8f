/**
 * Sample operations of every primitive in every dtype that it takes: what the suites that walk the registry run. The data are drawn
 * from a seed, so that a batch is made of different examples of one shape.
 */
import { isInOperandClass, scalarFunctions } from '../../compiler/kernel-ir/scalar-functions.ts';
import { primitive, primitives } from '../../compiler/primitives/registry.ts';
import { type Int, int } from '../../compiler/symbolic/integer.ts';
import {
  type DType,
  dtypes,
  integerRange,
  isFloat,
  isInteger,
} from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attrs, Func, TensorType } from '../../compiler/tensor-ir/program.ts';
import { buildFunction, tensor } from './functions.ts';
import { makeRandom } from './oracles.ts';
import { orderingSamples } from './ordering-samples.ts';
import { regionSamples } from './region-samples.ts';
import { windowSamples } from './window-samples.ts';

export interface Sample {
  /** Unique among the samples of its primitive. */
  readonly label: string;
  /** The dtype that the sample is about. */
  readonly dtype: DType;
  readonly operands: readonly SampleOperand[];
  readonly attrs: Attrs;
  readonly regions?: readonly Func[];
}

export interface SampleOperand {
  readonly type: TensorType;
  /** Floats lie in [low, high); integers in [low, high]; without it, integers take any value. */
  readonly range?: readonly [number, number];
}

/** All samples of a primitive; none for the operations that transforms expand. */
export function samplesOf(name: string): readonly Sample[] {
  const scalar = scalarFunctions.get(name);
  if (scalar !== undefined && primitives.has(name)) return elementwiseSamples(name);
  return (
    structuralSamples.get(name)?.() ??
    windowSamples(name) ??
    orderingSamples(name) ??
    regionSamples(name)
  );
}

/** Operands of a sample; another seed gives other values of the same types. */
export function drawOperands(sample: Sample, seed = 1): readonly NdArray[] {
  const random = makeRandom(seed);
  return sample.operands.map(({ type, range }) => drawArray(type, range, random));
}

/** A function with the operation of a sample as its body. */
export function sampleFunction(name: string, sample: Sample): Func {
  const types = sample.operands.map((operand) => operand.type);
  return buildFunction(name, types, (b, ...operands) =>
    b.applyAll(primitive(name), operands, sample.attrs, sample.regions),
  );
}

function drawArray(
  { dtype, shape }: TensorType,
  range: readonly [number, number] | undefined,
  random: () => number,
): NdArray {
  const sizes = shape.map((size) => Number(size.key));
  const [low, high] = range ?? [-2, 2];
  const draw = (): number | bigint => {
    const u = random();
    if (dtype === 'bool') return u < 0.5 ? 0 : 1;
    if (isFloat(dtype)) return low + (high - low) * u;
    if (range !== undefined) return Math.floor(low + (high - low + 1) * u);
    return drawInteger(dtype, random);
  };
  return arrayOf(dtype, sizes, Array.from({ length: elementCount(sizes) }, draw));
}

/** Small numbers, any numbers and the ends of the range, in equal parts. */
function drawInteger(dtype: DType, random: () => number): bigint {
  const { min, max } = integerRange(dtype);
  const kind = Math.floor(random() * 3);
  const small = BigInt(Math.floor(random() * 5) - 2);
  if (kind === 0) return small < min ? -small : small;
  const place = BigInt(Math.floor(random() * 2 ** 53));
  if (kind === 1) return min + ((max - min) * place) / 2n ** 53n;
  return [min, max, 0n, 1n][Number(place % 4n)]!;
}

// ---------------------------------------------------------------------------------------------------------
// Element-wise functions

/** Where a function is smooth and its values are moderate. */
const ranges: ReadonlyMap<string, readonly [number, number]> = new Map<
  string,
  readonly [number, number]
>([
  ['log', [0.2, 4]],
  ['log2', [0.2, 4]],
  ['log1p', [-0.7, 3]],
  ['sqrt', [0.2, 4]],
  ['rsqrt', [0.2, 4]],
  ['cbrt', [0.2, 4]],
  ['tan', [-1.2, 1.2]],
  ['asin', [-0.9, 0.9]],
  ['acos', [-0.9, 0.9]],
  ['acosh', [1.2, 4]],
  ['atanh', [-0.9, 0.9]],
  ['erfinv', [-0.9, 0.9]],
  ['lgamma', [0.3, 6]],
  ['digamma', [0.3, 6]],
  ['polygamma', [0.6, 3.4]],
  ['pow', [0.3, 2.5]],
  ['div', [0.5, 2.5]],
  ['rem', [0.5, 2.5]],
  ['floor_div', [0.5, 2.5]],
]);

function elementwiseSamples(name: string): readonly Sample[] {
  const scalar = scalarFunctions.get(name)!;
  const allowed = dtypes.filter((dtype) => isInOperandClass(dtype, scalar.operands));
  const make = (dtype: DType, ...shape: number[]): Sample => {
    const range = isFloat(dtype) ? ranges.get(name) : undefined;
    const operand: SampleOperand = { type: tensor(dtype, ...shape), ...(range && { range }) };
    return {
      label: `${dtype}[${shape.join(', ')}]`,
      dtype,
      operands: Array.from({ length: scalar.arity }, () => operand),
      attrs: {},
    };
  };
  const first = allowed.includes('f32') ? 'f32' : allowed[0]!;
  return [
    ...allowed.map((dtype) => make(dtype, 5, 7)),
    make(first),
    make(first, 0),
    make(first, 3, 0, 2),
  ];
}

// ---------------------------------------------------------------------------------------------------------
// Everything else without regions

const floats = dtypes.filter(isFloat);
const numbers = dtypes.filter((dtype) => dtype !== 'bool');

/** One case in several dtypes. */
function inDTypes(
  list: readonly DType[],
  label: string,
  make: (dtype: DType) => { readonly operands: readonly SampleOperand[]; readonly attrs?: Attrs },
): readonly Sample[] {
  return list.map((dtype) => {
    const { operands, attrs } = make(dtype);
    return { label: `${label}, ${dtype}`, dtype, operands, attrs: attrs ?? {} };
  });
}

function operand(dtype: DType, ...shape: readonly number[]): SampleOperand {
  return { type: tensor(dtype, ...shape) };
}

function ints(...values: readonly number[]): readonly Int[] {
  return values.map(int);
}

/** A view in all dtypes with its first case, and the further cases in f32. */
function viewSamples(
  cases: readonly (readonly [string, readonly number[], Attrs])[],
): readonly Sample[] {
  return cases.flatMap(([label, shape, attrs], i) =>
    inDTypes(i === 0 ? dtypes : ['f32'], label, (dtype) => ({
      operands: [operand(dtype, ...shape)],
      attrs,
    })),
  );
}

function constantSamples(): readonly Sample[] {
  const values = [
    ...dtypes.map((dtype) => [dtype, dtype === 'bool' ? true : isBig(dtype) ? 3n : 3] as const),
    ['f32', -0.1] as const,
    ['f16', 1e6] as const,
    ['f32', Number.NaN] as const,
    ['u8', 255] as const,
  ];
  return values.map(([dtype, value]) => ({
    label: `${String(value)}, ${dtype}`,
    dtype,
    operands: [],
    attrs: { dtype, shape: ints(2, 3), value },
  }));
}

function isBig(dtype: DType): boolean {
  return dtype === 'i64' || dtype === 'u64';
}

function convertSamples(): readonly Sample[] {
  return dtypes.flatMap((from) =>
    dtypes.map((to) => ({
      label: `${from} to ${to}`,
      dtype: from,
      operands: [{ ...operand(from, 4, 5), ...(isFloat(from) && { range: [-300, 300] as const }) }],
      attrs: { dtype: to },
    })),
  );
}

const bitcasts: readonly (readonly [DType, DType])[] = [
  ['f32', 'u32'],
  ['u32', 'f32'],
  ['i32', 'u32'],
  ['f32', 'i32'],
  ['f16', 'u16'],
  ['u16', 'bf16'],
  ['bf16', 'i16'],
  ['i8', 'u8'],
  ['f64', 'u64'],
  ['i64', 'f64'],
];

function reduceSamples(list: readonly DType[]): readonly Sample[] {
  const make = (shape: readonly number[], ...axes: number[]): readonly Sample[] =>
    inDTypes(
      shape.length === 3 && axes[0] === 1 && shape[0] === 2 ? list : [list[0]!],
      `[${shape.join(', ')}] over (${axes.join(', ')})`,
      (dtype) => ({
        operands: [
          {
            ...operand(dtype, ...shape),
            ...(isInteger(dtype) && { range: smallRange(dtype) }),
            // long sums without cancellation, long products that stay finite
            ...(Math.max(0, ...shape) > 100 && { range: [0.97, 1.03] as const }),
          },
        ],
        attrs: { axes },
      }),
    );
  return [
    ...make([2, 5, 3], 1),
    ...make([2, 5, 3], 0),
    ...make([2, 5, 3], 2),
    ...make([4, 3, 2], 0, 2),
    ...make([4, 3, 2], 0, 1, 2),
    ...make([4, 3]),
    ...make([2, 0, 3], 1),
    ...make([2, 0, 3], 0),
    ...make([37], 0),
    ...make([3, 700], 1),
    ...make([700, 3], 0),
  ];
}

function smallRange(dtype: DType): readonly [number, number] {
  return dtype.startsWith('u') ? [0, 5] : [-3, 3];
}

function argReduceSamples(): readonly Sample[] {
  return [
    ...inDTypes(dtypes, 'axis 1', (dtype) => ({
      operands: [operand(dtype, 3, 6)],
      attrs: { axis: 1 },
    })),
    ...inDTypes(['f32'], 'axis 0', () => ({
      operands: [operand('f32', 5, 2)],
      attrs: { axis: 0 },
    })),
    ...inDTypes(['f32'], 'no rows', () => ({
      operands: [operand('f32', 0, 3)],
      attrs: { axis: 1 },
    })),
    ...inDTypes(['i32'], 'ties', () => ({
      operands: [{ ...operand('i32', 4, 9), range: [0, 2] }],
      attrs: { axis: 1 },
    })),
  ];
}

function dotSamples(): readonly Sample[] {
  const make = (
    list: readonly DType[],
    label: string,
    x: readonly number[],
    y: readonly number[],
    contracting: readonly [readonly number[], readonly number[]],
    batch: readonly [readonly number[], readonly number[]] = [[], []],
  ): readonly Sample[] =>
    inDTypes(list, label, (dtype) => {
      const range = isInteger(dtype) ? smallRange(dtype) : ([-1, 1] as const);
      return {
        operands: [
          { ...operand(dtype, ...x), range },
          { ...operand(dtype, ...y), range },
        ],
        attrs: { contracting, batch },
      };
    });
  const f32: readonly DType[] = ['f32'];
  return [
    ...make(numbers, 'matrices', [3, 4], [4, 5], [[1], [0]]),
    ...make(f32, 'both transposed', [4, 3], [5, 4], [[0], [1]]),
    ...make(f32, 'vectors', [6], [6], [[0], [0]]),
    ...make(f32, 'matrix and vector', [3, 6], [6], [[1], [0]]),
    ...make(f32, 'outer product', [3], [2], [[], []]),
    ...make(f32, 'batched', [2, 3, 4], [2, 4, 5], [[2], [1]], [[0], [0]]),
    ...make(f32, 'batch axes elsewhere', [3, 2, 4], [4, 5, 2], [[2], [0]], [[1], [2]]),
    ...make(
      f32,
      'two contracted, crossed',
      [2, 3, 4],
      [4, 5, 2],
      [
        [0, 2],
        [2, 0],
      ],
    ),
    ...make(
      f32,
      'two batch axes, crossed',
      [2, 3, 4],
      [3, 4, 2],
      [[2], [1]],
      [
        [0, 1],
        [2, 0],
      ],
    ),
    ...make(['f32', 'f16', 'bf16'], 'larger', [40, 70], [70, 36], [[1], [0]]),
    ...make(f32, 'nothing to sum', [2, 0], [0, 3], [[1], [0]]),
    ...make(f32, 'no rows', [0, 4], [4, 3], [[1], [0]]),
  ];
}

function gatherSamples(): readonly Sample[] {
  const make = (
    list: readonly DType[],
    label: string,
    x: readonly number[],
    indices: readonly number[],
    axes: readonly number[],
    indexType: DType = 'i32',
  ): readonly Sample[] =>
    inDTypes(list, label, (dtype) => ({
      operands: [
        operand(dtype, ...x),
        ...axes.map((axis) => indexOperand(indexType, indices, x[axis]!)),
      ],
      attrs: { axes },
    }));
  const f32: readonly DType[] = ['f32'];
  return [
    ...make(dtypes, 'rows', [4, 3], [5], [0]),
    ...make(f32, 'columns', [4, 3], [2, 2], [1]),
    ...make(f32, 'elements', [4, 3], [6], [0, 1]),
    ...make(f32, 'axes crossed', [4, 3, 2], [2, 3], [2, 0]),
    ...make(f32, 'one row', [4, 3], [], [0]),
    ...make(f32, 'no index', [4, 3], [0], [0]),
    ...make(f32, 'index i64', [4, 3], [5], [0], 'i64'),
    ...make(f32, 'index u8', [4, 3], [5], [0], 'u8'),
    ...make(f32, 'index i8 of a long axis', [200, 2], [5], [0], 'i8'),
  ];
}

/** Mostly in range, sometimes one past either end. */
function indexOperand(dtype: DType, shape: readonly number[], size: number): SampleOperand {
  return {
    ...operand(dtype, ...shape),
    range: [dtype.startsWith('u') ? 0 : -1, Math.min(size, 100)],
  };
}

function scatterSamples(): readonly Sample[] {
  const make = (
    list: readonly DType[],
    mode: string,
    x: readonly number[],
    indices: readonly number[],
    axes: readonly number[],
  ): readonly Sample[] =>
    inDTypes(
      list,
      `${mode} [${indices.join(', ')}] into [${x.join(', ')}] at (${axes.join(', ')})`,
      (dtype) => {
        const rest = x.filter((_, axis) => !axes.includes(axis));
        const range = isFloat(dtype) ? ([0.3, 1.8] as const) : undefined;
        return {
          operands: [
            { ...operand(dtype, ...x), ...(range && { range }) },
            { ...operand(dtype, ...indices, ...rest), ...(range && { range }) },
            ...axes.map((axis) => indexOperand('i32', indices, x[axis]!)),
          ],
          attrs: { axes, mode },
        };
      },
    );
  const f32: readonly DType[] = ['f32'];
  return ['set', 'add', 'mul', 'min', 'max'].flatMap((mode) => [
    ...make(mode === 'set' ? dtypes : numbers, mode, [4, 3], [6], [0]),
    ...make(f32, mode, [4, 3], [2, 2], [1]),
    ...make(f32, mode, [3, 2], [7], [0, 1]),
    ...make(f32, mode, [4, 3, 2], [2, 3], [2, 0]),
    ...make(f32, mode, [4], [], [0]),
    ...make(f32, mode, [4], [0], [0]),
  ]);
}

function dynamicSamples(): readonly Sample[] {
  return [
    ...inDTypes(dtypes, 'block', (dtype) => ({
      operands: [operand(dtype, 5, 4), start(5), start(4)],
      attrs: { sizes: ints(2, 3) },
    })),
    ...inDTypes(['f32'], 'row', () => ({
      operands: [operand('f32', 5, 4), start(5), start(4)],
      attrs: { sizes: ints(1, 4) },
    })),
    ...inDTypes(['f32'], 'nothing', () => ({
      operands: [operand('f32', 5), start(5)],
      attrs: { sizes: ints(0) },
    })),
    ...inDTypes(['f32'], 'scalar', () => ({ operands: [operand('f32')], attrs: { sizes: [] } })),
  ];
}

function start(size: number): SampleOperand {
  return { ...operand('i32'), range: [-2, size + 1] };
}

function updateSamples(): readonly Sample[] {
  return [
    ...inDTypes(dtypes, 'block', (dtype) => ({
      operands: [operand(dtype, 5, 4), operand(dtype, 2, 3), start(5), start(4)],
    })),
    ...inDTypes(['f32'], 'all', () => ({
      operands: [operand('f32', 3), operand('f32', 3), start(3)],
    })),
    ...inDTypes(['f32'], 'nothing', () => ({
      operands: [operand('f32', 3), operand('f32', 0), start(3)],
    })),
  ];
}

function concatenateSamples(): readonly Sample[] {
  const make = (
    list: readonly DType[],
    axis: number,
    ...shapes: readonly (readonly number[])[]
  ): readonly Sample[] =>
    inDTypes(list, `${shapes.length} along ${axis}`, (dtype) => ({
      operands: shapes.map((shape) => operand(dtype, ...shape)),
      attrs: { axis },
    }));
  return [
    ...make(dtypes, 0, [2, 3], [1, 3]),
    ...make(['f32'], 1, [2, 3], [2, 0], [2, 1], [2, 4]),
    ...make(['f32'], 0, [4]),
  ];
}

function padSamples(): readonly Sample[] {
  const make = (
    list: readonly DType[],
    label: string,
    shape: readonly number[],
    low: readonly number[],
    high: readonly number[],
    interior: readonly number[] = shape.map(() => 0),
  ): readonly Sample[] =>
    inDTypes(list, label, (dtype) => ({
      operands: [operand(dtype, ...shape), operand(dtype)],
      attrs: { low: ints(...low), high: ints(...high), interior: ints(...interior) },
    }));
  return [
    ...make(dtypes, 'around', [2, 3], [1, 0], [2, 1]),
    ...make(['f32'], 'between', [3, 2], [0, 1], [0, 0], [2, 1]),
    ...make(['f32'], 'cropped', [5, 4], [-1, 2], [-2, -1]),
    ...make(['f32'], 'cropped between', [5], [-2], [-1], [1]),
    ...make(['f32'], 'of nothing', [0, 2], [1, 0], [2, 0], [1, 0]),
    ...make(['f32'], 'of a scalar', [], [], []),
  ];
}

const structuralSamples: ReadonlyMap<string, () => readonly Sample[]> = new Map([
  [
    'select',
    () =>
      inDTypes(dtypes, 'by element', (dtype) => ({
        operands: [operand('bool', 4, 3), operand(dtype, 4, 3), operand(dtype, 4, 3)],
      })),
  ],
  [
    'clamp',
    () =>
      inDTypes(numbers, 'by element', (dtype) => ({
        operands: [
          { ...operand(dtype, 4, 3), range: [0, 1] },
          operand(dtype, 4, 3),
          { ...operand(dtype, 4, 3), range: [1, 2] },
        ],
      })),
  ],
  ['convert', convertSamples],
  [
    'bitcast',
    () =>
      bitcasts.map(([from, to]) => ({
        label: `${from} to ${to}`,
        dtype: from,
        operands: [operand(from, 3, 4)],
        attrs: { dtype: to },
      })),
  ],
  ['constant', constantSamples],
  [
    'literal',
    () => [
      {
        label: 'f32',
        dtype: 'f32' as const,
        operands: [],
        attrs: { dtype: 'f32', shape: ints(2, 2), data: Float32Array.of(1, -0.5, 3, 0.25) },
      },
      {
        label: 'i64',
        dtype: 'i64' as const,
        operands: [],
        attrs: { dtype: 'i64', shape: ints(2), data: BigInt64Array.of(-5n, 2n ** 60n) },
      },
    ],
  ],
  [
    'dim_value',
    () =>
      inDTypes(numbers, 'constant', (dtype) => ({ operands: [], attrs: { dim: int(7), dtype } })),
  ],
  [
    'iota',
    () => [
      ...inDTypes(numbers, 'axis 1', (dtype) => ({
        operands: [],
        attrs: { dtype, shape: ints(2, 5), axis: 1 },
      })),
      ...inDTypes(['i32'], 'axis 0', () => ({
        operands: [],
        attrs: { dtype: 'i32', shape: ints(3, 2), axis: 0 },
      })),
    ],
  ],
  [
    'broadcast',
    () =>
      viewSamples([
        ['new axes', [3], { shape: ints(2, 3, 4), axes: [1] }],
        ['size one', [3, 1], { shape: ints(2, 3, 4), axes: [1, 2] }],
        ['scalar', [], { shape: ints(2, 2), axes: [] }],
        ['same', [2, 3], { shape: ints(2, 3), axes: [0, 1] }],
        ['to nothing', [1, 3], { shape: ints(0, 3), axes: [0, 1] }],
      ]),
  ],
  [
    'reshape',
    () =>
      viewSamples([
        ['merge and split', [2, 6, 4], { shape: ints(12, 2, 2) }],
        ['flatten', [3, 4], { shape: ints(12) }],
        ['ones', [3, 1, 4], { shape: ints(1, 3, 4, 1) }],
        ['to scalar', [1, 1], { shape: [] }],
        ['regroup', [4, 6], { shape: ints(3, 8) }],
        ['empty', [0, 3], { shape: ints(3, 0, 2) }],
      ]),
  ],
  [
    'permute',
    () =>
      viewSamples([
        ['rotate', [2, 3, 4], { permutation: [2, 0, 1] }],
        ['swap', [3, 2], { permutation: [1, 0] }],
        ['scalar', [], { permutation: [] }],
      ]),
  ],
  [
    'slice',
    () =>
      viewSamples([
        ['block', [4, 5], { start: ints(1, 0), stop: ints(3, 5), step: ints(1, 1) }],
        ['steps', [7, 8], { start: ints(1, 0), stop: ints(7, 8), step: ints(2, 3) }],
        ['nothing', [4], { start: ints(2), stop: ints(2), step: ints(1) }],
        ['nothing with a step', [4], { start: ints(2), stop: ints(2), step: ints(3) }],
      ]),
  ],
  [
    'reverse',
    () =>
      viewSamples([
        ['one axis', [3, 4], { axes: [1] }],
        ['both', [3, 4], { axes: [0, 1] }],
        ['empty', [0, 2], { axes: [0] }],
      ]),
  ],
  ['pad', padSamples],
  ['concatenate', concatenateSamples],
  ['dynamic_slice', dynamicSamples],
  ['dynamic_update_slice', updateSamples],
  ['gather', gatherSamples],
  ['scatter', scatterSamples],
  ['reduce_sum', () => reduceSamples(['f32', ...numbers.filter((d) => d !== 'f32')])],
  ['reduce_prod', () => reduceSamples(['f32', ...numbers.filter((d) => d !== 'f32')])],
  ['reduce_max', () => reduceSamples(['f32', ...numbers.filter((d) => d !== 'f32')])],
  ['reduce_min', () => reduceSamples(['f32', ...numbers.filter((d) => d !== 'f32')])],
  ['reduce_all', () => reduceSamples(['bool'])],
  ['reduce_any', () => reduceSamples(['bool'])],
  ['argmax', argReduceSamples],
  ['argmin', argReduceSamples],
  ['dot_general', dotSamples],
  [
    'stop_gradient',
    () => inDTypes(floats, 'vector', (dtype) => ({ operands: [operand(dtype, 3)] })),
  ],
  [
    'optimization_barrier',
    () =>
      inDTypes(floats, 'two', (dtype) => ({ operands: [operand(dtype, 3), operand('i32', 2)] })),
  ],
] satisfies readonly (readonly [string, () => readonly Sample[]])[]);
