/** Every pass keeps what a function computes, NaN and infinities included, and gives well-formed IR. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { runFunction } from '../support/functions.ts';
import { checkBatch, checkDerivatives, makeRandom, randomArray } from '../support/oracles.ts';
import { randomProgram } from '../support/random-programs.ts';

const decisions = fc.noBias(fc.array(fc.nat(1000), { minLength: 10, maxLength: 90, size: 'max' }));

const floats = [0, 1, -1, 0.5, -2.25, 3, NaN, Infinity, -Infinity, 1e-40, 7, -0];

function argumentsOf(func: Func, isFloat: boolean): readonly NdArray[] {
  let next = 0;
  return func.parameters.map(({ type }) => {
    const shape = type.shape.map((d) => Number(d.key));
    const count = shape.reduce((n, s) => n * s, 1);
    const values = Array.from({ length: count }, () =>
      isFloat ? floats[next++ % floats.length]! : (next++ % 7) - 3,
    );
    return arrayOf(type.dtype, shape, values);
  });
}

/** Equal but for the sign of zero and, in the last places, products for powers and merged sums. */
function expectEqual(found: readonly NdArray[], expected: readonly NdArray[], text: string): void {
  found.forEach((x, i) => {
    const other = toNumbers(expected[i]!);
    toNumbers(x).forEach((v, k) => {
      const w = other[k]!;
      if (v === w || (Number.isNaN(v) && Number.isNaN(w))) return;
      const error = Math.abs(v - w) / Math.max(1e-30, Math.abs(w));
      expect(error, `${v} instead of ${w} in\n${text}`).toBeLessThan(1e-5);
    });
  });
}

const passes: readonly (readonly [string, (func: Func) => Func])[] = [
  ['dead-code', eliminateDeadCode],
  ['common-subexpressions', shareCommonSubexpressions],
  ['simplify', simplifyFunction],
  ['all', (f) => eliminateDeadCode(shareCommonSubexpressions(simplifyFunction(f)))],
];

describe.each(passes)('%s', (_, pass) => {
  test.each(['f32', 'i32'] as const)('keeps random functions of %s', (dtype) => {
    fc.assert(
      fc.property(decisions, (numbers) => {
        const func = randomProgram(numbers, { dtype });
        const args = argumentsOf(func, dtype === 'f32');
        const rewritten = pass(func);
        const text = `${printFunction(func)}\n${printFunction(rewritten)}`;
        expectEqual(runFunction(rewritten, args), runFunction(func, args), text);
      }),
      { numRuns: 120, seed: 11 },
    );
  });
});

describe('random smooth functions', () => {
  const smooth = { dtype: 'f64', isSmooth: true } as const;

  test('have the derivatives that differences say', () => {
    fc.assert(
      fc.property(decisions, (numbers) => {
        const func = randomProgram(numbers, smooth);
        const random = makeRandom(3);
        const args = func.parameters.map((q) =>
          randomArray({ dtype: 'f64', shape: q.type.shape.map((d) => Number(d.key)) }, random),
        );
        checkDerivatives(func, args, simplifyFunction, 1e-4);
      }),
      { numRuns: 60, seed: 12 },
    );
  });

  test('are batched as the loop runs them', () => {
    fc.assert(
      fc.property(
        decisions,
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        (numbers, mapped) => {
          const func = randomProgram(numbers, smooth);
          const random = makeRandom(4);
          const args = func.parameters.map((q, i) => {
            const shape = q.type.shape.map((d) => Number(d.key));
            return randomArray({ dtype: 'f64', shape: mapped[i] ? [2, ...shape] : shape }, random);
          });
          checkBatch(func, args, mapped, 2, simplifyFunction);
        },
      ),
      { numRuns: 100, seed: 13 },
    );
  });
});
