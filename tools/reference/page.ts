/** docs/stdlib.md. */
import { readdirSync } from 'node:fs';
import { collectSections, type Entry, type Section } from './collect.ts';
import { runExamples } from './run-example.ts';

/** The modules that are imported, as `std/...`. */
export const importedModules: readonly string[] = readdirSync(
  new URL('../../stdlib/', import.meta.url),
)
  .filter((file) => file.endsWith('.mlx'))
  .map((file) => file.slice(0, -'.mlx'.length))
  .sort();

export function referencePage(): string {
  const sections = collectSections(importedModules);
  const prelude = sections.filter(({ title }) => !title.startsWith('std/'));
  const others = sections.filter(({ title }) => title.startsWith('std/'));
  return `${[
    '# The standard library',
    'Every public function, with its signature and an example that was run to write this page: what follows `=` is what it gives. ' +
      '`npx tsx tools/reference/main.ts` writes the page from `stdlib/` and from the intrinsics of the compiler; ' +
      '`npx vitest run test/docs/stdlib.test.ts` holds it to them.',
    'In signatures, `T[...S]` is a tensor of any shape and `T[...]` one whose shape follows from the arguments; two shape variables broadcast. ' +
      '`axes` is an axis, a tuple of axes, or `none`; `shape` a tuple of ints; `...xs` stands for any number of arguments. ' +
      'Every function of a first argument is a method too: `x.sum(axis = 0)`.',
    [
      `- The prelude, seen everywhere: ${links(prelude)}`,
      `- To be imported: ${links(others)}`,
    ].join('\n'),
    ...sections.map(showSection),
  ].join('\n\n')}\n`;
}

function links(sections: readonly Section[]): string {
  return sections.map(({ title }) => `[${title}](#${anchor(title)})`).join(' · ');
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
}

function showSection({ title, intro, entries }: Section): string {
  const results = [...runExamples(entries.flatMap((entry) => entry.examples))];
  const shown = entries.map((entry) => showEntry(entry, results.splice(0, entry.examples.length)));
  return [`## ${title}`, ...(intro === '' ? [] : [intro]), ...shown].join('\n\n');
}

function showEntry(entry: Entry, results: readonly string[]): string {
  const { name, aliases, signature, text, source, examples } = entry;
  const also = aliases.length === 0 ? '' : ` Also ${aliases.map((a) => `\`${a}\``).join(', ')}.`;
  const from = source === undefined ? [] : [`Source: ${source}`];
  const shown = examples.map(({ code }, i) => `${code}\n= ${results[i]}`);
  const block = ['```text', [signature, ...shown].join('\n\n'), '```'].join('\n');
  return [`### ${name}`, `${text}${also}`, ...from, block].join('\n\n');
}
