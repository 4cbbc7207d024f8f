/**
 * Whole programs drawn at random (tools/fuzz) give the evaluator's answers on the simulated Metal device, with every check on.
 * MLXC_FUZZ_METAL_PROGRAMS=100000 for a longer run; one program: `npm run fuzz -- --device metal-sim --seed N --programs 1 --reduce`.
 */
import { expect, test } from 'vitest';
import { fuzz } from '../../tools/fuzz/fuzz.ts';
import { countMetal } from '../support/metal-count.ts';

const programs = Number(process.env['MLXC_FUZZ_METAL_PROGRAMS'] ?? 300);
const seed = 1;
/** About one in eight has an f64 somewhere, which Metal has not. */
const fewest = 0.8 * programs;

test(`${programs} programs from seed ${seed} agree with the evaluator`, {
  timeout: 3_600_000,
}, async () => {
  const report = await fuzz({ seed, programs, device: 'metal-sim' });
  const { calls, compared, skipped, onMetal, failures } = report;
  countMetal({ what: `random programs from seed ${seed}`, functions: onMetal, calls });
  console.log(
    `fuzz on metal-sim: ${onMetal} of ${programs} programs from seed ${seed} (the others have f64), ${calls} calls, ` +
      `${compared} elements compared, ${skipped} ill-conditioned, ${failures.length} failed`,
  );
  const shown = failures.map((f) => `seed ${f.name.slice(1)}: ${f.stage}: ${f.message}`);
  expect(shown.slice(0, 5).join('\n\n')).toBe('');
  expect(onMetal).toBeGreaterThan(fewest);
  expect(skipped).toBeLessThan(compared / 20);
});
