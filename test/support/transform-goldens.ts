/** The goldens of transformations of IR, test/golden/transforms: NAME.ir is traced IR, jax.json what it computes (tools/goldens/transforms.py). */
import { readdirSync, readFileSync } from 'node:fs';
import { shareCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { evaluate } from '../../compiler/symbolic/integer.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType } from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';
import { expandFunction, inlineCalls } from '../../compiler/transforms/expand.ts';

/** Of the goldens. */
export const transformDims: ReadonlyMap<string, number> = new Map([
  ['B', 3],
  ['D', 4],
]);
export const transformFolder: URL = new URL('../golden/transforms/', import.meta.url);

/** Transformations expanded, and the passes before fusion. */
export function lowerTransforms(traced: Func): Func {
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
export function transformInput({ dtype, shape }: TensorType, k: number): NdArray {
  const sizes = shape.map((d) => evaluate(d, (name) => transformDims.get(name)));
  const element = (i: number): number => {
    if (dtype === 'bool') return 1;
    return isFloat(dtype) ? Math.sin(k + 1.7 * i) : (7 * i + k) % 20;
  };
  const count = sizes.reduce((n, size) => n * size, 1);
  const data = Float64Array.from({ length: count }, (_, i) => element(i));
  return { dtype, shape: sizes, data };
}

export interface TransformGolden {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const transformGoldens: Readonly<Record<string, readonly TransformGolden[]>> = JSON.parse(
  readFileSync(new URL('jax.json', transformFolder), 'utf8'),
) as Readonly<Record<string, readonly TransformGolden[]>>;

/** Names of files. */
export const transformFiles: readonly string[] = readdirSync(transformFolder).filter((name) =>
  /^[^.]+\.ir$/.test(name),
);
