/** Simplification keeps element-wise arithmetic at special values: NaN, infinities, overflow, wrapping. Only the sign of a zero is free. */
import { expect, test } from 'vitest';
import { isInOperandClass, scalarFunctions } from '../../compiler/kernel-ir/scalar-functions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { convert, primitive } from '../../compiler/primitives/registry.ts';
import { type DType, dtypes, integerRange, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';

function specialValues(dtype: DType): readonly (number | bigint)[] {
  if (dtype === 'bool') return [0, 1];
  if (isFloat(dtype)) {
    const finite = [0, 1, 2, 0.5, 3, 0.1, 4, 255.5, 1e-5, 6e4, 3e9, 1e20, 1e-40];
    return [...finite.flatMap((v) => [v, -v]), Infinity, -Infinity, NaN];
  }
  const { min, max } = integerRange(dtype);
  const near = [-3n, -2n, -1n, 0n, 1n, 2n, 3n, 4n, 7n, 127n, 128n, 200n, 255n].filter(
    (v) => v >= min && v <= max,
  );
  return [...near, min, max, max - 1n];
}

function vectorOf(dtype: DType): NdArray {
  const values = specialValues(dtype);
  return arrayOf(dtype, [values.length], values);
}

function polish(func: Func): Func {
  return eliminateDeadCode(simplifyFunction(eliminateDeadCode(func)));
}

/** Fails where the simplified function differs by more than the sign of a zero, or, for powers written as products, by their roundings. */
function check(func: Func, args: readonly NdArray[], what: string): void {
  const expected = runFunction(func, args);
  runFunction(polish(func), args).forEach((found, r) => {
    expected[r]!.data.forEach((b, i) => {
      const a = found.data[i]!;
      if (Object.is(a, b) || a === b) return;
      const isNear =
        typeof a === 'number' &&
        typeof b === 'number' &&
        Math.abs(a - b) <= 2 ** -6 * Math.abs(b) * (what.startsWith('pow') ? 1 : 0);
      if (!isNear)
        expect.fail(`${what}(${args.map((x) => x.data[i]).join(', ')}) is ${a}, not ${b}`);
    });
  });
}

const kinds: readonly DType[] = [
  'f32',
  'f64',
  'f16',
  'bf16',
  'i8',
  'u8',
  'i32',
  'u32',
  'i64',
  'u64',
];

test.each(kinds)('one operand known, %s', (dtype) => {
  const x = vectorOf(dtype);
  for (const scalar of scalarFunctions.values()) {
    if (scalar.arity !== 2 || !isInOperandClass(dtype, scalar.operands)) continue;
    for (const value of x.data) {
      for (const isLeft of [false, true]) {
        const func = buildFunction('f', [tensor(dtype, x.data.length)], (b, v) => {
          const { shape } = v!.type;
          const known = b.apply(primitive('constant'), [], { dtype, shape, value });
          return [b.apply(primitive(scalar.name), isLeft ? [known, v!] : [v!, known], {})];
        });
        check(func, [x], `${scalar.name} ${isLeft ? 'of' : 'by'} ${value}`);
      }
    }
  }
});

test.each(kinds)('two in a row, %s', (dtype) => {
  const x = vectorOf(dtype);
  const names = [...scalarFunctions.values()].filter(
    (s) => s.arity === 1 && s.result === 'same' && isInOperandClass(dtype, s.operands),
  );
  const pairs = ['add', 'sub', 'mul', 'max', 'min', 'div'].filter((name) =>
    isInOperandClass(dtype, scalarFunctions.get(name)!.operands),
  );
  for (const { name } of names) {
    for (const other of names.map((s) => s.name)) {
      const func = buildFunction('f', [tensor(dtype, x.data.length)], (b, v) => [
        b.apply(primitive(name), [b.apply(primitive(other), [v!], {})], {}),
      ]);
      check(func, [x], `${name} of ${other}`);
    }
    for (const pair of pairs) {
      const func = buildFunction('f', [tensor(dtype, x.data.length)], (b, v) => {
        const turned = b.apply(primitive(name), [v!], {});
        return [
          b.apply(primitive(pair), [v!, turned], {}),
          b.apply(primitive(pair), [turned, v!], {}),
          b.apply(primitive(name), [b.apply(primitive(pair), [v!, v!], {})], {}),
        ];
      });
      check(func, [x], `${pair} with ${name}`);
    }
  }
});

test('conversions in a row', () => {
  for (const from of dtypes) {
    const x = vectorOf(from);
    for (const middle of dtypes) {
      for (const to of dtypes) {
        const func = buildFunction('f', [tensor(from, x.data.length)], (b, v) => [
          b.apply(convert, [b.apply(convert, [v!], { dtype: middle })], { dtype: to }),
        ]);
        check(func, [x], `${from} to ${middle} to ${to}`);
      }
    }
  }
});
