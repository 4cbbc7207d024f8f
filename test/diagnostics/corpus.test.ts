/** The corpus of wrong programs: each mistake is said once, at its place, in words that name the cure. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collectSites } from '../../tools/diagnostics/collect.ts';
import {
  areas,
  corpus,
  judge,
  readArea,
  type Verdict,
  type WrongProgram,
} from '../support/wrong-programs.ts';

const programs = areas().map((area) => ({ area, programs: readArea(area) }));
const verdicts = new Map<WrongProgram, Verdict>();

function verdictOf(program: WrongProgram): Verdict {
  let verdict = verdicts.get(program);
  if (verdict === undefined) {
    verdict = judge(program);
    verdicts.set(program, verdict);
  }
  return verdict;
}

describe.each(programs)('$area', ({ area, programs: wrong }) => {
  test.each(wrong)('$title', (program) => {
    expect(verdictOf(program).found).toEqual(program.expected);
  });

  test('is said so', async () => {
    const text = wrong.map((p) => `--- ${p.title}\n\n${verdictOf(p).rendered}\n`).join('\n');
    await expect(text).toMatchFileSnapshot(new URL(`${area}.problems`, corpus).pathname);
  });
});

describe('the corpus', () => {
  const all = programs.flatMap((p) => p.programs);

  test('has at least 300 programs, each with a mistake and a title of its own in its file', () => {
    expect(all.length).toBeGreaterThanOrEqual(300);
    expect(all.filter((p) => p.expected.length === 0).map((p) => p.title)).toEqual([]);
    for (const { programs: wrong } of programs) {
      expect(new Set(wrong.map((p) => p.title)).size).toBe(wrong.length);
    }
  });

  test('expects one diagnostic for one mistake', () => {
    const single = programs.filter((p) => p.area !== 'several').flatMap((p) => p.programs);
    expect(single.filter((p) => p.expected.length !== 1).map((p) => p.title)).toEqual([]);
  });

  test('reports five mistakes of one file as five', () => {
    const five = all.filter((p) => p.title.startsWith('five '));
    expect(five.length).toBeGreaterThanOrEqual(3);
    for (const program of five) expect(program.expected.length, program.title).toBe(5);
  });

  test('shows at least 60 codes', () => {
    const codes = new Set(all.flatMap((p) => p.expected.map((e) => e.slice(0, 7))));
    expect(codes.size).toBeGreaterThanOrEqual(60);
  });
});

function filesOf(folder: URL): readonly URL[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.problems'))
    .map((name) => new URL(name, folder));
}

/** Codes that no source reaches, and why. */
const unreachable: ReadonlyMap<string, string> = new Map([
  ['MLX2013', 'of the option `entries`: test/diagnostics/entries.test.ts'],
  ['MLX2014', 'of the option `entries`: test/diagnostics/entries.test.ts'],
  ['MLX2018', 'of the option `dims`: test/driver/refusals.test.ts'],
  ['MLX3003', 'the parser finds ranges outside of loops first'],
]);

test('every code that a source can raise is shown by a golden', () => {
  const folder = new URL('../golden/', import.meta.url);
  const files = ['types', 'syntax'].flatMap((name) => filesOf(new URL(`${name}/`, folder)));
  const shown = new Set([
    ...programs.flatMap((p) => p.programs).flatMap((p) => p.expected.map((e) => e.slice(0, 7))),
    ...files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^(?:error|warning)\[(MLX\d{4})\]/gm)].map(
        (match) => match[1]!,
      ),
    ),
  ]);
  const codes = [...new Set(collectSites().map((site) => site.code))].sort();
  const missing = codes.filter((code) => code < 'MLX4' && !shown.has(code));
  expect(missing).toEqual([...unreachable.keys()].sort());
});
