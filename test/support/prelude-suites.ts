/** Calls of the prelude, with what NumPy and JAX give for them: expressions and numbers are in test/golden/stdlib. */
import { type Golden, readGoldens, type Suite } from './stdlib-goldens.ts';

/** A golden of tools/goldens/prelude.py. */
export interface PreludeGolden extends Golden {
  readonly expression: string;
  /** Its sizes must be known when compiling. */
  readonly fixed?: boolean;
}

type Goldens = Readonly<Record<string, PreludeGolden>>;

/** What the numerical tools have in std/linalg. */
const polynomials = 'import { polyfit } from "std/linalg";';

const groups: Readonly<Record<string, string>> = {
  'prelude: each element': 'prelude-elementwise',
  'prelude: reductions': 'prelude-reductions',
  'prelude: shapes': 'prelude-shapes',
  'prelude: searching and sets': 'prelude-ordering',
  'prelude: numerical tools': 'prelude-numeric',
};

function suiteOf(file: string, goldens: Goldens): Suite {
  const cases = Object.entries(goldens).map(([key, { expression }]) => [key, expression] as const);
  return {
    file,
    imports: file === 'prelude-numeric' ? polynomials : '',
    cases: Object.fromEntries(cases),
    tolerance: 4e-6,
    byElement: true,
  };
}

/** Title, goldens, and how they are compared. */
export const preludeGoldens: readonly (readonly [string, Goldens, Suite])[] = Object.entries(
  groups,
).map(([title, file]) => {
  const goldens = readGoldens(file) as Goldens;
  return [title, goldens, suiteOf(file, goldens)];
});

export const preludeSuites: Readonly<Record<string, Suite>> = Object.fromEntries(
  preludeGoldens.map(([title, , suite]) => [title, suite]),
);
