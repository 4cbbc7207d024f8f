/**
 * golden/transforms/NAME.ir is traced IR, NAME.plain.ir what expansion and the passes make of it; jax.json (written by
 * tools/goldens/transforms.py) is what it computes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shareCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { evaluate } from '../../compiler/symbolic/integer.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func, TensorType } from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';
import { expandFunction, inlineCalls } from '../../compiler/transforms/expand.ts';
import { countCases } from '../support/oracle-count.ts';

const dims = new Map([
  ['B', 3],
  ['D', 4],
]);
const folder = new URL('../golden/transforms/', import.meta.url);

function lower(traced: Func): Func {
  let func = inlineCalls(expandFunction(traced));
  for (const pass of [
    eliminateDeadCode,
    simplifyFunction,
    shareCommonSubexpressions,
    eliminateDeadCode,
  ]) {
    func = pass(func);
    verifyFunction(func, 'plain');
  }
  return func;
}

/** The inputs of tools/goldens/transforms.py. */
function inputOf({ dtype, shape }: TensorType, k: number): NdArray {
  const sizes = shape.map((d) => evaluate(d, (name) => dims.get(name)));
  const element = (i: number): number => {
    if (dtype === 'bool') return 1;
    return isFloat(dtype) ? Math.sin(k + 1.7 * i) : (7 * i + k) % 20;
  };
  const count = sizes.reduce((n, size) => n * size, 1);
  const data = Float64Array.from({ length: count }, (_, i) => element(i));
  return { dtype, shape: sizes, data };
}

interface Golden {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const goldens = JSON.parse(readFileSync(new URL('jax.json', folder), 'utf8')) as Readonly<
  Record<string, readonly Golden[]>
>;

const cases = readdirSync(folder).filter((name) => /^[^.]+\.ir$/.test(name));

test.each(cases)('%s', async (name) => {
  countCases({ oracle: 'transforms of IR (JAX)', device: 'evaluator', function: name, cases: 1 });
  const text = readFileSync(new URL(name, folder), 'utf8');
  const traced = parseFunction(text);
  expect(printFunction(traced)).toBe(text);
  const plain = new URL(name.replace('.ir', '.plain.ir'), folder);
  const lowered = lower(traced);
  await expect(printFunction(lowered)).toMatchFileSnapshot(plain.pathname);

  // doubles throughout, as in the goldens: only the algebra can differ
  const inputs = traced.parameters.map((p, k) => inputOf(p.type, k));
  const found = evaluateFunction(lowered, inputs, dims, { precision: 'exact' });
  const golden = goldens[name.replace('.ir', '')]!;
  expect(found.map((x) => x.shape)).toEqual(golden.map((x) => x.shape));
  found.forEach((x, i) => {
    toNumbers(x).forEach((value, k) => {
      const expected = golden[i]!.data[k]!;
      const error = Math.abs(value - expected) / Math.max(1, Math.abs(expected));
      expect(error, `result ${i}, element ${k}: ${value}, JAX has ${expected}`).toBeLessThan(1e-8);
    });
  });
});
