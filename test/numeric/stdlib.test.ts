/**
 * The standard library and the prelude, from source through the elaborator and the transformations to the reference
 * evaluator, against what JAX, NumPy and PyTorch gave; before and after simplification.
 */
import { describe, expect, test } from 'vitest';
import { countCases } from '../support/oracle-count.ts';
import { compileSource, runProgram, simplifyProgram } from '../support/run-source.ts';
import { expectClose, functionOf, goldensOf, suites } from '../support/stdlib-cases.ts';

describe.each(Object.entries(suites))('%s', (what, suite) => {
  const goldens = goldensOf(suite);

  test.each(Object.entries(suite.cases))('%s', (key, expression) => {
    const golden = goldens[key]!;
    countCases({ oracle: `library: ${what}`, device: 'evaluator', function: key, cases: 1 });
    const source = `${suite.imports}\n${functionOf('test', expression, golden)}`;
    const program = compileSource(source);
    for (const variant of [program, simplifyProgram(program)]) {
      const outputs = runProgram(variant, 'test', golden.inputs);
      expect(outputs.length).toBe(golden.outputs.length);
      golden.outputs.forEach((wanted, i) => {
        expectClose(outputs[i]!, wanted, suite.tolerance, suite.byElement);
      });
    }
  });
});
