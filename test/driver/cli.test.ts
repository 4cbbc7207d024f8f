import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatNpy } from '../../compiler/driver/io/npy.ts';
import { formatNpz, parseNpz } from '../../compiler/driver/io/npz.ts';
import { formatSafetensors } from '../../compiler/driver/io/safetensors.ts';
import { TestShell } from '../support/shell.ts';

const shell = new TestShell();
afterAll(() => shell.remove());

const source = `import { Linear, linear } from "std/nn";

struct Net {
  hidden: Linear<2, 3>,
  scale: f32,
}

/// Twice x.
export fn twice(x: f32[N]) -> f32[N] {
  x * 2.0
}

export fn both(x: f32[N], y: f32[N]) -> (f32[N], f32) {
  (x + y, sum(x * y))
}

export fn apply(m: Net, x: f32[B, 2]) -> f32[B, 3] {
  linear(x, m.hidden) * m.scale
}

export fn halves(x: f32[N]) -> f32[2, N/2] {
  reshape(x, (2, N / 2))
}

export fn fresh(seed: i32) -> Net {
  Net { hidden: Linear { w: full((2, 3), f32(seed)), b: zeros() }, scale: 1.0 }
}
`;
const file = shell.file('model.mlx', source);
const broken = shell.file('broken.mlx', 'export fn f(x: f32[N]) -> f32[N] {\n  x + nope\n}\n');
const f32 = (
  shape: number[],
  ...values: number[]
): { dtype: 'f32'; shape: number[]; data: Float32Array } => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(values),
});

describe('places that cannot be used', () => {
  test('a folder that the system does not let be made ends in an error', async () => {
    const { code, err } = await shell.run('build', file, '-o', '/proc/mlxc/out.mlxbundle');
    expect(err).toMatch(/MLX5002.*cannot be written/);
    expect(code).toBe(1);
  });

  test('a file is never replaced by a bundle', async () => {
    const { code, err } = await shell.run('build', file, '-o', file);
    expect(err).toMatch(/MLX5002.*is no bundle/);
    expect(code).toBe(1);
    expect(readFileSync(shell.path(file), 'utf8')).toBe(source);
  });

  test('more memory than there is', async () => {
    const text = 'export fn f(s: f32) -> f32[K] { full((K,), s) }';
    const path = shell.file('huge.mlx', text);
    const flags = ['--device', 'interp', '--dim', 'K=1000000000000'];
    const { code, err } = await shell.run('run', path, 'f', 's=1', ...flags);
    expect(err).toMatch(/MLX5121.*4000000000000 bytes/);
    expect(code).toBe(1);
  });

  test('kernels that are not those of the plan', async () => {
    const out = shell.path('swapped.mlxbundle');
    await shell.run('build', file, '-o', out);
    writeFileSync(join(out, 'kernels.c'), 'int nothing;');
    const { code, err } = await shell.run('run', out, 'twice', 'x=[1]');
    expect(err).toMatch(/MLX5102.*no kernel/);
    expect(code).toBe(1);
  });
});

describe('usage', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /no command/],
    ['unknown command', ['chekc', file], /Did you mean check/],
    ['unknown flag', ['fmt', '--chek', file], /did you mean `--check`/],
    ['missing file', ['check'], /Not enough/],
    ['bad choice', ['build', file, '--emit', 'llvm'], /Invalid values/],
    ['bad dim', ['check', file, '--dim', 'N=x'], /NAME=NUMBER/],
    ['two dims', ['check', file, '--dim', 'N=2', '--dim', 'N=3'], /twice/],
    ['no value', ['run', file, 'twice'], /no value for x: f32\[N\]/],
    ['unknown parameter', ['run', file, 'both', 'x=[1]', 'yy=[1]'], /did you mean `y`/],
    ['value twice', ['run', file, 'twice', 'x=[1]', 'x=[2]'], /twice/],
    ['malformed value', ['run', file, 'twice', 'x'], /name=VALUE/],
    ['unknown save format', ['run', file, 'twice', 'x=[1]', '--save', 'y.txt'], /\.npz/],
    ['emit and watch', ['build', file, '--emit', 'c', '--watch'], /--emit/],
    ['fmt without files', ['fmt'], /no files/],
  ];
  test.each(cases)('%s: exit code 2', async (_name, argv, message) => {
    const { code, out, err } = await shell.run(...argv);
    expect(`${err}`).toMatch(message);
    expect(code).toBe(2);
    expect(out).toBe('');
  });

  test('--help prints on standard output and succeeds', async () => {
    for (const argv of [['--help'], ['run', '--help'], ['build', '--help']]) {
      const { code, out } = await shell.run(...argv);
      expect(code).toBe(0);
      expect(out).toContain('mlxc');
    }
    expect((await shell.run('run', '--help')).out).toContain('Examples:');
  });

  test('--version', async () => {
    expect((await shell.run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('completion', async () => {
    expect((await shell.run('completion')).out).toContain('complete ');
  });

  test('usage errors as JSON', async () => {
    const outcome = await shell.run('run', file, 'twice', '--json');
    expect(outcome.code).toBe(2);
    expect(outcome.json()).toMatchObject({ ok: false, error: { message: expect.any(String) } });
  });
});

describe('check', () => {
  test('a sound source', async () => {
    const { code, out, err } = await shell.run('check', file);
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: 'ok model.mlx\n' });
  });

  test('a broken source: a frame on standard error, exit code 1', async () => {
    const { code, out, err } = await shell.run('check', broken);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/error\[MLX2\d{3}\]/);
    expect(err).toContain('broken.mlx:2:7');
    expect(err).toContain('1 error');
  });

  test('JSON: code, severity, message, span with lines from 1', async () => {
    const outcome = await shell.run('check', file, broken, '--json');
    expect(outcome.code).toBe(1);
    expect(outcome.json()).toMatchObject({
      ok: false,
      files: [
        {
          file: 'model.mlx',
          ok: true,
          functions: ['twice', 'both', 'apply', 'halves', 'fresh'],
          diagnostics: [],
        },
        {
          file: 'broken.mlx',
          ok: false,
          diagnostics: [
            {
              code: expect.stringMatching(/^MLX2\d{3}$/),
              severity: 'error',
              message: expect.any(String),
              file: 'broken.mlx',
              span: {
                start: { line: 2, column: 7, offset: 41 },
                end: { line: 2, column: 11, offset: 45 },
              },
              labels: expect.any(Array),
            },
          ],
        },
      ],
    });
  });

  test('an absent file', async () => {
    const { code, err } = await shell.run('check', 'nowhere.mlx');
    expect(code).toBe(1);
    expect(err).toContain('MLX5001');
  });

  test('f64 is refused for Metal', async () => {
    const double = shell.file('double.mlx', 'export fn f(x: f64[N]) -> f64[N] {\n  x * 2.0\n}\n');
    expect((await shell.run('check', double)).code).toBe(0);
    const { code, err } = await shell.run('check', double, '--target', 'metal');
    expect(code).toBe(1);
    expect(err).toContain('MLX4001');
    expect((await shell.run('build', double, '--target', 'metal')).code).toBe(1);
  });

  test('colours: on a terminal, not with NO_COLOR, always with --color', async () => {
    const colour = '\u001b[';
    let err = '';
    const write = (text: string): void => {
      err += text;
    };
    const stderr = { write, isTerminal: true, columns: 80 };
    await shell.runWith({ stderr, env: {} }, 'check', broken);
    expect(err).toContain(colour);
    err = '';
    await shell.runWith({ stderr, env: { NO_COLOR: '1' } }, 'check', broken);
    expect(err).not.toContain(colour);
    expect((await shell.run('check', broken, '--color')).err).toContain(colour);
    err = '';
    await shell.runWith({ stderr, env: {} }, 'check', broken, '--no-color');
    expect(err).not.toContain(colour);
  });
});

describe('fmt', () => {
  const ugly = 'export fn f(x:f32[N])->f32[N]{x*2.0}\n';

  test('--check leaves the file alone', async () => {
    const name = shell.file('ugly.mlx', ugly);
    const { code, out } = await shell.run('fmt', '--check', name, file);
    expect(code).toBe(1);
    expect(out).toBe('would format ugly.mlx\n');
    expect(readFileSync(shell.path(name), 'utf8')).toBe(ugly);
  });

  test('formats in place, once', async () => {
    const name = shell.file('ugly.mlx', ugly);
    expect((await shell.run('fmt', name)).code).toBe(0);
    expect(readFileSync(shell.path(name), 'utf8')).toContain('f(x: f32[N])');
    expect((await shell.run('fmt', '--check', name)).code).toBe(0);
  });

  test('a source with syntax errors stays as it is', async () => {
    const name = shell.file('bad.mlx', 'export fn f( {');
    expect((await shell.run('fmt', name)).code).toBe(1);
    expect(readFileSync(shell.path(name), 'utf8')).toBe('export fn f( {');
  });

  test('--stdin', async () => {
    const { code, out } = await shell.runWith({ readStdin: async () => ugly }, 'fmt', '--stdin');
    expect(code).toBe(0);
    expect(out).toContain('f(x: f32[N])');
  });
});

describe('build', () => {
  test('writes a bundle, and the same bytes again', async () => {
    expect((await shell.run('build', file)).code).toBe(0);
    const files = [
      'constants.safetensors',
      'index.d.ts',
      'index.js',
      'kernels.c',
      'kernels.metal',
      'plan.json',
    ];
    expect(readdirSync(shell.path('model.mlxbundle')).sort()).toEqual(files);
    const read = (): string[] =>
      files.map((name) => readFileSync(join(shell.path('model.mlxbundle'), name), 'latin1'));
    const first = read();
    expect((await shell.run('build', file)).code).toBe(0);
    expect(read()).toEqual(first);
  });

  test('leaves nothing behind when the source is broken', async () => {
    expect((await shell.run('build', broken, '-o', 'none.mlxbundle')).code).toBe(1);
    expect(existsSync(shell.path('none.mlxbundle'))).toBe(false);
    expect(readdirSync(shell.cwd).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  test('never replaces a folder that is no bundle', async () => {
    mkdirSync(shell.path('precious'));
    writeFileSync(join(shell.path('precious'), 'thesis.txt'), 'x');
    const { code, err } = await shell.run('build', file, '-o', 'precious');
    expect(code).toBe(1);
    expect(err).toContain('MLX5002');
    expect(readdirSync(shell.path('precious'))).toEqual(['thesis.txt']);
  });

  test('--emit prints each stage', async () => {
    const expected = {
      ast: '"declarations"',
      ir: 'entry twice',
      kernels: 'kernel twice',
      metal: '#include <metal_stdlib>',
      c: 'void mlxc_',
      plan: '"functions"',
    };
    for (const [stage, text] of Object.entries(expected)) {
      const { code, out } = await shell.run('build', file, '--emit', stage);
      expect(code).toBe(0);
      expect(out).toContain(text);
    }
    expect((await shell.run('build', file, '--emit', 'c')).out).not.toContain('metal_stdlib');
  });

  test('--json describes the bundle', async () => {
    const outcome = await shell.run(
      'build',
      file,
      '--target',
      'cpu',
      '--json',
      '-o',
      'cpu.mlxbundle',
    );
    expect(outcome.json()).toMatchObject({
      ok: true,
      out: 'cpu.mlxbundle',
      kernels: { cpu: expect.any(Number) },
      warnings: [],
    });
    expect(existsSync(join(shell.path('cpu.mlxbundle'), 'kernels.metal'))).toBe(false);
  });

  test('--dim fixes a dim, --entry picks a function', async () => {
    const { out } = await shell.run(
      'build',
      file,
      '--emit',
      'ir',
      '--dim',
      'N=8',
      '--entry',
      'twice',
    );
    expect(out).toContain('f32[8]');
    expect(out).not.toContain('entry both');
  });

  test('MLXC_DUMP and MLXC_VERIFY', async () => {
    const env = { ...process.env, MLXC_DUMP: 'simplify', MLXC_VERIFY: '1' };
    const { code, err } = await shell.runWith({ env }, 'build', file, '-o', 'dump.mlxbundle');
    expect(code).toBe(0);
    expect(err).toContain('--- simplify\nprogram plain');
  });
});

describe('build --watch', () => {
  test('builds again when an imported source changes', async () => {
    shell.file('part.mlx', 'export fn part(x: f32[N]) -> f32[N] { x + 1.0 }\n');
    shell.file(
      'whole.mlx',
      'import { part } from "./part.mlx";\nexport fn whole(x: f32[N]) -> f32[N] { part(x) }\n',
    );
    let stop = (): void => {};
    const interrupted = new Promise<void>((resolve) => {
      stop = resolve;
    });
    let err = '';
    const stderr = {
      write: (text: string): void => {
        err += text;
      },
      isTerminal: false,
      columns: 100,
    };
    const until = async (condition: () => boolean): Promise<void> => {
      for (let i = 0; i < 200 && !condition(); i++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(condition()).toBe(true);
    };
    const running = shell.runWith(
      { stderr, untilInterrupted: () => interrupted },
      'build',
      'whole.mlx',
      '--watch',
    );
    await until(() => err.includes('wrote'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    shell.file('part.mlx', 'export fn part(x: f32[N]) -> f32[N] { nope }\n');
    await until(() => err.includes('error['));
    shell.file('part.mlx', 'export fn part(x: f32[N]) -> f32[N] { x }\n');
    await until(() => err.split('wrote').length === 3);
    stop();
    expect((await running).code).toBe(0);
  });
});

describe('run', () => {
  test('JSON values, printed', async () => {
    const { code, out } = await shell.run('run', file, 'twice', 'x=[1, 2.5]');
    expect(code).toBe(0);
    expect(out).toBe('f32[2]\n[2., 5.]\n');
  });

  test('the interpreter gives the same', async () => {
    const { out } = await shell.run('run', file, 'twice', 'x=[1, 2.5]', '--device', 'interp');
    expect(out).toBe('f32[2]\n[2., 5.]\n');
  });

  test('--json', async () => {
    const outcome = await shell.run('run', file, 'both', 'x=[1,2]', 'y=[3,4]', '--json');
    expect(outcome.json()).toEqual({
      ok: true,
      results: {
        0: { dtype: 'f32', shape: [2], data: [4, 6] },
        1: { dtype: 'f32', shape: [], data: 11 },
      },
    });
  });

  test('a bundle', async () => {
    await shell.run('build', file, '-o', 'run.mlxbundle');
    expect((await shell.run('run', 'run.mlxbundle', 'twice', 'x=[1]')).out).toBe('f32[1]\n[2.]\n');
  });

  test('.npy, .npz and keys', async () => {
    shell.file('x.npy', formatNpy(f32([2], 1, 2)));
    shell.file(
      'xs.npz',
      await formatNpz(
        new Map([
          ['a', f32([2], 3, 4)],
          ['b', f32([2], 5, 6)],
        ]),
      ),
    );
    const outcome = await shell.run('run', file, 'both', 'x=@x.npy', 'y=@xs.npz:b', '--json');
    expect(outcome.json()).toMatchObject({ results: { 0: { data: [6, 8] }, 1: { data: 17 } } });
  });

  test('trees from JSON, .safetensors and a prefix of .npz', async () => {
    const net = new Map([
      ['hidden.w', f32([2, 3], 1, 0, 0, 0, 1, 0)],
      ['hidden.b', f32([3], 0, 0, 7)],
      ['scale', f32([], 2)],
    ]);
    shell.file('w.safetensors', formatSafetensors(net));
    shell.file(
      'all.npz',
      await formatNpz(new Map([...net].map(([key, value]) => [`model.${key}`, value]))),
    );
    const json = '{"hidden": {"w": [[1,0,0],[0,1,0]], "b": [0,0,7]}, "scale": 2}';
    for (const m of [json, '@w.safetensors', '@all.npz:model']) {
      const outcome = await shell.run('run', file, 'apply', `m=${m}`, 'x=[[1,2]]', '--json');
      expect(outcome.json()).toMatchObject({
        results: { result: { shape: [1, 3], data: [[2, 4, 14]] } },
      });
    }
  });

  test('--save: dotted names', async () => {
    const { code, out } = await shell.run('run', file, 'fresh', 'seed=3', '--save', 'net.npz');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    const saved = await parseNpz(readFileSync(shell.path('net.npz')), 'net.npz');
    expect([...saved.keys()].sort()).toEqual(['hidden.b', 'hidden.w', 'scale']);
    expect([...saved.get('hidden.w')!.data]).toEqual([3, 3, 3, 3, 3, 3]);
    const again = await shell.run('run', file, 'apply', 'm=@net.npz', 'x=[[1,1]]', '--json');
    expect(again.json()).toMatchObject({ results: { result: { data: [[6, 6, 6]] } } });
  });

  const failures: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown function', ['run', file, 'twicee', 'x=[1]'], /did you mean `twice`/],
    ['an absent file', ['run', 'no.mlx', 'f'], /MLX5001/],
    ['an absent value file', ['run', file, 'twice', 'x=@no.npy'], /MLX5001/],
    ['not JSON', ['run', file, 'twice', 'x=[1,'], /MLX5020/],
    ['ragged lists', ['run', file, 'both', 'x=[[1],[2,3]]', 'y=[1]'], /MLX5020/],
    ['wrong rank', ['run', file, 'twice', 'x=[[1]]'], /expected 1 axes/],
    ['text for a number', ['run', file, 'twice', 'x=["a"]'], /expected a number/],
    ['dims that differ', ['run', file, 'both', 'x=[1]', 'y=[1,2]'], /MLX5111/],
    ['dims that violate a guard', ['run', file, 'halves', 'x=[1,2,3]'], /MLX5112/],
    ['a missing field', ['run', file, 'apply', 'm={}', 'x=[[1,2]]'], /hidden/],
    [
      'Metal without Metal',
      ['run', file, 'twice', 'x=[1]', '--device', 'metal'],
      /MLX5118\]?: the Metal device needs macOS with a Metal GPU, this is \w+[\s\S]*use the device cpu; kernels\.metal is written all the same/,
    ],
  ];
  test.each(failures)('%s: exit code 1', async (_name, argv, message) => {
    const { code, out, err } = await shell.run(...argv);
    expect(err).toMatch(message);
    expect(code).toBe(1);
    expect(out).toBe('');
  });

  test('a .npy of another dtype says how to convert it', async () => {
    shell.file('d.npy', formatNpy({ dtype: 'f64', shape: [1], data: Float64Array.of(1) }));
    const { code, err } = await shell.run('run', file, 'twice', 'x=@d.npy');
    expect(code).toBe(1);
    expect(err).toContain('.astype(numpy.float32)');
  });

  test('a missing key names what is there', async () => {
    shell.file(
      'one.npz',
      await formatNpz(
        new Map([
          ['weights', f32([1], 1)],
          ['bias', f32([1], 1)],
        ]),
      ),
    );
    const { err } = await shell.run('run', file, 'twice', 'x=@one.npz:weihgts');
    expect(err).toContain('did you mean `weights`');
  });

  test('errors as JSON', async () => {
    const outcome = await shell.run('run', file, 'twice', 'x=@no.npy', '--json');
    expect(outcome.json()).toMatchObject({
      ok: false,
      error: { code: 'MLX5001', message: expect.stringContaining('no.npy') },
    });
  });
});

describe('hostile bundles', () => {
  test('damaged, truncated and of another version', async () => {
    await shell.run('build', file, '-o', 'good.mlxbundle');
    const good = readFileSync(join(shell.path('good.mlxbundle'), 'plan.json'), 'utf8');
    const variants: readonly (readonly [string, RegExp])[] = [
      ['', /MLX5102/],
      ['{', /MLX5102/],
      ['[]', /MLX510[23]/],
      ['null', /MLX510[23]/],
      [good.slice(0, good.length / 2), /MLX5102/],
      [good.replace('"version":1', '"version":999'), /MLX5103/],
      ['{"version":1,"name":"x","plans":null}', /MLX5102/],
      ['{"version":1,"name":"x","plans":{}}', /MLX5117/],
      [
        '{"version":1,"name":"x","plans":{"cpu":{"version":1,"target":"cpu","kernels":[],"functions":[{}]}}}',
        /MLX5102/,
      ],
    ];
    for (const [text, message] of variants) {
      const folder = shell.path('bad.mlxbundle');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'plan.json'), text);
      const { code, err } = await shell.run('run', 'bad.mlxbundle', 'twice', 'x=[1]');
      expect(err).toMatch(message);
      expect(code).toBe(1);
    }
  });

  test('an empty folder', async () => {
    mkdirSync(shell.path('empty.mlxbundle'));
    const { code, err } = await shell.run('run', 'empty.mlxbundle', 'f');
    expect(code).toBe(1);
    expect(err).toContain('MLX5101');
  });
});

describe('hostile sources', () => {
  test('deep nesting and random bytes end in errors', async () => {
    const deep = shell.file(
      'deep.mlx',
      `export fn f(x: f32) -> f32 { ${'('.repeat(100_000)}x${')'.repeat(100_000)} }`,
    );
    const bytes = new Uint8Array(1 << 20);
    let state = 1;
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bytes[i] = state >>> 24;
    }
    const random = shell.file('random.mlx', bytes);
    for (const name of [deep, random]) {
      const { code, err } = await shell.run('check', name);
      expect(code).toBe(1);
      expect(err).toMatch(/error\[MLX1\d{3}\]/);
    }
  });
});

describe('explain', () => {
  test('text, JSON and a page', async () => {
    const text = await shell.run('explain', file, 'both', '--dim', 'N=1024');
    expect(text.code).toBe(0);
    expect(text.out).toContain('both(x: f32[1024], y: f32[1024])');
    expect(text.out).toContain('[[kernel');
    const json = await shell.run('explain', file, 'both', '--json', '--dim', 'N=1024');
    expect(json.json()).toMatchObject({
      ok: true,
      target: 'metal',
      functions: [
        {
          name: 'both',
          dispatches: [{ bytes: { value: expect.any(Number) }, places: expect.any(Array) }],
        },
      ],
    });
    expect((await shell.run('explain', file, '--html', 'page.html')).code).toBe(0);
    const page = readFileSync(shell.path('page.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/(src|href)=/);
  });

  test('an unknown function', async () => {
    expect((await shell.run('explain', file, 'bothh')).err).toContain('did you mean `both`');
  });
});

test('bench times a function', async () => {
  const outcome = await shell.run(
    'bench',
    file,
    'twice',
    '--dim',
    'N=64',
    '--seconds',
    '0.01',
    '--json',
  );
  expect(outcome.code).toBe(0);
  expect(outcome.json()).toContainEqual({
    name: 'twice call',
    value: expect.any(Number),
    unit: 'ms',
  });
  expect((await shell.run('bench', file, 'twice')).code).toBe(2);
});

test('doctor says what is here and what it is for', async () => {
  const outcome = await shell.run('doctor', '--json');
  expect(outcome.json()).toMatchObject({
    ok: true,
    findings: expect.arrayContaining([
      { name: 'node', found: true, detail: process.versions.node, neededFor: expect.any(String) },
    ]),
  });
});
