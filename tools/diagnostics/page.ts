/** docs/diagnostics.md: every code with what it says, and an example from the golden tests where there is one. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Site } from './collect.ts';
import { meanings } from './meanings.ts';

const chapters: readonly (readonly [prefix: string, title: string])[] = [
  ['MLX1', 'Syntax'],
  ['MLX20', 'Names and modules'],
  ['MLX21', 'Types'],
  ['MLX22', 'Shapes'],
  ['MLX23', 'Calls'],
  ['MLX24', 'Calls of the library'],
  ['MLX29', 'Warnings'],
  ['MLX30', 'Limits of the language'],
  ['MLX31', 'Derivatives, maps and control functions'],
  ['MLX4', 'Targets'],
];

const goldens = new URL('../../test/golden/', import.meta.url);

/** The first golden of each code. */
function readExamples(): ReadonlyMap<string, string> {
  const examples = new Map<string, string>();
  for (const folder of ['syntax/', 'types/', 'diagnostics/']) {
    const names = readdirSync(new URL(folder, goldens)).filter((n) => n.endsWith('.problems'));
    for (const name of names.sort()) {
      const text = readFileSync(new URL(folder + name, goldens), 'utf8');
      for (const block of text.trimEnd().split(/\n\n(?=error|warning|--- )/)) {
        const code = /^\w+\[(MLX\d{4})\]/.exec(block)?.[1];
        if (code !== undefined && !examples.has(code)) examples.set(code, block);
      }
    }
  }
  return examples;
}

export function diagnosticsPage(sites: readonly Site[]): string {
  const examples = readExamples();
  const messages = new Map<string, Set<string>>();
  for (const site of sites) {
    const all = messages.get(site.code) ?? new Set();
    for (const message of site.messages) all.add(message);
    messages.set(site.code, all);
  }
  const codes = [...messages.keys()].sort();
  const sections = chapters.flatMap(([prefix, title]) => [
    `## ${title}`,
    ...codes
      .filter((code) => code.startsWith(prefix))
      .map((code) => showCode(code, [...messages.get(code)!], examples.get(code))),
  ]);
  return `${[
    '# Diagnostics',
    'What the compiler and the runtime may report. A code keeps its meaning; `…` stands for what depends on the program. ' +
      'Where it can, a report adds a hint or the places that matter. ' +
      '`npx tsx tools/diagnostics/main.ts` writes this page from the source and the golden tests.',
    ...sections,
    '## Files, bundles and devices',
    showTable(
      codes.filter((code) => code >= 'MLX5'),
      messages,
    ),
  ].join('\n\n')}\n`;
}

function showCode(code: string, messages: readonly string[], example: string | undefined): string {
  const worded = messages.map((message) => `- ${quote(message)}`);
  const list = worded.length > 0 ? worded : [`- ${meanings[code]}`];
  const fence = example === undefined ? [] : ['', '```text', example, '```'];
  return [`### ${code}`, '', ...list, ...fence].join('\n');
}

function showTable(codes: readonly string[], messages: ReadonlyMap<string, Set<string>>): string {
  const rows = codes.map((code) => {
    const meaning = meanings[code] ?? [...(messages.get(code) ?? [])].join('; ');
    return `| ${code} | ${meaning} |`;
  });
  return ['| code | means |', '| --- | --- |', ...rows].join('\n');
}

/** As code, though it may hold backticks itself. */
function quote(message: string): string {
  if (!message.includes('`')) return `\`${message}\``;
  const pad = message.startsWith('`') || message.endsWith('`') ? ' ' : '';
  return `\`\`${pad}${message}${pad}\`\``;
}
