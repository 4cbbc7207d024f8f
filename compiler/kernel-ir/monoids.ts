/** The monoids of reductions as scalar expressions. */
import { computeType, type DType, integerRange, isFloat } from '../tensor-ir/dtype.ts';
import type { KernelScalar, Monoid } from './program.ts';

/** The neutral element; for argmax and argmin that of the value half of the pair. */
export function identityOf(monoid: Monoid, dtype: DType): KernelScalar {
  const type = computeType(dtype);
  const constant = (value: number | bigint | boolean): KernelScalar => ({
    kind: 'constant',
    dtype: type,
    value,
  });
  const is64 = type === 'i64' || type === 'u64';
  switch (monoid) {
    case 'sum':
      return constant(is64 ? 0n : 0);
    case 'prod':
      return constant(is64 ? 1n : 1);
    case 'all':
      return constant(true);
    case 'any':
      return constant(false);
    case 'max':
    case 'argmax':
      return constant(extreme(type, -1));
    case 'min':
    case 'argmin':
      return constant(extreme(type, 1));
  }
}

function extreme(dtype: DType, sign: 1 | -1): number | bigint | boolean {
  if (dtype === 'bool') return sign > 0;
  if (isFloat(dtype)) return sign * Number.POSITIVE_INFINITY;
  const { min, max } = integerRange(dtype);
  const value = sign > 0 ? max : min;
  return dtype === 'i64' || dtype === 'u64' ? value : Number(value);
}

/** Name of the scalar function that combines two elements. */
export function combinerOf(monoid: Exclude<Monoid, 'argmax' | 'argmin'>): string {
  switch (monoid) {
    case 'sum':
      return 'add';
    case 'prod':
      return 'mul';
    case 'max':
      return 'max';
    case 'min':
      return 'min';
    case 'all':
      return 'and';
    case 'any':
      return 'or';
  }
}

export function combine(
  monoid: Exclude<Monoid, 'argmax' | 'argmin'>,
  a: KernelScalar,
  b: KernelScalar,
): KernelScalar {
  return { kind: 'call', name: combinerOf(monoid), args: [a, b], dtype: a.dtype };
}

/** Whether a candidate replaces the best so far: strictly better, or the first NaN. */
export function replacesBest(
  monoid: 'argmax' | 'argmin',
  candidate: KernelScalar,
  best: KernelScalar,
): KernelScalar {
  const call = (name: string, ...args: KernelScalar[]): KernelScalar => ({
    kind: 'call',
    name,
    args,
    dtype: 'bool',
  });
  const better = call(monoid === 'argmax' ? 'gt' : 'lt', candidate, best);
  if (!isFloat(candidate.dtype)) return better;
  const isFirstNaN = call('and', call('ne', candidate, candidate), call('eq', best, best));
  return call('or', better, isFirstNaN);
}
