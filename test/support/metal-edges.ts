/**
 * What the samples of the registry leave out and a GPU may get wrong: operands that are strided and transposed views, sizes that are
 * symbolic, more than one threadgroup and more rows than a threadgroup has threads, short floats and integers in control flow.
 */
import { scalarFunctions } from '../../compiler/kernel-ir/scalar-functions.ts';
import { permute, primitive, slice } from '../../compiler/primitives/registry.ts';
import {
  constantValue,
  dimVariable,
  evaluate,
  type Int,
  int,
} from '../../compiler/symbolic/integer.ts';
import {
  elementCount,
  makeArray,
  type NdArray,
  setElement,
} from '../../compiler/tensor-ir/nd-array.ts';
import type { Primitive } from '../../compiler/tensor-ir/primitive.ts';
import type { Attr, Attrs, Func, TensorType } from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';
import { buildFunction, tensor } from './functions.ts';
import { regionSamplesIn } from './region-samples.ts';
import {
  drawOperands,
  type Sample,
  type SampleOperand,
  sampleFunction,
  samplesOf,
} from './samples.ts';

export interface EdgeCase {
  readonly label: string;
  readonly func: Func;
  readonly operands: readonly NdArray[];
  readonly dims?: Readonly<Record<string, number>>;
}

// ---------------------------------------------------------------------------------------------------------
// Views

/** The same operation on operands that are every second element, from the second on, of transposed tensors. */
export function onViews(name: string, sample: Sample): EdgeCase {
  const sizes = sample.operands.map(({ type }) => type.shape.map((d) => constantValue(d)!));
  const types = sample.operands.map(({ type }, i) =>
    tensor(type.dtype, ...sizes[i]!.map(doubled).reverse()),
  );
  const func = buildFunction(name, types, (b, ...parameters) => {
    const views = parameters.map((x, i) => {
      const rank = sizes[i]!.length;
      if (rank === 0) return x;
      const permutation = sizes[i]!.map((_, axis) => rank - 1 - axis);
      const turned = b.apply(permute, [x], { permutation });
      const all = (value: (size: number) => number): readonly Int[] =>
        sizes[i]!.map((n) => int(value(n)));
      const bounds = { start: all(() => 1), stop: all((n) => 1 + 2 * n), step: all(() => 2) };
      return b.apply(slice, [turned], bounds);
    });
    return b.applyAll(primitive(name), views, sample.attrs, sample.regions);
  });
  const operands = drawOperands(sample).map((x, i) => spread(x, sizes[i]!));
  return { label: `${name} of views: ${sample.label}`, func, operands };
}

function doubled(size: number): number {
  return 2 * size + 2;
}

/** The tensor of which the view is `x`: repeated elsewhere, so that a wrong place is a wrong element. */
function spread(x: NdArray, sizes: readonly number[]): NdArray {
  const shape = sizes.map(doubled);
  const whole = makeArray(x.dtype, [...shape].reverse());
  const count = elementCount(x.shape);
  if (count === 0) return whole;
  const at = shape.map(() => 0);
  for (let i = 0; i < elementCount(shape); i++) {
    const isInside = at.every((k, axis) => k % 2 === 1 && k < 1 + 2 * sizes[axis]!);
    const from = isInside
      ? at.reduce((sum, k, axis) => sum * sizes[axis]! + (k - 1) / 2, 0)
      : (7 * i + 3) % count;
    const to = at.reduceRight((sum, k, axis) => sum * shape[axis]! + k, 0);
    setElement(whole.data, to, x.data[from]!);
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis]! === shape[axis]; axis--)
      at[axis] = 0;
  }
  return whole;
}

// ---------------------------------------------------------------------------------------------------------
// Symbolic sizes

/** The same operation with a dim for each size of its operands; undefined where the result does not follow from them. */
export function withSymbolicSizes(name: string, sample: Sample): EdgeCase | undefined {
  const dims = new Map<number, Int>();
  const symbolic = (size: Int): Int => {
    const value = constantValue(size);
    if (value === undefined || value <= 1) return size;
    const known = dims.get(value) ?? dimVariable(nameOf(value));
    dims.set(value, known);
    return known;
  };
  const types = sample.operands.map(
    ({ type }): TensorType => ({ ...type, shape: type.shape.map(symbolic) }),
  );
  const attrs: Attrs = Object.fromEntries(
    Object.entries(sample.attrs).map(([key, attr]) => [
      key,
      sizeAttrs.has(key) ? replaced(attr, dims) : attr,
    ]),
  );
  const func = attempt(() => {
    const built = buildFunction(name, types, (b, ...operands) =>
      b.applyAll(primitive(name), operands, attrs),
    );
    verifyFunction(built, 'traced');
    return built;
  });
  if (func === undefined) return undefined;
  const values = new Map([...dims.keys()].map((value) => [nameOf(value), value]));
  // windows longer than their axis: the type of a constant size says that nothing is left, that of a symbolic one does not
  const sizes = func.results.flatMap(({ type }) => type.shape);
  if (sizes.some((size) => evaluate(size, (dim) => values.get(dim)) < 0)) return undefined;
  return {
    label: `${name} of symbolic sizes: ${sample.label}`,
    func,
    operands: drawOperands(sample),
    dims: Object.fromEntries(values),
  };
}

function nameOf(size: number): string {
  return `D${size}`;
}

/** Whether a size can be symbolic at all. */
function hasSizes({ operands, regions }: Sample): boolean {
  const sizes = operands.flatMap(({ type }) => type.shape.map((d) => constantValue(d)!));
  return regions === undefined && sizes.some((size) => size > 1);
}

/** Attrs that hold sizes of their operands or of their result. */
const sizeAttrs = new Set(['shape', 'stop', 'sizes']);

function replaced(attr: Attr, by: ReadonlyMap<number, Int>): Attr {
  if (!Array.isArray(attr)) return attr;
  return (attr as readonly Int[]).map((d) => by.get(constantValue(d) ?? 0) ?? d);
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------------------
// Many elements

/** Odd, more than a thousand rows, more than one threadgroup. */
const long = 1237;

/** Element-wise functions in each dtype, and what reduces, scans, sorts or moves, on more than a threadgroup can hold. */
export function largeSamples(name: string): readonly Sample[] {
  const own = samplesOf(name).filter(({ dtype }) => dtype !== 'f64');
  if (scalarFunctions.has(name)) {
    return own
      .filter(({ operands: [x] }) => x!.type.shape.length === 2)
      .map((sample) => ({
        ...sample,
        label: `${sample.dtype}[${long}]`,
        operands: sample.operands.map((x) => ({ ...x, type: tensor(x.type.dtype, long) })),
      }));
  }
  return largeCases.get(name)?.() ?? [];
}

function large(
  dtypes: readonly SampleOperand['type']['dtype'][],
  shapes: readonly (readonly number[])[],
  attrs: Attrs,
  range: readonly [number, number] = [-1, 1],
  indices: readonly SampleOperand[] = [],
): readonly Sample[] {
  return dtypes.map((dtype) => ({
    label: `${dtype}[${shapes.map((s) => s.join(', ')).join('; ')}], ${JSON.stringify(attrs, (_, v) => v?.key ?? v)}`,
    dtype,
    operands: [...shapes.map((shape) => ({ type: tensor(dtype, ...shape), range })), ...indices],
    attrs,
  }));
}

const tall = [long, 3];
const wide = [3, long];
const mixed = ['f32', 'f16', 'bf16', 'i32', 'u8', 'i64'] as const;
const places: SampleOperand = { type: tensor('i32', long), range: [-5, 44] };

const bothWays = (
  dtypes: typeof mixed | readonly ['f32'] | readonly ['bool'],
  attrs: (axis: number) => Attrs,
  range?: readonly [number, number],
): readonly Sample[] =>
  [tall, wide].flatMap((shape) =>
    [0, 1].flatMap((axis) => large(dtypes, [shape], attrs(axis), range)),
  );

const reduced = (range?: readonly [number, number]) => (): readonly Sample[] => [
  ...bothWays(mixed, (axis) => ({ axes: [axis] }), range),
  ...large(mixed, [[long, 2]], { axes: [0, 1] }, range),
];
const accumulated = (range?: readonly [number, number]) => (): readonly Sample[] =>
  bothWays(mixed, (axis) => ({ axis, reverse: axis === 1 }), range);

const largeCases: ReadonlyMap<string, () => readonly Sample[]> = new Map([
  ['reduce_sum', reduced()],
  ['reduce_max', reduced()],
  ['reduce_min', reduced()],
  ['reduce_prod', reduced([1, 1.0005])],
  ['reduce_all', () => bothWays(['bool'], (axis) => ({ axes: [axis] }))],
  ['reduce_any', () => bothWays(['bool'], (axis) => ({ axes: [axis] }))],
  ['argmax', () => bothWays(mixed, (axis) => ({ axis }))],
  ['argmin', () => bothWays(mixed, (axis) => ({ axis }))],
  ['cumsum', accumulated([0, 1])],
  ['cummax', accumulated()],
  ['cummin', accumulated()],
  ['cumprod', accumulated([1, 1.0005])],
  ['cumlogsumexp', () => bothWays(['f32'], (axis) => ({ axis, reverse: axis === 1 }))],
  ['argsort', () => bothWays(mixed, (axis) => ({ axis, descending: axis === 1 }))],
  ['sort', () => bothWays(['f32'], (axis) => ({ axis, keys: 1, descending: axis === 1 }))],
  ['top_k', () => [...large(['f32', 'i32'], [wide], { axis: 1, k: int(9) })]],
  [
    'dot_general',
    () => [
      ...large(
        ['f32', 'f16', 'bf16', 'i32'],
        [
          [33, 65],
          [65, 17],
        ],
        { contracting: [[1], [0]], batch: [[], []] },
      ),
      ...large(
        ['f32'],
        [
          [65, 33],
          [17, 65],
        ],
        { contracting: [[0], [1]], batch: [[], []] },
      ),
      ...large(
        ['f32', 'f16'],
        [
          [3, 31, 9],
          [3, 9, 37],
        ],
        { contracting: [[2], [1]], batch: [[0], [0]] },
      ),
      ...large(
        ['f32'],
        [
          [long, 2],
          [2, 3],
        ],
        { contracting: [[1], [0]], batch: [[], []] },
      ),
    ],
  ],
  ['gather', () => large(mixed, [[40, 2]], { axes: [0] }, [0, 1], [places])],
  [
    'scatter',
    () =>
      ['set', 'add', 'max'].flatMap((mode) =>
        large(
          mixed,
          [
            [40, 2],
            [long, 2],
          ],
          { axes: [0], mode },
          [0, 1],
          [places],
        ),
      ),
  ],
  ['permute', () => large(mixed, [tall], { permutation: [1, 0] })],
  ['reverse', () => large(mixed, [wide], { axes: [1] })],
  ['concatenate', () => large(mixed, [tall, [5, 3]], { axis: 0 })],
  [
    'pad',
    () =>
      large(mixed, [tall, []], {
        low: [1, 0].map(int),
        high: [0, 2].map(int),
        interior: [1, 0].map(int),
      }),
  ],
]);

// ---------------------------------------------------------------------------------------------------------
// Control flow

/** In short floats, and on vectors of more than one threadgroup. */
export function otherRegionSamples(name: string): readonly Sample[] {
  return [
    ...(['f16', 'bf16'] as const).flatMap((dtype) => regionSamplesIn(dtype, name)),
    ...(isSizeFree(name) ? regionSamplesIn('f32', name, 301) : []),
  ].map((sample) => ({ ...sample, label: `${sample.label}, ${sizeOf(sample)}` }));
}

/** The sequences of `scan` have rows of three. */
function isSizeFree(name: string): boolean {
  return name !== 'scan';
}

function sizeOf({ operands }: Sample): string {
  return operands.map(({ type }) => `[${type.shape.map((d) => d.key).join(', ')}]`).join(' ');
}

/** All cases of a primitive beside its samples; `left` hears of those that cannot be made, with the reason. */
export function edgesOf(
  { name, lower }: Primitive,
  samples: readonly Sample[],
  left: (why: string) => void,
): readonly EdgeCase[] {
  if (lower.kind === 'removed') return [];
  const main = samples.filter((s) => ['f32', 'i32', 'bool'].includes(s.dtype));
  const sized = main.filter(hasSizes);
  const symbolic = sized.flatMap((sample) => withSymbolicSizes(name, sample) ?? []);
  if (symbolic.length < sized.length) {
    left(`${sized.length - symbolic.length} of ${sized.length} samples have no symbolic form`);
  }
  const further = [...largeSamples(name), ...otherRegionSamples(name)];
  return [
    ...main.filter(({ operands }) => operands.length > 0).map((sample) => onViews(name, sample)),
    ...symbolic,
    ...further.map((sample) => ({
      label: `${name}: ${sample.label}`,
      func: sampleFunction(name, sample),
      operands: drawOperands(sample),
    })),
  ];
}
