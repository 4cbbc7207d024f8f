/**
 * Oracles of transformations of transformations, for any function in f64 that has both modes. `h` is what makes a scalar of a
 * function: the sum of the sines of its float results, so that no derivative of it is constant.
 */
import { expect } from 'vitest';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import * as p from '../../compiler/primitives/registry.ts';
import { filledLike } from '../../compiler/primitives/values.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import type { Builder } from '../../compiler/tensor-ir/builder.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';
import { expandFunction, inlineCalls } from '../../compiler/transforms/expand.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { linearSplit } from '../../compiler/transforms/split.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { buildFunction, runFunction } from './functions.ts';
import {
  checkDerivatives,
  expectClose,
  floatParameters,
  innerProduct,
  makeRandom,
  randomArray,
} from './oracles.ts';
import { rowOf, stack } from './rows.ts';

/** Derivatives of the pullback: forward over reverse against differences, reverse over reverse against it, and the Hessian's symmetry. */
export function checkSecondDerivatives(
  func: Func,
  args: readonly NdArray[],
  tolerance = 1e-6,
): void {
  const random = makeRandom(23);
  const wrt = floatParameters(func);
  const pullback = eliminateDeadCode(vjpFunction(func, wrt));
  const cotangents = runFunction(func, args)
    .filter((x) => isFloat(x.dtype))
    .map((x) => randomArray(x, random));
  const all = [...args, ...cotangents];
  checkDerivatives(pullback, all, eliminateDeadCode, tolerance);

  const draw = (): readonly NdArray[] => wrt.map((i) => randomArray(args[i]!, random));
  const [u, v] = [draw(), draw()];
  const curvature = eliminateDeadCode(jvpFunction(pullback, wrt));
  const along = (tangents: readonly NdArray[]): readonly NdArray[] =>
    runFunction(curvature, [...all, ...tangents]).slice(-wrt.length);
  const [left, right] = [innerProduct(along(u), v), innerProduct(along(v), u)];
  expectEqual(left, right, 'u H v and v H u');
}

/** What `linearize` gives, the known half and then the linear one, is `jvp`. */
export function checkLinearize(func: Func, args: readonly NdArray[]): void {
  const random = makeRandom(29);
  const wrt = floatParameters(func);
  const tangents = wrt.map((i) => randomArray(args[i]!, random));
  const dual = jvpFunction(func, wrt);
  const expected = runFunction(dual, [...args, ...tangents]);
  const isLinear = dual.parameters.map((_, i) => i >= args.length);
  const { known, linear, residuals, isLinearResult } = linearSplit(dual, isLinear);
  const first = runFunction(known, args);
  const saved = first.slice(first.length - residuals.length);
  const second = runFunction(linear, [...saved, ...tangents]);
  const [knowns, linears] = [[...first], [...second]];
  const found = isLinearResult.map((flag) => (flag ? linears : knowns).shift()!);
  expectClose(found, expected, 1e-12);
}

/**
 * grad of a sum over vmap of grad, and vmap of grad of a sum over vmap, both against one example after the other. Every
 * argument is mapped; sizes 0 and 2.
 */
export function checkNesting(func: Func, examples: readonly (readonly NdArray[])[]): void {
  const wrt = floatParameters(func);
  const loss = lossOf(func);
  const gradient = gradOf(loss, wrt);
  const curved = gradOf(lossOf(gradient), wrt);
  const likes = examples[0]!;
  for (const size of [2, 0]) {
    const rows = examples.slice(0, size);
    const args = likes.map((like, i) =>
      stack(
        rows.map((row) => row[i]!),
        like,
      ),
    );
    // grad(sum of h of vmap(grad))
    expectRows(run(gradOf(lossOf(mapOf(gradient, size)), wrt), args), rows, likes, wrt, curved);
    // vmap(grad(sum of h of vmap)) over an outer batch of one
    const outer = args.map((x) => ({ ...x, shape: [1, ...x.shape] }));
    const nested = run(mapOf(gradOf(lossOf(mapOf(func, size)), wrt), 1), outer);
    const inner = nested.map((x) => ({ ...x, shape: x.shape.slice(1) }));
    expectRows(inner, rows, likes, wrt, gradient);
  }
}

/** Row k of what was found is the function of example k. */
function expectRows(
  found: readonly NdArray[],
  rows: readonly (readonly NdArray[])[],
  likes: readonly NdArray[],
  wrt: readonly number[],
  single: Func,
): void {
  const expected = rows.map((row) => run(single, row));
  expectClose(
    found,
    wrt.map((i, k) =>
      stack(
        expected.map((results) => results[k]!),
        likes[i]!,
      ),
    ),
    1e-9,
  );
  rows.forEach((_, k) => {
    expectClose(
      found.map((x) => rowOf(x, k)),
      expected[k]!,
      1e-9,
    );
  });
}

function run(func: Func, args: readonly NdArray[]): readonly NdArray[] {
  return runFunction(eliminateDeadCode(inlineCalls(expandFunction(func))), args);
}

function typesOf(func: Func): readonly TensorType[] {
  return func.parameters.map((q) => q.type);
}

/** h of a function: a scalar. */
function lossOf(func: Func): Func {
  return buildFunction(`loss_${func.name}`, typesOf(func), (b, ...args) => {
    const sums = b
      .inline(func, args)
      .filter((v) => isFloat(v.type.dtype))
      .map((v) => sumOf(b, b.apply(p.sin, [v], {})));
    // integers alone have the gradient 0
    return [sums.reduce((x, y) => b.sum(x, y), b.filled({ dtype: 'f64', shape: [] }, 0))];
  });
}

function sumOf(b: Builder, x: Value): Value {
  return b.apply(p.reduceSum, [x], { axes: x.type.shape.map((_, axis) => axis) });
}

function gradOf(loss: Func, wrt: readonly number[]): Func {
  return buildFunction(`grad_${loss.name}`, typesOf(loss), (b, ...args) => {
    const one = filledLike(b, loss.results[0]!, 1);
    return b.applyAll(p.vjp, [...args, one], { wrt }, [loss]).slice(1);
  });
}

/** vmap over the leading axis of every argument. */
function mapOf(func: Func, size: number): Func {
  const types = typesOf(func).map((t) => ({ ...t, shape: [int(size), ...t.shape] }));
  const attrs = {
    inAxes: types.map(() => 0),
    outAxes: func.results.map(() => 0),
    size: int(size),
  };
  return buildFunction(`map_${func.name}`, types, (b, ...args) =>
    b.applyAll(p.vmap, args, attrs, [func]),
  );
}

function expectEqual(left: number, right: number, what: string): void {
  if (Number.isNaN(left) && Number.isNaN(right)) return;
  const scale = Math.max(1, Math.abs(left));
  expect(Math.abs(left - right) / scale, `${what}: ${left}, ${right}`).toBeLessThan(1e-9);
}
