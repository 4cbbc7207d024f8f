/** Indices in narrow integers reach axes whose sizes they cannot hold, on the evaluator and on the CPU. */
import { describe, expect, test } from 'vitest';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { callOnCpu, compileProgramForCpu } from '../support/run-on-cpu.ts';
import { compileSource, runProgram } from '../support/run-source.ts';

const hundreds = Array.from({ length: 200 }, (_, i) => i);
const x = arrayOf('f32', [200], hundreds);
const table = arrayOf('f32', [2, 300], [...hundreds, ...hundreds, ...hundreds]);

const cases: readonly {
  readonly name: string;
  readonly source: string;
  readonly inputs: readonly NdArray[];
  readonly expected: readonly number[];
}[] = [
  {
    name: 'negative i8 in brackets',
    source: 'export fn test(x: f32[200], i: i8[2]) -> f32[2] { x[i] }',
    inputs: [x, arrayOf('i8', [2], [-1, -100])],
    expected: [199, 100],
  },
  {
    name: 'a negative i8 of a size known when called',
    source: 'export fn test(x: f32[N], i: i8) -> f32 { x[i] }',
    inputs: [x, arrayOf('i8', [], [-2])],
    expected: [198],
  },
  {
    name: 'take',
    source: 'export fn test(x: f32[200], i: i8[2]) -> f32[2] { take(x, i) }',
    inputs: [x, arrayOf('i8', [2], [-1, 5])],
    expected: [199, 5],
  },
  {
    name: 'take_along_axis beside a long axis',
    source:
      'export fn test(x: f32[2, 300], i: u8[1, 300]) -> f32[2] { take_along_axis(x, i, axis = 0)[0, 298:] }',
    inputs: [table, arrayOf('u8', [1, 300], new Array(300).fill(1))],
    expected: [198, 199],
  },
  {
    name: 'an update at negative i8',
    source: 'export fn test(x: f32[200], i: i8[1]) -> f32[2] { x.at[i].set(5.0)[198:] }',
    inputs: [x, arrayOf('i8', [1], [-1])],
    expected: [198, 5],
  },
  {
    name: 'updates of 256 places by u8',
    source: 'export fn test(x: u8[4]) -> i32[2] { bincount(x, length = 256)[254:] }',
    inputs: [arrayOf('u8', [4], [0, 255, 254, 255])],
    expected: [1, 2],
  },
  {
    name: 'one_hot of more classes than a u8 counts',
    source: 'export fn test(x: u8[1]) -> i32 { sum(one_hot(x, 300, dtype = i32)) }',
    inputs: [arrayOf('u8', [1], [3])],
    expected: [1],
  },
  {
    name: 'updates of 70000 places by u16',
    source: 'export fn test(x: u16[3]) -> i32 { sum(bincount(x, length = 70000)) }',
    inputs: [arrayOf('u16', [3], [0, 65535, 3])],
    expected: [3],
  },
];

describe.each(cases)('$name', ({ source, inputs, expected }) => {
  test('in the evaluator', () => {
    const [found] = runProgram(
      compileSource(source),
      'test',
      inputs.map((a) => ({ dtype: a.dtype, shape: a.shape, data: toNumbers(a) })),
    );
    expect([...found!.data]).toEqual(expected);
  });

  test('on the CPU', async () => {
    const [entry] = compileSource(source).entries;
    const result = { kind: 'tuple' as const, items: [entry!.result] };
    const program = { stage: 'plain' as const, entries: [{ ...entry!, result }] };
    const { module } = await compileProgramForCpu(program);
    const [found] = callOnCpu(module, 'test', inputs);
    expect(toNumbers(found!)).toEqual(expected);
  });
});
