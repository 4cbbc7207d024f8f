/** What can be told of the build on macOS without a Mac: its command lines, and that Apple's dialect takes the sources. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { introducedIn, isNewer, oldestSystem } from '../test/support/metal-selectors.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const clang = 'clang++-19';

function dryRun(...flags: readonly string[]): readonly (readonly string[])[] {
  const { stdout } = spawnSync(
    process.execPath,
    [at('tools/build-addon.mjs'), '--dry-run', ...flags],
    { encoding: 'utf8', env: { ...process.env, CXX: 'c++' } },
  );
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
}

const lines = dryRun('--platform', 'darwin');
const [native, metal] = lines;

/** The value after each `flag`. */
function valuesOf(line: readonly string[], flag: string): readonly string[] {
  return line.flatMap((word, i) => (line[i - 1] === flag ? [word] : []));
}

describe('on macOS', () => {
  test('two addons are built by two calls of the compiler', () => {
    expect(lines.length).toBe(2);
    for (const line of lines) {
      expect(line[0]).toBe('c++');
      expect(line).toContain('-bundle');
      expect(valuesOf(line, '-undefined')).toEqual(['dynamic_lookup']);
    }
    expect(native?.filter((word) => word.endsWith('.mm'))).toEqual([]);
  });

  test('the Metal addon has its sources, frameworks and the oldest system', () => {
    const isSource = (word: string): boolean => /\.(mm|cc)$/.test(word);
    const own = (folder: string): readonly string[] =>
      readdirSync(at(folder))
        .filter(isSource)
        .sort()
        .map((name) => at(`${folder}/${name}`));
    expect(metal!.filter(isSource)).toEqual([...own('runtime/metal'), ...own('runtime/src/plan')]);
    const include = (name: string): string => `-I${at(`node_modules/${name}`)}`;
    expect(metal!.slice(0, -1).filter((word) => !isSource(word))).toEqual([
      ...['c++', '-std=c++20', '-O3', '-fvisibility=hidden'],
      ...['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=mlxc_metal'],
      ...[include('node-addon-api'), include('node-api-headers/include')],
      ...[`-mmacosx-version-min=${oldestSystem}`, '-fno-objc-arc', '-Wno-nullability-completeness'],
      ...['-bundle', '-undefined', 'dynamic_lookup'],
      ...['Metal', 'Foundation', 'CoreGraphics'].flatMap((name) => ['-framework', name]),
      '-o',
    ]);
  });

  test.each(lines.map((line) => [basename(line.at(-1)!).split('.')[0], line] as const))(
    "clang takes the line of %s for Apple's system",
    (_, [, ...words]) => {
      const { status, stderr } = spawnSync(
        clang,
        ['-target', 'arm64-apple-macosx14.0', '-###', '-Werror', ...words],
        { encoding: 'utf8' },
      );
      expect(stderr).not.toMatch(/(error|warning): /);
      expect(status).toBe(0);
    },
  );
});

describe.skipIf(process.platform === 'darwin')("the Objective-C++, for Apple's runtime", () => {
  const folder = mkdtempSync(join(tmpdir(), 'mlxc-apple-'));
  let status: number | null;
  let stderr: string;
  beforeAll(() => {
    const [, simulated] = dryRun('--tests');
    const words = simulated!.slice(1, simulated!.indexOf('-o'));
    // the flags of the build, but for the runtime
    const flags = words.filter(
      (word) => !/^-(fobjc-runtime=|fconstant-string-class|l|L|Wl,|shared|O3)/.test(word),
    );
    const forApple = ['-fobjc-runtime=macosx-14.0', '-fno-objc-arc', '-Wall', '-Wextra'];
    ({ status, stderr } = spawnSync(clang, [...flags, ...forApple, '-S', '-emit-llvm'], {
      encoding: 'utf8',
      cwd: folder,
    }));
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const sources = readdirSync(at('runtime/metal')).filter((name) => name.endsWith('.mm'));

  test('it compiles without a warning', () => {
    expect(stderr).not.toMatch(/runtime\/(metal|src)\/.*(error|warning): /);
    expect(status).toBe(0);
  });

  test('each selector that it sends is known to be in some macOS', () => {
    const sent = sources.flatMap((name) => {
      const code = readFileSync(join(folder, name.replace('.mm', '.ll')), 'utf8');
      return [...code.matchAll(/@OBJC_METH_VAR_NAME_\S* = .* c"(.*)\\00"/g)].map(
        ([, text]) => text!,
      );
    });
    expect([...new Set(sent)].sort()).toEqual([...introducedIn.keys()].sort());
  });

  test('what the oldest macOS lacks is sent to receivers that have it', () => {
    const newer = [...introducedIn].filter(([, version]) => isNewer(version, oldestSystem));
    const guarded = /if \(\[[^\n]*respondsToSelector:@selector\(([\w:]+)\)\]\) \{[^}]*\}/g;
    let guards = 0;
    for (const name of sources) {
      const text = readFileSync(at(`runtime/metal/${name}`), 'utf8');
      const unguarded = text.replaceAll(guarded, (block: string, asked: string) => {
        guards++;
        // those that came with the one asked for, or before it
        return newer
          .filter(([, version]) => !isNewer(version, introducedIn.get(asked)!))
          .reduce((rest, [selector]) => rest.replaceAll(selector, ''), block);
      });
      for (const [selector] of newer) expect(unguarded).not.toContain(selector);
    }
    expect(guards).toBe(1);
  });
});
