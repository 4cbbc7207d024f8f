/**
 * Which samples of which primitives each suite runs. The suites and tools/coverage take them from here, so that the numbers on
 * docs/coverage.md are those of the tests.
 */
import { primitives } from '../../compiler/primitives/registry.ts';
import { constantValue } from '../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { isAbsent, type Primitive } from '../../compiler/tensor-ir/primitive.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { type Sample, sampleFunction, samplesOf } from './samples.ts';

/** They are rewritten before anything runs: tests of transformations have them. */
export const expandedPrimitives: ReadonlyMap<string, string> = new Map([
  ['vmap', 'a transformation: test/numeric/vmap-axes.test.ts and transformations.test.ts'],
  ['jvp', 'a transformation: test/properties/transforms.test.ts and transformations.test.ts'],
  ['vjp', 'a transformation: test/properties/transforms.test.ts and transformations.test.ts'],
  ['extern', 'its body or a kernel of the user: test/driver/extern.test.ts, test/metal-sim'],
  ['custom_vjp_tangent', 'only inside reverse mode: test/numeric/transformations.test.ts'],
]);

/** Their derivative is not that of their values, or only one mode exists. */
const withoutDifferences: ReadonlyMap<string, string> = new Map([
  ['bitcast', 'its derivative is not that of its values'],
  ['stop_gradient', 'its derivative is zero on purpose'],
  ['while', 'unbounded: forward mode alone, test/numeric/transformations.test.ts'],
  [
    'custom_vjp',
    'the rule of the user, in reverse mode alone: test/numeric/transformations.test.ts',
  ],
]);

export function whyNoDifferences(name: string): string | undefined {
  return withoutDifferences.get(name);
}

/** The primitives that the suites walk. */
export const sampledPrimitives: readonly Primitive[] = [...primitives.values()].filter(
  ({ name }) => !expandedPrimitives.has(name),
);

/** `vmap` in every choice of mapped operands, of three examples and of none. */
export function batchSamples(name: string): readonly Sample[] {
  return samplesOf(name).filter((sample) => isMainDType(sample.dtype));
}

/** The same in the other dtypes, of three examples. */
export function otherBatchSamples(name: string): readonly Sample[] {
  return samplesOf(name).filter((sample) => !isMainDType(sample.dtype));
}

function isMainDType(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'i32' || dtype === 'bool';
}

/** Samples in f64, where nothing is lost to rounding, for finite differences and inner products. */
export function differenceSamples(name: string): readonly Sample[] {
  if (withoutDifferences.has(name)) return [];
  return samplesOf(name)
    .flatMap((sample) => inDoubles(sample))
    .filter((sample) => isDifferentiable(name, sample));
}

/** Samples in f32, f16 and bf16, each with the same in f64 that its derivatives are held to. */
export function narrowDerivativeSamples(name: string): readonly (readonly [Sample, Sample])[] {
  if (withoutDifferences.has(name)) return [];
  return samplesOf(name).flatMap((sample): (readonly [Sample, Sample])[] => {
    if (!isFloat(sample.dtype) || sample.dtype === 'f64') return [];
    const wide = sample.regions === undefined ? widened(sample) : siblingInDoubles(name, sample);
    return wide !== undefined && isDifferentiable(name, sample) ? [[sample, wide]] : [];
  });
}

/** The sample in f64; none when it has a dtype of its own that is not f32. */
function inDoubles(sample: Sample): readonly Sample[] {
  if (sample.regions !== undefined || 'dtype' in sample.attrs) {
    const to = sample.attrs['dtype'];
    return sample.dtype === 'f64' && (to === undefined || to === 'f64') ? [sample] : [];
  }
  return sample.dtype === 'f32' ? [widened(sample)!] : [];
}

/** With f64 in place of its dtype, and of the float that it converts to. */
function widened(sample: Sample): Sample | undefined {
  const to = sample.attrs['dtype'] as DType | undefined;
  if (to !== undefined && !isFloat(to)) return undefined;
  const operands = sample.operands.map((operand) =>
    operand.type.dtype === sample.dtype
      ? { ...operand, type: { ...operand.type, dtype: 'f64' as const } }
      : operand,
  );
  const attrs = to === undefined ? sample.attrs : { ...sample.attrs, dtype: 'f64' };
  return { ...sample, operands, attrs, dtype: 'f64' };
}

/** Regions are typed: the sample that has them in f64. */
function siblingInDoubles(name: string, { label, dtype }: Sample): Sample | undefined {
  const wanted = label.replace(dtype, 'f64');
  return samplesOf(name).find((sample) => sample.dtype === 'f64' && sample.label === wanted);
}

function isDifferentiable(name: string, sample: Sample): boolean {
  const func = sampleFunction(name, sample);
  return func.parameters.some((p) => isFloat(p.type.dtype)) && !isMaximumOfNothing(func);
}

/** Minus infinity for every argument: its tangent is 0 / 0. */
function isMaximumOfNothing(func: Func): boolean {
  const op = func.body[0]!;
  if (op.primitive.name !== 'reduce_max' && op.primitive.name !== 'reduce_min') return false;
  const axes = op.attrs['axes'] as readonly number[];
  return axes.some((axis) => constantValue(op.operands[0]!.type.shape[axis]!) === 0);
}

/** Whether the derivative tests of a primitive run its transpose rule. */
export function hasTranspose({ transpose, regional }: Primitive): boolean {
  return regional !== undefined || !isAbsent(transpose);
}

/** What the CPU suite compiles and runs. */
export function cpuSamples({ name, lower }: Primitive): readonly Sample[] {
  return lower.kind === 'removed' ? [] : samplesOf(name);
}

/** What the Metal suite prints, checks and simulates: f64 does not exist there, and the plan runs control flow. */
export function metalSamples({ name, lower }: Primitive): readonly Sample[] {
  if (lower.kind === 'removed' || lower.kind === 'control') return [];
  // a composite of several regions becomes control flow
  return samplesOf(name).filter(
    (s) => s.dtype !== 'f64' && s.attrs['dtype'] !== 'f64' && (s.regions?.length ?? 0) < 2,
  );
}

/** What runs on the Metal device: control flow too, but no f64. */
export function deviceSamples(record: Primitive): readonly Sample[] {
  return cpuSamples(record).filter(
    ({ dtype, attrs }) => dtype !== 'f64' && attrs['dtype'] !== 'f64',
  );
}
