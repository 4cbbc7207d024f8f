import { expect, test } from 'vitest';
import { runFunction } from '../../test/support/functions.ts';
import { eliminateDeadCode } from '../passes/dead-code.ts';
import { arrayOf, toNumbers } from '../tensor-ir/nd-array.ts';
import { parseFunction } from '../tensor-ir/parse.ts';
import type { Func } from '../tensor-ir/program.ts';
import { linearSplit } from './split.ts';
import { transposeFunction } from './transpose.ts';
import { vjpFunction } from './vjp.ts';

function operationsOf(func: Func, primitive: string) {
  return func.body.filter((op) => op.primitive.name === primitive);
}

test('a split saves what the linear half reads, but repeats constants and views', () => {
  const func = parseFunction(`func f(%0: f32[N], %1: f32, %2: f32[N]) {
  %3 = exp %0 : f32[N]
  %4 = broadcast %1 {shape = [N], axes = ()} : f32[N]
  %5 = constant {dtype = "f32", shape = [N], value = 2} : f32[N]
  %6 = mul %2, %3 : f32[N]
  %7 = mul %6, %4 : f32[N]
  %8 = mul %7, %5 : f32[N]
  return %3, %8
}
`);
  const { known, linear, residuals, isLinearResult } = linearSplit(func, [false, false, true]);
  expect(isLinearResult).toEqual([false, true]);
  // the scalar itself instead of its broadcast, and exp(x)
  expect(residuals.map((v) => v.type.shape.length)).toEqual([0, 1]);
  expect(known.body.map((op) => op.primitive.name)).toEqual(['exp']);
  expect(linear.body.map((op) => op.primitive.name)).toEqual([
    'broadcast',
    'constant',
    'mul',
    'mul',
    'mul',
  ]);
});

test('transposing twice gives the same linear function', () => {
  const func = parseFunction(`func f(%0: f64[2, 3], %1: f64[3]) {
  %2 = dot_general %0, %1 {contracting = ((1), (0)), batch = ((), ())} : f64[2]
  %3 = reduce_sum %1 {axes = (0)} : f64
  %4 = broadcast %3 {shape = [2], axes = ()} : f64[2]
  %5 = sub %2, %4 : f64[2]
  return %5
}
`);
  const transposed = transposeFunction(func, [false, true]);
  const matrix = arrayOf('f64', [2, 3], [1, 2, 3, 4, 5, 6]);
  const [cotangent] = runFunction(transposed, [matrix, arrayOf('f64', [2], [1, 10])]);
  expect(toNumbers(cotangent!)).toEqual([30, 41, 52]);
  const again = transposeFunction(transposed, [false, true]);
  const vector = arrayOf('f64', [3], [1, -1, 2]);
  expect(runFunction(again, [matrix, vector]).map(toNumbers)).toEqual(
    runFunction(func, [matrix, vector]).map(toNumbers),
  );
});

test('a loop stacks one residual a step, reads its sequences again and computes invariants once', () => {
  const func = parseFunction(`func f(%0: f32, %1: f32[N], %2: f32) {
  %3 = scan %0, %1, %2 {carries = 1, sequences = 1, length = int(N), reverse = false} : f32
    region step(%4: i32, %5: f32, %6: f32, %7: f32) {
      %8 = exp %7 : f32
      %9 = mul %5, %8 : f32
      %10 = mul %9, %6 : f32
      %11 = sin %10 : f32
      return %11
    }
  return %3
}
`);
  const backward = eliminateDeadCode(vjpFunction(func, [0]));
  const [forwardLoop, backwardLoop] = operationsOf(backward, 'scan');
  // the final carry, and cos(...) of each step; the sequence is an operand of both loops
  expect(forwardLoop!.results.map((r) => r.type.shape.length)).toEqual([0, 1]);
  expect(backwardLoop!.attrs).toMatchObject({ carries: 1, sequences: 2, reverse: true });
  expect(backwardLoop!.operands).toContain(backward.parameters[1]);
  // exp of the constant in front of the loop for the way back
  expect(operationsOf(backward, 'exp')).toHaveLength(1);
});

test('sides of a branch share the places of their residuals', () => {
  const func = parseFunction(`func f(%0: bool, %1: f32[N]) {
  %2 = cond %0, %1 : f32[N]
    region then(%3: f32[N]) {
      %4 = sin %3 : f32[N]
      return %4
    }
    region otherwise(%5: f32[N]) {
      %6 = exp %5 : f32[N]
      return %6
    }
  return %2
}
`);
  const backward = eliminateDeadCode(vjpFunction(func, [1]));
  const [forwardBranch] = operationsOf(backward, 'cond');
  expect(forwardBranch!.results).toHaveLength(2);
});
