/** Windows and convolutions against JAX, PyTorch and NumPy (tools/goldens/windows.py), derivatives included. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import {
  convGeneral,
  primitive,
  reduceMax,
  reduceWindow,
} from '../../compiler/primitives/registry.ts';
import { constantValue, type Int, int, one, zero } from '../../compiler/symbolic/integer.ts';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attr, Attrs } from '../../compiler/tensor-ir/program.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { expectAllClose } from '../support/all-close.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';
import { countCases } from '../support/oracle-count.ts';
import { makeRandom, randomArray } from '../support/oracles.ts';
import { entryOf } from '../support/run-on-cpu.ts';
import { compileSource, runSource, type TestTensor } from '../support/run-source.ts';

interface PrimitiveCase {
  readonly name: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly operands: readonly TestTensor[];
  readonly tangents: readonly TestTensor[];
  readonly cotangent: TestTensor;
  readonly result: TestTensor;
  readonly jvp: TestTensor;
  readonly vjp: readonly TestTensor[];
}

interface ProgramCase {
  readonly expression: string;
  readonly operands: readonly TestTensor[];
  readonly result: TestTensor;
  readonly cotangent?: TestTensor;
  readonly vjp?: readonly TestTensor[];
}

function readCases<Case>(name: string): readonly Case[] {
  const path = new URL(`../golden/windows/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as readonly Case[];
}

const toArray = ({ dtype, shape, data }: TestTensor): NdArray => arrayOf(dtype, shape, data);

function expectTensors(found: readonly TestTensor[], expected: readonly TestTensor[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => {
    expectAllClose(toArray(x), toArray(expected[i]!), `result ${i}`);
  });
}

/** Padding and groups are Ints, all else plain numbers. */
function readAttrs(attrs: Readonly<Record<string, unknown>>): Attrs {
  const entries = Object.entries(attrs).map(([name, value]): [string, Attr] => {
    if (name === 'groups') return [name, int(value as number)];
    if (name === 'low' || name === 'high') return [name, (value as number[]).map(int)];
    return [name, value as Attr];
  });
  return Object.fromEntries(entries);
}

describe('JAX', () => {
  test.each(readCases<PrimitiveCase>('primitives').map((c, i) => [`${i} ${c.name}`, c] as const))(
    '%s',
    (_, golden) => {
      countCases({ oracle: 'windows: JAX', device: 'evaluator', function: golden.name, cases: 1 });
      const types = golden.operands.map((x) => tensor(x.dtype, ...x.shape));
      const func = buildFunction(golden.name, types, (b, ...operands) =>
        b.applyAll(primitive(golden.name), operands, readAttrs(golden.attrs)),
      );
      const wrt = types.map((_type, i) => i);
      const operands = golden.operands.map(toArray);
      const forward = runFunction(jvpFunction(func, wrt), [
        ...operands,
        ...golden.tangents.map(toArray),
      ]);
      const backward = runFunction(vjpFunction(func, wrt), [
        ...operands,
        toArray(golden.cotangent),
      ]);
      const plain = (x: NdArray): TestTensor => ({ ...x, data: toNumbers(x) });
      expectTensors(forward.map(plain), [golden.result, golden.jvp]);
      expectTensors(backward.map(plain), [golden.result, ...golden.vjp]);
    },
  );
});

describe('PyTorch and NumPy', () => {
  test.each(readCases<ProgramCase>('programs').map((c) => [c.expression, c] as const))(
    '%s of %#',
    (_, golden) => {
      const count = { oracle: 'windows: PyTorch, NumPy', device: 'evaluator', cases: 1 } as const;
      countCases({ ...count, function: golden.expression.replace(/\(.*/, '') });
      const show = ({ dtype, shape }: TestTensor): string => `${dtype}[${shape.join(', ')}]`;
      const names = golden.operands.map((_x, i) => 'abc'[i]!);
      const typed = golden.operands.map((x, i) => `${names[i]}: ${show(x)}`).join(', ');
      const { cotangent, vjp, expression, operands, result } = golden;
      if (cotangent === undefined) {
        const source = `export fn f(${typed}) -> ${show(result)} { ${expression} }`;
        expectTensors(runSource(source, 'f', operands), [result]);
        return;
      }
      const f = `|${names.join(', ')}| ${expression}`;
      const source = `export fn f(${typed}, c: ${show(result)}) { let (y, pull) = vjp(${f}, ${names.join(', ')}); (y, pull(c)) }`;
      expectTensors(runSource(source, 'f', [...operands, cotangent]), [result, ...vjp!]);
    },
  );
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
