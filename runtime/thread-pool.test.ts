import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mlxc-pool-'));
afterAll(() => rmSync(work, { recursive: true }));

const sources = [
  'test/thread-pool-stress.cc',
  'src/cpu/thread-pool.cc',
  'src/cpu/run-queue.cc',
  'src/cpu/memory.cc',
];

function build(name: string, flags: readonly string[]): string | undefined {
  const program = join(work, name);
  const files = sources.map((source) => join(folder, source));
  const args = ['-std=c++20', '-O1', '-g', '-pthread', ...flags, ...files, '-o', program];
  const { status, stderr } = spawnSync(process.env['CXX'] ?? 'c++', args, { encoding: 'utf8' });
  // a compiler may lack the sanitizer's library
  if (status !== 0 && flags.length > 0 && /tsan/.test(stderr)) return undefined;
  expect(stderr).toBe('');
  return program;
}

test('every task and every queued run runs once, whoever launches, also after a fork', () => {
  const program = build('stress', []);
  expect(execFileSync(program!, { encoding: 'utf8' })).toBe('ok\n');
});

test('the thread sanitizer finds nothing', ({ skip }) => {
  // it does not follow threads into a forked child
  const program = build('stress-tsan', ['-fsanitize=thread', '-DNO_FORK']);
  if (program === undefined) return skip('no thread sanitizer here');
  const { stdout, stderr, status } = spawnSync(program, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('ok\n');
  expect(status).toBe(0);
});
