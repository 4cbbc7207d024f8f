/** What needs a process of its own: captures, which the environment must permit; workers and their end; live objects; and the choice of the device. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { compileOrThrow } from '../../index.ts';
import { defaultDevice } from '../../runtime/default-device.ts';
import { strictMetal } from '../support/metal-device.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlxc-capture-'));
afterAll(() => rmSync(folder, { recursive: true }));
const source = 'export fn f(x: f32[N]) -> f32[N] { x * 2 }';

const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
/** What the scripts begin with: `open` loads the program. */
const beginning = `import { compileOrThrow, load, tensor } from ${from('../../index.ts')};
import { metalDevice } from ${from('../../runtime/metal-device.ts')};
const open = async (device) => load(compileOrThrow('${source}', { targets: ['metal'] }), { device });
`;

/** Runs a script in a process of its own: its output, its complaints and its exit code. */
function run(name: string, text: string, args: readonly string[] = [], env: object = {}) {
  const script = join(folder, name);
  writeFileSync(script, beginning + text);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', script, ...args],
    {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
    },
  );
  return { lines: stdout.trim().split('\n'), stderr, status };
}

test('a capture is a new document that ends in .gputrace', () => {
  const trace = join(folder, 'a.gputrace');
  const { lines } = run(
    'capture.mts',
    `const device = metalDevice('${strictMetal().name}');
const module = await open(device);
for (const path of process.argv.slice(2)) {
  await device.capture(path, () => { module.function('f')(tensor([1])); }).then(
    () => console.log('captured'), (error) => console.log(error.message));
}`,
    [trace, trace, join(folder, 'b.txt')],
    { MTL_CAPTURE_ENABLED: '1' },
  );
  expect(lines).toEqual([
    'captured',
    expect.stringMatching(/^MLX5125: /),
    expect.stringMatching(/^MLX5125: /),
  ]);
  expect(existsSync(trace)).toBe(true);
});

test('two workers share the device, whichever ends first, and the process ends well', () => {
  const { lines, stderr, status } = run(
    'workers.mts',
    `import { isMainThread, Worker, workerData } from 'node:worker_threads';
// the hooks of tsx do not reach workers by themselves
const start = \`import('tsx/esm/api').then((tsx) => {
  tsx.register();
  return import(require('node:worker_threads').workerData.script);
})\`;
const ended = (turns) => new Promise((resolve, reject) => {
  new Worker(start, { eval: true, workerData: { script: import.meta.url, turns } })
    .once('error', reject).once('exit', resolve);
});
if (isMainThread) {
  for (const turns of [[1, 100], [100, 1]]) {
    console.log((await Promise.all(turns.map(ended))).join(' and '));
  }
} else {
  const { turns } = workerData;
  const module = await open(metalDevice('${strictMetal().name}'));
  let x = tensor([1]);
  for (let i = 0; i < turns; i++) x = module.function('f')(x);
  if (x.data[0] !== 2 ** turns) process.exit(3);
}`,
  );
  expect(stderr).toBe('');
  expect(lines).toEqual(['0 and 0', '0 and 0']);
  expect(status).toBe(0);
}, 120_000);

test.runIf(process.platform !== 'darwin')(
  'a thousand calls leave no object and no buffer behind, and all that is autoreleased has a pool',
  () => {
    const addon = join(folder, 'live-objects.node');
    const headers = createRequire(import.meta.url)('node-api-headers').include_dir as string;
    const ownHeaders = spawnSync('gcc', ['-print-file-name=include'], { encoding: 'utf8' });
    const built = spawnSync(
      'clang-19',
      [
        ...['-shared', '-fPIC', `-I${headers}`, `-I${ownHeaders.stdout.trim()}`],
        ...[fileURLToPath(new URL('../support/live-objects.c', import.meta.url))],
        ...['-o', addon, '-lobjc'],
      ],
      { encoding: 'utf8' },
    );
    expect(built.stderr).toBe('');
    const { lines, stderr, status } = run(
      'live.mts',
      `import { createRequire } from 'node:module';
const device = metalDevice('metal-sim');
const { live } = createRequire(import.meta.url)(process.argv[2]);
const module = await open(device);
const call = () => {
  const y = module.function('f')(tensor([1, 2, 3]));
  y.wait();
  y.dispose();
};
// the thread that ends runs may still hold the last one
const settled = async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  return [live(), device.memoryStatistics().active];
};
for (let i = 0; i < 50; i++) call();
const before = await settled();
for (let i = 0; i < 1000; i++) call();
console.log(JSON.stringify([before, await settled()]));`,
      [addon],
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const [before, after] = JSON.parse(lines[0]!) as [number[], number[]];
    // the pipelines of the program are there
    expect(before[0]).toBeGreaterThan(2);
    expect(after).toEqual(before);
  },
  120_000,
);

test('the GPU is chosen where there is one, for bundles with kernels for it', () => {
  const gpu = strictMetal();
  const both = compileOrThrow(source, { targets: ['metal', 'cpu'] });
  expect(defaultDevice(both, () => gpu)).toBe(gpu);
  expect(defaultDevice(both, () => undefined).name).toBe('cpu');
  const cpuOnly = compileOrThrow(source, { targets: ['cpu'] });
  expect(defaultDevice(cpuOnly, () => gpu).name).toBe('cpu');
});
