import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { kernelFlags } from '../../runtime/compile-kernels.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'mlxc-helpers-'));
afterAll(() => rmSync(work, { recursive: true }));

/** Compiles a program of to-c/test with the flags of kernels and runs it. */
function run(source: string, args: readonly string[] = []): string {
  const program = join(work, source.replace('.c', ''));
  const flags = kernelFlags().filter((flag) => flag !== '-w');
  const command = [
    ...flags,
    `-I${folder}helpers`,
    join(folder, 'test', source),
    '-o',
    program,
    '-lm',
  ];
  execFileSync(process.env['CC'] ?? 'cc', command);
  return execFileSync(program, args, { encoding: 'utf8' });
}

describe('float functions', () => {
  // every 4001st bit pattern: 1.07 million arguments a function, and edge cases
  const lines = run('math-accuracy.c', ['4001']).trim().split('\n');

  test('all are measured', () => {
    expect(lines).toHaveLength(27);
  });

  test.each(lines.map((line) => line.split(' ')))('%s is within 4 ulp (%s)', (_name, ulps) => {
    expect(Number(ulps)).toBeLessThanOrEqual(4);
  });
});

test('f16 conversions round as the hardware does', () => {
  expect(run('half-conversion.c')).toBe('0 failures\n');
});
