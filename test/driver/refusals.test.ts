/** What the command line and the interface for programs refuse, and how they say it. */
import { afterAll, describe, expect, test } from 'vitest';
import { compile, load } from '../../index.ts';
import { TestShell } from '../support/shell.ts';

const shell = new TestShell();
afterAll(() => shell.remove());

const file = shell.file(
  'a.mlx',
  `struct P { x: f32, y: f32 }
fn first_four(x: f32[N]) -> f32 where N >= 4 { sum(x[:4]) }
export fn make() -> f32[N] { zeros() }
export fn first(p: P, q: (f32, f32)) -> f32 { p.x + q.0 + first_four(ones((4,))) }
`,
);

describe('--dim', () => {
  test('fixes dims of the entry point, and not those of another function of that name', async () => {
    const { code, out, err } = await shell.run('run', file, 'make', '--dim', 'N=3', '--json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out).results.result).toEqual({ dtype: 'f32', shape: [3], data: [0, 0, 0] });
  });

  test.each([
    ['Q', 'hint: their dims: `N`'],
    ['n', 'hint: did you mean `N`?'],
  ])('%s is no dim of an entry point', async (name, hint) => {
    const { code, err } = await shell.run('run', file, 'make', '--dim', `${name}=3`);
    expect(code).toBe(1);
    expect(err).toContain('error[MLX2018]');
    expect(err).toContain(hint);
  });

  test('one of a bundle is refused as well', async () => {
    await shell.run('build', file, '--target', 'cpu', '-o', 'a.mlxbundle');
    const { code, err } = await shell.run('run', 'a.mlxbundle', 'make', '--dim', 'Q=3');
    expect([code, err]).toEqual([2, expect.stringContaining('its dims: N')]);
  });

  test('what is missing is asked for in the words of the command line', async () => {
    const { code, err } = await shell.run('run', file, 'make');
    expect(code).toBe(1);
    expect(err).toContain('give it as `--dim N=4`');
  });
});

test.each([
  ['p={"x":1,"y":2,"z":3}', '`z`, which a P has no place for'],
  ['p={"x":1,"y":2}', '', 'q=[1,2,3]', '`2`, which a (f32, f32) has no place for'],
])(
  'parts of a JSON value that have no place: %s',
  async (p, message, q = 'q=[1,2]', other = '') => {
    const { code, err } = await shell.run('run', file, 'first', p, q);
    expect(code).toBe(1);
    expect(err).toContain('error[MLX5020]');
    expect(err).toContain(message);
    expect(err).toContain(other);
  },
);

test('a number of threads that is none', async () => {
  const env = { ...process.env, MLXC_THREADS: 'abc' };
  const { code, err } = await shell.runWith({ env }, 'run', file, 'make', '--dim', 'N=3');
  expect([code, err]).toEqual([2, expect.stringContaining('MLXC_THREADS is `abc`')]);
});

test('the version as JSON', async () => {
  const outcome = await shell.run('--version', '--json');
  expect(outcome.code).toBe(0);
  expect(outcome.json()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
});

describe('values of the wrong type', () => {
  test.each([[5], [null], [undefined], [[]], [{ name: 'a' }]])('compile(%j)', (source) => {
    expect(() => compile(source as never)).toThrow(/^`compile` takes the text of a source/);
  });

  test('options that are no object', async () => {
    expect(() => compile('', 3 as never)).toThrow(
      /^the options of `compile` are an object; found 3/,
    );
    await expect(load(file, null as never)).rejects.toThrow(/^the options of `load`/);
  });

  test.each([[5], [null], [undefined], [[]], [{}]])('load(%j)', async (from) => {
    await expect(load(from as never)).rejects.toThrow(/^`load` takes a path/);
  });
});
