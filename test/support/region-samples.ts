/** Sample operations of primitives with regions, in f32 and f64 unless another float is asked for. */
import {
  add,
  broadcast,
  convert,
  cos,
  exp,
  lt,
  mul,
  reduceSum,
  scan,
  sin,
} from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import type { Attrs, Func } from '../../compiler/tensor-ir/program.ts';
import { buildFunction, tensor } from './functions.ts';
import type { Sample, SampleOperand } from './samples.ts';

interface Operands {
  readonly vector: SampleOperand;
  readonly scalar: SampleOperand;
}

type Maker = (dtype: DType, operands: Operands) => readonly Omit<Sample, 'dtype'>[];

function sample(
  label: string,
  operands: readonly SampleOperand[],
  attrs: Attrs,
  ...regions: readonly Func[]
): Omit<Sample, 'dtype'> {
  return { label, operands, attrs, regions };
}

function makeSine({ vector }: Operands): Func {
  return buildFunction('sine', [vector.type, vector.type], (b, x, y) => [
    b.apply(mul, [b.apply(sin, [x!], {}), y!], {}),
  ]);
}

const condSamples: Maker = (_, operands) => {
  const { vector } = operands;
  const cosine = buildFunction('cosine', [vector.type, vector.type], (b, x, y) => [
    b.apply(add, [b.apply(cos, [y!], {}), x!], {}),
  ]);
  const condition: SampleOperand = { type: tensor('bool') };
  return [sample('two sides', [condition, vector, vector], {}, makeSine(operands), cosine)];
};

/** Any index: those out of range are clamped. */
const switchSamples: Maker = (_, operands) => {
  const { vector } = operands;
  const index: SampleOperand = { type: tensor('i32'), range: [-2, 5] };
  const first = buildFunction('first', [vector.type, vector.type], (b, x, y) => [
    b.apply(mul, [x!, b.apply(mul, [x!, y!], {})], {}),
  ]);
  const second = buildFunction('second', [vector.type, vector.type], (b, _x, y) => [
    b.apply(exp, [y!], {}),
  ]);
  const branches = [makeSine(operands), first, second, makeSine(operands)];
  const make = (label: string, count: number): Omit<Sample, 'dtype'> =>
    sample(label, [index, vector, vector], {}, ...branches.slice(0, count));
  return [make('four branches', 4), make('three branches', 3), make('one branch', 1)];
};

/** carry (total, row), sequence xs, const w: total += index * sum(x * row); row = sin(row) * w; y = row + x. */
const scanSamples: Maker = (dtype, { vector, scalar }) => {
  const types = [tensor('i32'), scalar.type, vector.type, vector.type, vector.type];
  const step = buildFunction('step', types, (b, index, total, row, x, w) => {
    const sum = b.apply(reduceSum, [b.apply(mul, [x!, row!], {})], { axes: [0] });
    const weight = b.apply(convert, [index!], { dtype });
    return [
      b.apply(add, [total!, b.apply(mul, [sum, weight], {})], {}),
      b.apply(mul, [b.apply(sin, [row!], {}), w!], {}),
      b.apply(add, [row!, x!], {}),
    ];
  });
  const make = (length: number, reverse: boolean): Omit<Sample, 'dtype'> => {
    const xs: SampleOperand = { type: tensor(dtype, length, 3) };
    const attrs = { carries: 2, sequences: 1, length: int(length), reverse };
    const label = `${length} steps${reverse ? ' backwards' : ''}`;
    return sample(label, [scalar, vector, xs, vector], attrs, step);
  };
  return [
    ...[make(4, false), make(4, true), make(1, false), make(0, false), make(0, true)],
    ...bareScans(dtype, { vector, scalar }),
    nestedScan({ vector, scalar }),
  ];
};

/** Without a carry, without sequences and results, and with integers alone in the carry. */
function bareScans(dtype: DType, { vector }: Operands): readonly Omit<Sample, 'dtype'>[] {
  const xs: SampleOperand = { type: tensor(dtype, 3, 3) };
  const count: SampleOperand = { type: tensor('i32'), range: [0, 3] };
  const length = int(3);
  const mapTypes = [tensor('i32'), vector.type, vector.type];
  const map = buildFunction('map', mapTypes, (b, _index, x, w) => [
    b.apply(mul, [b.apply(sin, [x!], {}), w!], {}),
  ]);
  const repeat = buildFunction('repeat', mapTypes, (b, _index, x, w) => [
    b.apply(mul, [b.apply(cos, [x!], {}), w!], {}),
  ]);
  const countTypes = [tensor('i32'), count.type, vector.type];
  const counted = buildFunction('counted', countTypes, (b, index, n, x) => {
    const next = b.apply(add, [n!, index!], {});
    const weight = b.apply(convert, [next], { dtype });
    const all = b.apply(broadcast, [weight], { shape: vector.type.shape, axes: [] });
    return [next, b.apply(mul, [all, b.apply(exp, [x!], {})], {})];
  });
  return [
    sample('no carry', [xs, vector], { carries: 0, sequences: 1, length, reverse: true }, map),
    sample(
      'carry alone',
      [vector, vector],
      { carries: 1, sequences: 0, length, reverse: false },
      repeat,
    ),
    sample(
      'integer carry',
      [count, xs],
      { carries: 1, sequences: 1, length, reverse: false },
      counted,
    ),
  ];
}

/** A loop in a loop: the inner one carries on from the row of the outer one. */
function nestedScan({ vector }: Operands): Omit<Sample, 'dtype'> {
  const types = [tensor('i32'), vector.type, vector.type];
  const inner = buildFunction('inner', types, (b, _index, row, w) => {
    const next = b.apply(mul, [b.apply(sin, [row!], {}), w!], {});
    return [next, next];
  });
  const outer = buildFunction('outer', types, (b, _index, row, w) => {
    const attrs = { carries: 1, sequences: 0, length: int(2), reverse: true };
    const [last, rows] = b.applyAll(scan, [row!, w!], attrs, [inner]);
    const sum = b.apply(reduceSum, [rows!], { axes: [0] });
    return [b.apply(add, [last!, sum], {}), b.apply(exp, [sum], {})];
  });
  const attrs = { carries: 1, sequences: 0, length: int(3), reverse: false };
  return sample('nested', [vector, vector], attrs, outer);
}

/** carry (i, x), const (n, w): while i < n, x = sin(x) * w. */
const whileSamples: Maker = (_, { vector }) => {
  const index: SampleOperand = { type: tensor('i32'), range: [0, 1] };
  const limit: SampleOperand = { type: tensor('i32'), range: [2, 4] };
  const types = [index.type, vector.type, limit.type, vector.type];
  const isBelow = buildFunction('is_below', types, (b, i, _x, n) => [b.apply(lt, [i!, n!], {})]);
  const advance = buildFunction('advance', types, (b, i, x, _n, w) => [
    b.apply(add, [i!, b.filled(i!.type, 1)], {}),
    b.apply(mul, [b.apply(sin, [x!], {}), w!], {}),
  ]);
  return [sample('counted', [index, vector, limit, vector], { carries: 2 }, isBelow, advance)];
};

const customJvpSamples: Maker = (_, { vector }) => {
  const rule = buildFunction('rule', [vector.type, vector.type], (b, x, dx) => {
    const y = b.apply(exp, [x!], {});
    return [y, b.apply(mul, [y, dx!], {})];
  });
  return [sample('exp', [vector], {}, makeExp(vector), rule)];
};

function makeExp(vector: SampleOperand): Func {
  return buildFunction('fun', [vector.type], (b, x) => [b.apply(exp, [x!], {})]);
}

const customVjpSamples: Maker = (_, { vector }) => {
  const fwd = buildFunction('fwd', [vector.type], (b, x) => {
    const y = b.apply(exp, [x!], {});
    return [y, y];
  });
  const bwd = buildFunction('bwd', [vector.type, vector.type], (b, y, ct) => [
    b.apply(mul, [y!, ct!], {}),
  ]);
  const attrs = { arguments: 1, residuals: 1 };
  return [sample('exp', [vector], attrs, makeExp(vector), fwd, bwd)];
};

const checkpointSamples: Maker = (_, operands) => [
  sample('sine', [operands.vector, operands.vector], {}, makeSine(operands)),
];

const callSamples: Maker = (_, operands) => [
  sample('sine', [operands.vector, operands.vector], {}, makeSine(operands)),
];

const makers: ReadonlyMap<string, Maker> = new Map([
  ['call', callSamples],
  ['cond', condSamples],
  ['switch', switchSamples],
  ['while', whileSamples],
  ['scan', scanSamples],
  ['custom_jvp', customJvpSamples],
  ['custom_vjp', customVjpSamples],
  ['checkpoint', checkpointSamples],
]);

/** The samples of a primitive with regions; none when it has none or is expanded by transforms. */
export function regionSamples(name: string): readonly Sample[] {
  return (['f32', 'f64'] as const).flatMap((dtype) => regionSamplesIn(dtype, name));
}

/** The same in another float, of vectors of another length. */
export function regionSamplesIn(dtype: DType, name: string, length = 3): readonly Sample[] {
  const maker = makers.get(name);
  if (maker === undefined) return [];
  const operands = { vector: { type: tensor(dtype, length) }, scalar: { type: tensor(dtype) } };
  return maker(dtype, operands).map((s) => ({ ...s, dtype, label: `${s.label}, ${dtype}` }));
}
