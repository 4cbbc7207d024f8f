/** What can be told of the build on macOS without a Mac: its command lines, and that Apple's dialect takes the sources. */
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

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
    const sources = metal!.filter((word) => /\.(mm|cc)$/.test(word)).map((word) => basename(word));
    expect(sources).toEqual(expect.arrayContaining(['addon.mm', 'stream.mm', 'decoded-plan.cc']));
    expect(sources).not.toContain('thread-pool.cc');
    expect(valuesOf(metal!, '-framework')).toEqual(['Metal', 'Foundation', 'CoreGraphics']);
    expect(metal).toContain('-mmacosx-version-min=14.0');
    expect(metal).toContain('-fno-objc-arc');
    expect(metal!.join(' ')).not.toMatch(/gnustep|metal_sim|Blocks/i);
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

test.skipIf(process.platform === 'darwin')(
  "the Objective-C++ is what Apple's runtime of the language wants",
  () => {
    const [, simulated] = dryRun('--tests');
    const words = simulated!.slice(1, simulated!.indexOf('-o'));
    // the flags of the build, but for the runtime
    const flags = words.filter(
      (word) => !/^-(fobjc-runtime=|fconstant-string-class|l|L|Wl,|shared)/.test(word),
    );
    const { status, stderr } = spawnSync(
      clang,
      [
        ...flags,
        '-fobjc-runtime=macosx-14.0',
        '-fno-objc-arc',
        '-fsyntax-only',
        '-Wall',
        '-Wextra',
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).not.toMatch(/runtime\/(metal|src)\/.*(error|warning): /);
    expect(status).toBe(0);
  },
  120_000,
);
