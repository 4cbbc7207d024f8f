/** How far results may be off by rounding alone: from the fuzzer's comparison, which evaluates a function with other roundings. */
import { evaluate } from '../../compiler/symbolic/integer.ts';
import { type DType, storageOf } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import type { Dims } from '../../runtime/sizes.ts';
import { readElement } from '../../runtime/typed-array.ts';
import { slackOf } from '../fuzz/compare.ts';
import { narrowestFloat } from '../fuzz/run.ts';
import type { Input } from './case-folder.ts';

export interface Slack {
  /** The float of least precision that the function computes with. */
  readonly narrowest: DType;
  /** Of each element of each result; undefined for functions that take long to evaluate. */
  readonly elements: readonly (readonly number[])[] | undefined;
}

/** Elements of arguments and values together, above which a function is not evaluated many times. */
const mostElements = 1 << 16;

export function slackFor(entry: Entry, inputs: readonly Input[], dims: Dims): Slack {
  const bound = dims instanceof Map ? dims : new Map(Object.entries(dims));
  const narrowest = narrowestFloat({ entries: [entry] });
  const values = [...entry.func.parameters, ...entry.func.body.flatMap((op) => op.results)];
  const count = values.reduce(
    (sum, { type }) =>
      sum +
      type.shape.reduce(
        (n, d) =>
          n *
          Math.max(
            0,
            evaluate(d, (name) => bound.get(name)),
          ),
        1,
      ),
    0,
  );
  if (count > mostElements) return { narrowest, elements: undefined };
  const args = inputs.map(({ value: { dtype, shape, data } }) => {
    const { dtype: kind, width } = storageOf(dtype);
    const elements = Array.from({ length: data.length }, (_, i) => readElement(kind, data, i));
    return arrayOf(kind, width === 1 ? shape : [...shape, width], elements);
  });
  return { narrowest, elements: slackOf(entry.func, args, bound, narrowest) };
}
