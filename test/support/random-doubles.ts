/** Random functions in f64 with known sizes: what derivatives are compared with differences on. */
import { type Int, int, substitute } from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attr, Attrs, Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';
import { dimSizes, randomFunction } from './random-function.ts';

export interface RandomDoubles {
  readonly func: Func;
  readonly args: readonly NdArray[];
}

/** `randomFunction(seed)` with f64 for f32 and numbers for dims. */
export function randomDoubles(seed: number, operations: number): RandomDoubles {
  const { func, args } = randomFunction(seed, operations);
  const b = new Builder();
  const values = new Map<Value, Value>();
  const parameters = func.parameters.map((p) => {
    const parameter = makeValue(doubleType(p.type), p.name);
    values.set(p, parameter);
    return parameter;
  });
  for (const op of func.body) {
    const operands = op.operands.map((v) => values.get(v)!);
    const results = b.applyAll(op.primitive, operands, doubleAttrs(op.attrs));
    op.results.forEach((r, i) => values.set(r, results[i]!));
  }
  const results = func.results.map((v) => values.get(v)!);
  return {
    func: b.finish(func.name, parameters, results),
    args: args.map((x) => ({ ...x, dtype: doubleDType(x.dtype) })),
  };
}

function doubleDType(dtype: DType): DType {
  return dtype === 'f32' ? 'f64' : dtype;
}

function doubleType({ dtype, shape }: TensorType): TensorType {
  return { dtype: doubleDType(dtype), shape: shape.map(known) };
}

function known(dim: Int): Int {
  return substitute(dim, ({ name }) => int(dimSizes[name]!));
}

function doubleAttrs(attrs: Attrs): Attrs {
  return Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => [
      name,
      name === 'dtype' ? doubleDType(value as DType) : knownAttr(value),
    ]),
  );
}

function knownAttr(value: Attr): Attr {
  if (Array.isArray(value)) return (value as readonly Attr[]).map(knownAttr);
  return typeof value === 'object' && 'terms' in value ? known(value as unknown as Int) : value;
}
