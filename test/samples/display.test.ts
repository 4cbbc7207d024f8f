/** What the digits sample shows: progress, curves, the confusion table. */
import { expect, test } from 'vitest';
import { confusionTable } from '../../samples/digits/confusion.ts';
import { svgPlot, terminalPlot } from '../../samples/digits/plot.ts';
import { makeProgress } from '../../samples/digits/progress.ts';

function progressOn(isTTY: boolean): string {
  const parts: string[] = [];
  const stream = { isTTY, write: (part: string) => parts.push(part) > 0 };
  const progress = makeProgress(20, stream as unknown as NodeJS.WriteStream);
  for (let i = 1; i <= 20; i++) progress.step(`step ${i}`);
  return parts.join('');
}

test('progress redraws one line on a terminal, and prints ten elsewhere', () => {
  const bar = progressOn(true);
  expect(bar.split('\n')).toHaveLength(2);
  expect(bar.endsWith(`\r${'━'.repeat(30)} 100 %  step 20\x1b[K\n`)).toBe(true);
  const lines = progressOn(false).trimEnd().split('\n');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe(' 10 %  step 2');
  expect(lines[9]).toBe('100 %  step 20');
});

test('a curve that falls by a decade, in braille', () => {
  const plot = terminalPlot({ name: 'loss', color: 'red', values: [1, 0.1] }, 8, 2);
  expect(plot).toBe('       1 ┤⠉⠒⠤⣀⠀⠀⠀⠀\n     0.1 ┤⠀⠀⠀⠀⠉⠒⠤⣀\n         └──────── 2 epochs\n');
});

test('a constant curve and a single epoch have a place too', () => {
  for (const values of [[0.5, 0.5], [2]]) {
    expect(terminalPlot({ name: 'loss', color: 'red', values })).toMatch(/[\u2801-\u28ff]/);
    expect(svgPlot('Loss', [{ name: 'loss', color: 'red', values }])).not.toMatch(/NaN|Infinity/);
  }
});

test('the SVG has a line a curve and a scale in decades', () => {
  const svg = svgPlot('Loss', [
    { name: 'training', color: '#00f', values: [2, 0.5, 0.02] },
    { name: 'held out', color: '#f00', values: [3, 0.6, 0.2] },
  ]);
  expect(svg.match(/<polyline points="(\S+ ){2}\S+"/g)).toHaveLength(2);
  for (const label of ['0.01', '0.1', '1', '10']) expect(svg).toContain(`>${label}</text>`);
});

test('the confusion table has the true class by row', () => {
  expect(
    confusionTable([
      [3, 0],
      [1, 2],
    ]),
  ).toBe('true │ taken for\n     │   0   1\n─────┼────────\n   0 │   3   ·\n   1 │   1   2\n');
});
