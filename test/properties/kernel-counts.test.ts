/**
 * `// expect: kernels N` or `// expect: kernels <= N` at the head of test/golden/kernels/*.mlx: how many kernels its one
 * function may launch, on either device.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fuse } from '../../compiler/passes/fuse.ts';
import { cpuSchedule } from '../../compiler/schedule/cpu/schedule.ts';
import { cpuModels } from '../../compiler/schedule/device-model.ts';
import { metalSchedule } from '../../compiler/schedule/metal/schedule.ts';
import { type Schedule, scheduleProgram } from '../../compiler/schedule/schedule.ts';
import { compileSource, simplifyProgram } from '../support/run-source.ts';

const folder = new URL('../golden/kernels/', import.meta.url);

function countKernels(text: string, schedule: Schedule): number {
  const program = simplifyProgram(compileSource(text));
  const { entries } = scheduleProgram(fuse(program), schedule);
  expect(entries.length).toBe(1);
  return entries[0]!.scheduled.steps.length;
}

describe.each(readdirSync(folder).filter((f) => f.endsWith('.mlx')))('%s', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const [, relation, count] = /^\/\/ expect: kernels (<= )?(\d+)$/m.exec(text)!;

  test.each([cpuSchedule(cpuModels.avx2), metalSchedule()])('on $target', (schedule) => {
    const found = countKernels(text, schedule);
    if (relation === undefined) expect(found).toBe(Number(count));
    else expect(found).toBeLessThanOrEqual(Number(count));
  });
});
