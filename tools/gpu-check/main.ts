/**
 * npm run gpu-check [-- --only TEXT] [--peers]                        the cases of cases.ts
 * npm run gpu-check -- [--random N [--seed S]] [--library]            programs drawn at random; the library's goldens
 * npm run gpu-check -- FILE FUNCTION [name=VALUE …] [--dim N=4]       one call of a source or a bundle
 *
 * Writes a folder a case below --folder, and runs them on the NVIDIA GPU of this machine by run.py, with the Python of --python (it
 * needs PyTorch and NVRTC). `--export` stops before that: the folder can be carried to another machine.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../compiler/driver/node-host.ts';
import { cases, type GpuCase } from './cases.ts';
import { exportCase } from './export.ts';
import { exportSingle } from './single.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: 'build/gpu-check' },
    only: { type: 'string', default: '' },
    dim: { type: 'string', multiple: true, default: [] },
    export: { type: 'boolean', default: false },
    random: { type: 'string' },
    seed: { type: 'string', default: '1' },
    library: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    json: { type: 'string' },
    python: { type: 'string', default: 'python3' },
  },
});

/** The cases by the names of their folders. */
async function chosen(): Promise<ReadonlyMap<string, (folder: string) => Promise<void>>> {
  const [path, name, ...inputs] = positionals;
  if (path !== undefined && name !== undefined) {
    const call = { path, function: name, inputs, dims: values.dim };
    return new Map([[`call-${name}`, (folder) => exportSingle(call, folder)]]);
  }
  if (path !== undefined) throw new Error('name the function after the source or bundle');
  const all = values.random === undefined && !values.library ? cases : await moreCases();
  return new Map(
    all
      .filter((c) => c.name.includes(values.only))
      .map((c) => [c.name.replace(/[^\w]+/g, '-'), (folder) => exportCase(c, folder)]),
  );
}

/** They need packages for tests, which the others do without. */
async function moreCases(): Promise<readonly GpuCase[]> {
  const { libraryCases, randomCases } = await import('./more-cases.ts');
  const count = Number(values.random ?? 0);
  return [...randomCases(Number(values.seed), count), ...(values.library ? libraryCases() : [])];
}

const exported: string[] = [];
for (const [name, write] of await chosen()) {
  const start = performance.now();
  try {
    await write(join(values.folder, name));
    exported.push(name);
    console.log(`${name}: ${Math.round(performance.now() - start)} ms`);
  } catch (error) {
    console.error(`${name}: FAILED: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
mkdirSync(values.folder, { recursive: true });
writeFileSync(join(values.folder, 'cases.json'), JSON.stringify(exported));
if (!values.export) {
  const flags = [
    ...(values.peers ? ['--peers'] : []),
    ...(values.json === undefined ? [] : ['--json', values.json]),
  ];
  const script = join(packageRoot(), 'tools/gpu-check/run.py');
  const run = spawnSync(values.python, [script, values.folder, ...flags], { stdio: 'inherit' });
  if (run.error !== undefined) console.error(`${values.python}: ${run.error.message}`);
  process.exitCode ||= run.status ?? 1;
}
