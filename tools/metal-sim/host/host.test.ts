/** The host API, held to the rules of Metal: the programs of this folder check it, each line that they print is a test here. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildHostProgram, type Ran, run } from './programs.ts';

const here = fileURLToPath(new URL('./', import.meta.url));
const files = readdirSync(here).filter((file) => /\.mm?$/.test(file));
const results = await Promise.all(
  files.map(async (file) => ({
    file,
    ...(await run(await buildHostProgram(here + file), [])),
  })),
);

describe.each(results)('$file', ({ file, status, stdout, stderr }) => {
  const lines = stdout.split('\n').filter((line) => /^(?:ok|failed) /.test(line));
  test.each(
    lines.map((line) => [line.replace(/^ok |^failed (.*?): .*/, '$1') || line.slice(3), line]),
  )('%s', (_name, line) => {
    expect(line).toMatch(/^ok /);
  });

  test(`${basename(file)} runs to its end`, () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines.length).toBeGreaterThan(0);
  });
});

const examples = fileURLToPath(new URL('../examples/', import.meta.url));

describe('examples', () => {
  test.each([
    ['add-arrays.m', '5000 sums, 0 of them wrong\n'],
    ['sums.mm', `${'1000 '.repeat(7)}\n${'2000 '.repeat(7)}\n`],
  ])('%s', async (file, output) => {
    const { status, stdout, stderr } = await run(await buildHostProgram(examples + file), []);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: output, stderr: '' });
  });
});

describe('a broken rule ends a program that does not catch it', () => {
  const offence = async (environment: Readonly<Record<string, string>>): Promise<Ran> => {
    const program = await buildHostProgram(
      fileURLToPath(new URL('offence/offence.mm', import.meta.url)),
    );
    return run(program, [], environment);
  };
  test('as an exception', async () => {
    const { status, stdout, stderr } = await offence({});
    expect(status).not.toBe(0);
    expect(stdout).toBe('before\n');
    expect(stderr).toContain('MTLSimAssertion');
    expect(stderr).toContain('Cannot create buffer of zero length.');
  });
  test('by abort, with METAL_SIM_ASSERT=abort', async () => {
    const { status, stderr } = await offence({ METAL_SIM_ASSERT: 'abort' });
    expect(status).toBeNull();
    expect(stderr).toBe("failed assertion `Cannot create buffer of zero length.'\n");
  });
  test('by abort always, when an encoder goes that was not ended', async () => {
    const { status, stderr } = await offence({ OFFENCE: 'encoder' });
    expect(status).toBeNull();
    expect(stderr).toBe("failed assertion `Command encoder released without endEncoding'\n");
  });
});
