/** Long rows for cumulative operations and sorting, and derivatives as JAX has them (tools/goldens/ordering.py). */
import { readFileSync } from 'node:fs';
import { primitive } from '../../compiler/primitives/registry.ts';
import { dimVariable, type Int, int } from '../../compiler/symbolic/integer.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attr, Attrs, Func } from '../../compiler/tensor-ir/program.ts';
import { buildFunction } from './functions.ts';
import { makeRandom } from './oracles.ts';

export interface LongCase {
  readonly label: string;
  readonly func: Func;
  readonly operands: readonly NdArray[];
  readonly dims: Readonly<Record<string, number>>;
}

function draw(dtype: DType, shape: readonly number[], low: number, high: number): NdArray {
  const random = makeRandom(elementCount(shape));
  // eighths: long sums of them stay exact
  const isExact = low === -1;
  const values = Array.from({ length: elementCount(shape) }, () => {
    const value = low + (high - low) * random();
    return dtype[0] === 'f' && !isExact ? value : Math.round(8 * value) / (isExact ? 8 : 1);
  });
  return arrayOf(dtype, shape, values);
}

/** Where results stay moderate: factors first. */
const ranges: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  cumprod: [[0.98, 1.02]],
  linear_recurrence: [
    [-0.9, 0.9],
    [-1, 1],
  ],
};

/** `name` applied to tensors of `dtype`; sizes in `shape` that are letters are symbolic. */
export function longCase(
  name: string,
  attrs: Attrs,
  shape: readonly (number | string)[],
  dims: Readonly<Record<string, number>>,
  dtype: DType = 'f32',
): LongCase {
  const sizes: readonly Int[] = shape.map((s) => (typeof s === 'string' ? dimVariable(s) : int(s)));
  const count = name === 'linear_recurrence' ? 2 : 1;
  const types = Array.from({ length: count }, () => ({ dtype, shape: sizes }));
  const known = shape.map((s) => (typeof s === 'string' ? dims[s]! : s));
  const shown = shape.map((s, i) => (typeof s === 'string' ? `${s} = ${known[i]}` : s));
  const words = Object.entries(attrs).map(([key, value]) => `${key} ${showAttr(value)}`);
  const label = `${name} of ${dtype}[${shown.join(', ')}], ${words.join(', ')}`;
  return {
    label,
    dims,
    func: buildFunction(label.replace(/\W+/g, '_'), types, (b, ...xs) =>
      b.applyAll(primitive(name), xs, attrs),
    ),
    operands: types.map((_, i) => {
      const range = dtype[0] === 'f' ? (ranges[name]?.[i] ?? [-1, 1]) : [0, 50];
      return draw(dtype, known, range[0]!, range[1]!);
    }),
  };
}

function showAttr(value: Attr): string {
  return typeof value === 'object' ? 'K' : String(value);
}

export const along = (axis: number, reverse = false): Attrs => ({ axis, reverse });
export const up = (axis: number): Attrs => ({ axis, descending: false });
export const cumulatives: readonly string[] = [
  'cumsum',
  'cumprod',
  'cummax',
  'cumlogsumexp',
  'linear_recurrence',
];

/** In chunks, rows side by side in chunks, both by size and by symbolic size; each also runs on Metal's schedules. */
export const longCases: readonly LongCase[] = [
  ...cumulatives.map((name) => longCase(name, along(0), ['N'], { N: 33_000 })),
  longCase('cumsum', along(0, true), ['N'], { N: 33_000 }),
  longCase('linear_recurrence', along(0), [70_000], {}),
  longCase('cumsum', along(0), ['N'], { N: 5 }),
  longCase('cumsum', along(0), ['N'], { N: 0 }),
  longCase('cummin', along(0), [40_000], {}, 'i64'),
  longCase('cumsum', along(1), ['B', 'N'], { B: 3, N: 700 }),
  longCase('cumsum', along(0), ['N', 'B'], { N: 700, B: 3 }),
  longCase('argsort', up(0), ['N'], { N: 3000 }),
  longCase('argsort', up(0), ['N'], { N: 1 }),
  longCase('argsort', up(0), ['N'], { N: 0 }),
  longCase('argsort', up(1), ['B', 'N'], { B: 3, N: 65 }, 'i32'),
  longCase('argsort', up(0), ['N', 2], { N: 130 }, 'i64'),
  longCase('argsort', { axis: 0, descending: true }, [900], {}, 'u8'),
  longCase('argsort', { axis: 1, descending: true }, [2, 2500], {}, 'i64'),
  longCase('top_k', { axis: 0, k: dimVariable('K') }, ['N'], { N: 50, K: 7 }),
  longCase('sort', { axis: 1, keys: 1, descending: false }, [2, 'N'], { N: 40 }),
];

// ---------------------------------------------------------------------------------------------------------
// Derivatives

export interface Derived {
  readonly text: string;
  readonly at: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly value: number;
  readonly gradient: readonly number[];
  readonly hessian: readonly number[];
}

export const orderingDerivatives: readonly Derived[] = JSON.parse(
  readFileSync(new URL('../golden/ordering/derivatives.json', import.meta.url), 'utf8'),
);

/** Exports `value`, `gradient`, `hessian_of` and `reverse_twice` of an expression of x, weighed by w. */
export function derivedSource(text: string): string {
  return `
fn total(x: f64[5], w: f64[5]) -> f64 { sum(w * ${text}) }
export fn value(x: f64[5], w: f64[5]) -> f64 { total(x, w) }
export fn gradient(x: f64[5], w: f64[5]) -> f64[5] { grad(total)(x, w) }
export fn hessian_of(x: f64[5], w: f64[5]) -> f64[5, 5] { hessian(|x| total(x, w))(x) }
export fn reverse_twice(x: f64[5], w: f64[5]) -> f64[5, 5] { jacrev(grad(|x| total(x, w)))(x) }`;
}
