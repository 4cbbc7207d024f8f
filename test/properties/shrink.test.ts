/** The reducer finds a planted bug in programs of any size: what is left is a few lines that still show it. */
import { expect, test } from 'vitest';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, isBig, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, Operation } from '../../compiler/tensor-ir/program.ts';
import { drawProgram } from '../../tools/fuzz/generator.ts';
import { type FuzzProgram, makeCase, printProgram } from '../../tools/fuzz/program.ts';
import { shrink } from '../../tools/fuzz/shrink.ts';
import { compileSource } from '../support/run-source.ts';

/** A pass that gets one primitive wrong: its results are those of another. */
type WrongRule = (op: Operation, results: readonly NdArray[]) => readonly NdArray[];

function plant(func: Func, name: string, wrong: WrongRule): Func {
  const body = func.body.map((op): Operation => {
    const regions = op.regions.map((region) => plant(region, name, wrong));
    if (op.primitive.name !== name) return { ...op, regions };
    const { primitive } = op;
    const evaluate: typeof primitive.evaluate = (...given) =>
      wrong(op, primitive.evaluate(...given));
    return { ...op, primitive: { ...primitive, evaluate } };
  });
  return { ...func, body };
}

function negated(x: NdArray): NdArray {
  const elements = toNumbers(x).map((e) => (x.dtype === 'bool' ? 1 - e : -e));
  const { data } = arrayOf('f64', x.shape, elements);
  return isBig(x.dtype) ? arrayOf(x.dtype, x.shape, elements) : { ...x, data };
}

/** True when the program is sound, and gives something else with the bug. */
function shows(program: FuzzProgram, name: string): boolean {
  try {
    const { source, calls } = makeCase(program);
    const { func } = compileSource(source).entries[0]!;
    const planted = plant(func, name, (_, results) => results.map(negated));
    return calls.some(({ dims, arguments: args }) => {
      const [right, wrong] = [func, planted].map((f) =>
        evaluateFunction(f, args, new Map(Object.entries(dims))),
      );
      return right!.some((x, i) =>
        x.data.some((e, j) => Number(e) - Number(wrong![i]!.data[j]!) > 0.01),
      );
    });
  } catch {
    return false;
  }
}

test.each(['reduce_sum', 'gather', 'dot_general', 'select', 'concatenate'])(
  'a wrong %s',
  { timeout: 120_000 },
  async (name) => {
    const seeds = Array.from({ length: 400 }, (_, i) => i + 1);
    const large = seeds
      .map(drawProgram)
      .find((p) => printProgram(p).length > 900 && shows(p, name));
    const small = await shrink(
      large!,
      async (candidates) => candidates.findIndex((candidate) => shows(candidate, name)),
      { milliseconds: 60_000 },
    );
    const text = printProgram(small);
    expect(shows(small, name)).toBe(true);
    expect(text.trimEnd().split('\n').length, text).toBeLessThanOrEqual(5);
    expect(text.length, text).toBeLessThan(300);
  },
);
