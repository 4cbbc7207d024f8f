/** The text form of the IR: what is printed reads back as the same text and means the same. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constant, literal } from '../../compiler/primitives/registry.ts';
import {
  add,
  dimVariable,
  divideExact,
  floordiv,
  type Int,
  int,
  max,
  multiply,
} from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { IrSyntaxError, parseFunction, parseProgram } from '../../compiler/tensor-ir/parse.ts';
import { printFunction, printProgram } from '../../compiler/tensor-ir/print.ts';
import type {
  Attr,
  Entry,
  LeafType,
  Program,
  TensorType,
  Tree,
} from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';
import { expectAllClose } from '../support/all-close.ts';
import { dimSizes, randomFunction } from '../support/random-function.ts';

const size: fc.Arbitrary<Int> = fc.letrec<{ size: Int }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 3 },
    fc.nat(100).map(int),
    fc.constantFrom('N', 'B', 'D_model').map(dimVariable),
    fc.tuple(tie('size'), tie('size')).map(([a, b]) => add(a, b)),
    fc.tuple(tie('size'), tie('size')).map(([a, b]) => multiply(a, b)),
    fc.tuple(tie('size'), fc.integer({ min: 2, max: 9 })).map(([a, n]) => floordiv(a, int(n))),
    fc.tuple(tie('size'), tie('size')).map(([a, b]) => max(a, b)),
    tie('size').map((a) => divideExact(multiply(a, dimVariable('D')), dimVariable('H'))!),
  ),
})).size;

const type: fc.Arbitrary<TensorType> = fc.record({
  dtype: fc.constantFrom('f32', 'bf16', 'i64', 'bool', 'u8'),
  shape: fc.array(size, { maxLength: 3 }),
});

const attr: fc.Arbitrary<Attr> = fc.letrec<{ attr: Attr }>((tie) => ({
  attr: fc.oneof(
    { maxDepth: 2 },
    fc.double(),
    fc.bigInt(),
    fc.string(),
    fc.boolean(),
    size,
    fc.array(size, { maxLength: 3 }),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.array(tie('attr'), { maxLength: 3 }),
    fc.float32Array({ maxLength: 4 }),
    fc.uint8Array({ maxLength: 4 }),
    fc.bigInt64Array({ maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'wrt'), tie('attr'), { maxKeys: 2 }),
  ),
})).attr;

const tree: fc.Arbitrary<Tree<LeafType>> = fc.letrec<{ tree: Tree<LeafType> }>((tie) => {
  const items = fc.array(tie('tree'), { maxLength: 3 });
  return {
    tree: fc.oneof(
      { maxDepth: 3 },
      type.map((t): Tree<LeafType> => ({ kind: 'leaf', leaf: { type: t } })),
      type.map((t): Tree<LeafType> => ({ kind: 'leaf', leaf: { type: t, isKey: true } })),
      type.map((t): Tree<LeafType> => ({ kind: 'leaf', leaf: { type: t, isComplex: true } })),
      items.map((list): Tree<LeafType> => ({ kind: 'tuple', items: list })),
      items.map((list): Tree<LeafType> => ({ kind: 'array', items: list })),
      fc
        .tuple(fc.string(), fc.dictionary(fc.string({ minLength: 1 }), tie('tree'), { maxKeys: 3 }))
        .map(
          ([name, fields]): Tree<LeafType> => ({
            kind: 'struct',
            name,
            fields: Object.entries(fields).map(([field, t]) => ({ name: field, tree: t })),
          }),
        ),
    ),
  };
}).tree;

const line = fc.string().map((s) => s.replaceAll(/[\n\r\u2028\u2029]/g, ' '));

const entry: fc.Arbitrary<Entry> = fc
  .record({
    name: fc.string({ minLength: 1 }),
    doc: fc.array(line, { maxLength: 3 }).map((lines) => lines.join('\n')),
    parameters: fc.array(
      fc.record({ name: fc.string(), tree, doc: fc.string() }, { requiredKeys: ['name', 'tree'] }),
      { maxLength: 3 },
    ),
    result: tree,
    dims: fc.uniqueArray(fc.constantFrom('N', 'B', 'H'), { maxLength: 3 }),
    guards: fc.array(
      fc.record({
        relation: fc.constantFrom('equal', 'at-least', 'divisible'),
        left: size,
        right: size,
        message: fc.string(),
      }),
      { maxLength: 2 },
    ),
  })
  .map((fields) => ({ ...fields, func: randomFunction(3).func }));

describe('round trip', () => {
  test('of random functions, which also evaluate the same', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { func, args } = randomFunction(seed);
      const text = printFunction(func);
      const parsed = parseFunction(text);
      expect(printFunction(parsed)).toBe(text);
      verifyFunction(parsed, 'plain');
      const dims = new Map(Object.entries(dimSizes));
      const expected = evaluateFunction(func, args, dims);
      evaluateFunction(parsed, args, dims).forEach((found, i) => {
        expectAllClose(found, expected[i]!, `result ${i}`, 0);
      });
    }
  });

  test('of any attrs', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('x', 'y', 'axes'), attr, { maxKeys: 3 }),
        (attrs) => {
          const b = new Builder();
          const value = b.apply(constant, [], { dtype: 'f32', shape: [], value: 0 });
          const func = b.finish('f', [], [value]);
          const text = printFunction({ ...func, body: [{ ...func.body[0]!, attrs }] });
          expect(printFunction(parseFunction(text))).toBe(text);
        },
      ),
    );
  });

  test('of programs with any signatures', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 2 }),
        fc.constantFrom('traced', 'plain'),
        (entries, stage) => {
          const program: Program = { stage, entries };
          const text = printProgram(program);
          expect(printProgram(parseProgram(text))).toBe(text);
        },
      ),
    );
  });

  test('of floats with special values and of 64-bit integers', () => {
    const b = new Builder();
    const numbers = Float64Array.of(-0, Number.NaN, Infinity, -Infinity, 5e-324, 1e300, 0.1);
    const values = [
      b.apply(literal, [], { dtype: 'f64', shape: [int(7)], data: numbers }),
      b.apply(literal, [], {
        dtype: 'u64',
        shape: [int(1)],
        data: BigUint64Array.of(2n ** 64n - 1n),
      }),
      b.apply(constant, [], { dtype: 'f32', shape: [], value: -0 }),
    ];
    const func = b.finish('f', [], values);
    const parsed = parseFunction(printFunction(func));
    expect(parsed.body.map((op) => op.attrs)).toEqual(func.body.map((op) => op.attrs));
  });

  test('keeps the names of values as suffixes', () => {
    const x = makeValue({ dtype: 'f32', shape: [] }, 'm.hidden.w');
    const text = printFunction(new Builder().finish('f', [x], [x]));
    expect(text).toBe('func f(%0.m_hidden_w: f32) {\n  return %0.m_hidden_w\n}\n');
  });
});

describe('text that is no program', () => {
  test.each([
    ['func f(', 'line 1: expected a value before ``'],
    ['func f() {\n  return %0\n}', 'line 2: expected %0 to be defined earlier before'],
    ['func f() {\n  %0 = iota : \n}', 'line 3: expected a name before `}`'],
    ['func f() {\n  %0 = iota {dtype = } : f32\n}', 'line 2: expected a number before `} : f32`'],
    ['func f() {\n  return\n} x', 'line 3: expected the end before `x`'],
  ])('%j', (text, message) => {
    expect(() => parseFunction(text)).toThrow(IrSyntaxError);
    expect(() => parseFunction(text)).toThrow(message);
  });

  test('any other characters give an error, never a hang', () => {
    const text = printFunction(randomFunction(1).func);
    fc.assert(
      fc.property(fc.nat(text.length), fc.string({ maxLength: 3 }), (at, inserted) => {
        try {
          parseFunction(text.slice(0, at) + inserted + text.slice(at + 1));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
