/** Building functions in tests, and running them on plain numbers. */
import { evaluate, type Int, int } from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { type NdArray, roundArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';

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

/** Runs a function by the meaning of its primitives. */
export function runFunction(
  func: Func,
  args: readonly NdArray[],
  dims: Readonly<Record<string, number>> = {},
): readonly NdArray[] {
  const values = new Map<Value, NdArray>();
  func.parameters.forEach((p, i) => values.set(p, args[i]!));
  const size = (dim: Int): number => evaluate(dim, (name) => dims[name]);
  for (const op of func.body) {
    const results = op.primitive.evaluate(
      op.operands.map((v) => values.get(v)!),
      op.attrs,
      {
        op,
        resultTypes: op.results.map((r) => ({
          dtype: r.type.dtype,
          shape: r.type.shape.map((d) => int(size(d))),
        })),
        call: (region, inner) => runFunction(region, inner, dims),
        size,
      },
    );
    op.results.forEach((r, i) => values.set(r, roundArray(results[i]!)));
  }
  return func.results.map((v) => values.get(v)!);
}
