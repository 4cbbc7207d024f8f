/** The calls of the prelude again: with sizes that are known only at run time, and in other dtypes. */
import { describe, expect, test } from 'vitest';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { preludeGoldens } from '../support/prelude-suites.ts';
import { compileSource, runProgram, type TestTensor } from '../support/run-source.ts';
import { expectClose } from '../support/stdlib-cases.ts';

const letters = 'abcdef';

function sizes(type: string, dims: readonly (string | number)[]): string {
  return dims.length === 0 ? type : `${type}[${dims.join(', ')}]`;
}

/** `f32[N3, N4]`: equal sizes are one dim; 0 and 1 stay numbers. */
function symbolicType({ dtype, shape }: TestTensor): string {
  return sizes(
    dtype,
    shape.map((size) => (size > 1 ? `N${size}` : size)),
  );
}

function run(
  imports: string,
  expression: string,
  inputs: readonly TestTensor[],
  showType: (input: TestTensor) => string,
): readonly TestTensor[] {
  const parameters = inputs.map((t, i) => `${letters[i]}: ${showType(t)}`);
  const text = `${imports}\nexport fn test(${parameters.join(', ')}) { ${expression} }`;
  const program = compileSource(text);
  return runProgram(program, 'test', inputs);
}

/** f32 becomes `dtype`. */
function inDType(dtype: DType, tensors: readonly TestTensor[]): readonly TestTensor[] {
  return tensors.map((t) => (t.dtype === 'f32' ? { ...t, dtype } : t));
}

describe.each(preludeGoldens)('%s', (_, goldens, { imports, tolerance, byElement }) => {
  const cases = Object.entries(goldens);

  const symbolic = cases.filter(
    ([, { fixed, inputs }]) => fixed !== true && inputs.some((t) => t.shape.some((n) => n > 1)),
  );
  test.each(symbolic)('%s with open sizes', (_, { expression, inputs, outputs }) => {
    const found = run(imports, expression, inputs, symbolicType);
    expect(found.length).toBe(outputs.length);
    outputs.forEach((wanted, i) => {
      expectClose(found[i]!, wanted, tolerance, byElement);
    });
  });

  const floats = cases.filter(([, { inputs }]) => inputs.some((t) => t.dtype === 'f32'));
  test.each(floats)('%s in f64, f16 and bf16', (_, { expression, inputs, outputs }) => {
    const types = (dtype: DType): unknown =>
      run(imports, expression, inDType(dtype, inputs), (t) => sizes(t.dtype, t.shape)).map((t) => [
        t.dtype,
        t.shape,
      ]);
    for (const dtype of ['f64', 'f16', 'bf16'] as const) {
      expect(types(dtype)).toEqual(inDType(dtype, outputs).map((t) => [t.dtype, t.shape]));
    }
  });
});
