/** What needs a process of its own: captures, which the environment must permit; and the choice of the device. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileOrThrow } from '../../index.ts';
import { defaultDevice } from '../../runtime/default-device.ts';
import { strictMetal } from '../support/metal-device.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlxc-capture-'));
afterAll(() => rmSync(folder, { recursive: true }));
const source = 'export fn f(x: f32[N]) -> f32[N] { x * 2 }';

test('a capture is a new document that ends in .gputrace', () => {
  const script = join(folder, 'capture.mts');
  const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  writeFileSync(
    script,
    `import { compileOrThrow, load, tensor } from ${from('../../index.ts')};
import { metalDevice } from ${from('../../runtime/metal-device.ts')};
const device = metalDevice('${strictMetal().name}');
const module = await load(compileOrThrow('${source}', { targets: ['metal'] }), { device });
for (const path of process.argv.slice(2)) {
  await device.capture(path, () => { module.function('f')(tensor([1])); }).then(
    () => console.log('captured'), (error) => console.log(error.message));
}`,
  );
  const trace = join(folder, 'a.gputrace');
  const { stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', script, trace, trace, join(folder, 'b.txt')],
    {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
      env: { ...process.env, MTL_CAPTURE_ENABLED: '1' },
    },
  );
  expect(stdout.trim().split('\n')).toEqual([
    'captured',
    expect.stringMatching(/^MLX5125: /),
    expect.stringMatching(/^MLX5125: /),
  ]);
  expect(existsSync(trace)).toBe(true);
});

test('the GPU is chosen where there is one, for bundles with kernels for it', () => {
  const gpu = strictMetal();
  const both = compileOrThrow(source, { targets: ['metal', 'cpu'] });
  expect(defaultDevice(both, () => gpu)).toBe(gpu);
  expect(defaultDevice(both, () => undefined).name).toBe('cpu');
  const cpuOnly = compileOrThrow(source, { targets: ['cpu'] });
  expect(defaultDevice(cpuOnly, () => gpu).name).toBe('cpu');
});
