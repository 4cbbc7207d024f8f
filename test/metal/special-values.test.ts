/** The scalar functions as the Metal printer writes them, run as C++, against NumPy, SciPy and JAX at the edges (tools/goldens). */
import { expect, test } from 'vitest';
import { scalarFunctions } from '../../compiler/kernel-ir/scalar-functions.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type Element, makeArray, setElement } from '../../compiler/tensor-ir/nd-array.ts';
import { emitCall } from '../../compiler/to-metal/functions.ts';
import { hostLiteral, runOnHost } from '../support/metal-on-host.ts';
import { expectGolden, type GoldenCase, readGoldens } from '../support/primitive-goldens.ts';

/** Registers hold f32 and integers; bool operators have tests of their own. */
function isInRegisters(dtype: DType): boolean {
  return dtype === 'f32' || (!isFloat(dtype) && dtype !== 'bool');
}

const cases = ['unary.json', 'binary.json', 'special-values.json']
  .flatMap(readGoldens)
  .filter(({ name, operands }) => scalarFunctions.has(name) && isInRegisters(operands[0]!.dtype));

/** What the host's library and the helpers may be off; reflection of gamma functions cancels. */
const steps: Readonly<Record<string, number>> = {
  erfc: 8,
  erfinv: 8,
  lgamma: 16,
  digamma: 16,
  polygamma: 10,
};

test('printed scalar functions hold at special values', () => {
  const needed = new Set<string>();
  const expressions = cases.flatMap(({ name, operands }) =>
    Array.from(operands[0]!.data as ArrayLike<Element>, (_, i) => {
      const args = operands.map((x) => ({
        text: hostLiteral(x.dtype, x.data[i]!),
        precedence: 20,
      }));
      return emitCall(name, operands[0]!.dtype, args, (helper) => needed.add(helper)).text;
    }),
  );
  const results = runOnHost(expressions, needed);
  let next = 0;
  for (const golden of cases) {
    const expected = golden.results[0]!;
    const found = makeArray(expected.dtype, expected.shape);
    for (let i = 0; i < found.data.length; i++) {
      setElement(found.data, i, elementOf(results[next++]!, golden));
    }
    expectGolden(golden, [found], () => steps[golden.name] ?? 4);
  }
  expect(next).toBe(results.length);
});

test('wide integers are rounded to bf16 once', () => {
  const conversions = readGoldens('special-values.json').filter(
    ({ name, operands, results }) =>
      name === 'convert' &&
      /^[iu](32|64)$/.test(operands[0]!.dtype) &&
      results[0]!.dtype === 'bf16',
  );
  expect(conversions.length).toBe(4);
  for (const golden of conversions) {
    const [x] = golden.operands;
    const expressions = Array.from(
      x!.data as ArrayLike<Element>,
      (value) => `mlxc::odd_float(${hostLiteral(x!.dtype, value)})`,
    );
    const found = arrayOf('bf16', x!.shape, runOnHost(expressions, ['odd_float']));
    expectGolden(golden, [found], () => 0);
  }
});

function elementOf(value: number | bigint, { results }: GoldenCase): Element {
  const { data } = results[0]!;
  return data instanceof Float64Array ? Number(value) : BigInt(value);
}
