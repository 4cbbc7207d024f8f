/** The sample of the API runs as README.md shows it, and its types are those of its program. */
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { compileOrThrow } from '../../index.ts';

test('first steps', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    await import('../../samples/api/first-steps.ts');
    const [slope, offset, loss] = String(log.mock.calls[0]?.[0])
      .match(/-?\d[\d.e-]*/g)!
      .map(Number);
    expect(slope).toBeCloseTo(2, 4);
    expect(offset).toBeCloseTo(1, 4);
    expect(loss).toBeLessThan(1e-8);
  } finally {
    log.mockRestore();
  }
});

test('line.d.ts holds the types that build writes', async () => {
  const sample = readFileSync(new URL('../../samples/api/first-steps.ts', import.meta.url), 'utf8');
  const source = /const source = `\n([\s\S]*?)`;/.exec(sample)![1]!;
  const declared = String((await compileOrThrow(source).files()).get('index.d.ts'));
  await expect(declared).toMatchFileSnapshot('../../samples/api/line.d.ts');
});
