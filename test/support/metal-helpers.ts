/** Reads the Metal helper functions as the driver does, and checks sources with clear messages. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { checkMetalBatch } from '../../tools/metal-check/metal-check.ts';

const folder = new URL('../../compiler/to-metal/helpers/', import.meta.url);

export function metalHelper(name: string): string {
  return readFileSync(new URL(`${name}.metal`, folder), 'utf8');
}

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
