/**
 * Random programs give the evaluator's answer on the CPU: fusion, schedules, plan, C and the native runtime together.
 *
 * MLXC_PROGRAMS=5000 for a longer run, MLXC_SEED=n to start elsewhere; a failure names its seed.
 */
import { expect, test } from 'vitest';
import { cpuModels } from '../../compiler/schedule/device-model.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import { dimSizes, type RandomFunction, randomFunction } from '../support/random-function.ts';
import { callOnCpu, compileForCpu } from '../support/run-on-cpu.ts';

const count = Number(process.env['MLXC_PROGRAMS'] ?? 150);
const firstSeed = Number(process.env['MLXC_SEED'] ?? 1);
/** Programs compiled together; units take turns with the CPU models, whatever this machine is. */
const perUnit = 50;
const models = Object.values(cpuModels);

test(`${count} random programs from seed ${firstSeed} agree with the evaluator`, {
  timeout: 1_800_000,
}, async () => {
  for (let start = 0; start < count; start += perUnit) {
    const programs = Array.from({ length: Math.min(perUnit, count - start) }, (_, i) =>
      randomFunction(firstSeed + start + i),
    );
    const { module } = await compileForCpu(
      programs.map((p) => p.func),
      models[(start / perUnit) % models.length],
    );
    for (const program of programs)
      compare(program, callOnCpu(module, program.func.name, program.args, dimSizes));
  }
});

function compare(program: RandomFunction, found: readonly NdArray[]): void {
  const expected = evaluateFunction(program.func, program.args, new Map(Object.entries(dimSizes)));
  expected.forEach((wanted, k) => {
    const got = found[k]!;
    const at = `seed ${program.seed}, result ${k}`;
    expect(got.shape, at).toEqual(wanted.shape);
    for (let i = 0; i < wanted.data.length; i++) {
      const a = Number(wanted.data[i]);
      const c = Number(got.data[i]);
      const isClose =
        Object.is(a, c) ||
        a === c ||
        Math.abs(a - c) <= 2e-4 * Math.max(1, Math.abs(a)) ||
        (Number.isNaN(a) && Number.isNaN(c));
      if (!isClose)
        expect.fail(`${at}[${i}]: expected ${a}, got ${c}\n${printFunction(program.func)}`);
    }
  });
}
