/** Building functions in tests, and running them on plain numbers. */
import { int } from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';

/** A type with constant sizes. */
export function tensor(dtype: DType, ...shape: readonly number[]): TensorType {
  return { dtype, shape: shape.map(int) };
}

/** A function whose body `build` writes. */
export function buildFunction(
  name: string,
  types: readonly TensorType[],
  build: (b: Builder, ...parameters: Value[]) => readonly Value[],
): Func {
  const b = new Builder();
  const parameters = types.map((type, i) => makeValue(type, `x${i}`));
  const results = build(b, ...parameters);
  return b.finish(name, parameters, results);
}

/** Verifies a function and runs it by the meaning of its primitives. */
export function runFunction(
  func: Func,
  args: readonly NdArray[],
  dims: Readonly<Record<string, number>> = {},
): readonly NdArray[] {
  verifyFunction(func, 'traced');
  return evaluateFunction(func, args, new Map(Object.entries(dims)));
}
