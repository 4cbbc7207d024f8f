/**
 * golden/transforms/NAME.ir is traced IR, NAME.plain.ir what expansion and the passes make of it; jax.json (written by
 * tools/goldens/transforms.py) is what it computes.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import { countCases } from '../support/oracle-count.ts';
import {
  lowerTransforms,
  transformDims,
  transformFiles,
  transformFolder,
  transformGoldens,
  transformInput,
} from '../support/transform-goldens.ts';

test.each(transformFiles)('%s', async (name) => {
  countCases({ oracle: 'transforms of IR (JAX)', device: 'evaluator', function: name, cases: 1 });
  const text = readFileSync(new URL(name, transformFolder), 'utf8');
  const traced = parseFunction(text);
  expect(printFunction(traced)).toBe(text);
  const plain = new URL(name.replace('.ir', '.plain.ir'), transformFolder);
  const lowered = lowerTransforms(traced);
  await expect(printFunction(lowered)).toMatchFileSnapshot(plain.pathname);

  // doubles throughout, as in the goldens: only the algebra can differ
  const inputs = traced.parameters.map((p, k) => transformInput(p.type, k));
  const found = evaluateFunction(lowered, inputs, transformDims, { precision: 'exact' });
  const golden = transformGoldens[name.replace('.ir', '')]!;
  expect(found.map((x) => x.shape)).toEqual(golden.map((x) => x.shape));
  found.forEach((x, i) => {
    toNumbers(x).forEach((value, k) => {
      const expected = golden[i]!.data[k]!;
      const error = Math.abs(value - expected) / Math.max(1, Math.abs(expected));
      expect(error, `result ${i}, element ${k}: ${value}, JAX has ${expected}`).toBeLessThan(1e-8);
    });
  });
});
