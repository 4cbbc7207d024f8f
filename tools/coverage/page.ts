/** docs/coverage.md: what the tests run, counted from what the tests select; and the functions of MLX and NumPy by our names. */
import { readdirSync, readFileSync } from 'node:fs';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { mlxGroups, type NamedFunction, type NameGroup, numpyGroup } from './names.ts';
import {
  type Aspect,
  aspects,
  type Cell,
  type CoverageRow,
  coverageRows,
  untabulated,
} from './primitives.ts';

export function coveragePage(): string {
  const rows = coverageRows();
  const groups = mlxGroups();
  const numpy = numpyGroup();
  return `${[
    '# Coverage',
    'What the tests run and which functions there are. `npx tsx tools/coverage/main.ts` writes this page: it counts with the functions by which ' +
      'the tests select their cases, and looks names up with the compiler. `npm run test:oracles` runs the cases of the second table.',
    summary(rows, groups, numpy),
    '## Cases with answers that we did not write',
    oracles(),
    '## Primitives',
    'For each primitive and each dtype of the row: how many cases the tests run. A letter stands for none, with the reason below. *evaluate* is the ' +
      'reference evaluator, held to NumPy, SciPy and JAX; *jvp* and *transpose* are held to finite differences and inner products in f64, and in ' +
      'narrower floats to f64; *batch* to a loop over examples; *CPU* and *Metal* to the evaluator, on compiled C and on simulated kernels whose text ' +
      'passes the strict check.',
    primitiveTable(rows),
    'Expanded before anything runs, so without a row:',
    [...untabulated()].map(([name, where]) => `- \`${name}\`: ${where}`).join('\n'),
    '## The functions of MLX',
    'Those of MLX 0.32, in its groups. A name without a module is in the prelude.',
    nameTable(groups),
    '## NumPy functions that MLX lacks',
    nameTable([numpy]),
  ].join('\n\n')}\n`;
}

function summary(
  rows: readonly CoverageRow[],
  groups: readonly NameGroup[],
  numpy: NameGroup,
): string {
  const primitives = new Set(rows.map((row) => row.primitive)).size;
  const cases = aspects.map((aspect) =>
    rows.reduce(
      (sum, { cells }) => sum + (typeof cells[aspect] === 'number' ? cells[aspect] : 0),
      0,
    ),
  );
  const functions = groups.flatMap((group) => group.functions);
  const present = (list: readonly NamedFunction[]): number =>
    list.filter((f) => f.ours !== undefined).length;
  return table(
    ['', ...aspects],
    [
      [
        `cases of ${primitives} primitives in ${rows.length} pairs of primitive and dtype`,
        ...cases,
      ],
    ],
  ).concat(
    `\n\nMLX: ${present(functions)} of ${functions.length} functions; the others are listed with the reason. `,
    `NumPy beyond MLX: ${present(numpy.functions)} of ${numpy.functions.length}.`,
  );
}

// ---------------------------------------------------------------------------------------------------------
// Oracles

interface StoredCases {
  readonly cases: readonly {
    readonly f: string;
    readonly dtype: DType;
    vjp?: unknown;
    jvp?: unknown;
  }[];
  readonly excluded: readonly { readonly reason: string; readonly cases: number }[];
}

const oracleNames: Readonly<Record<string, string>> = {
  opinfo: "PyTorch: OpInfo's samples of its operators",
  nested: 'JAX: nested transformations',
  random: 'JAX: random numbers',
  symbolic: 'JAX: programs called at several sizes',
};

const goldens = new URL('../../test/golden/oracles/', import.meta.url);

function oracles(): string {
  const files = readdirSync(goldens).filter((name) => name.endsWith('.json'));
  const rows = files.map((name) => {
    const { cases } = JSON.parse(readFileSync(new URL(name, goldens), 'utf8')) as StoredCases;
    const key = name.replace('.json', '');
    return [
      oracleNames[key] ?? key,
      new Set(cases.map((c) => c.f)).size,
      cases.length,
      cases.filter((c) => c.vjp !== undefined).length,
      cases.filter((c) => c.jvp !== undefined).length,
      byDType(cases.map((c) => c.dtype)),
    ];
  });
  const columns = ['oracle', 'functions', 'cases', 'with vjp', 'with jvp', 'by dtype'];
  return `${table(columns, rows)}\n\nEach case runs on the evaluator and on the CPU.`;
}

function byDType(list: readonly DType[]): string {
  const counts = new Map<DType, number>();
  for (const dtype of list) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([dtype, count]) => `${dtype} ${count}`)
    .join(', ');
}

// ---------------------------------------------------------------------------------------------------------
// Primitives

/** Dtypes with equal numbers share a row. */
function primitiveTable(rows: readonly CoverageRow[]): string {
  const letters = new Map<string, string>();
  const show = (cell: Cell): string => {
    if (typeof cell === 'number') return String(cell);
    const reason = cell.replace(
      /^\w+ is not linear$/,
      'not linear: its derivative is made of linear operations',
    );
    if (!letters.has(reason)) letters.set(reason, String.fromCharCode(97 + letters.size));
    return letters.get(reason)!;
  };
  const merged = new Map<string, { readonly first: CoverageRow; readonly dtypes: DType[] }>();
  for (const row of rows) {
    const key = [row.primitive, ...aspects.map((aspect) => show(row.cells[aspect]))].join(' ');
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { first: row, dtypes: [row.dtype] });
    else known.dtypes.push(row.dtype);
  }
  const lines = [...merged.values()].map(({ first, dtypes }) => [
    `\`${first.primitive}\``,
    dtypes.join(' '),
    ...aspects.map((aspect: Aspect) => show(first.cells[aspect])),
  ]);
  const legend = [...letters].map(([reason, letter]) => `- **${letter}** ${reason}`);
  return `${table(['primitive', 'dtypes', ...aspects], lines)}\n\n${legend.join('\n')}`;
}

// ---------------------------------------------------------------------------------------------------------
// Names

function nameTable(groups: readonly NameGroup[]): string {
  const rows = groups.map(({ title, functions }) => {
    const base = ({ theirs }: NamedFunction): string => theirs.slice(theirs.lastIndexOf('.') + 1);
    const same = functions.filter((f) => f.ours === base(f));
    const other = functions.filter((f) => f.ours !== undefined && f.ours !== base(f));
    const none = functions.filter((f) => f.ours === undefined);
    return [
      `${title} (${functions.length})`,
      byModule(same),
      other.map(renamed).join('; '),
      reasons(none),
    ];
  });
  return table(['group', 'the same name', 'another name', 'none, and why'], rows);
}

function byModule(functions: readonly NamedFunction[]): string {
  const modules = [...new Set(functions.map((f) => f.module))].sort();
  return modules
    .map((module) => {
      const names = functions.filter((f) => f.module === module).map((f) => `\`${f.ours}\``);
      return `${module === '' ? '' : `${module}: `}${names.join(' ')}`;
    })
    .join('; ');
}

function renamed({ theirs, ours, module, note }: NamedFunction): string {
  const where = module === '' ? '' : ` of ${module}`;
  return `\`${theirs}\`: \`${ours}\`${where}${note === '' ? '' : `, ${note}`}`;
}

function reasons(functions: readonly NamedFunction[]): string {
  const notes = [...new Set(functions.map((f) => f.note))];
  return notes
    .map((note) => {
      const names = functions.filter((f) => f.note === note).map((f) => `\`${f.theirs}\``);
      return `${names.join(' ')}: ${note}`;
    })
    .join('; ');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
