/**
 * tsx tools/check.ts [--no-tests]
 *
 * All that a change must pass, side by side: types, lint and format, layers, dead code; then the fast tests (the
 * ones beside the modules). Prints one line a step and `N passed, N failed`; exits with 1 if a step failed.
 */
import { availableParallelism } from 'node:os';
import { $ } from 'zx/core';

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'lint and format', command: ['biome', 'ci', '--colors=off', '.'] },
  {
    name: 'layers',
    command: [
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
      'index.ts',
      'compiler',
      'runtime',
      'tools',
    ],
  },
  { name: 'dead code', command: ['knip', '--no-progress'] },
];
const fastTests: Step = {
  name: 'fast tests',
  command: ['vitest', 'run', '--reporter=dot', 'compiler/', 'runtime/'],
};

/** Keeps what a step prints for the report, free of colours. */
const run = $({
  nothrow: true,
  quiet: true,
  preferLocal: true,
  env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
});

interface Outcome {
  readonly step: Step;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

async function runStep(step: Step): Promise<Outcome> {
  const { exitCode, stdout, stderr, duration } = await run`${step.command}`;
  return { step, passed: exitCode === 0, output: stdout + stderr, seconds: duration / 1000 };
}

function report({ step, passed, output, seconds }: Outcome): void {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${seconds.toFixed(1)} s)`);
  if (!passed) console.log(output.trimEnd().replace(/^/gm, '    '));
}

const outcomes: Outcome[] = [];
const queue = [...steps];
async function worker(): Promise<void> {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const outcome = await runStep(step);
    outcomes.push(outcome);
    report(outcome);
  }
}
await Promise.all(Array.from({ length: Math.max(1, availableParallelism() - 1) }, worker));
if (!process.argv.includes('--no-tests')) {
  const outcome = await runStep(fastTests);
  outcomes.push(outcome);
  report(outcome);
}

const failed = outcomes.filter((outcome) => !outcome.passed).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
