/** The calls of the prelude again with sizes that are known only at run time: the same numbers, and the same shapes. */
import { describe, expect, test } from 'vitest';
import { preludeGoldens } from '../support/prelude-suites.ts';
import { compileSource, runProgram, type TestTensor } from '../support/run-source.ts';
import { expectClose } from '../support/stdlib-cases.ts';

const letters = 'abcdef';

/** `f32[N3, N4]`: equal sizes are one dim; 0 and 1 stay numbers. */
function symbolicType({ dtype, shape }: TestTensor): string {
  const dims = shape.map((size) => (size > 1 ? `N${size}` : `${size}`));
  return dims.length === 0 ? dtype : `${dtype}[${dims.join(', ')}]`;
}

describe.each(preludeGoldens)('%s', (_, goldens, { tolerance, byElement }) => {
  const cases = Object.entries(goldens).filter(
    ([, { fixed, inputs }]) => fixed !== true && inputs.some((t) => t.shape.some((n) => n > 1)),
  );

  test.each(cases)('%s', (_, { expression, inputs, outputs }) => {
    const parameters = inputs.map((t, i) => `${letters[i]}: ${symbolicType(t)}`);
    const program = compileSource(`export fn test(${parameters.join(', ')}) { ${expression} }`);
    const found = runProgram(program, 'test', inputs);
    expect(found.length).toBe(outputs.length);
    outputs.forEach((wanted, i) => {
      expectClose(found[i]!, wanted, tolerance, byElement);
    });
  });
});
