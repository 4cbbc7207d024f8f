/**
 * The reference evaluator: every operation by its primitive's `evaluate`, one after another. Slow and obvious; it folds
 * constants, runs `--device interp`, and is what every other way of running a program is held against.
 *
 * Primitives compute floats in double precision; results are rounded to their dtype here, once for each operation.
 */
import { InternalError, invariant } from '../diagnostics/internal-error.ts';
import { asVariable, constantValue, evaluate, type Int, int } from '../symbolic/integer.ts';
import { type NdArray, roundArray } from './nd-array.ts';
import type { EvaluateContext } from './primitive.ts';
import type { Entry, Func, Operation, TensorType, Value } from './program.ts';

export interface EvaluateOptions {
  /**
   * `rounded` (the default) rounds floats to their dtype after each operation. `exact` keeps doubles throughout, whatever
   * the dtype: for finite differences.
   */
  readonly precision?: 'rounded' | 'exact';
  /** Instead of rounding to the nearest: other roundings show how much a result depends on them. */
  readonly round?: (x: NdArray) => NdArray;
}

/** The values of dim variables. */
export type DimValues = ReadonlyMap<string, number>;

/**
 * Runs a function. Arguments match its parameters in dtype and, under `dims`, in shape; InternalError when not.
 * Throws RangeError when a dim is missing or a size is not a whole number.
 */
export function evaluateFunction(
  func: Func,
  args: readonly NdArray[],
  dims: DimValues,
  options: EvaluateOptions = {},
): NdArray[] {
  const size = (dim: Int): number => constantValue(dim) ?? evaluate(dim, (name) => dims.get(name));
  const { round = options.precision === 'exact' ? keep : roundArray } = options;
  const context: Context = { size, round };
  return callFunction(func, args, context);
}

function keep(x: NdArray): NdArray {
  return x;
}

/** Runs an entry on the leaves of its arguments; dims are read off their shapes. */
export function evaluateEntry(
  entry: Entry,
  args: readonly NdArray[],
  options: EvaluateOptions = {},
  dims: DimValues = new Map(),
): NdArray[] {
  const bound = new Map([...bindDims(entry.func, args), ...dims]);
  return evaluateFunction(entry.func, args, bound, options);
}

/** The dims that stand alone as the size of some parameter's axis. */
export function bindDims(func: Func, args: readonly NdArray[]): Map<string, number> {
  const dims = new Map<string, number>();
  func.parameters.forEach((parameter, i) => {
    parameter.type.shape.forEach((dim, axis) => {
      const size = args[i]?.shape[axis];
      const variable = asVariable(dim);
      if (size === undefined || variable === undefined || dims.has(variable.name)) return;
      dims.set(variable.name, size);
    });
  });
  return dims;
}

interface Context {
  readonly size: (dim: Int) => number;
  readonly round: (x: NdArray) => NdArray;
}

function callFunction(func: Func, args: readonly NdArray[], context: Context): NdArray[] {
  const values = new Map<Value, NdArray>();
  if (args.length !== func.parameters.length) {
    throw new InternalError(
      `${func.name} takes ${func.parameters.length} arguments, found ${args.length}`,
    );
  }
  func.parameters.forEach((parameter, i) => {
    requireFits(`argument ${i} of ${func.name}`, args[i]!, parameter.type, context);
    values.set(parameter, args[i]!);
  });
  const read = (value: Value): NdArray => {
    const found = values.get(value);
    invariant(found !== undefined, `a value of ${func.name} is read before it is defined`);
    return found;
  };
  for (const op of func.body) {
    const results = runOperation(op, op.operands.map(read), context);
    op.results.forEach((result, i) => values.set(result, results[i]!));
  }
  return func.results.map(read);
}

function runOperation(
  op: Operation,
  operands: readonly NdArray[],
  context: Context,
): readonly NdArray[] {
  const evaluateContext: EvaluateContext<Operation['attrs']> = {
    op,
    resultTypes: op.results.map(({ type }) => ({
      dtype: type.dtype,
      shape: type.shape.map((size) => int(context.size(size))),
    })),
    call: (func, args) => callFunction(func, args, context),
    size: context.size,
  };
  const results = op.primitive.evaluate(operands, op.attrs, evaluateContext);
  op.results.forEach((result, i) => {
    requireFits(`result ${i} of ${op.primitive.name}`, results[i]!, result.type, context);
  });
  return results.map(context.round);
}

function requireFits(what: string, x: NdArray, type: TensorType, context: Context): void {
  const expected = type.shape.map(context.size);
  const fits =
    x.dtype === type.dtype &&
    x.shape.length === expected.length &&
    x.shape.every((size, axis) => size === expected[axis]);
  if (fits) return;
  throw new InternalError(
    `${what}: expected ${type.dtype}[${expected.join(', ')}], found ${x.dtype}[${x.shape.join(', ')}]`,
  );
}
