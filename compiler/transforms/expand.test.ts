import { describe, expect, test } from 'vitest';
import { apply, examples } from '../../test/support/example-functions.ts';
import { buildFunction, runFunction, tensor } from '../../test/support/functions.ts';
import { shareCommonSubexpressions } from '../passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../passes/dead-code.ts';
import { simplifyFunction } from '../passes/simplify.ts';
import * as p from '../primitives/registry.ts';
import { filledLike } from '../primitives/values.ts';
import { int } from '../symbolic/integer.ts';
import { arrayOf, type NdArray, toNumbers } from '../tensor-ir/nd-array.ts';
import type { Func, Program, Value } from '../tensor-ir/program.ts';
import { expandTransformations } from './expand.ts';
import { TransformProblem } from './problem.ts';

const scalar = tensor('f64');

function expand(func: Func): Func {
  const program: Program<'traced'> = {
    stage: 'traced',
    entries: [
      {
        name: func.name,
        doc: '',
        parameters: [],
        result: { kind: 'tuple', items: [] },
        func,
        dims: [],
        guards: [],
      },
    ],
  };
  return expandTransformations(program).entries[0]!.func;
}

function polish(func: Func): Func {
  return eliminateDeadCode(shareCommonSubexpressions(simplifyFunction(eliminateDeadCode(func))));
}

function run(func: Func, ...args: readonly NdArray[]): number[][] {
  const plain = runFunction(func, args).map(toNumbers);
  expect(runFunction(polish(func), args).map(toNumbers)).toEqual(plain);
  return plain;
}

function numbers(...values: readonly number[]): NdArray {
  return arrayOf('f64', [values.length], values);
}

function number(value: number): NdArray {
  return arrayOf('f64', [], [value]);
}

/** The derivative of a function of one scalar, as the front end writes `grad(f)`. */
function gradOf(func: Func): Func {
  return buildFunction(`grad_${func.name}`, [scalar], (b, x) => {
    const one = filledLike(b, x, 1);
    return b.applyAll(p.vjp, [x, one], { wrt: [0] }, [func]).slice(func.results.length);
  });
}

/** The derivative in forward mode. */
function pushOf(func: Func): Func {
  return buildFunction(`push_${func.name}`, [scalar], (b, x) => {
    const one = filledLike(b, x, 1);
    return b.applyAll(p.jvp, [x, one], { wrt: [0] }, [func]).slice(func.results.length);
  });
}

function mapOf(func: Func, size: number): Func {
  const types = func.parameters.map(({ type }) => ({ ...type, shape: [int(size), ...type.shape] }));
  return buildFunction(`map_${func.name}`, types, (b, ...xs) =>
    b.applyAll(
      p.vmap,
      xs,
      { inAxes: types.map(() => 0), outAxes: func.results.map(() => 0), size: int(size) },
      [func],
    ),
  );
}

const sine = buildFunction('sine', [scalar], (b, x) => [apply(b, 'sin', x)]);
const cube = buildFunction('cube', [scalar], (b, x) => [apply(b, 'mul', apply(b, 'mul', x, x), x)]);

describe('nested transformations', () => {
  test('derivatives of derivatives, in any order of modes', () => {
    for (const outer of [gradOf, pushOf]) {
      for (const inner of [gradOf, pushOf]) {
        const [[second]] = run(expand(outer(inner(sine))), number(0.7)) as [[number]];
        expect(second).toBeCloseTo(-Math.sin(0.7), 12);
      }
    }
    const [[third]] = run(expand(gradOf(gradOf(gradOf(sine)))), number(0.7)) as [[number]];
    expect(third).toBeCloseTo(-Math.cos(0.7), 12);
  });

  test('vmap of grad, and grad of a sum over vmap of grad', () => {
    const mapped = mapOf(gradOf(cube), 3);
    expect(run(expand(mapped), numbers(1, 2, 3))).toEqual([[3, 12, 27]]);
    const summed = buildFunction('summed', [tensor('f64', 3)], (b, x) => [
      b.apply(p.reduceSum, [b.inline(mapped, [x])[0]!], { axes: [0] }),
    ]);
    const gradient = buildFunction('gradient', [tensor('f64', 3)], (b, x) => {
      const one = b.apply(p.constant, [], { dtype: 'f64', shape: [], value: 1 });
      return b.applyAll(p.vjp, [x, one], { wrt: [0] }, [summed]).slice(1);
    });
    expect(run(expand(gradient), numbers(1, 2, 3))).toEqual([[6, 12, 18]]);
  });

  test('vmap over chosen axes, with an operand that is not mapped', () => {
    const row = tensor('f64', 2);
    const f = buildFunction('f', [row, row], (b, x, y) => [apply(b, 'mul', x, y!), y!]);
    const g = buildFunction('g', [tensor('f64', 2, 3), row], (b, x, y) =>
      b.applyAll(p.vmap, [x, y!], { inAxes: [1, -1], outAxes: [1, 0], size: int(3) }, [f]),
    );
    const x = arrayOf('f64', [2, 3], [1, 2, 3, 4, 5, 6]);
    expect(run(expand(g), x, numbers(10, 100))).toEqual([
      [10, 20, 30, 400, 500, 600],
      [10, 100, 10, 100, 10, 100],
    ]);
  });

  test('nested vmap', () => {
    const outer = buildFunction('outer', [tensor('f64', 3), tensor('f64', 2)], (b, x, y) => {
      const inner = buildFunction('inner', [scalar, tensor('f64', 2)], (i, u, v) => {
        const product = buildFunction('product', [scalar, scalar], (k, s, t) => [
          apply(k, 'mul', s, t!),
        ]);
        const attrs = { inAxes: [-1, 0], outAxes: [0], size: int(2) };
        return i.applyAll(p.vmap, [u, v!], attrs, [product]);
      });
      return b.applyAll(p.vmap, [x, y!], { inAxes: [0, -1], outAxes: [0], size: int(3) }, [inner]);
    });
    expect(run(expand(outer), numbers(1, 2, 3), numbers(10, 20))).toEqual([
      [10, 20, 20, 40, 30, 60],
    ]);
  });

  test('second derivatives through loops, branches and checkpoints', () => {
    for (const { func, range } of examples) {
      const start = range?.[0] ?? 0.3;
      const types = func.parameters.map((q) => q.type);
      // a path through the arguments, so that two derivatives in one direction make sense
      const path = buildFunction(`path_${func.name}`, [scalar], (b, t) => {
        const args = types.map((type): Value => {
          if (type.dtype !== 'f64') {
            const value = type.dtype === 'bool' ? true : 1;
            return b.apply(p.constant, [], { ...type, value });
          }
          const ramp = b.apply(p.iota, [], {
            dtype: 'f64',
            shape: [...type.shape, int(1)],
            axis: 0,
          });
          const base = b.apply(p.reshape, [ramp], { shape: type.shape });
          const scaled = apply(b, 'mul', base, filledLike(b, base, 0.1));
          const moving = b.apply(p.broadcast, [t], { shape: type.shape, axes: [] });
          return apply(b, 'add', scaled, apply(b, 'sin', moving));
        });
        const outs = b.inline(func, args).filter((v) => v.type.dtype === 'f64');
        const sums = outs.map((v) =>
          b.apply(p.reduceSum, [v], { axes: v.type.shape.map((_, i) => i) }),
        );
        return [sums.reduce((x, y) => apply(b, 'add', x, y))];
      });
      const [[forward]] = run(expand(pushOf(pushOf(path))), number(start)) as [[number]];
      const [[backward]] = run(expand(gradOf(gradOf(path))), number(start)) as [[number]];
      const [[mixed]] = run(expand(pushOf(gradOf(path))), number(start)) as [[number]];
      expect(Math.abs(forward - backward), func.name).toBeLessThan(
        1e-9 * Math.max(1, Math.abs(forward)),
      );
      expect(Math.abs(forward - mixed), func.name).toBeLessThan(
        1e-9 * Math.max(1, Math.abs(forward)),
      );
    }
  });
});

describe('derivatives given by the user', () => {
  /** x^2 whose backward rule says 10 times the cotangent. */
  const rigged = buildFunction('rigged', [scalar], (b, x) => {
    const fun = buildFunction('fun', [scalar], (i, u) => [apply(i, 'mul', u, u)]);
    const fwd = buildFunction('fwd', [scalar], (i, u) => [apply(i, 'mul', u, u), u]);
    const bwd = buildFunction('bwd', [scalar, scalar], (i, u, c) => [
      apply(i, 'mul', apply(i, 'mul', c!, filledLike(i, c!, 10)), u),
    ]);
    return b.applyAll(p.customVjp, [x], { arguments: 1, residuals: 1 }, [fun, fwd, bwd]);
  });

  test('custom_vjp replaces reverse mode, also twice and under vmap', () => {
    expect(run(expand(gradOf(rigged)), number(3))).toEqual([[30]]);
    expect(run(expand(gradOf(gradOf(rigged))), number(3))).toEqual([[10]]);
    expect(run(expand(pushOf(gradOf(rigged))), number(3))).toEqual([[10]]);
    expect(run(expand(mapOf(gradOf(rigged), 2)), numbers(1, 2))).toEqual([[10, 20]]);
  });

  test('grad of vmap of custom_vjp sums over the batch for shared arguments', () => {
    const pair = buildFunction('pair', [scalar, scalar], (b, x, w) => {
      const types = [scalar, scalar];
      const fun = buildFunction('fun', types, (i, u, v) => [apply(i, 'mul', u, v!)]);
      const fwd = buildFunction('fwd', types, (i, u, v) => [apply(i, 'mul', u, v!), u, v!]);
      const bwd = buildFunction('bwd', [scalar, scalar, scalar], (i, u, v, c) => [
        apply(i, 'mul', v!, c!),
        apply(i, 'mul', u, c!),
      ]);
      return b.applyAll(p.customVjp, [x, w!], { arguments: 2, residuals: 2 }, [fun, fwd, bwd]);
    });
    const f = buildFunction('f', [tensor('f64', 3), scalar], (b, x, w) => {
      const attrs = { inAxes: [0, -1], outAxes: [0], size: int(3) };
      const [ys] = b.applyAll(p.vmap, [x, w!], attrs, [pair]);
      return [b.apply(p.reduceSum, [ys!], { axes: [0] })];
    });
    const g = buildFunction('g', [tensor('f64', 3), scalar], (b, x, w) => {
      const one = filledLike(b, w!, 1);
      return b.applyAll(p.vjp, [x, w!, one], { wrt: [0, 1] }, [f]).slice(1);
    });
    expect(run(expand(g), numbers(1, 2, 4), number(5))).toEqual([[5, 5, 5], [7]]);
  });

  test('forward mode through custom_vjp is a problem with its place', () => {
    expect(() => expand(pushOf(rigged))).toThrow(TransformProblem);
    expect(() => expand(pushOf(rigged))).toThrow(/reverse mode only/);
  });

  test('stop_gradient and checkpoint leave nothing behind', () => {
    const f = buildFunction('f', [scalar], (b, x) => {
      const block = buildFunction('block', [scalar], (i, u) => [apply(i, 'exp', u)]);
      const y = b.apply(p.checkpoint, [x], {}, [block]);
      return [apply(b, 'mul', y, b.apply(p.stopGradient, [x], {}))];
    });
    const gradient = expand(gradOf(f));
    expect(run(gradient, number(2))[0]![0]).toBeCloseTo(2 * Math.exp(2), 12);
    const names = polish(gradient).body.map((op) => op.primitive.name);
    expect(names).not.toContain('stop_gradient');
    expect(names).not.toContain('checkpoint');
    expect(names).toContain('optimization_barrier');
  });
});

describe('while loops', () => {
  const f = buildFunction('f', [scalar], (b, x) => {
    const types = [scalar];
    const condition = buildFunction('condition', types, (i, u) => [
      apply(i, 'lt', u, filledLike(i, u, 10)),
    ]);
    const body = buildFunction('body', types, (i, u) => [apply(i, 'add', u, u)]);
    return b.applyAll(p.whileLoop, [x], { carries: 1 }, [condition, body]);
  });

  test('have forward mode', () => {
    expect(run(expand(pushOf(f)), number(3))).toEqual([[4]]);
  });

  test('run for each example until its own condition fails', () => {
    expect(run(expand(mapOf(f, 3)), numbers(1, 3, 11))).toEqual([[16, 12, 11]]);
  });

  test('have no reverse mode', () => {
    expect(() => expand(gradOf(f))).toThrow(/write `for i in 0\.\.n while/);
  });
});
