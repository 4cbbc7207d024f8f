import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compile as compileCore } from '../../compiler/driver/compile.ts';
import type { CompilerHost } from '../../compiler/driver/host.ts';
import { packageRoot } from '../../compiler/driver/node-host.ts';
import {
  CompileError,
  compile,
  compileOrThrow,
  load,
  MlxcError,
  readTensors,
  saveTensors,
  type Tensor,
  tensor,
} from '../../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlxc-api-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = `import { softmax } from "std/nn";

struct Pair { a: f32[N], b: (i32, f32) }

/// Softmax of each row.
export fn probabilities(x: f32[M, N]) -> f32[M, N] { softmax(x) }

export fn swap(p: Pair<4>) -> (f32[4], Pair<4>) { (p.a, Pair { a: p.a * 2.0, b: p.b }) }
`.replace('struct Pair {', 'struct Pair<N> {');

/** A host made of strings: nothing outside is reachable. */
function stringHost(files: Readonly<Record<string, string>>): {
  host: CompilerHost;
  reads: string[];
} {
  const reads: string[] = [];
  const host: CompilerHost = {
    readFile: (path) => {
      reads.push(path);
      return files[path];
    },
    resolvePath: (_importer, specifier) => specifier.replace('./', ''),
    readAsset: (path) => readFileSync(join(packageRoot(), path), 'utf8'),
  };
  return { host, reads };
}

describe('compile', () => {
  test('a string to a bundle in memory', async () => {
    const result = compile(source);
    expect(result.ok).toBe(true);
    if (!result.ok) return;
    expect([...(await result.bundle.files()).keys()]).toEqual([
      'plan.json',
      'kernels.c',
      'kernels.metal',
      'constants.safetensors',
      'index.js',
      'index.d.ts',
    ]);
    expect(Object.keys(result.bundle.plan.plans)).toEqual(['cpu', 'metal']);
  });

  test('asks its host for sources, and nothing else of the outside', async () => {
    const { host, reads } = stringHost({
      'main.mlx': 'import { f } from "./f.mlx";\nexport fn g(x: f32[N]) -> f32[N] { f(x) }',
      'f.mlx': 'export fn f(x: f32[N]) -> f32[N] { x + 1.0 }',
    });
    const result = compileCore({ path: 'main.mlx' }, { host });
    expect(result.ok).toBe(true);
    expect(reads).toEqual(['main.mlx', 'f.mlx']);
    expect(result.timings.every(({ milliseconds }) => milliseconds === 0)).toBe(true);
    if (!result.ok) return;
    await expect(result.bundle.write('out')).rejects.toThrow(/no file system/);
  });

  test('an unknown device', async () => {
    const bundle = compileOrThrow('export fn f(x: f32) -> f32 { x }');
    const loading = load(bundle, { device: 'tpu' as 'cpu' });
    await expect(loading).rejects.toThrow(/MLX5122: there is no device `tpu`/);
  });

  test('problems come from top to bottom', () => {
    const text = 'fn f(x: f32) -> f32 { y }\nfn g(x: f32) -> f32 { x } # g\nfn h() -> i32 { 1 }?\n';
    const result = compile(text);
    const starts = result.ok ? [] : result.diagnostics.map((d) => d.span.start);
    expect(starts).toEqual([22, 52, 75]);
  });

  test('the same source gives the same bytes', async () => {
    const bytes = async (): Promise<string[]> =>
      [...(await compileOrThrow(source).files()).values()].map((file) => String(file));
    expect(await bytes()).toEqual(await bytes());
  });

  test('a dim that is no size is refused', () => {
    for (const N of [Number.NaN, -1, 0.5, Infinity, 2 ** 60]) {
      expect(() => compile(source, { dims: { N } })).toThrow(/MLX5120/);
    }
    expect(compile(source, { dims: { M: 2, N: 3 } }).ok).toBe(true);
  });

  test('a mistake is a diagnostic; compileOrThrow and load throw it', async () => {
    const wrong = 'export fn f(x: f32[N]) -> f32[N] { y }';
    const result = compile(wrong);
    expect(result).toMatchObject({
      ok: false,
      diagnostics: [{ severity: 'error', code: expect.stringMatching(/^MLX/) }],
    });
    expect(() => compileOrThrow(wrong)).toThrow(CompileError);
    const error = await load(join(folder, 'absent.mlx')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CompileError);
    expect(error).toBeInstanceOf(MlxcError);
    expect((error as CompileError).diagnostics).toHaveLength(1);
  });

  test('an import that is not there, and one that leaves the folders of sources', () => {
    for (const from of ['std/nothing', './nothing.mlx', '/etc/passwd', 'nn']) {
      expect(
        compile(`import { f } from "${from}";\nexport fn g(x: f32) -> f32 { f(x) }`),
      ).toMatchObject({ ok: false });
    }
  });

  test('passes keep their invariants', () => {
    expect(compile(source, { verify: true }).ok).toBe(true);
    const samples = [
      ['digits', 'model'],
      ['transformer', 'block'],
      ['gpt', 'gpt'],
    ] as const;
    for (const [sample, name] of samples) {
      const path = join(packageRoot(), 'samples', sample, `${name}.mlx`);
      // The full GPT only makes this slow; the small one has the same operations.
      const entries = sample === 'gpt' ? { entries: ['small_train_step'] } : {};
      expect(compile({ path }, { verify: true, ...entries }).ok).toBe(true);
    }
  });
});

describe('load', () => {
  const x = [
    [0, 0],
    [0, Math.log(3)],
  ];

  test.each(['cpu', 'interp'] as const)('%s', async (device) => {
    const module = await load(compileOrThrow(source), { device });
    const y = module.function('probabilities')(x);
    expect(y).toMatchObject({ dtype: 'f32', shape: [2, 2] });
    const [, [, last]] = (y as Tensor).tolist() as unknown as [number[], [number, number]];
    expect(last).toBeCloseTo(0.75, 6);
  });

  test('trees go in and out as plain objects', async () => {
    const module = await load(compileOrThrow(source));
    const p = { a: tensor(Float32Array.of(1, 2, 3, 4)), b: [7, 0.5] };
    const [a, swapped] = module.function('swap')(p) as unknown as [
      { data: Float32Array },
      { a: { data: Float32Array }; b: [{ item(): number }, unknown] },
    ];
    expect([...a.data]).toEqual([1, 2, 3, 4]);
    expect([...swapped.a.data]).toEqual([2, 4, 6, 8]);
    expect(swapped.b[0].item()).toBe(7);
  });

  test('a bundle on disk', async () => {
    const path = join(folder, 'written.mlxbundle');
    await compileOrThrow(source, { name: 'written' }).write(path);
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
    const module = await load(path);
    expect(Object.keys(module.functions)).toEqual(['probabilities', 'swap']);
    await expect(load(path, { device: 'interp' })).rejects.toThrow(/interpreter needs the program/);
  });

  test('a bundle for Metal alone does not load on the CPU', async () => {
    await expect(load(compileOrThrow(source, { targets: ['metal'] }))).rejects.toThrow(/MLX5117/);
  });
});

test('tensors in files', async () => {
  const path = join(folder, 'weights.npz');
  await saveTensors(path, new Map([['w', tensor([[1, 2]])]]));
  const tensors = await readTensors(path);
  expect(tensors.get('w')?.tolist()).toEqual([[1, 2]]);
  await expect(readTensors(join(folder, 'absent.npz'))).rejects.toThrow(/MLX5001/);
});
