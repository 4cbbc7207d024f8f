/** How many cases the tests run for each primitive, dtype and rule; where there are none, why. */
import { primitives } from '../../compiler/primitives/registry.ts';
import { type DType, dtypes, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { isAbsent, type Primitive } from '../../compiler/tensor-ir/primitive.ts';
import { goldenFiles, readGoldens } from '../../test/support/primitive-goldens.ts';
import {
  batchSamples,
  cpuSamples,
  differenceSamples,
  expandedPrimitives,
  hasTranspose,
  metalSamples,
  narrowDerivativeSamples,
  otherBatchSamples,
  whyNoDifferences,
} from '../../test/support/sample-selection.ts';
import { type Sample, samplesOf } from '../../test/support/samples.ts';

export const aspects = ['evaluate', 'jvp', 'transpose', 'batch', 'CPU', 'Metal'] as const;
export type Aspect = (typeof aspects)[number];

/** A number of cases, or the reason for having none. */
export type Cell = number | string;

export interface CoverageRow {
  readonly primitive: string;
  readonly dtype: DType;
  readonly cells: Readonly<Record<Aspect, Cell>>;
}

type Counts = ReadonlyMap<DType, number>;

/** A row for each primitive and dtype that it takes. */
export function coverageRows(): readonly CoverageRow[] {
  const goldens = goldenCounts();
  return [...primitives.values()].flatMap((record) => rowsOf(record, goldens));
}

/** Primitives without samples of their own, with where they are tested. */
export function untabulated(): ReadonlyMap<string, string> {
  return expandedPrimitives;
}

function rowsOf(record: Primitive, goldens: ReadonlyMap<string, Counts>): readonly CoverageRow[] {
  if (expandedPrimitives.has(record.name)) return [];
  const { name } = record;
  const special = goldens.get(name) ?? new Map<DType, number>();
  const evaluated = add(countByDType(samplesOf(name)), special);
  const differences = countByDType(differenceSamples(name));
  const derivatives = add(
    differences,
    countByDType(narrowDerivativeSamples(name).map(([sample]) => sample)),
  );
  const counts: Readonly<Record<Aspect, Counts>> = {
    evaluate: evaluated,
    jvp: derivatives,
    transpose: hasTranspose(record) ? derivatives : new Map(),
    batch: countByDType([...batchSamples(name), ...otherBatchSamples(name)]),
    CPU: add(countByDType(cpuSamples(record)), special),
    Metal: countByDType(metalSamples(record)),
  };
  return dtypes
    .filter((dtype) => evaluated.has(dtype))
    .map((dtype) => {
      const cells = aspects.map((aspect): [Aspect, Cell] => [
        aspect,
        counts[aspect].get(dtype) ?? reasonFor(record, dtype, aspect),
      ]);
      return { primitive: name, dtype, cells: Object.fromEntries(cells) as Record<Aspect, Cell> };
    });
}

/** Why a cell has no case. Empty when nothing explains it: the tests refuse that. */
function reasonFor(record: Primitive, dtype: DType, aspect: Aspect): string {
  const { lower, jvp, transpose, name } = record;
  switch (aspect) {
    case 'jvp':
    case 'transpose': {
      const rule = aspect === 'jvp' ? jvp : transpose;
      const none = whyNoDifferences(name);
      if (none !== undefined) return none;
      if (isAbsent(rule) && record.regional === undefined) return rule.absent;
      if (!isFloat(dtype)) return 'integers and bools have no tangents';
      if (takesNoFloats(name, dtype)) return 'it has no float operand';
      return '';
    }
    case 'Metal':
      if (dtype === 'f64' || isToDoubles(name, dtype)) return 'f64 is not on Metal';
      if (lower.kind === 'control') return 'the plan runs it: test/metal/samples.test.ts';
      return lower.kind === 'removed' ? `removed by ${lower.by}` : '';
    case 'CPU':
      return lower.kind === 'removed' ? `removed by ${lower.by}` : '';
    default:
      return '';
  }
}

/** `bitcast` of i64 gives f64. */
function isToDoubles(name: string, dtype: DType): boolean {
  const samples = samplesOf(name).filter((sample) => sample.dtype === dtype);
  return samples.length > 0 && samples.every((sample) => sample.attrs['dtype'] === 'f64');
}

function takesNoFloats(name: string, dtype: DType): boolean {
  return samplesOf(name)
    .filter((sample) => sample.dtype === dtype)
    .every((sample) => sample.operands.every((operand) => !isFloat(operand.type.dtype)));
}

/** Cases of test/golden/primitives, which run on the evaluator and on the CPU, by the dtype of the first operand. */
function goldenCounts(): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Map<DType, number>>();
  for (const { name, operands, results } of goldenFiles.flatMap((file) => readGoldens(file))) {
    const dtype = (operands[0] ?? results[0]!).dtype;
    const own = counts.get(name) ?? new Map<DType, number>();
    counts.set(name, own.set(dtype, (own.get(dtype) ?? 0) + 1));
  }
  return counts;
}

function countByDType(samples: readonly Sample[]): Counts {
  const counts = new Map<DType, number>();
  for (const { dtype } of samples) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return counts;
}

function add(a: Counts, b: Counts): Counts {
  const sum = new Map(a);
  for (const [dtype, count] of b) sum.set(dtype, (sum.get(dtype) ?? 0) + count);
  return sum;
}
