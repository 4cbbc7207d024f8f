/**
 * Cumulative operations and sorting where the registry's small samples do not reach: long rows, symbolic sizes, derivatives at
 * zeros and ties, second derivatives (JAX's, from tools/goldens/ordering.py).
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { primitive } from '../../compiler/primitives/registry.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attrs } from '../../compiler/tensor-ir/program.ts';
import { printMetal } from '../../compiler/to-metal/print.ts';
import { expectAllClose } from '../support/all-close.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';
import { expectMetal, metalHelper } from '../support/metal-helpers.ts';
import {
  along,
  cumulatives,
  derivedSource,
  type LongCase,
  longCase,
  longCases,
  orderingDerivatives,
  up,
} from '../support/ordering-goldens.ts';
import { type CompiledForCpu, callOnCpu, compileForCpu } from '../support/run-on-cpu.ts';
import { runOnMetal, scheduleForMetal } from '../support/run-on-metal.ts';
import { runSource } from '../support/run-source.ts';

// ---------------------------------------------------------------------------------------------------------
// Long rows and symbolic sizes

const onCpu: readonly LongCase[] = [
  ...longCases,
  ...cumulatives.map((name) => longCase(name, along(0), [100_000], {})),
  longCase('cumsum', along(0), [17_000, 20], {}),
  longCase('linear_recurrence', along(0, true), [17_000, 2, 10], {}),
  longCase('cumlogsumexp', along(1), [2, 40_000], {}),
  longCase('argsort', up(0), [100_000], {}),
  longCase('argsort', { axis: 0, descending: true }, [100_000], {}, 'f64'),
];

let compiled: CompiledForCpu;

beforeAll(async () => {
  compiled = await compileForCpu(onCpu.map(({ func }) => func));
}, 120_000);

function expected({ func, operands, dims }: LongCase): readonly NdArray[] {
  return runFunction(func, operands, dims);
}

test.each(onCpu.map((c) => [c.label, c] as const))('on the CPU: %s', (_, c) => {
  const found = callOnCpu(compiled.module, c.func.name, c.operands, c.dims);
  expected(c).forEach((x, i) => {
    expectAllClose(found[i]!, x, `result ${i}`);
  });
});

test.each(longCases.map((c) => [c.label, c] as const))('on Metal: %s', (_, c) => {
  const found = runOnMetal(c.func, c.operands, c.dims);
  expected(c).forEach((x, i) => {
    // long sums and products of f32
    expectAllClose(found[i]!, x, `result ${i}`, x.dtype === 'f32' ? 1e-5 : 0);
  });
});

test('the kernels of long rows pass the strict check as Metal', async () => {
  const { kernels } = scheduleForMetal(longCases.map(({ func }) => func));
  await expectMetal(new Map([['ordering', printMetal(kernels, metalHelper)]]));
});

test('operands are computed where they are read: no kernel and no memory of their own', () => {
  const type = tensor('f32', 64, 300);
  const countOf = (name: string, attrs: Attrs): number => {
    const func = buildFunction('test', [type], (b, x) => [
      b.apply(primitive(name), [b.apply(primitive('exp'), [x], {})], attrs),
    ]);
    return scheduleForMetal([func]).kernels.length;
  };
  expect(countOf('cumsum', along(1))).toBe(1);
  expect(countOf('argsort', up(1))).toBe(1);
});

test('equal elements keep their order in a long row, up and down', () => {
  const long = onCpu.find(({ label }) => label.startsWith('argsort of u8'))!;
  const [x] = long.operands;
  const [order] = callOnCpu(compiled.module, long.func.name, long.operands);
  for (let i = 1; i < order!.data.length; i++) {
    const [before, after] = [order!.data[i - 1] as number, order!.data[i] as number];
    const [p, q] = [x!.data[before] as number, x!.data[after] as number];
    expect(p > q || (p === q && before < after), `${before}, ${after}`).toBe(true);
  }
});

// ---------------------------------------------------------------------------------------------------------
// Derivatives

function expectNear(found: readonly number[], wanted: readonly number[], what: string): void {
  const scale = Math.max(1, ...wanted.map(Math.abs));
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs(found[i]! - value), `${what} ${i}: ${found[i]}, not ${value}`).toBeLessThan(
      1e-12 * scale,
    );
  });
}

describe('derivatives as in JAX', () => {
  test.each(orderingDerivatives)('$text at $at', ({ text, x, w, value, gradient, hessian }) => {
    const source = derivedSource(text);
    const inputs = [x, w].map((data) => ({ dtype: 'f64' as const, shape: [5], data }));
    const run = (name: string): readonly number[] => runSource(source, name, inputs)[0]!.data;
    expectNear(run('value'), [value], 'value');
    expectNear(run('gradient'), gradient, 'gradient');
    expectNear(run('hessian_of'), hessian, 'hessian');
    expectNear(run('reverse_twice'), hessian, 'jacobian of the gradient');
  });
});

describe('where a derivative is a convention', () => {
  const gradientOf = (text: string, x: readonly number[]): readonly number[] =>
    runSource(
      `export fn test(x: f32[N]) -> f32[N] { grad(|x| sum(arange(1, N + 1, dtype = f32) * ${text}))(x) }`,
      'test',
      [{ dtype: 'f32', shape: [x.length], data: x }],
    )[0]!.data;

  test('elements equal to the running maximum share its cotangent equally', () => {
    // results: x0; (x0 + x1)/2; (x0 + x1 + x2)/3; x3, with cotangents 1, 2, 3, 4
    expect(gradientOf('cummax(x)', [1, 1, 1, 2])).toEqual([3, 2, 1, 4]);
    expect(gradientOf('cummin(x, reverse = true)', [0, 1, 1])).toEqual([1, 1, 4]);
  });

  test('sorting moves cotangents of equal elements in their stable order', () => {
    expect(gradientOf('sort(x)', [2, 1, 2, 1])).toEqual([3, 1, 4, 2]);
    expect(gradientOf('sort(x, descending = true)', [2, 1, 2, 1])).toEqual([1, 3, 2, 4]);
  });

  test('zeros, infinities and masked beginnings spoil nothing', () => {
    expect(gradientOf('cumprod(x)', [0, 0, 0])).toEqual([1, 0, 0]);
    expect(gradientOf('cumprod(x)', [Infinity, 0, 1])[0]).toBe(1);
    for (const x of [
      [-Infinity, -Infinity, 1],
      [1, -Infinity, 2],
      [-Infinity, 3, -Infinity],
    ]) {
      expect(gradientOf('logcumsumexp(x)', x).every(Number.isFinite), `${x}`).toBe(true);
    }
  });
});

// ---------------------------------------------------------------------------------------------------------
// The functions of the prelude

describe('the prelude', () => {
  const x = { dtype: 'f32' as const, shape: [2, 3], data: [3, 1, 2, -1, 5, 0] };
  const evaluated = (result: string, body: string): (readonly number[])[] =>
    runSource(`export fn test(x: f32[2, 3]) -> ${result} { ${body} }`, 'test', [x]).map(
      (t) => t.data,
    );

  test('axes count from the end; without one all elements are taken in row-major order', () => {
    expect(evaluated('f32[2, 3]', 'sort(x)')).toEqual([[1, 2, 3, -1, 0, 5]]);
    expect(evaluated('f32[2, 3]', 'sort(x, axis = 0, descending = true)')).toEqual([
      [3, 5, 2, -1, 1, 0],
    ]);
    expect(evaluated('i32[6]', 'argsort(x, axis = none)')).toEqual([[3, 5, 1, 2, 0, 4]]);
    expect(evaluated('f32[6]', 'cumsum(x)')).toEqual([[3, 4, 6, 5, 10, 10]]);
    expect(evaluated('f32[2, 3]', 'cummax(x, axis = -1, reverse = true)')).toEqual([
      [3, 2, 2, 5, 5, 0],
    ]);
    expect(evaluated('i32[2, 3]', 'cumsum(x > 0, axis = 1)')).toEqual([[1, 2, 3, 0, 1, 1]]);
  });

  test('several keys: the first counts most for `sort_by`, the last for `lexsort`', () => {
    const keys = 'array([1, 0, 1, 0]), array([2.0, 3.0, 1.0, 0.0])';
    const values = 'arange(4)';
    expect(
      evaluated(
        '((i32[4], f32[4]), (i32[4], i32[4]))',
        `sort_by((${keys}), (${values}, 10 * ${values}))`,
      ),
    ).toEqual([
      [0, 0, 1, 1],
      [0, 3, 1, 2],
      [3, 1, 2, 0],
      [30, 10, 20, 0],
    ]);
    expect(evaluated('i32[4]', `lexsort((${keys}))`)).toEqual([[3, 2, 0, 1]]);
  });

  test('top_k and partition check what they are asked for', () => {
    expect(evaluated('(f32[2, 2], i32[2, 2])', 'top_k(x, 2)')).toEqual([
      [3, 2, 5, 0],
      [0, 2, 1, 2],
    ]);
    expect(evaluated('f32[2, 3]', 'partition(x, -1)')[0]![2]).toBe(3);
    expect(() => evaluated('(f32[2, 4], i32[2, 4])', 'top_k(x, 4)')).toThrow(/k = 4 must be/);
    expect(() => evaluated('f32[2, 3]', 'partition(x, 3)')).toThrow(/kth = 3 must be/);
    expect(() => evaluated('(f32[2, 3], f32[3])', 'sort_by(x, x[0])')).toThrow(/different rank/);
    expect(() => evaluated('f32', 'sort(x[0, 0])')).toThrow(/axis/);
    expect(() => evaluated('i32[2, 3]', 'logcumsumexp(i32(x), axis = 0)')).toThrow(/needs floats/);
  });
});
