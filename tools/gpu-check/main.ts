/**
 * tsx tools/gpu-check/main.ts FOLDER [--only TEXT]
 *
 * Writes a folder a case (see cases.ts and export.ts) below FOLDER, for tools/gpu-check/run.py on a machine with an NVIDIA
 * GPU. `--only` picks the cases whose names contain TEXT.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { exportCase } from './export.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
});
const [folder] = positionals;
if (folder === undefined || positionals.length !== 1) {
  console.error('usage: tsx tools/gpu-check/main.ts FOLDER [--only TEXT]');
  process.exit(2);
}
for (const [index, gpuCase] of cases.entries()) {
  if (!gpuCase.name.includes(values.only)) continue;
  const start = performance.now();
  const name = `${String(index).padStart(2, '0')}-${gpuCase.name.replace(/[^\w]+/g, '-')}`;
  try {
    await exportCase(gpuCase, join(folder, name));
    console.log(`${gpuCase.name}: ${Math.round(performance.now() - start)} ms`);
  } catch (error) {
    console.error(`${gpuCase.name}: FAILED: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
