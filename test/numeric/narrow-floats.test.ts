/** A program that converts to f16 or bf16 sees the rounded number, also where the conversion is fused with what reads it. */
import { expect, test } from 'vitest';
import { convert, mul, sub } from '../../compiler/primitives/registry.ts';
import { arrayOf } from '../../compiler/tensor-ir/nd-array.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';
import { callOnCpu, compileForCpu } from '../support/run-on-cpu.ts';

test('conversions round inside of a kernel', async () => {
  const tie = 1 + 2 ** -8;
  const cases = (['f16', 'bf16'] as const).flatMap((narrow) =>
    (['f32', 'f64', 'i64'] as const).map((wide) => {
      const values =
        wide === 'i64'
          ? [2n ** 40n + 2n ** 32n + 1n, 2049n, -257n, 65519n]
          : [1.0001, tie, tie + 2 ** -22, 65519];
      const func = buildFunction(`${wide}_${narrow}`, [tensor(wide, 4)], (b, x) => {
        const rounded = b.apply(convert, [x], { dtype: narrow });
        const back = b.apply(convert, [rounded], { dtype: 'f64' });
        const exact = b.apply(convert, [x], { dtype: 'f64' });
        return [b.apply(sub, [back, exact], {}), b.apply(mul, [back, back], {})];
      });
      return { func, args: [arrayOf(wide, [4], values)] };
    }),
  );
  const { module, source } = await compileForCpu(cases.map(({ func }) => func));
  expect(source.match(/^void /gm) ?? []).toHaveLength(cases.length);
  for (const { func, args } of cases) {
    expect(callOnCpu(module, func.name, args)).toEqual(runFunction(func, args));
  }
});
