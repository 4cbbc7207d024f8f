/** Rules on symbolic sizes: types verify, and results are those of the same function with the sizes written in. */
import { expect, test } from 'vitest';
import {
  broadcast,
  concatenate,
  dotGeneral,
  dynamicSlice,
  dynamicUpdateSlice,
  gather,
  pad,
  permute,
  reduceMax,
  reduceSum,
  reshape,
  reverse,
  scatter,
  sin,
  slice,
} from '../../compiler/primitives/registry.ts';
import {
  add,
  dimVariable,
  floordiv,
  type Int,
  int,
  multiply,
  one,
  subtract,
  zero,
} from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func, Value } from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { batchFunction } from '../../compiler/transforms/vmap.ts';
import { expectAllClose } from '../support/all-close.ts';
import { makeRandom, randomArray } from '../support/oracles.ts';

type Body = (b: Builder, x: Value, index: Value, N: Int, M: Int) => Value;

const bodies: readonly (readonly [string, Body])[] = [
  [
    'slice with steps',
    (b, x, _, N, M) =>
      b.apply(slice, [x], { start: [one, zero], stop: [N, M], step: [int(2), int(3)] }),
  ],
  [
    'slice to the middle',
    (b, x, _, N, M) =>
      b.apply(slice, [x], { start: [zero, one], stop: [floordiv(N, int(2)), M], step: [one, one] }),
  ],
  [
    'pad by a dim, between, and crop',
    (b, x, _, N) =>
      b.apply(pad, [x, b.filled({ dtype: 'f64', shape: [] }, 0)], {
        low: [N, int(-1)],
        high: [one, zero],
        interior: [int(2), zero],
      }),
  ],
  [
    'reshape and back',
    (b, x, _, N, M) => {
      const flat = b.apply(reshape, [x], { shape: [multiply(N, M)] });
      return b.apply(reshape, [b.apply(sin, [flat], {})], { shape: [M, N] });
    },
  ],
  [
    'broadcast and permute',
    (b, x, _, N, M) => {
      const wide = b.apply(broadcast, [x], { shape: [N, M, N], axes: [0, 1] });
      return b.apply(permute, [wide], { permutation: [2, 0, 1] });
    },
  ],
  [
    'concatenate and reverse',
    (b, x) => b.apply(reverse, [b.apply(concatenate, [x, x], { axis: 0 })], { axes: [0, 1] }),
  ],
  [
    'reductions',
    (b, x, _, N, M) => {
      const top = b.apply(reduceMax, [x], { axes: [1] });
      const sum = b.apply(reduceSum, [x], { axes: [0] });
      const spread = b.apply(broadcast, [top], { shape: [N, M], axes: [0] });
      return b.sum(spread, b.apply(broadcast, [sum], { shape: [N, M], axes: [1] }));
    },
  ],
  [
    'product with itself',
    (b, x) => b.apply(dotGeneral, [x, x], { contracting: [[1], [1]], batch: [[], []] }),
  ],
  ['gather', (b, x, index) => b.apply(gather, [x, index], { axes: [0] })],
  [
    'scatter',
    (b, x, index) => {
      const rows = b.apply(gather, [x, index], { axes: [0] });
      return b.apply(scatter, [x, rows, index], { axes: [0], mode: 'add' });
    },
  ],
  [
    'dynamic slices',
    (b, x, index, N, M) => {
      const first = { start: [zero], stop: [one], step: [one] };
      const start = b.apply(reshape, [b.apply(slice, [index], first)], { shape: [] });
      const sizes = [floordiv(N, int(2)), subtract(M, one)];
      const block = b.apply(dynamicSlice, [x, start, start], { sizes });
      return b.apply(dynamicUpdateSlice, [x, b.apply(sin, [block], {}), start, start], {});
    },
  ],
];

function build(body: Body, N: Int, M: Int): Func {
  const b = new Builder();
  const x = makeValue({ dtype: 'f64', shape: [N, M] }, 'x');
  const index = makeValue({ dtype: 'i32', shape: [int(3)] }, 'index');
  return b.finish('f', [x, index], [body(b, x, index, N, M)]);
}

const sizes = { N: 5, M: 4, B: 3 };
const dims = new Map(Object.entries(sizes));

/** Runs both functions on the same random arguments, shaped for the second, whose sizes are constants. */
function expectSameMeaning(symbolic: Func, constant: Func): void {
  verifyFunction(symbolic, 'plain');
  const text = printFunction(symbolic);
  expect(printFunction(parseFunction(text))).toBe(text);
  const random = makeRandom(11);
  const args = constant.parameters.map(({ type }) =>
    randomArray({ dtype: type.dtype, shape: type.shape.map((s) => Number(s.key)) }, random),
  );
  const expected = evaluateFunction(constant, args, new Map());
  evaluateFunction(symbolic, args, dims).forEach((found, i) => {
    expectAllClose(found, expected[i]!, `result ${i}`);
  });
}

test.each(bodies)('%s', (_, body) => {
  const symbolic = build(body, dimVariable('N'), dimVariable('M'));
  const constant = build(body, int(sizes.N), int(sizes.M));
  expectSameMeaning(symbolic, constant);
  expectSameMeaning(vjpFunction(symbolic, [0]), vjpFunction(constant, [0]));
  for (const isMapped of [
    [true, false],
    [false, true],
    [true, true],
  ]) {
    const batched = batchFunction(symbolic, isMapped, dimVariable('B')).func;
    expectSameMeaning(batched, batchFunction(constant, isMapped, int(sizes.B)).func);
  }
});

test('sizes of slices and pads cancel', () => {
  const N = dimVariable('N');
  const b = new Builder();
  const x = makeValue({ dtype: 'f32', shape: [N] });
  const half = b.apply(slice, [x], { start: [one], stop: [N], step: [one] });
  const back = b.apply(pad, [half, b.filled({ dtype: 'f32', shape: [] }, 0)], {
    low: [one],
    high: [zero],
    interior: [zero],
  });
  expect(half.type.shape[0]).toBe(add(N, int(-1)));
  expect(back.type.shape[0]).toBe(N);
});
