/** The host API, held to the rules of Metal: the programs of this folder check it, each line that they print is a test here. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildHostProgram, run } from './programs.ts';

const here = fileURLToPath(new URL('./', import.meta.url));
const files = readdirSync(here).filter((file) => file.endsWith('.mm'));
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
