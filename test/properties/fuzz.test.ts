/**
 * Whole programs drawn at random give the evaluator's answer on the CPU device, and in the simulator of the Metal schedules: see
 * tools/fuzz. Longer: `npm run fuzz -- --programs 100000`; one program: `npm run fuzz -- --seed N --programs 1 --reduce`.
 */
import { expect, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import { fuzz } from '../../tools/fuzz/fuzz.ts';

const programs = Number(process.env['MLXC_FUZZ_PROGRAMS'] ?? 5000);
const seed = 1;

/** No program has these where the record is taken: as elaborated, without transformations, without composites. */
const unreached: readonly string[] = [
  // made and removed inside passes
  'call',
  'custom_vjp_tangent',
  // kernels are written by hand: test/driver/extern.test.ts
  'extern',
];

test(`${programs} programs from seed ${seed} agree with the evaluator`, {
  timeout: 1_800_000,
}, async () => {
  const report = await fuzz({ seed, programs });
  const { calls, compared, skipped, onMetal, refused, features } = report;
  console.log(
    `fuzz: ${report.programs} programs from seed ${seed}, ${calls} calls (${onMetal} through the schedules for Metal, ${refused} refused ` +
      `by a guard), ${compared} elements compared, ${skipped} ill-conditioned`,
  );
  const failures = report.failures.map((f) => `seed ${f.name.slice(1)}: ${f.stage}: ${f.message}`);
  expect(failures.slice(0, 5).join('\n\n')).toBe('');
  expect(report.programs).toBe(programs);
  // most of what is compared says something
  expect(skipped).toBeLessThan(compared / 20);
  expect(Object.keys(features).length).toBeGreaterThan(60);
  const missing = [...primitives.keys()].filter((name) => report.primitives[name] === undefined);
  // a short run does not reach them all
  if (programs >= 5000) expect(missing.sort()).toEqual([...unreached].sort());
});
