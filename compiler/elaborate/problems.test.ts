/** The diagnostics of test/golden/types: every mistake once, none that follows from another. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkText } from '../../test/support/check-text.ts';
import { renderDiagnostic } from '../diagnostics/render.ts';

const folder = new URL('../../test/golden/types/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.mlx'))
  .sort();

function rendered(name: string): string {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const { problems, sources } = checkText(text, name);
  return `${problems.map((d) => renderDiagnostic(d, (f) => sources.get(f), { color: false })).join('\n\n')}\n`;
}

test.each(files)('%s', async (name) => {
  const path = new URL(name.replace(/\.mlx$/, '.problems'), folder).pathname;
  await expect(rendered(name)).toMatchFileSnapshot(path);
});

describe('all goldens together', () => {
  test('show at least 25 kinds of problems', () => {
    const codes = files.flatMap((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      return checkText(text, name).problems.map((d) => d.code);
    });
    expect(new Set(codes).size).toBeGreaterThanOrEqual(25);
  });
});
