/** `vmap` over every axis in and out: the expanded operation against its meaning, one example after the other. */
import { expect, test } from 'vitest';
import { dotGeneral, mul, reduceMax, vmap } from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import { makeArray, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { expandFunction } from '../../compiler/transforms/expand.ts';
import { expectAllClose } from '../support/all-close.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';
import { makeRandom, randomArray } from '../support/oracles.ts';

/** [2, 3], [3, 4] to their product [2, 4] and to the greatest elements of the first's rows, squared: [2]. */
const example = buildFunction('example', [tensor('f32', 2, 3), tensor('f32', 3, 4)], (b, x, y) => {
  const top = b.apply(reduceMax, [x!], { axes: [1] });
  const product = b.apply(dotGeneral, [x!, y!], { contracting: [[1], [0]], batch: [[], []] });
  return [product, b.apply(mul, [top, top], {})];
});

function mapped(inAxes: readonly number[], outAxes: readonly number[], size: number): Func {
  const types = example.parameters.map(({ type }, i) => {
    const shape = inAxes[i]! < 0 ? type.shape : type.shape.toSpliced(inAxes[i]!, 0, int(size));
    return { dtype: type.dtype, shape };
  });
  return buildFunction('mapped', types, (b, ...args) =>
    b.applyAll(vmap, args, { inAxes, outAxes, size: int(size) }, [example]),
  );
}

const axes = [-1, 0, 1, 2].flatMap((x) => [-1, 0, 1, 2].map((y) => [x, y] as const));

test.each(axes.filter(([x, y]) => x >= 0 || y >= 0))('in axes %i, %i', (x, y) => {
  const random = makeRandom(5);
  for (const size of [3, 1, 0]) {
    for (const out of [0, 1, 2]) {
      const func = mapped([x, y], [out, Math.min(out, 1)], size);
      const args = func.parameters.map(({ type }): NdArray => {
        const shape = type.shape.map((s) => Number(s.key));
        return shape.includes(0)
          ? makeArray(type.dtype, shape)
          : randomArray({ ...type, shape }, random);
      });
      const expected = runFunction(func, args);
      const expanded = expandFunction(func);
      expect(expanded.body.some((op) => op.primitive.name === 'vmap')).toBe(false);
      runFunction(expanded, args).forEach((found, i) => {
        expectAllClose(found, expected[i]!, `result ${i}`);
      });
    }
  }
});
