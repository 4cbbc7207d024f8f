/** Checks Metal sources with clear messages. */
import { expect } from 'vitest';
import { checkMetalBatch } from '../../tools/metal-check/metal-check.ts';

export { metalHelper } from './metal-helper.ts';

/** Expects that every source passes the strict check; a failure shows names, errors and the lines in question. */
export async function expectMetal(sources: ReadonlyMap<string, string>): Promise<void> {
  const results = await checkMetalBatch([...sources.values()]);
  const failures = [...sources].flatMap(([name, source], i) => {
    const { ok, errors } = results[i]!;
    if (ok) return [];
    const lines = source.split('\n');
    return [
      `${name}:\n${errors.map((e) => `  ${e}\n    ${lines[Number.parseInt(e, 10) - 1]?.trim()}`).join('\n')}`,
    ];
  });
  expect(failures.join('\n')).toBe('');
}
