/**
 * What other libraries gave (test/golden: primitives, library, windows, ordering, transforms) on the Metal device, in the dtypes that it
 * has; where goldens are of f64, in f32. All checks are on.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { expectAllClose } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { describeMetalCases, type MetalCase } from '../support/metal-cases.ts';
import { derivedSource, longCases, orderingDerivatives } from '../support/ordering-goldens.ts';
import {
  expectGolden,
  goldenFiles,
  readGoldens,
  type Steps,
} from '../support/primitive-goldens.ts';
import { compileSource, simplifyProgram, type TestTensor } from '../support/run-source.ts';
import { expectClose, goldensOf, moduleOf, suites } from '../support/stdlib-cases.ts';
import {
  lowerTransforms,
  transformDims,
  transformFiles,
  transformFolder,
  transformGoldens,
  transformInput,
} from '../support/transform-goldens.ts';
import { windowPrimitives, windowPrograms } from '../support/window-goldens.ts';

const toArray = ({ dtype, shape, data }: TestTensor): NdArray => arrayOf(dtype, shape, data);

/** Relative to the greatest element. */
function expectNear(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  const scale = Math.max(1, ...wanted.map(Math.abs));
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    const gap = Math.abs(found[i]! - value);
    if (!(gap <= tolerance * scale)) expect.fail(`element ${i} is ${found[i]}, expected ${value}`);
  });
}

// ---------------------------------------------------------------------------------------------------------

const steps: Steps = (dtype) => (dtype === 'f32' ? 4 : 1);

const primitives = goldenFiles.flatMap((file) =>
  readGoldens(file).map(
    (golden, i): MetalCase => ({
      label: `${file} ${i}: ${golden.name}`,
      func: golden.func,
      operands: golden.operands,
      check: (found) => expectGolden(golden, found, steps),
    }),
  ),
);
describeMetalCases('primitives against NumPy, SciPy and JAX', primitives);

// ---------------------------------------------------------------------------------------------------------

const library = Object.entries(suites).flatMap(([what, suite]) => {
  const goldens = goldensOf(suite);
  const { entries } = simplifyProgram(compileSource(moduleOf(suite)));
  return Object.keys(suite.cases).map((key, i): MetalCase => {
    const golden = goldens[key]!;
    return {
      label: `${what}: ${key}`,
      func: entries.find(({ name }) => name === `case_${i}`)!.func,
      operands: golden.inputs.map(toArray),
      check: (found) => {
        expect(found.length).toBe(golden.outputs.length);
        golden.outputs.forEach((wanted, k) => {
          const plain = { ...found[k]!, data: toNumbers(found[k]!) };
          expectClose(plain, wanted, suite.tolerance, suite.byElement);
        });
      },
    };
  });
});
describeMetalCases('the library against JAX, NumPy and PyTorch', library);

// ---------------------------------------------------------------------------------------------------------

function checkWindows(results: readonly TestTensor[]): MetalCase['check'] {
  return (found) => {
    expect(found.map(({ shape }) => shape)).toEqual(results.map(({ shape }) => shape));
    results.forEach((wanted, i) => expectNear(toNumbers(found[i]!), wanted.data, 2e-5));
  };
}

const windows = [
  ...windowPrimitives('f32'),
  ...windowPrograms('f32').map((call) => ({
    ...call,
    callee: simplifyProgram(compileSource(call.callee)).entries[0]!.func,
  })),
];
describeMetalCases(
  'windows against JAX, PyTorch and NumPy',
  windows.map(({ label, callee, operands, results }) => ({
    label,
    func: callee,
    operands: operands.map(toArray),
    check: checkWindows(results),
  })),
);

// ---------------------------------------------------------------------------------------------------------

const long = longCases.map(
  ({ label, func, operands, dims }): MetalCase => ({
    label,
    func,
    operands,
    dims,
    check: (found) =>
      // sums and products of thousands of terms
      runFunction(func, operands, dims).forEach((x, i) =>
        expectAllClose(found[i]!, x, `result ${i}`, isFloat(x.dtype) ? 1e-5 : 0),
      ),
  }),
);
describeMetalCases('long rows', long);

const derived = orderingDerivatives.flatMap(({ text, at, x, w, value, gradient, hessian }) => {
  const source = derivedSource(text).replaceAll('f64', 'f32');
  const wanted: Readonly<Record<string, readonly number[]>> = {
    value: [value],
    gradient,
    hessian_of: hessian,
    reverse_twice: hessian,
  };
  return simplifyProgram(compileSource(source)).entries.map(
    ({ name, func }): MetalCase => ({
      label: `${name} of ${text} at ${at}`,
      func,
      operands: [x, w].map((data) => arrayOf('f32', [5], data)),
      check: ([found]) => expectNear(toNumbers(found!), wanted[name]!, 2e-5),
    }),
  );
});
describeMetalCases('derivatives of orderings against JAX', derived);

// ---------------------------------------------------------------------------------------------------------

const transforms = transformFiles.map((name): MetalCase => {
  const traced = parseFunction(readFileSync(new URL(name, transformFolder), 'utf8'));
  const goldens = transformGoldens[name.replace('.ir', '')]!;
  return {
    label: name,
    func: lowerTransforms(traced),
    operands: traced.parameters.map((p, k) => transformInput(p.type, k)),
    dims: Object.fromEntries(transformDims),
    check: (found) => {
      expect(found.map(({ shape }) => shape)).toEqual(goldens.map(({ shape }) => shape));
      goldens.forEach(({ data }, i) => expectNear(toNumbers(found[i]!), data, 2e-5));
    },
  };
});
describeMetalCases('transforms of IR against JAX', transforms);
