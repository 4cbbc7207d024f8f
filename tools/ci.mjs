#!/usr/bin/env node
/**
 * node tools/ci.mjs
 *
 * What continuous integration runs: `npm test`, then the steps of `npm run check` (its fast tests are part of the first). Ends with
 * the line `N passed, N failed`: tests and check steps together. Exits with 0 only if nothing failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const started = performance.now();
const scratch = mkdtempSync(join(tmpdir(), 'mlxc-ci-'));
const report = join(scratch, 'tests.json');
let passed = 0;
let failed = 0;

const test = spawnSync('npm', ['test', '--', '--reporter=json', `--outputFile.json=${report}`], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
try {
  const results = JSON.parse(readFileSync(report, 'utf8'));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  console.log(
    `tests: ${results.numPassedTests} passed, ${results.numFailedTests} failed, ${results.numPendingTests} skipped`,
  );
  // A file that cannot be loaded fails without a failed test.
  if (test.status !== 0 && results.numFailedTests === 0)
    failed += Math.max(1, results.numFailedTestSuites);
} catch {
  console.log('tests: no report was written, so the run itself failed');
  failed += 1;
}
rmSync(scratch, { recursive: true, force: true });

const check = spawnSync('npm', ['run', '--silent', 'check', '--', '--no-tests'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
process.stdout.write(check.stdout ?? '');
process.stderr.write(check.stderr ?? '');
const summary = /^(\d+) passed, (\d+) failed$/m.exec(check.stdout ?? '');
passed += Number(summary?.[1] ?? 0);
failed += Number(summary?.[2] ?? 1);

console.log(`took ${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
