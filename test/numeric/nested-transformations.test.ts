/** Transformations of transformations, and vmap over every axis, for every primitive on its samples. */
import { describe, expect, test } from 'vitest';
import { vmap } from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import { makeArray, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { expandFunction } from '../../compiler/transforms/expand.ts';
import { expectAllClose } from '../support/all-close.ts';
import { buildFunction, runFunction } from '../support/functions.ts';
import { checkLinearize, checkNesting, checkSecondDerivatives } from '../support/nested-oracles.ts';
import { moveFirstAxis, stack } from '../support/rows.ts';
import { batchSamples, differenceSamples, sampledPrimitives } from '../support/sample-selection.ts';
import { drawOperands, type Sample, sampleFunction } from '../support/samples.ts';

describe.each(sampledPrimitives.map((record) => record.name))('%s', (name) => {
  const smooth = differenceSamples(name);

  test('has second derivatives that finite differences give, and a symmetric Hessian', () => {
    for (const sample of smooth) {
      checkSecondDerivatives(sampleFunction(name, sample), drawOperands(sample, 3));
    }
  });

  test('is cut in a known and a linear half that give its derivative', () => {
    for (const sample of smooth) {
      checkLinearize(sampleFunction(name, sample), drawOperands(sample, 3));
    }
  });

  test('has grad of vmap of grad, and vmap of grad of vmap', () => {
    for (const sample of smooth) {
      const examples = [drawOperands(sample, 3), drawOperands(sample, 4)];
      checkNesting(sampleFunction(name, sample), examples);
    }
  });

  test('gives the rows of a loop under vmap over every axis', () => {
    for (const sample of batchSamples(name)) checkAxes(sampleFunction(name, sample), sample);
  });
});

/** Every choice of mapped operands, with the batch at every place that an operand or result has for it. */
function checkAxes(func: Func, sample: Sample): void {
  const ranks = [...func.parameters, ...func.results].map(({ type }) => type.shape.length);
  const places = Math.max(1, ...ranks.map((rank) => rank + 1));
  const results = func.results.map((r) => r.type.shape.length);
  for (let mask = 1; mask < 2 ** func.parameters.length; mask++) {
    for (let place = 0; place < places; place++) {
      const inAxes = func.parameters.map(({ type }, i) =>
        mask & (2 ** i) ? (place + i) % (type.shape.length + 1) : -1,
      );
      const outAxes = results.map((rank) => place % (rank + 1));
      for (const size of place === 0 ? [2, 0] : [2]) {
        checkMapped(func, sample, inAxes, outAxes, size);
      }
    }
  }
}

function checkMapped(
  func: Func,
  sample: Sample,
  inAxes: readonly number[],
  outAxes: readonly number[],
  size: number,
): void {
  const types = func.parameters.map(({ type }, i) => {
    const shape = inAxes[i]! < 0 ? type.shape : type.shape.toSpliced(inAxes[i]!, 0, int(size));
    return { dtype: type.dtype, shape };
  });
  const mapped = buildFunction('mapped', types, (b, ...args) =>
    b.applyAll(vmap, args, { inAxes, outAxes, size: int(size) }, [func]),
  );
  const shared = drawOperands(sample, 99);
  const examples = Array.from({ length: size }, (_, i) => {
    const own = drawOperands(sample, 7 + i);
    return own.map((x, k) => (inAxes[k]! < 0 ? shared[k]! : x));
  });
  const column = (k: number): readonly NdArray[] => examples.map((e) => e[k]!);
  const args = shared.map((x, k) =>
    inAxes[k]! < 0 ? x : moveFirstAxis(stack(column(k), x), inAxes[k]!),
  );
  const rows = examples.map((example) => runFunction(func, example));
  const found = runFunction(expandFunction(mapped), args);
  expect(found.length).toBe(func.results.length);
  found.forEach((result, r) => {
    const { dtype, shape } = func.results[r]!.type;
    const like =
      rows[0]?.[r] ??
      makeArray(
        dtype,
        shape.map((d) => Number(d.key)),
      );
    const stacked = stack(
      rows.map((row) => row[r]!),
      like,
    );
    expectAllClose(result, moveFirstAxis(stacked, outAxes[r]!), `result ${r}`);
  });
}
