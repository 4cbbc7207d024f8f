/**
 * tsx tools/diagnostics/expect.ts [area...]
 *
 * Writes the `// expect:` lines of programs of test/golden/diagnostics that have none yet. Read what it wrote: it is what
 * the compiler says today, and not yet what it should say.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { areas, corpus, judge, readArea } from '../../test/support/wrong-programs.ts';

const wanted = process.argv.slice(2);
for (const area of wanted.length > 0 ? wanted : areas()) {
  const file = new URL(`${area}.mlx`, corpus);
  let text = readFileSync(file, 'utf8');
  for (const program of readArea(area)) {
    if (program.expected.length > 0) continue;
    const head = `// --- ${program.title}\n`;
    const lines = judge(program).found.map((found) => `// expect: ${found}\n`);
    text = text.replace(head, () => head + lines.join(''));
  }
  writeFileSync(file, text);
}
