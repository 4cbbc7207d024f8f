/** The standard library on the CPU device, against what JAX, NumPy and PyTorch gave: the same bits of random numbers. */
import { beforeAll, describe, expect, test } from 'vitest';
import { storageOf } from '../../compiler/tensor-ir/dtype.ts';
import { compileOrThrow, load, type Module, Tensor, tensor } from '../../index.ts';
import { countCases } from '../support/oracle-count.ts';
import type { TestTensor } from '../support/run-source.ts';
import { expectClose, goldensOf, moduleOf, suites } from '../support/stdlib-cases.ts';

function leavesOf(tree: unknown): readonly Tensor[] {
  return tree instanceof Tensor ? [tree] : Object.values(tree as object).flatMap(leavesOf);
}

function numbersOf(x: Tensor): TestTensor {
  const flat = x.shape.length === 0 ? [x.item()] : (x.tolist() as unknown[]).flat(Infinity);
  const { dtype } = storageOf(x.dtype);
  return { dtype, shape: [...x.shape], data: flat.map(Number) };
}

describe.each(Object.entries(suites))('%s', (what, suite) => {
  const goldens = goldensOf(suite);
  let module: Module;
  beforeAll(async () => {
    const source = { name: 'cases.mlx', text: moduleOf(suite) };
    module = await load(compileOrThrow(source, { targets: ['cpu'] }));
  }, 120_000);

  test.each(Object.keys(suite.cases).map((key, i) => [key, i] as const))('%s', (key, i) => {
    const golden = goldens[key]!;
    countCases({ oracle: `library: ${what}`, device: 'CPU', function: key, cases: 1 });
    const inputs = golden.inputs.map(({ dtype, shape, data }) => tensor([...data], shape, dtype));
    const outputs = leavesOf(module.function(`case_${i}`)(...inputs)).map(numbersOf);
    expect(outputs).toHaveLength(golden.outputs.length);
    golden.outputs.forEach((wanted, k) => {
      expectClose(outputs[k]!, wanted, suite.tolerance, suite.byElement);
    });
  });
});
