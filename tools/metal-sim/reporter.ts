/**
 * A reporter of vitest, beside its own, for what concerns Metal: what was checked, what ran on the simulated device, what was compared,
 * and how many wrong kernels and wrong uses of Metal were refused.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { MetalCount } from '../../test/support/metal-count.ts';

interface Row {
  readonly what: string;
  tests: number;
  passed: number;
  skipped: number;
  functions: number;
  kernels: number;
  calls: number;
}

/** Tests that say something of Metal. */
const ofMetal = /^(test\/metal|test\/metal-sim|tools\/metal-check|tools\/metal-sim)\//;

export default class MetalReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = new Map<string, Row>();
    for (const module of modules) {
      const { relativeModuleId: file } = module;
      if (!ofMetal.test(file)) continue;
      for (const test of module.children.allTests()) addTest(rows, file, test);
    }
    if (rows.size > 0) console.log(showCounts([...rows.values()]));
  }
}

function addTest(rows: Map<string, Row>, file: string, test: TestCase): void {
  const { metal } = test.meta() as { readonly metal?: MetalCount };
  const what = `${metal?.what ?? whatOf(file)}  (${file})`;
  const row = rows.get(what) ?? {
    what,
    tests: 0,
    passed: 0,
    skipped: 0,
    functions: 0,
    kernels: 0,
    calls: 0,
  };
  rows.set(what, row);
  const { state } = test.result();
  row.tests += 1;
  if (state === 'passed') {
    row.passed += 1;
    row.functions += metal?.functions ?? 0;
    row.kernels += metal?.kernels ?? 0;
    row.calls += metal?.calls ?? 0;
  } else if (state === 'skipped') row.skipped += 1;
}

/** From folders to what their tests are about, the first that fits. */
const subjects: readonly (readonly [RegExp, string])[] = [
  [/^test\/metal\//, 'our kernels: strict check, kernel IR'],
  [/^tools\/metal-check\//, 'rules of the strict check'],
  [/wrong/, 'wrong Metal refused or reported'],
  [/^tools\/metal-sim\//, 'hand-written Metal'],
  [/./, 'the Metal device'],
];

function whatOf(file: string): string {
  return subjects.find(([path]) => path.test(file))![1];
}

function showCounts(rows: readonly Row[]): string {
  const total = (of: (row: Row) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  const numbers: readonly ((row: Row) => number)[] = [
    (r) => r.tests,
    (r) => r.passed,
    (r) => r.skipped,
    (r) => r.functions,
    (r) => r.kernels,
    (r) => r.calls,
  ];
  const table = [
    ['what', 'tests', 'passed', 'skipped', 'functions run', 'kernels', 'calls compared'],
    ...rows.map((row) => [row.what, ...numbers.map((of) => String(of(row)))]),
    ['all', ...numbers.map((of) => String(total(of)))],
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ');
  return `\n${table.map(line).join('\n')}`;
}
