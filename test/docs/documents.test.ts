/** What README.md and docs/ show is what happens. `-u` writes the parts anew that the compiler makes. */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatNpy } from '../../compiler/driver/io/npy.ts';
import * as api from '../../index.ts';
import { compile } from '../../index.ts';
import { TestShell } from '../support/shell.ts';
import { codeBlocks, documents, readDocument, refresh, root } from './document.ts';

describe.each(documents)('%s', (name) => {
  const document = readDocument(name);

  test('its programs compile for every device', () => {
    for (const { text, line } of codeBlocks(document, 'mlx')) {
      const result = compile(text);
      const problems = result.ok ? [] : result.diagnostics.map((d) => `${d.code} ${d.message}`);
      expect(problems, `${name}:${line}`).toEqual([]);
    }
  });

  test('its mistakes and tables are those of the compiler', async () => {
    await expect(await refresh(document)).toMatchFileSnapshot(`../../${name}`);
  });

  test('its TypeScript is that of samples/api', () => {
    const folder = new URL('samples/api/', root);
    const samples = readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'));
    for (const { text, line } of codeBlocks(document, 'ts')) {
      expect(
        samples.some((sample) => sample.includes(text)),
        `${name}:${line}`,
      ).toBe(true);
    }
  });
});

describe('commands', () => {
  const shell = new TestShell();
  beforeAll(() => {
    for (const folder of ['samples', 'test/golden/kernels']) {
      cpSync(new URL(folder, root), shell.path(folder), {
        recursive: true,
        filter: (source) => !source.endsWith('.mlxbundle'),
      });
    }
    mkdirSync(shell.path('build'));
    const x = { dtype: 'f32', shape: [32, 64], data: new Float32Array(32 * 64) } as const;
    shell.file('build/x.npy', formatNpy(x));
  });
  afterAll(() => shell.remove());

  /** Words of a line as a shell reads them: quotes hold words together. */
  function wordsOf(line: string): readonly string[] {
    return [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));
  }

  test.each(documents)('those of %s succeed', async (name) => {
    const lines = codeBlocks(readDocument(name), 'sh')
      .flatMap(({ text }) => text.split('\n'))
      .map((line) => line.replace(/\s+#.*$/, ''))
      .filter((line) => line.startsWith('npx mlxc '));
    for (const line of lines) {
      const { code, err } = await shell.run(...wordsOf(line).slice(2));
      expect(`${line}: ${code} ${code === 0 ? '' : err}`).toBe(`${line}: 0 `);
    }
  });
});

test('docs/cli.md names every command and flag', async () => {
  const shell = new TestShell();
  const document = readDocument('docs/cli.md');
  const commands = ['check', 'build', 'run', 'explain', 'fmt', 'bench', 'doctor'];
  for (const command of commands) {
    expect(document).toContain(`\`mlxc ${command}`);
    const { out } = await shell.run(command, '--help');
    for (const [flag] of out.matchAll(/--[a-z]+/g)) expect(document).toContain(flag);
  }
  shell.remove();
});

test('docs/api.md names everything that can be imported', () => {
  const document = readDocument('docs/api.md');
  const types = [...readDocument('index.ts').matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap((match) => match[1]!.split(','))
    .map((name) => name.replace('type ', '').trim());
  const names = [...Object.keys(api), ...types, 'CompileOptions', 'LoadOptions'];
  for (const name of names) expect(document).toContain(`\`${name}`);
});

test('README.md names every environment switch', () => {
  const document = readDocument('README.md');
  const files = ['compiler', 'runtime', 'tools', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true })
      .map((file) => join(folder, String(file)))
      .filter((file) => /\.(ts|mjs|cc)$/.test(file) && !file.includes('node_modules')),
  );
  const read = /(?:env(?:ironment)?(?:\.|\[')|getenv\(")((?:MLXC_|CC|CXX|NO_COLOR)\w*)/g;
  const switches = files.flatMap((file) =>
    [...readDocument(file).matchAll(read)].map((match) => match[1]!),
  );
  expect(new Set(switches).size).toBeGreaterThan(6);
  for (const name of new Set(switches)) expect(document).toContain(`\`${name}`);
});
