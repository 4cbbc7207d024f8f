/**
 * Random functions of the IR give the evaluator's answer on Metal: fusion and schedules in the simulator of threadgroups (which also finds
 * races and reads out of range), and the printed text in the strict check.
 *
 * MLXC_PROGRAMS=2000 for a longer run, MLXC_SEED=n to start elsewhere; a failure names its seed.
 */
import { expect, test } from 'vitest';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import { printMetal } from '../../compiler/to-metal/print.ts';
import { isClose } from '../support/all-close.ts';
import { expectMetal, metalHelper } from '../support/metal-helpers.ts';
import { dimSizes, type RandomFunction, randomFunction } from '../support/random-function.ts';
import { runOnMetal, scheduleForMetal } from '../support/run-on-metal.ts';

const count = Number(process.env['MLXC_PROGRAMS'] ?? 60);
const firstSeed = Number(process.env['MLXC_SEED'] ?? 1);

test(`${count} random programs from seed ${firstSeed} agree with the evaluator`, {
  timeout: 1_800_000,
}, async () => {
  const sources = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const program = randomFunction(firstSeed + i);
    compare(program, run(program));
    const { kernels } = scheduleForMetal([program.func]);
    sources.set(`seed ${program.seed}`, printMetal(kernels, metalHelper));
  }
  await expectMetal(sources);
});

function run({ func, args, seed }: RandomFunction): readonly NdArray[] {
  try {
    return runOnMetal(func, args, dimSizes);
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}\n${printFunction(func)}`);
  }
}

function compare({ func, args, seed }: RandomFunction, found: readonly NdArray[]): void {
  const expected = evaluateFunction(func, args, new Map(Object.entries(dimSizes)));
  expected.forEach((wanted, k) => {
    const got = found[k]!;
    expect(got.shape, `seed ${seed}, result ${k}`).toEqual(wanted.shape);
    wanted.data.forEach((want, i) => {
      // sums in another order
      if (isClose(got.data[i]!, want, 2e-4)) return;
      expect.fail(
        `seed ${seed}, result ${k}[${i}]: expected ${want}, got ${got.data[i]}\n${printFunction(func)}`,
      );
    });
  });
}
