/** Transformations hold against numeric oracles, with and without the passes behind them. */
import { describe, expect, test } from 'vitest';
import { shareCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { constantValue } from '../../compiler/symbolic/integer.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { type Example, examples } from '../support/example-functions.ts';
import { checkBatch, checkDerivatives, makeRandom, randomArray } from '../support/oracles.ts';

function polish(func: Func): Func {
  return eliminateDeadCode(
    simplifyFunction(shareCommonSubexpressions(simplifyFunction(eliminateDeadCode(func)))),
  );
}

function randomArguments({ func, range }: Example, batch: readonly boolean[], size: number) {
  const random = makeRandom(5);
  return func.parameters.map((p, i): NdArray => {
    const sizes = p.type.shape.map((d) => constantValue(d)!);
    const shape = batch[i] ? [size, ...sizes] : sizes;
    return randomArray({ dtype: p.type.dtype, shape }, random, range);
  });
}

describe.each(examples)('$func.name', (example) => {
  const { func } = example;
  const args = randomArguments(example, [], 0);

  test('derivatives hold', () => {
    checkDerivatives(func, args);
    checkDerivatives(func, args, polish);
  });

  test('vmap is the loop', () => {
    const all = func.parameters.map(() => true);
    for (const size of [0, 3]) {
      checkBatch(func, randomArguments(example, all, size), all, size);
      checkBatch(func, randomArguments(example, all, size), all, size, polish);
    }
    func.parameters.forEach((_, k) => {
      const one = func.parameters.map((__, i) => i === k);
      checkBatch(func, randomArguments(example, one, 2), one, 2);
    });
    expect(all.length).toBeGreaterThan(0);
  });
});
