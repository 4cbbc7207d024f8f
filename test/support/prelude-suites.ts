/** Calls of the prelude, with what NumPy and JAX give for them: expressions and numbers are in test/golden/stdlib. */
import { readFileSync } from 'node:fs';
import type { Golden, Suite } from './stdlib-cases.ts';

/** A golden of tools/goldens/prelude.py. */
export interface PreludeGolden extends Golden {
  readonly expression: string;
  /** Its sizes must be known when compiling. */
  readonly fixed?: boolean;
}

function suiteOf(name: string): Suite {
  const file = `prelude-${name}`;
  const path = new URL(`../golden/stdlib/${file}.json`, import.meta.url);
  const goldens = JSON.parse(readFileSync(path, 'utf8')) as Record<string, PreludeGolden>;
  const cases = Object.entries(goldens).map(([key, { expression }]) => [key, expression] as const);
  return {
    file,
    imports: '',
    cases: Object.fromEntries(cases),
    tolerance: 4e-6,
    byElement: true,
  };
}

export const preludeSuites: Readonly<Record<string, Suite>> = {
  'prelude: each element': suiteOf('elementwise'),
  'prelude: reductions': suiteOf('reductions'),
  'prelude: shapes': suiteOf('shapes'),
  'prelude: searching and sets': suiteOf('ordering'),
  'prelude: numerical tools': suiteOf('numeric'),
};
