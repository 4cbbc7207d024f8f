/**
 * Transformations hold against numeric oracles, with and without the passes behind them, on functions written for it and on random ones.
 *
 * MLXC_PROGRAMS=5000 for a longer run, MLXC_SEED=n to start elsewhere; a failure names its seed.
 */
import { describe, expect, test } from 'vitest';
import { shareCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { constantValue } from '../../compiler/symbolic/integer.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { type Example, examples } from '../support/example-functions.ts';
import { checkLinearize, checkNesting, checkSecondDerivatives } from '../support/nested-oracles.ts';
import { checkBatch, checkDerivatives, makeRandom, randomArray } from '../support/oracles.ts';
import { randomDoubles } from '../support/random-doubles.ts';
import { stack } from '../support/rows.ts';

/** Products of many factors and squashed sums are curved: differences with a step of 1e-5 are no better. */
const tolerance = 1e-4;

function polish(func: Func): Func {
  return eliminateDeadCode(
    simplifyFunction(shareCommonSubexpressions(simplifyFunction(eliminateDeadCode(func)))),
  );
}

function randomArguments(
  { func, range }: Example,
  batch: readonly boolean[],
  size: number,
  seed = 5,
) {
  const random = makeRandom(seed);
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

  test('derivatives of derivatives hold', () => {
    checkSecondDerivatives(func, args);
    checkLinearize(func, args);
    checkNesting(func, [args, randomArguments(example, [], 0, 6)]);
  });
});

const count = Number(process.env['MLXC_PROGRAMS'] ?? 40);
const firstSeed = Number(process.env['MLXC_SEED'] ?? 1);
const seeds = Array.from({ length: count }, (_, i) => firstSeed + i);

describe.each(seeds)('random function %i', (seed) => {
  const { func, args } = randomDoubles(seed, 10);
  const all = func.parameters.map(() => true);

  test('derivatives hold', () => {
    checkDerivatives(func, args, polish, tolerance);
    checkSecondDerivatives(func, args, tolerance);
    checkLinearize(func, args);
  });

  test('vmap is the loop, and nests with grad', () => {
    const other = randomDoubles(seed, 10).args.map(reversed);
    const stacked = args.map((x, i) => stack([x, other[i]!], x));
    checkBatch(func, stacked, all, 2, polish);
    checkBatch(
      func,
      args.map((x) => stack([], x)),
      all,
      0,
      polish,
    );
    for (const k of all.keys()) {
      const isMapped = all.map((_, i) => i === k);
      checkBatch(
        func,
        args.map((x, i) => (isMapped[i] ? stacked[i]! : x)),
        isMapped,
        2,
      );
    }
    checkNesting(func, [args, other]);
  });
});

/** Other numbers of the same kind. */
function reversed(x: NdArray): NdArray {
  return { ...x, data: (x.data as Float64Array).toReversed() };
}
