/** Cases beyond those of cases.ts: programs drawn at random, and the calls of the library's goldens. */

import { type Tensor, tensor } from '../../runtime/tensor.ts';
import { toTensor } from '../../test/support/run-on-cpu.ts';
import { functionOf, goldensOf, suites } from '../../test/support/stdlib-cases.ts';
import { drawProgram } from '../fuzz/generator.ts';
import { makeCase } from '../fuzz/program.ts';
import type { GpuCase } from './cases.ts';

/** Programs of tools/fuzz from `seed` on, those with f64 left out, which Metal has not. */
export function randomCases(seed: number, count: number): readonly GpuCase[] {
  return Array.from({ length: count }, (_, i) => makeCase(drawProgram(seed + i)))
    .filter(({ source }) => !/\bf64\b/.test(source))
    .flatMap(({ name, source, calls }) =>
      calls.map(
        (call, number): GpuCase => ({
          name: `random ${name} ${number}`,
          file: `${name}.mlx`,
          text: source,
          entry: name,
          dims: call.dims,
          isSymbolic: true,
          reference: 'interp',
          leaves: () => call.arguments.map(toTensor),
        }),
      ),
    );
}

/** The expressions over the standard library that the goldens of test/golden/stdlib call. */
export function libraryCases(): readonly GpuCase[] {
  return Object.entries(suites).flatMap(([what, suite]) => {
    const goldens = goldensOf(suite);
    return Object.entries(suite.cases).flatMap(([key, expression], number): readonly GpuCase[] => {
      const { inputs } = goldens[key]!;
      const text = `${suite.imports}\n${functionOf('golden', expression, goldens[key]!)}`;
      if (/\bf64\b/.test(text)) return [];
      return [
        {
          name: `library ${what} ${key} ${number}`,
          file: 'golden.mlx',
          text,
          entry: 'golden',
          dims: {},
          isSymbolic: true,
          reference: 'interp',
          leaves: () =>
            inputs.map(({ dtype, shape, data }): Tensor => tensor([...data], shape, dtype)),
        },
      ];
    });
  });
}
