/**
 * Whole programs drawn at random (tools/fuzz) give the evaluator's answers on the simulated Metal device, with every check on: about
 * forty share one Metal library, and one that fails is found by halves. MLXC_FUZZ_METAL_PROGRAMS=100000 for a longer run,
 * MLXC_FUZZ_METAL_SEED for other programs; one: `npm run fuzz -- --device metal-sim --seed N --programs 1 --reduce`.
 */
import { expect, test } from 'vitest';
import { fuzz } from '../../tools/fuzz/fuzz.ts';
import { countMetal } from '../support/metal-count.ts';

const programs = Number(process.env['MLXC_FUZZ_METAL_PROGRAMS'] ?? 2400);
const seed = Number(process.env['MLXC_FUZZ_METAL_SEED'] ?? 1);
/** About one in eight has an f64 somewhere, which Metal has not. */
const fewest = 0.8 * programs;

test(`${programs} programs from seed ${seed} agree with the evaluator`, {
  timeout: 36_000_000,
}, async () => {
  const started = performance.now();
  const report = await fuzz({ seed, programs, device: 'metal-sim' });
  const { calls, compared, skipped, onMetal, kernels, failures } = report;
  countMetal({ what: `random programs from seed ${seed}`, functions: onMetal, calls });
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `fuzz on metal-sim: ${onMetal} of ${programs} programs from seed ${seed} (the others have f64), ${kernels} kernels, ${calls} calls, ` +
      `${compared} elements compared, ${skipped} ill-conditioned, ${failures.length} failed, ${seconds.toFixed(0)} s`,
  );
  const shown = failures.map((f) => `seed ${f.name.slice(1)}: ${f.stage}: ${f.message}`);
  expect(shown.slice(0, 5).join('\n\n')).toBe('');
  expect(onMetal).toBeGreaterThan(fewest);
  expect(skipped).toBeLessThan(compared / 20);
});
