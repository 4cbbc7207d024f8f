/** Where a derivative does not exist, ours is the one that language.md fixes. */
import { describe, expect, test } from 'vitest';
import {
  abs,
  max,
  min,
  pow,
  reduceMax,
  reduceMin,
  reduceProd,
  scatter,
  sign,
} from '../../compiler/primitives/registry.ts';
import type { Builder } from '../../compiler/tensor-ir/builder.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';

function gradients(func: Func, ...args: readonly (readonly number[])[]): readonly number[][] {
  const operands = args.map((x, i) => toArray(func.parameters[i]!.type, x));
  const wrt = operands.map((_, i) => i);
  const result = func.results[0]!.type;
  const count = result.shape.reduce((n, size) => n * Number(size.key), 1);
  const cotangent = toArray(result, new Array<number>(count).fill(1));
  const outputs = runFunction(vjpFunction(func, wrt), [...operands, cotangent]);
  return outputs.slice(1).map(toNumbers);
}

function toArray(type: TensorType, values: readonly number[]) {
  return arrayOf(
    type.dtype,
    type.shape.map((size) => Number(size.key)),
    values,
  );
}

function ofVectors(size: number, build: (b: Builder, x: Value, y: Value) => Value): Func {
  const type = tensor('f64', size);
  return buildFunction('f', [type, type], (b, x, y) => [build(b, x!, y!)]);
}

function ofVector(size: number, build: (b: Builder, x: Value) => Value): Func {
  return buildFunction('f', [tensor('f64', size)], (b, x) => [build(b, x!)]);
}

describe('ties', () => {
  test('max and min give each operand half', () => {
    const greater = ofVectors(3, (b, x, y) => b.apply(max, [x, y], {}));
    expect(gradients(greater, [1, 2, 3], [2, 2, 2])).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    const less = ofVectors(3, (b, x, y) => b.apply(min, [x, y], {}));
    expect(gradients(less, [1, 2, 3], [2, 2, 2])).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 1],
    ]);
  });

  test('reduce_max and reduce_min share equally', () => {
    const top = ofVector(4, (b, x) => b.apply(reduceMax, [x], { axes: [0] }));
    expect(gradients(top, [3, 1, 3, 2])).toEqual([[0.5, 0, 0.5, 0]]);
    expect(gradients(top, [7, 7, 7, 7])).toEqual([[0.25, 0.25, 0.25, 0.25]]);
    const bottom = ofVector(4, (b, x) => b.apply(reduceMin, [x], { axes: [0] }));
    expect(gradients(bottom, [3, 1, 1, 2])).toEqual([[0, 0.5, 0.5, 0]]);
  });

  test('scatter with max shares between what was there and what comes', () => {
    const types = [tensor('f64', 2), tensor('f64', 3)];
    const func = buildFunction('f', types, (b, x, update) => {
      const index = b.filled(tensor('i32', 3), 0);
      return [b.apply(scatter, [x!, update!, index], { axes: [0], mode: 'max' })];
    });
    expect(gradients(func, [5, 1], [5, 4, 5])).toEqual([
      [1 / 3, 1],
      [1 / 3, 0, 1 / 3],
    ]);
  });
});

describe('corners', () => {
  test('abs and sign have derivative 0 at 0', () => {
    expect(
      gradients(
        ofVector(3, (b, x) => b.apply(abs, [x], {})),
        [-2, 0, 2],
      ),
    ).toEqual([[-1, 0, 1]]);
    expect(
      gradients(
        ofVector(3, (b, x) => b.apply(sign, [x], {})),
        [-2, 0, 2],
      ),
    ).toEqual([[0, 0, 0]]);
  });

  test('relu, as max(x, 0), passes half at 0; as select it passes nothing', () => {
    const relu = ofVector(3, (b, x) => b.apply(max, [x, b.filled(x.type, 0)], {}));
    expect(gradients(relu, [-1, 0, 1])).toEqual([[0, 0.5, 1]]);
  });

  test('x ** 0 and x ** 1 at 0', () => {
    const power = ofVectors(3, (b, x, y) => b.apply(pow, [x, y], {}));
    expect(gradients(power, [0, 0, 0], [0, 1, 2])[0]).toEqual([0, 1, 0]);
  });

  test('a product with zeros', () => {
    const product = ofVector(3, (b, x) => b.apply(reduceProd, [x], { axes: [0] }));
    expect(gradients(product, [2, 3, 4])).toEqual([[12, 8, 6]]);
    expect(gradients(product, [2, 0, 4])).toEqual([[0, 8, 0]]);
    expect(gradients(product, [0, 0, 4])).toEqual([[0, 0, 0]]);
  });
});

describe('scatter', () => {
  test('set passes the cotangent to the last update of each place, and only in range', () => {
    const types = [tensor('f64', 3), tensor('f64', 4)];
    const func = buildFunction('f', types, (b, x, update) => {
      const index = b.apply(
        scatter,
        [b.filled(tensor('i32', 4), 1), b.filled(tensor('i32'), 7), b.filled(tensor('i32'), 2)],
        { axes: [0], mode: 'set' },
      );
      return [b.apply(scatter, [x!, update!, index], { axes: [0], mode: 'set' })];
    });
    // indices 1, 1, 7, 1
    expect(gradients(func, [1, 2, 3], [4, 5, 6, 7])).toEqual([
      [1, 0, 1],
      [0, 0, 0, 1],
    ]);
  });

  test('mul with repeated places and zeros', () => {
    const types = [tensor('f64', 1), tensor('f64', 3)];
    const func = buildFunction('f', types, (b, x, update) => {
      const index = b.filled(tensor('i32', 3), 0);
      return [b.apply(scatter, [x!, update!, index], { axes: [0], mode: 'mul' })];
    });
    expect(gradients(func, [2], [3, 4, 5])).toEqual([[60], [40, 30, 24]]);
    expect(gradients(func, [2], [3, 0, 5])).toEqual([[0], [0, 30, 0]]);
    expect(gradients(func, [0], [3, 4, 5])).toEqual([[60], [0, 0, 0]]);
  });
});

test('exact precision keeps doubles whatever the dtype', () => {
  const func = buildFunction('f', [tensor('bf16')], (b, x) => [b.sum(x!, x!)]);
  const x = { dtype: 'bf16' as const, shape: [], data: Float64Array.of(0.1) };
  expect(toNumbers(evaluateFunction(func, [x], new Map(), { precision: 'exact' })[0]!)).toEqual([
    0.2,
  ]);
  expect(toNumbers(evaluateFunction(func, [x], new Map())[0]!)).toEqual([0.2001953125]);
});
