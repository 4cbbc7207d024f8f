/** Windows and convolutions against JAX, PyTorch and NumPy (tools/goldens/windows.py), derivatives included. */
import { describe, expect, test } from 'vitest';
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import { convGeneral, reduceMax, reduceWindow } from '../../compiler/primitives/registry.ts';
import { constantValue, type Int, int, one, zero } from '../../compiler/symbolic/integer.ts';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { expectAllClose } from '../support/all-close.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';
import { countCases } from '../support/oracle-count.ts';
import { makeRandom, randomArray } from '../support/oracles.ts';
import { entryOf } from '../support/run-on-cpu.ts';
import { compileSource, runSource, type TestTensor } from '../support/run-source.ts';
import { windowPrimitives, windowPrograms } from '../support/window-goldens.ts';

const toArray = ({ dtype, shape, data }: TestTensor): NdArray => arrayOf(dtype, shape, data);

function expectTensors(found: readonly TestTensor[], expected: readonly TestTensor[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => {
    expectAllClose(toArray(x), toArray(expected[i]!), `result ${i}`);
  });
}

describe('JAX', () => {
  test.each(windowPrimitives())('$label', ({ function: name, callee, operands, results }) => {
    countCases({ oracle: 'windows: JAX', device: 'evaluator', function: name, cases: 1 });
    const found = runFunction(callee, operands.map(toArray));
    expectTensors(
      found.map((x) => ({ ...x, data: toNumbers(x) })),
      results,
    );
  });
});

describe('PyTorch and NumPy', () => {
  test.each(windowPrograms())('$label', ({ function: name, callee, operands, results }) => {
    const count = { oracle: 'windows: PyTorch, NumPy', device: 'evaluator', cases: 1 } as const;
    countCases({ ...count, function: name });
    expectTensors(runSource(callee, 'f', operands), results);
  });
});

test('equal extrema of a window share the gradient, as in reduce_max', () => {
  const x = arrayOf('f64', [4], [3, 1, 3, 3]);
  const whole = buildFunction('whole', [tensor('f64', 4)], (b, v) => [
    b.apply(reduceMax, [v!], { axes: [0] }),
  ]);
  const windowed = buildFunction('windowed', [tensor('f64', 4)], (b, v) => [
    b.apply(reduceWindow, [v!], {
      monoid: 'max',
      window: [4],
      stride: [1],
      dilation: [1],
      inputDilation: [1],
      low: [zero],
      high: [zero],
    }),
  ]);
  const [, ofWhole] = runFunction(vjpFunction(whole, [0]), [x, arrayOf('f64', [], [1])]);
  const [, ofWindow] = runFunction(vjpFunction(windowed, [0]), [x, arrayOf('f64', [1], [1])]);
  expect(toNumbers(ofWindow!)).toEqual(toNumbers(ofWhole!));
  expect(toNumbers(ofWindow!)).toEqual([1 / 3, 0, 1 / 3, 1 / 3]);
});

const plainWindows = {
  stride: [1],
  inputDilation: [1],
  kernelDilation: [1],
  groups: one,
  flip: false,
};

test('padding times an infinite weight is NaN, in the evaluator as in what it expands to', () => {
  const f = buildFunction('f', [tensor('f32', 1, 3, 1), tensor('f32', 1, 3, 1)], (b, x, w) => [
    b.apply(convGeneral, [x!, w!], { ...plainWindows, low: [one], high: [zero] }),
  ]);
  const args = [arrayOf('f32', [1, 3, 1], [1, 2, 3]), arrayOf('f32', [1, 3, 1], [Infinity, 1, 1])];
  const expanded = expandComposites.run({ stage: 'plain', entries: [entryOf(f)] }).entries[0]!.func;
  for (const func of [f, expanded]) {
    expect(toNumbers(runFunction(func, args)[0]!)).toEqual([NaN, Infinity]);
  }
});

test.each([
  ['stride 2', [2, 7, 6, 3], [4, 3, 3, 3], [2, 2], [1, 0], 1],
  ['stride 2, kernels of one element', [1, 5, 4, 2], [3, 1, 1, 2], [2, 2], [0, 0], 1],
  ['patches', [1, 8, 8, 2], [3, 4, 4, 2], [4, 4], [0, 0], 1],
  ['stride 3 and 1, groups', [1, 8, 5, 4], [6, 4, 2, 2], [3, 1], [2, 1], 2],
  ['depthwise', [1, 6, 6, 3], [3, 3, 3, 1], [2, 2], [1, 1], 3],
] as const)(
  'input gradients of strided convolutions multiply no zeros: %s',
  (_, shape, kernel, stride, low, groups) => {
    const types = [tensor('f32', ...shape), tensor('f32', ...kernel)];
    const conv = buildFunction('conv', types, (b, x, w) => [
      b.apply(convGeneral, [x!, w!], {
        ...plainWindows,
        stride,
        low: low.map(int),
        high: low.map(int),
        inputDilation: [1, 1],
        kernelDilation: [1, 1],
        groups: int(groups),
      }),
    ]);
    const gradient = vjpFunction(conv, [0]);
    const args = gradient.parameters.map(({ type }, i) =>
      randomArray(
        { dtype: type.dtype, shape: type.shape.map((d) => constantValue(d)!) },
        makeRandom(i + 1),
      ),
    );
    const expanded = expandComposites.run({ stage: 'plain', entries: [entryOf(gradient)] });
    const { func } = expanded.entries[0]!;
    const found = runFunction(func, args);
    runFunction(gradient, args).forEach((expected, i) => {
      expectAllClose(found[i]!, expected, `result ${i}`);
    });
    // nothing is put between the elements of the cotangent
    const interiors = func.body.flatMap((op) => (op.attrs['interior'] as readonly Int[]) ?? []);
    expect(interiors.every((n) => n === zero)).toBe(true);
  },
);

describe('sizes', () => {
  const image = 'x: f32[B, H, W, 3], w: f32[8, 3, 3, 3]';

  test.each([
    ['conv2d(x, w)', 'f32[B, H - 2, W - 2, 8]'],
    ['conv2d(x, w, padding = 1)', 'f32[B, H, W, 8]'],
    ['conv2d(x, w, 2, 1)', 'f32[B, ceildiv(H, 2), ceildiv(W, 2), 8]'],
    ['conv2d(x, w, 2, "same")', 'f32[B, ceildiv(H, 2), ceildiv(W, 2), 8]'],
    ['conv_transpose2d(x, w, 2, 1, output_padding = 1)', 'f32[B, 2*H, 2*W, 8]'],
    ['max_pool(x, 2)', 'f32[B, floordiv(H, 2), floordiv(W, 2), 3]'],
    ['sliding_window_view(x, 5, axis = 1)', 'f32[B, H - 4, W, 3, 5]'],
    ['grad(|x| sum(conv2d(x, w, 2, 1)))(x)', 'f32[B, H, W, 3]'],
    ['vmap(|x| grad(|w| sum(conv2d(x[none], w, 2, 1)))(w))(x)', 'f32[B, 8, 3, 3, 3]'],
  ])('%s: %s', (expression, type) => {
    const source = `export fn f<B, H, W>(${image}) -> ${type} { ${expression} }`;
    expect(compileSource(source).entries).toHaveLength(1);
  });

  test('an axis too short for a window is found when calling', () => {
    const source = `export fn f<N>(x: f32[1, N, 2], w: f32[1, 3, 2]) { conv1d(x, w) }`;
    const [entry] = compileSource(source).entries;
    expect(entry!.guards.map((g) => g.message)).toContain(
      'a window of 3 elements must fit on an axis of N',
    );
  });
});
