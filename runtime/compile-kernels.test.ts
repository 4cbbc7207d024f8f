import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compileKernels, splitSource } from './compile-kernels.ts';
import { MlxcError } from './errors.ts';
import { native } from './native.ts';

const work = mkdtempSync(join(tmpdir(), 'mlxc-compile-'));
afterAll(() => rmSync(work, { recursive: true }));

let counter = 0;
function freshFolder(): string {
  const folder = join(work, `cache-${counter++}`);
  mkdirSync(folder);
  return folder;
}

function kernel(name: string, padding = 0): string {
  const comment = `/* ${'x'.repeat(padding)} */`;
  return `// kernel ${name}\nvoid mlxc_${name}(void *const *b, const long *i, void *s, long begin, long end) { ${comment} helper(); }\n`;
}

const head = 'static inline int helper(void) { return 1; }\n';

async function errorOf(promise: Promise<unknown>): Promise<MlxcError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MlxcError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('compileKernels', () => {
  test('compiles once and leaves nothing but the library, for its owner alone', async () => {
    const cacheFolder = freshFolder();
    const path = await compileKernels(head + kernel('a'), { cacheFolder });
    expect(readdirSync(cacheFolder)).toHaveLength(1);
    expect(statSync(cacheFolder).mode & 0o777).toBe(0o700);
    const before = statSync(path).mtimeMs;
    expect(await compileKernels(head + kernel('a'), { cacheFolder })).toBe(path);
    expect(statSync(path).mtimeMs).toBe(before);
    expect(await compileKernels(head + kernel('b'), { cacheFolder })).not.toBe(path);
    native().openLibrary(path);
  });

  test('a large file is compiled in parts that link', async () => {
    const kernels = Array.from({ length: 20 }, (_, i) => kernel(`k${i}`, 20_000));
    const source = head + kernels.join('');
    const parts = splitSource(source);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part.startsWith(head)).toBe(true);
    const together = parts.map((part) => part.slice(head.length)).join('');
    for (const text of kernels) expect(together).toContain(text);
    native().openLibrary(await compileKernels(source, { cacheFolder: freshFolder() }));
  });

  test('two at once agree', async () => {
    const cacheFolder = freshFolder();
    const source = head + kernel('race');
    const paths = await Promise.all(
      Array.from({ length: 4 }, () => compileKernels(source, { cacheFolder })),
    );
    expect(new Set(paths).size).toBe(1);
    expect(readdirSync(cacheFolder)).toHaveLength(1);
  });

  test('no compiler gives a clear error', async () => {
    const environment = { PATH: work };
    const error = await errorOf(compileKernels(head, { cacheFolder: freshFolder(), environment }));
    expect(error.code).toBe('MLX5104');
    expect(error.message).toContain('tried cc, gcc, clang');
    expect(error.message).toContain('--device interp');
    const named = { ...environment, CC: 'nosuchcc' };
    const other = await errorOf(
      compileKernels(head, { cacheFolder: freshFolder(), environment: named }),
    );
    expect(other.message).toContain('tried nosuchcc');
  });

  test('a compiler that fails is quoted, and nothing is left behind', async () => {
    const cacheFolder = freshFolder();
    const error = await errorOf(compileKernels('this is no C', { cacheFolder }));
    expect(error.code).toBe('MLX5105');
    expect(error.message).toContain('this is no C');
    expect(readdirSync(cacheFolder)).toEqual([]);
  });

  test('CC may carry words of its own', async () => {
    const wrapper = join(work, 'wrapper');
    writeFileSync(wrapper, `#!/bin/sh\ntouch ${join(work, 'called')}\nexec "$@"\n`);
    chmodSync(wrapper, 0o755);
    const environment = { ...process.env, CC: `${wrapper} cc` };
    await compileKernels(head + kernel('wrapped'), { cacheFolder: freshFolder(), environment });
    expect(existsSync(join(work, 'called'))).toBe(true);
  });

  test('the cache folder comes from the environment', async () => {
    const base = freshFolder();
    const { MLXC_CACHE: _, ...rest } = process.env;
    const path = await compileKernels(head, { environment: { ...rest, XDG_CACHE_HOME: base } });
    expect(path.startsWith(join(base, 'mlxc'))).toBe(true);
    const own = join(base, 'own');
    const other = await compileKernels(head, { environment: { ...rest, MLXC_CACHE: own } });
    expect(other.startsWith(own)).toBe(true);
    const file = join(base, 'file');
    writeFileSync(file, '');
    const error = await errorOf(compileKernels(head, { cacheFolder: file }));
    expect(error.message).toContain('cannot use the cache folder');
  });
});

test('the addon names what it cannot load', () => {
  const path = join(work, 'broken.so');
  writeFileSync(path, 'no library');
  expect(() => native().openLibrary(path)).toThrow('broken.so');
});
