import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  ceildiv,
  dimVariable,
  divideExact,
  evaluate,
  floordiv,
  type Int,
  indexVariable,
  int,
  isInRange,
  isNonNegative,
  max,
  min,
  mod,
  multiply,
  negate,
  print,
  substitute,
  subtract,
  upperBoundOf,
} from './integer.ts';
import { parseInteger } from './parse-integer.ts';

/** A formula beside the `Int` that the smart constructors make of it: the oracle never simplifies. */
interface Formula {
  readonly int: Int;
  readonly value: (names: Readonly<Record<string, number>>) => number;
  readonly text: string;
}

const dims = ['N', 'M', 'K'] as const;
const indices = ['i', 'j'] as const;
/** i runs over N, j over 6. */
const extents: Readonly<Record<string, Int>> = { i: dimVariable('N'), j: int(6) };

function leaf(name: string): Formula {
  const extent = extents[name];
  return {
    int: extent === undefined ? dimVariable(name) : indexVariable(name, extent),
    value: (names) => names[name]!,
    text: name,
  };
}

function constant(value: number): Formula {
  return { int: int(value), value: () => value, text: `${value}` };
}

function formula(names: readonly string[]): fc.Arbitrary<Formula> {
  const positive = fc.oneof(
    fc.integer({ min: 1, max: 12 }).map(constant),
    fc.constantFrom(...dims.map(leaf)),
    fc
      .tuple(fc.integer({ min: 2, max: 6 }), fc.constantFrom(...dims))
      .map(([n, d]) => binary('*', multiply, (a, b) => a * b, constant(n), leaf(d))),
    fc
      .tuple(fc.constantFrom(...dims), fc.constantFrom(...dims))
      .map(([a, b]) => binary('*', multiply, (x, y) => x * y, leaf(a), leaf(b))),
  );
  return fc.letrec<{ node: Formula }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(fc.integer({ min: -9, max: 40 }).map(constant), fc.constantFrom(...names.map(leaf))),
      fc
        .tuple(
          fc.constantFrom<[string, (a: Int, b: Int) => Int, (a: number, b: number) => number]>(
            ['+', add, (a, b) => a + b],
            ['-', subtract, (a, b) => a - b],
            ['*', multiply, (a, b) => a * b],
            ['min', min, Math.min],
            ['max', max, Math.max],
          ),
          tie('node'),
          tie('node'),
        )
        .map(([[name, make, apply], a, b]) => binary(name, make, apply, a, b)),
      fc
        .tuple(
          fc.constantFrom<[string, (a: Int, b: Int) => Int, (a: number, b: number) => number]>(
            ['floordiv', floordiv, (a, b) => Math.floor(a / b)],
            ['mod', mod, (a, b) => a - b * Math.floor(a / b)],
            ['ceildiv', ceildiv, (a, b) => Math.ceil(a / b)],
          ),
          tie('node'),
          positive,
        )
        .map(([[name, make, apply], a, b]) => binary(name, make, apply, a, b)),
    ),
  })).node;
}

function binary(
  name: string,
  make: (a: Int, b: Int) => Int,
  apply: (a: number, b: number) => number,
  a: Formula,
  b: Formula,
): Formula {
  return {
    int: make(a.int, b.int),
    value: (names) => apply(a.value(names), b.value(names)),
    text: `${name}(${a.text}, ${b.text})`,
  };
}

/** Sizes of the dims and, for each index, a place within its extent. */
const assignment: fc.Arbitrary<Readonly<Record<string, number>>> = fc
  .record({
    N: fc.integer({ min: 1, max: 9 }),
    M: fc.integer({ min: 1, max: 9 }),
    K: fc.integer({ min: 1, max: 9 }),
    i: fc.nat(1000),
    j: fc.nat(5),
  })
  .map((names) => ({ ...names, i: names.i % names.N }));

const all = [...dims, ...indices];
// one seed, so that a run of the suite says something about the change and not about luck
const runs = { numRuns: 4000, seed: 20_231 };

/** Too big for exact arithmetic in doubles: nothing to learn. */
function isExact(value: number): boolean {
  return Math.abs(value) < 2 ** 40;
}

describe('symbolic integers agree with plain arithmetic', () => {
  test('simplification keeps the value', () => {
    fc.assert(
      fc.property(formula(all), assignment, (f, names) => {
        const expected = f.value(names);
        if (!isExact(expected)) return;
        expect(
          evaluate(f.int, (name) => names[name]),
          `${f.text} = ${print(f.int)}`,
        ).toBe(expected === 0 ? 0 : expected);
      }),
      runs,
    );
  });

  test('what is proved non-negative or in range is so', () => {
    fc.assert(
      fc.property(formula(all), formula(all), assignment, (f, g, names) => {
        if (isNonNegative(f.int)) {
          expect(f.value(names), `${print(f.int)} >= 0`).toBeGreaterThanOrEqual(0);
        }
        if (isInRange(f.int, g.int)) {
          expect(f.value(names), `${print(f.int)} < ${print(g.int)}`).toBeLessThan(g.value(names));
        }
      }),
      runs,
    );
  });

  test('an upper bound is one, and names no loop index', () => {
    fc.assert(
      fc.property(formula(all), assignment, (f, names) => {
        const bound = upperBoundOf(f.int);
        if (bound === undefined || !isExact(f.value(names))) return;
        const value = evaluate(bound, (name) => (name === 'i' || name === 'j' ? 0 : names[name]));
        expect(value, `${print(f.int)} <= ${print(bound)}`).toBeGreaterThanOrEqual(f.value(names));
      }),
      runs,
    );
  });

  test('substitution is evaluation in two steps', () => {
    fc.assert(
      fc.property(formula(all), formula(dims), assignment, (f, g, names) => {
        const inner = g.value(names);
        if (inner < 1 || !isExact(inner)) return;
        const outer = { ...names, M: inner };
        if (!isExact(f.value(outer))) return;
        const replaced = substitute(f.int, (v) => (v.name === 'M' ? g.int : undefined));
        expect(
          evaluate(replaced, (name) => names[name]),
          `${print(f.int)} with M = ${print(g.int)}`,
        ).toBe(f.value(outer) + 0);
      }),
      runs,
    );
  });

  test('exact division undoes multiplication', () => {
    fc.assert(
      fc.property(formula(dims), formula(dims), assignment, (f, g, names) => {
        const expected = f.value(names);
        const divisor = g.value(names);
        if (divisor === 0 || !isExact(expected * divisor)) return;
        const quotient = divideExact(multiply(f.int, g.int), g.int);
        if (quotient === undefined) return;
        const value = evaluate(quotient, (name) => names[name]);
        expect(value, `${print(f.int)} by ${print(g.int)}`).toBe(expected + 0);
      }),
      runs,
    );
  });
});

describe('parseInteger', () => {
  test('is the inverse of print', () => {
    fc.assert(
      fc.property(formula(dims), (f) => {
        expect(parseInteger(print(f.int)), f.text).toBe(f.int);
      }),
      runs,
    );
  });

  test.each([
    ['0', int(0)],
    ['-3', int(-3)],
    ['2*N + K - 1', undefined],
    ['B*D/H', undefined],
    ['3*N*N/2/K', undefined],
    ['-N + 4', undefined],
    ['floordiv(N + 1, 2)', undefined],
    ['min(M, N)', undefined],
    ['N - mod(N, 4)', undefined],
  ])('reads %s', (text, expected) => {
    const value = parseInteger(text);
    if (expected !== undefined) expect(value).toBe(expected);
    expect(parseInteger(print(value))).toBe(value);
  });

  test.each([
    '',
    ' ',
    '-',
    'N +',
    'N N',
    '2 3',
    'N/0',
    'floordiv(N, 0)',
    'mod(N, -2)',
    'floordiv(N)',
    'floordiv(N, 2, 3)',
    'foo(N, 2)',
    '(N)',
    'N**2',
    '1e5',
    '1.5',
    '99999999999999999999',
    '9007199254740991*9007199254740991',
    'N/M/(',
    'min('.repeat(1000),
    'N*'.repeat(5000),
    'N+'.repeat(50_000),
    '\u0000',
    'é',
  ])('refuses %j', (text) => {
    expect(() => parseInteger(text)).toThrow(RangeError);
  });

  test('is quick on hostile sums', () => {
    const started = performance.now();
    const terms = Array.from({ length: 800 }, (_, i) => `mod(a${i}, 7)`).join(' - ');
    parseInteger(`min(N - ${terms}, M)`);
    expect(performance.now() - started).toBeLessThan(8000);
  });

  test('negation is a reflection', () => {
    fc.assert(
      fc.property(formula(all), (f) => {
        expect(negate(negate(f.int))).toBe(f.int);
      }),
    );
  });
});
