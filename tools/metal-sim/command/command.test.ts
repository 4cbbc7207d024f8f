/** The command that runs a kernel of a Metal file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { formatNpy, parseNpy } from '../../../compiler/driver/io/npy.ts';
import { type Ran, run } from '../host/programs.ts';
import { metalSim as runCommand } from './main.ts';
import { parseBuffer, parseBytes, parseConstant } from './specification.ts';

const sample = fileURLToPath(new URL('sample.metal', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'metal-sim-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function metalSim(...args: readonly string[]): Promise<Ran> {
  const texts = { stdout: '', stderr: '' };
  const status = await runCommand(args, {
    print: (text) => {
      texts.stdout += `${text}\n`;
    },
    printError: (text) => {
      texts.stderr += `${text}\n`;
    },
    isColourful: false,
  });
  return { status, ...texts };
}

const scaleArguments = [
  '--buffer',
  'x=f32:20:iota',
  '--buffer',
  'y=f32:20',
  '--bytes',
  'u32:20,f32:2',
];

describe('a run', () => {
  test('prints the buffers, shortened', async () => {
    const { status, stdout } = await metalSim(sample, 'scale', '--grid', '20', ...scaleArguments);
    expect(stdout.split('\n')).toEqual([
      'x: f32[20] = 0 1 2 3 ... 16 17 18 19  0 to 19',
      'y: f32[20] = 0 2 4 6 ... 32 34 36 38  0 to 38',
      '',
    ]);
    expect(status).toBe(0);
  });

  test('is a process of its own', async () => {
    const script = fileURLToPath(new URL('../run.ts', import.meta.url));
    const { status, stdout } = await run(process.execPath, ['--import', 'tsx', script, '--help']);
    expect(stdout).toContain('FILE.metal KERNEL');
    expect(status).toBe(0);
  });

  test('takes function constants by name or index, and threadgroup memory', async () => {
    const { stdout } = await metalSim(
      ...[sample, 'shift', '--grid', '1', '--dispatch', 'groups', '--threadgroup', '2'],
      ...['--buffer', 'y=half4:2', '--threadgroup-memory', '16', '--json'],
      ...['--constant', 'has_bias=bool:true', '--constant', '3=float:2.5'],
    );
    expect(JSON.parse(stdout)).toEqual({
      problems: [],
      buffers: { y: { dtype: 'f16', shape: [2, 4], data: new Array(8).fill(2.5) } },
    });
  });

  test('compiles for a version and a math mode', async () => {
    const file = join(folder, 'version.metal');
    writeFileSync(
      file,
      '#include <metal_stdlib>\nkernel void k(device float* x [[buffer(0)]]) {\n  x[0] = __METAL_VERSION__; x[1] = metal::tanh(x[1]);\n}\n',
    );
    const args = [file, 'k', '--grid', '1', '--threadgroup', '1', '--buffer', 'x=f32:2:100'];
    const [first, second] = await Promise.all([
      metalSim(...args),
      metalSim(...args, '--std', 'metal3.2', '--math', 'safe'),
    ]);
    expect(first.stdout).toBe('x: f32[2] = 310 NaN\n');
    expect(second.stdout).toBe('x: f32[2] = 320 1\n');
  });

  test('reads and writes .npy', async () => {
    const [input, output] = [join(folder, 'x.npy'), join(folder, 'y.npy')];
    writeFileSync(input, formatNpy({ dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) }));
    const { status } = await metalSim(
      ...[sample, 'scale', '--grid', '3', '--threadgroup', '3', '--bytes', 'sizes=u32:3,f32:-1'],
      ...['--buffer', 'y=f32:3', '--npy', `x=${input}`, `y=${output}`],
    );
    expect(status).toBe(0);
    expect(parseNpy(readFileSync(output), output).data).toEqual(Float32Array.of(-1, -2, -3));
  });

  test('lists what a file has', async () => {
    const { stdout } = await metalSim(sample, '--list');
    expect(stdout).toContain('scale\n  x: buffer(0), const device, elements of 4 bytes\n');
    expect(stdout).toContain('  sizes: buffer(2), constant, 8 bytes\n');
    expect(stdout).toContain('shift  uses function constants\n');
    expect(stdout).toContain('halve  at most 64 threads\n');
    expect(stdout).toContain('constant 3: float bias\n');
  });
});

describe('problems', () => {
  test('of the source stand under its lines', async () => {
    const file = join(folder, 'wrong.metal');
    writeFileSync(file, 'kernel void k(device float* x [[buffer(0)]]) {\n  x[0] = y;\n}\n');
    const { status, stdout } = await metalSim(file, 'k', '--grid', '1');
    expect(stdout).toBe(
      `${file}:2:10: error: use of undeclared identifier 'y'\n    2 |   x[0] = y;\n      |          ^\n`,
    );
    expect(status).toBe(1);
  });

  test.each([
    [
      'what a kernel does',
      ['halve', '--grid', '64', '--buffer', 'y=i32:64:iota'],
      /^.*sample\.metal:26: error: race: kernel halve: thread .* of buffer\(0\)/,
    ],
    [
      'accesses outside of a buffer',
      ['halve', '--grid', '32', '--buffer', 'y=i32:31:zeros'],
      /error: out-of-bounds: kernel halve: thread \(31, 0, 0\) .* which has 124/,
    ],
    [
      'threadgroups that are too large',
      ['halve', '--grid', '128', '--threadgroup', '128', '--buffer', 'y=i32:128:iota'],
      /error: .*must be <= 64\. \(kernel threadgroup size limit\)/,
    ],
    [
      'what is not bound',
      ['scale', '--grid', '4', '--buffer', 'y=f32:4'],
      /error: Compute Function\(scale\): missing buffer binding at index 0 for x\[0\]\./,
    ],
    [
      'bindings that are too short',
      ['scale', '--grid', '4', '--buffer', 'x=f32:4', '--buffer', 'y=f32:4', '--bytes', 'u32:4'],
      /has space for 4 bytes, but argument has a length\(8\)/,
    ],
  ])('%s', async (_what, args, message) => {
    const { status, stdout } = await metalSim(sample, ...args);
    expect(stdout).toMatch(message);
    expect(status).toBe(1);
  });

  test.each([
    [['no-such.metal', 'k'], 'there is no such file'],
    [[sample, 'k', '--grid', '1'], 'has no kernel `k`; it has scale, shift, halve'],
    [[sample], 'name a kernel: scale, shift, halve'],
    [[sample, 'scale'], '--grid is missing'],
    [[sample, 'shift', '--grid', '1'], 'uses function constants'],
    [[sample, 'halve', '--grid', '1', '--buffer', 'z=f32:1'], 'has no argument `z`; it has y (0)'],
    [[sample, 'halve', '--gird', '1'], 'Unknown argument: gird'],
  ])('a wrong command line: %j', async (args, message) => {
    const { status, stderr } = await metalSim(...args);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});

describe('contents', () => {
  test('of buffers', () => {
    expect(parseBuffer('u8:2x3:1,2', 0)).toEqual({
      dtype: 'u8',
      shape: [2, 3],
      data: Uint8Array.of(1, 2, 1, 2, 1, 2),
    });
    expect(parseBuffer('long:2:iota', 0).data).toEqual(BigInt64Array.of(0n, 1n));
    expect(parseBuffer('half:1:ones', 0).data).toEqual(Uint16Array.of(0x3c00));
    expect(parseBuffer('f32:8:random', 1)).toEqual(parseBuffer('f32:8:random', 1));
    expect(parseBuffer('f32:8:random', 1)).not.toEqual(parseBuffer('f32:8:random', 2));
    for (const wrong of ['f32', 'f99:4', 'f32:x', 'f32:0', 'f32:4:some', 'f32:4:1:2']) {
      expect(() => parseBuffer(wrong, 0), wrong).toThrow();
    }
  });

  test('of bytes: each value where a struct has it', () => {
    expect(parseBytes('u8:1,u32:2')).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0));
    expect(parseBytes('u16:1,2,u8:3')).toEqual(Uint8Array.of(1, 0, 2, 0, 3, 0));
    expect(parseBytes('uint2:1,2')).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0));
    expect(() => parseBytes('1,2')).toThrow('say the type');
    expect(() => parseBytes('u32:x')).toThrow('no number');
  });

  test('of constants', () => {
    const texts = ['bool:true', 'int:-3', 'float:2', 'half:0.5', 'bool:0'].map(parseConstant);
    expect(texts).toEqual(['true', '-3', '2.0f', '0.5f', 'false']);
    expect(() => parseConstant('bool:maybe')).toThrow();
  });
});
