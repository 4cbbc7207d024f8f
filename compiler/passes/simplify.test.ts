import { expect, test } from 'vitest';
import { parseFunction } from '../tensor-ir/parse.ts';
import { printFunction } from '../tensor-ir/print.ts';
import { verifyFunction } from '../tensor-ir/verify.ts';
import { eliminateDeadCode } from './dead-code.ts';
import { simplifyFunction } from './simplify.ts';

/** A function of IR text: parameters, then lines, of which the last is the result. */
function func(parameters: string, lines: readonly string[]): string {
  const body = lines.map((line) => `  ${line}\n`).join('');
  return `func f(${parameters}) {\n${body}}\n`;
}

interface Case {
  readonly name: string;
  readonly parameters: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const x = '%0: f32[B, 4]';
const shape = 'f32[B, 4]';

function constant(value: string, type = shape): string {
  const [, dtype, sizes] = /^(\w+)(?:\[(.*)\])?$/.exec(type)!;
  return `constant {dtype = "${dtype}", shape = [${sizes ?? ''}], value = ${value}} : ${type}`;
}

const cases: readonly Case[] = [
  {
    name: 'a known dim is a constant',
    parameters: 'none',
    before: ['%0 = dim_value {dim = int(12), dtype = "f32"} : f32', 'return %0'],
    after: [`%0 = ${constant('12', 'f32')}`, 'return %0'],
  },
  {
    name: 'a dim converted is a dim in that dtype',
    parameters: 'none',
    before: [
      '%0 = dim_value {dim = int(B), dtype = "i32"} : i32',
      '%1 = convert %0 {dtype = "f32"} : f32',
      'return %1',
    ],
    after: ['%0 = dim_value {dim = int(B), dtype = "f32"} : f32', 'return %0'],
  },
  {
    name: 'x + 0 is x',
    parameters: x,
    before: [`%1 = ${constant('0')}`, `%2 = add %0, %1 : ${shape}`, 'return %2'],
    after: ['return %0'],
  },
  {
    name: 'float x * 0 stays: NaN * 0 is NaN',
    parameters: x,
    before: [`%1 = ${constant('0')}`, `%2 = mul %0, %1 : ${shape}`, 'return %2'],
    after: [`%1 = ${constant('0')}`, `%2 = mul %0, %1 : ${shape}`, 'return %2'],
  },
  {
    name: 'a power of two divides exactly',
    parameters: x,
    before: [`%1 = ${constant('8')}`, `%2 = div %0, %1 : ${shape}`, 'return %2'],
    after: [`%1 = ${constant('0.125')}`, `%2 = mul %0, %1 : ${shape}`, 'return %2'],
  },
  {
    name: 'another divisor stays',
    parameters: x,
    before: [`%1 = ${constant('10')}`, `%2 = div %0, %1 : ${shape}`, 'return %2'],
    after: [`%1 = ${constant('10')}`, `%2 = div %0, %1 : ${shape}`, 'return %2'],
  },
  {
    name: 'signs of quotients move outward and meet an addition',
    parameters: `${x}, %1: f32[B, 4]`,
    before: [
      `%2 = neg %1 : ${shape}`,
      `%3 = div %0, %2 : ${shape}`,
      `%4 = add %0, %3 : ${shape}`,
      'return %4',
    ],
    after: [`%2 = div %0, %1 : ${shape}`, `%3 = sub %0, %2 : ${shape}`, 'return %3'],
  },
  {
    name: 'a square root by exponent, where the base is a square',
    parameters: x,
    before: [
      `%1 = mul %0, %0 : ${shape}`,
      `%2 = ${constant('0.5')}`,
      `%3 = pow %1, %2 : ${shape}`,
      'return %3',
    ],
    after: [`%1 = mul %0, %0 : ${shape}`, `%2 = sqrt %1 : ${shape}`, 'return %2'],
  },
  {
    name: 'but not where the base may be negative',
    parameters: x,
    before: [`%1 = ${constant('0.5')}`, `%2 = pow %0, %1 : ${shape}`, 'return %2'],
    after: [`%1 = ${constant('0.5')}`, `%2 = pow %0, %1 : ${shape}`, 'return %2'],
  },
  {
    name: 'widening and back is nothing',
    parameters: '%0: f16[B]',
    before: [
      '%1 = convert %0 {dtype = "f32"} : f32[B]',
      '%2 = convert %1 {dtype = "f16"} : f16[B]',
      'return %2',
    ],
    after: ['return %0'],
  },
  {
    name: 'through a float an integer saturates: that is not the conversion that wraps',
    parameters: '%0: u8[B]',
    before: [
      '%1 = convert %0 {dtype = "f32"} : f32[B]',
      '%2 = convert %1 {dtype = "i8"} : i8[B]',
      'return %2',
    ],
    after: [
      '%1 = convert %0 {dtype = "f32"} : f32[B]',
      '%2 = convert %1 {dtype = "i8"} : i8[B]',
      'return %2',
    ],
  },
  {
    name: 'narrowing and back rounds',
    parameters: '%0: f32[B]',
    before: [
      '%1 = convert %0 {dtype = "f16"} : f16[B]',
      '%2 = convert %1 {dtype = "f32"} : f32[B]',
      'return %2',
    ],
    after: [
      '%1 = convert %0 {dtype = "f16"} : f16[B]',
      '%2 = convert %1 {dtype = "f32"} : f32[B]',
      'return %2',
    ],
  },
  {
    name: 'a statistic kept with a unit axis is broadcast as it is',
    parameters: '%0: f32[B]',
    before: [
      '%1 = reshape %0 {shape = [B, 1]} : f32[B, 1]',
      '%2 = broadcast %1 {shape = [B, 4], axes = (0, 1)} : f32[B, 4]',
      'return %2',
    ],
    after: ['%1 = broadcast %0 {shape = [B, 4], axes = (0)} : f32[B, 4]', 'return %1'],
  },
  {
    name: 'arithmetic of broadcasts happens before they grow',
    parameters: '%0: f32[B]',
    before: [
      '%1 = broadcast %0 {shape = [B, 4], axes = (0)} : f32[B, 4]',
      `%2 = ${constant('2')}`,
      `%3 = mul %1, %2 : ${shape}`,
      `%4 = exp %3 : ${shape}`,
      'return %4',
    ],
    after: [
      `%1 = ${constant('2', 'f32[B]')}`,
      '%2 = mul %0, %1 : f32[B]',
      '%3 = exp %2 : f32[B]',
      '%4 = broadcast %3 {shape = [B, 4], axes = (0)} : f32[B, 4]',
      'return %4',
    ],
  },
  {
    name: 'slices compose',
    parameters: '%0: f32[100]',
    before: [
      '%1 = slice %0 {start = [10], stop = [90], step = [1]} : f32[80]',
      '%2 = slice %1 {start = [5], stop = [25], step = [2]} : f32[10]',
      'return %2',
    ],
    after: ['%1 = slice %0 {start = [15], stop = [35], step = [2]} : f32[10]', 'return %1'],
  },
  {
    name: 'padding by nothing is nothing',
    parameters: '%0: f32[B], %1: f32',
    before: ['%2 = pad %0, %1 {low = [0], high = [0], interior = [0]} : f32[B]', 'return %2'],
    after: ['return %0'],
  },
  {
    name: 'empty parts do not join',
    parameters: '%0: f32[B], %1: f32[0]',
    before: ['%2 = concatenate %0, %1 {axis = 0} : f32[B]', 'return %2'],
    after: ['return %0'],
  },
  {
    name: 'the parts of a split, padded and added, are joined',
    parameters: '%0: f32[B, 2], %1: f32[B, 2], %2: f32[B, 2]',
    before: [
      `%3 = ${constant('0', 'f32')}`,
      '%4 = pad %0, %3 {low = [0, 4], high = [0, 0], interior = [0, 0]} : f32[B, 6]',
      '%5 = pad %1, %3 {low = [0, 2], high = [0, 2], interior = [0, 0]} : f32[B, 6]',
      '%6 = add %4, %5 : f32[B, 6]',
      '%7 = pad %2, %3 {low = [0, 0], high = [0, 4], interior = [0, 0]} : f32[B, 6]',
      '%8 = add %6, %7 : f32[B, 6]',
      'return %8',
    ],
    after: ['%3 = concatenate %2, %1, %0 {axis = 1} : f32[B, 6]', 'return %3'],
  },
  {
    name: 'a slice within one part of a concatenation reads that part',
    parameters: '%0: f32[B], %1: f32[4], %2: f32[N]',
    before: [
      '%3 = concatenate %0, %1, %2 {axis = 0} : f32[B + N + 4]',
      '%4 = slice %3 {start = [B + 1], stop = [B + 3], step = [1]} : f32[2]',
      'return %4',
    ],
    after: ['%3 = slice %1 {start = [1], stop = [3], step = [1]} : f32[2]', 'return %3'],
  },
  {
    name: 'but not when the part may be empty',
    parameters: '%0: f32[B], %1: f32[4]',
    before: [
      '%2 = concatenate %0, %1 {axis = 0} : f32[B + 4]',
      '%3 = slice %2 {start = [0], stop = [1], step = [1]} : f32[1]',
      'return %3',
    ],
    after: [
      '%2 = concatenate %0, %1 {axis = 0} : f32[B + 4]',
      '%3 = slice %2 {start = [0], stop = [1], step = [1]} : f32[1]',
      'return %3',
    ],
  },
  {
    name: 'unit axes on the way cancel',
    parameters: '%0: f32[B], %1: f32[B]',
    before: [
      '%2 = reshape %0 {shape = [B, 1]} : f32[B, 1]',
      '%3 = broadcast %1 {shape = [B, 1], axes = (0)} : f32[B, 1]',
      '%4 = mul %2, %3 : f32[B, 1]',
      '%5 = reshape %4 {shape = [B]} : f32[B]',
      'return %5',
    ],
    after: ['%2 = mul %0, %1 : f32[B]', 'return %2'],
  },
  {
    name: 'a branch is taken when its condition is known',
    parameters: '%0: f32[B]',
    before: [
      `%1 = ${constant('false', 'bool')}`,
      '%2 = cond %1, %0 : f32[B]',
      '  region then(%3: f32[B]) {',
      '    return %3',
      '  }',
      '  region otherwise(%4: f32[B]) {',
      '    %5 = exp %4 : f32[B]',
      '    return %5',
      '  }',
      'return %2',
    ],
    after: ['%1 = exp %0 : f32[B]', 'return %1'],
  },
  {
    name: 'the free axes of a contraction are permuted in its operands',
    parameters: '%0: f32[2, 3, 4], %1: f32[4, 5]',
    before: [
      '%2 = dot_general %0, %1 {contracting = ((2), (0)), batch = ((), ())} : f32[2, 3, 5]',
      '%3 = permute %2 {permutation = (2, 1, 0)} : f32[5, 3, 2]',
      'return %3',
    ],
    after: [
      '%2 = permute %0 {permutation = (1, 0, 2)} : f32[3, 2, 4]',
      '%3 = dot_general %1, %2 {contracting = ((0), (2)), batch = ((), ())} : f32[5, 3, 2]',
      'return %3',
    ],
  },
  {
    name: 'padding goes before turning',
    parameters: '%0: f32[B, 4], %1: f32',
    before: [
      '%2 = permute %0 {permutation = (1, 0)} : f32[4, B]',
      '%3 = pad %2, %1 {low = [1, 0], high = [0, 2], interior = [0, 0]} : f32[5, B + 2]',
      'return %3',
    ],
    after: [
      '%2 = pad %0, %1 {low = [0, 1], high = [2, 0], interior = [0, 0]} : f32[B + 2, 5]',
      '%3 = permute %2 {permutation = (1, 0)} : f32[5, B + 2]',
      'return %3',
    ],
  },
  {
    name: 'a contraction reads through a permute',
    parameters: '%0: f32[B, 4], %1: f32[B, 8]',
    before: [
      '%2 = permute %0 {permutation = (1, 0)} : f32[4, B]',
      '%3 = dot_general %2, %1 {contracting = ((1), (0)), batch = ((), ())} : f32[4, 8]',
      '%4 = permute %3 {permutation = (1, 0)} : f32[8, 4]',
      'return %4',
    ],
    after: [
      '%2 = dot_general %1, %0 {contracting = ((0), (0)), batch = ([], [])} : f32[8, 4]',
      'return %2',
    ],
  },
  {
    name: 'two sums in a row are one',
    parameters: x,
    before: [
      '%1 = reduce_sum %0 {axes = (1)} : f32[B]',
      '%2 = reduce_sum %1 {axes = (0)} : f32',
      'return %2',
    ],
    after: ['%1 = reduce_sum %0 {axes = (0, 1)} : f32', 'return %1'],
  },
  {
    name: 'the sum of ones is a size',
    parameters: 'none',
    before: [`%0 = ${constant('1')}`, '%1 = reduce_sum %0 {axes = (0, 1)} : f32', 'return %1'],
    after: ['%0 = dim_value {dim = int(4*B), dtype = "f32"} : f32', 'return %0'],
  },
  {
    name: 'select by a negation swaps its sides',
    parameters: '%0: bool[B], %1: f32[B], %2: f32[B]',
    before: ['%3 = not %0 : bool[B]', '%4 = select %3, %1, %2 : f32[B]', 'return %4'],
    after: ['%3 = select %0, %2, %1 : f32[B]', 'return %3'],
  },
  {
    name: 'select in select by the same condition',
    parameters: '%0: bool[B], %1: f32[B], %2: f32[B], %3: f32[B]',
    before: ['%4 = select %0, %1, %2 : f32[B]', '%5 = select %0, %4, %3 : f32[B]', 'return %5'],
    after: ['%4 = select %0, %1, %3 : f32[B]', 'return %4'],
  },
];

test.each(cases)('$name', ({ parameters, before, after }) => {
  const signature = parameters === 'none' ? '' : parameters;
  const simplified = eliminateDeadCode(simplifyFunction(parseFunction(func(signature, before))));
  verifyFunction(simplified, 'plain');
  const expected = printFunction(parseFunction(func(signature, after)));
  expect(printFunction(simplified)).toBe(expected);
});

test('simplifying twice changes nothing more', () => {
  for (const { parameters, before } of cases) {
    const signature = parameters === 'none' ? '' : parameters;
    const once = eliminateDeadCode(simplifyFunction(parseFunction(func(signature, before))));
    expect(simplifyFunction(once)).toBe(once);
  }
});
