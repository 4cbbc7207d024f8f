/**
 * A reporter of vitest, for `npm run test:oracles`: cases that were compared with answers of NumPy, SciPy, JAX and PyTorch, by oracle and
 * device; then what was left out of each oracle, and why.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { OracleCount } from '../../test/support/oracle-count.ts';

interface Exclusion {
  readonly function: string;
  readonly reason: string;
  readonly cases: number;
}

const goldens = new URL('../../test/golden/oracles/', import.meta.url);

export default class OracleReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const failures: string[] = [];
    const rows = new Map<string, Row>();
    for (const module of modules) {
      failures.push(
        ...module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`),
      );
      for (const test of module.children.allTests()) {
        const { oracle } = test.meta() as { readonly oracle?: OracleCount };
        const passed = test.result().state === 'passed';
        if (!passed && test.result().state !== 'skipped') failures.push(describeFailure(test));
        if (oracle !== undefined) addCount(rows, oracle, passed);
      }
    }
    console.log(showCounts([...rows.values()]));
    console.log(showExclusions());
    for (const failure of failures) console.log(`\nFAILED ${failure}`);
  }
}

interface Row {
  readonly oracle: string;
  readonly device: string;
  readonly functions: Set<string>;
  cases: number;
  passed: number;
}

function addCount(rows: Map<string, Row>, count: OracleCount, passed: boolean): void {
  const { oracle, device } = count;
  const key = `${oracle} ${device}`;
  const row = rows.get(key) ?? { oracle, device, functions: new Set(), cases: 0, passed: 0 };
  rows.set(key, row);
  row.functions.add(count.function);
  row.cases += count.cases;
  if (passed) row.passed += count.cases;
}

function describeFailure(test: TestCase): string {
  const messages = test.result().errors?.map((error) => error.message) ?? [];
  return `${test.module.relativeModuleId} > ${test.fullName}\n${messages.join('\n').slice(0, 2000)}`;
}

function showCounts(rows: readonly Row[]): string {
  const total = (of: (row: Row) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  return table([
    ['oracle', 'device', 'functions', 'cases', 'passed'],
    ...rows.map((r) => [r.oracle, r.device, r.functions.size, r.cases, r.passed]),
    ['all', '', '', total((r) => r.cases), total((r) => r.passed)],
  ]);
}

/** What the scripts of tools/goldens left out, summed by reason. */
function showExclusions(): string {
  const names = readdirSync(goldens).filter((name) => name.endsWith('.json'));
  const rows = names.flatMap((name) => {
    const file = JSON.parse(readFileSync(new URL(name, goldens), 'utf8')) as {
      readonly excluded: readonly Exclusion[];
    };
    const reasons = new Map<string, { functions: Set<string>; cases: number }>();
    for (const { function: f, reason, cases } of file.excluded) {
      const sum = reasons.get(reason) ?? { functions: new Set(), cases: 0 };
      reasons.set(reason, sum);
      sum.functions.add(f);
      sum.cases += cases;
    }
    return [...reasons]
      .sort(([, a], [, b]) => b.cases - a.cases)
      .map(([reason, { functions, cases }]) => [
        name.replace('.json', ''),
        functions.size,
        cases,
        reason,
      ]);
  });
  return table([['excluded from', 'functions', 'samples', 'reason'], ...rows]);
}

/** Columns of equal width, numbers to the right. */
function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  const line = (row: readonly (string | number)[]): string =>
    row
      .map((cell, i) =>
        typeof cell === 'number' ? String(cell).padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join('  ')
      .trimEnd();
  return `\n${rows.map(line).join('\n')}`;
}
