/** Functions in f64 that together use the operations and the control flow that transformations have to handle. */

import * as p from '../../compiler/primitives/registry.ts';
import { broadcastBack, filledLike } from '../../compiler/primitives/values.ts';
import { int, one, zero } from '../../compiler/symbolic/integer.ts';
import type { Builder } from '../../compiler/tensor-ir/builder.ts';
import type { Func, Value } from '../../compiler/tensor-ir/program.ts';
import { buildFunction, tensor } from './functions.ts';

const x34 = tensor('f64', 3, 4);
const x4 = tensor('f64', 4);
const flag = tensor('bool');
const index = tensor('i32');

export function apply(b: Builder, name: string, ...operands: readonly Value[]): Value {
  return b.apply(p.primitive(name), operands, {});
}

function matmul(b: Builder, x: Value, y: Value): Value {
  return b.apply(p.dotGeneral, [x, y], { contracting: [[1], [0]], batch: [[], []] });
}

function rowStatistic(b: Builder, name: 'reduce_sum' | 'reduce_max', x: Value): Value {
  const reduced = b.apply(p.primitive(name), [x], { axes: [1] });
  return broadcastBack(b, reduced, x.type.shape, [1]);
}

const chain = buildFunction('chain', [x34], (b, x) => {
  const y = apply(b, 'sin', apply(b, 'mul', x, x));
  return [apply(b, 'add', apply(b, 'exp', y), apply(b, 'mul', y, x))];
});

const unused = buildFunction('unused', [x4, x4], (b, x) => [
  apply(b, 'tanh', x),
  filledLike(b, x, 3),
]);

const mlp = buildFunction(
  'mlp',
  [tensor('f64', 2, 3), tensor('f64', 3, 4), x4, tensor('f64', 4, 2)],
  (b, x, w, bias, v) => {
    const h = apply(b, 'add', matmul(b, x!, w!), broadcastBack(b, bias!, [int(2), int(4)], [0]));
    const y = matmul(b, apply(b, 'tanh', h), v!);
    return [b.apply(p.reduceSum, [apply(b, 'mul', y, y)], { axes: [0, 1] })];
  },
);

const softmax = buildFunction('softmax', [x34], (b, x) => {
  const shifted = apply(b, 'sub', x, rowStatistic(b, 'reduce_max', x));
  const e = apply(b, 'exp', shifted);
  return [apply(b, 'div', e, rowStatistic(b, 'reduce_sum', e))];
});

const layerNorm = buildFunction('layer_norm', [x34, x4, x4], (b, x, g, h) => {
  const n = filledLike(b, x, 4);
  const centred = apply(b, 'sub', x, apply(b, 'div', rowStatistic(b, 'reduce_sum', x), n));
  const squares = rowStatistic(b, 'reduce_sum', apply(b, 'mul', centred, centred));
  const variance = apply(b, 'div', squares, n);
  const scaled = apply(
    b,
    'mul',
    centred,
    apply(b, 'rsqrt', apply(b, 'add', variance, filledLike(b, x, 1e-5))),
  );
  const { shape } = x.type;
  const affine = apply(b, 'mul', scaled, broadcastBack(b, g!, shape, [0]));
  return [apply(b, 'add', affine, broadcastBack(b, h!, shape, [0]))];
});

const views = buildFunction('views', [x34], (b, x) => {
  const t = b.apply(p.permute, [x], { permutation: [1, 0] });
  const s = b.apply(p.slice, [t], { start: [one, zero], stop: [int(4), int(3)], step: [one, one] });
  const r = b.apply(p.reverse, [s], { axes: [1] });
  const c = b.apply(p.concatenate, [r, s], { axis: 0 });
  const flat = b.apply(p.reshape, [c], { shape: [int(18)] });
  const zeroValue = b.apply(p.constant, [], { dtype: 'f64', shape: [], value: 0.5 });
  const padded = b.apply(p.pad, [flat, zeroValue], {
    low: [one],
    high: [int(2)],
    interior: [zero],
  });
  return [apply(b, 'mul', padded, padded)];
});

const gathered = buildFunction('gathered', [x34, tensor('i32', 5)], (b, x, i) => {
  const rows = b.apply(p.gather, [x!, i!], { axes: [0] });
  return [apply(b, 'mul', rows, rows)];
});

const choices = buildFunction('choices', [x4, x4], (b, x, y) => {
  const larger = apply(b, 'max', x, apply(b, 'mul', y!, y!));
  const positive = apply(b, 'gt', x, filledLike(b, x, 0));
  return [apply(b, 'select', positive, apply(b, 'exp', y!), larger), positive];
});

const powers = buildFunction('powers', [x4], (b, x) => [
  apply(b, 'pow', x, filledLike(b, x, 2)),
  apply(b, 'pow', x, filledLike(b, x, 3)),
  apply(b, 'div', x, filledLike(b, x, 4)),
]);

const conditional = buildFunction('conditional', [flag, x4, x4], (b, c, x, y) => {
  const then = buildFunction('then', [x4, x4], (i, u, v) => [
    apply(i, 'mul', apply(i, 'sin', u), v!),
    u,
  ]);
  const otherwise = buildFunction('otherwise', [x4, x4], (i, u, v) => [
    apply(i, 'exp', apply(i, 'mul', u, u)),
    apply(i, 'cos', v!),
  ]);
  return b.applyAll(p.cond, [c, x!, y!], {}, [then, otherwise]);
});

const recurrent = buildFunction(
  'recurrent',
  [x4, tensor('f64', 5, 4), tensor('f64', 4, 4), x4],
  (b, h, xs, w, scale) => {
    const types = [index, x4, x4, tensor('f64', 4, 4), x4];
    const body = buildFunction('step', types, (i, _, carry, x, weights, s) => {
      const mixed = i.apply(p.dotGeneral, [carry!, weights!], {
        contracting: [[0], [0]],
        batch: [[], []],
      });
      // what depends on consts alone is computed in front of the loop
      const factor = apply(i, 'exp', s!);
      const next = apply(i, 'tanh', apply(i, 'add', mixed, apply(i, 'mul', x!, factor)));
      return [next, apply(i, 'mul', next, x!)];
    });
    return b.applyAll(
      p.scan,
      [h, xs!, w!, scale!],
      { carries: 1, sequences: 1, length: int(5), reverse: false },
      [body],
    );
  },
);

/** The second carry has a tangent only after the first step; the counter never has one. */
const spreading = buildFunction('spreading', [x4, tensor('f64', 3, 4)], (b, x, ys) => {
  const types = [index, index, x4, x4, x4];
  const body = buildFunction('step', types, (i, step, counter, u, v, y) => {
    const one32 = filledLike(i, counter!, 1);
    const time = i.apply(p.convert, [step], { dtype: 'f64' });
    const scaled = apply(i, 'mul', u!, broadcastBack(i, time, u!.type.shape, [0]));
    return [apply(i, 'add', counter!, one32), apply(i, 'add', u!, y!), apply(i, 'add', v!, scaled)];
  });
  const count = b.apply(p.constant, [], { dtype: 'i32', shape: [], value: 0 });
  const start = filledLike(b, x, 0.25);
  const out = b.applyAll(
    p.scan,
    [count, x, start, ys!],
    { carries: 3, sequences: 1, length: int(3), reverse: true },
    [body],
  );
  return out;
});

const checkpointed = buildFunction('checkpointed', [x4, x4], (b, x, w) => {
  const block = buildFunction('block', [x4, x4], (i, u, v) => [
    apply(i, 'tanh', apply(i, 'mul', apply(i, 'sin', u), v!)),
  ]);
  const once = b.apply(p.checkpoint, [x, w!], {}, [block]);
  return [b.apply(p.checkpoint, [once, w!], {}, [block])];
});

/** A loop over layers that are computed again on the way back. */
const checkpointedLoop = buildFunction(
  'checkpointed_loop',
  [x4, tensor('f64', 3, 4)],
  (b, x, ws) => {
    const block = buildFunction('block', [x4, x4], (i, u, w) => {
      const y = apply(i, 'sin', apply(i, 'mul', u, w!));
      return [apply(i, 'add', u, apply(i, 'mul', y, w!))];
    });
    const body = buildFunction('step', [index, x4, x4], (i, _, u, w) =>
      i.applyAll(p.checkpoint, [u!, w!], {}, [block]),
    );
    const attrs = { carries: 1, sequences: 1, length: int(3), reverse: false };
    return b.applyAll(p.scan, [x, ws!], attrs, [body]);
  },
);

/** A loop in a loop with a branch inside, as `for ... while` gives. */
const nestedLoops = buildFunction('nested_loops', [x4, tensor('f64', 3, 4)], (b, x, ws) => {
  const then = buildFunction('then', [x4, x4], (i, u, w) => [
    apply(i, 'mul', apply(i, 'cos', u), w!),
  ]);
  const otherwise = buildFunction('otherwise', [x4, x4], (_, u) => [u]);
  const inner = buildFunction('inner', [index, x4, x4], (i, step, u, w) => {
    const isFirst = apply(i, 'lt', step, filledLike(i, step, 1));
    const moved = i.applyAll(p.cond, [isFirst, u!, w!], {}, [then, otherwise]);
    return [apply(i, 'add', moved[0]!, apply(i, 'mul', u!, w!)), moved[0]!];
  });
  const outer = buildFunction('outer', [index, x4, x4], (i, _, u, w) => {
    const attrs = { carries: 1, sequences: 0, length: int(2), reverse: false };
    const [last, all] = i.applyAll(p.scan, [u!, w!], attrs, [inner]);
    return [apply(i, 'tanh', last!), i.apply(p.reduceSum, [all!], { axes: [0] })];
  });
  const attrs = { carries: 1, sequences: 1, length: int(3), reverse: true };
  return b.applyAll(p.scan, [x, ws!], attrs, [outer]);
});

const customForward = buildFunction('custom_forward', [x4], (b, x) => {
  const fun = buildFunction('fun', [x4], (i, u) => [apply(i, 'mul', u, u)]);
  const rule = buildFunction('rule', [x4, x4], (i, u, du) => [
    apply(i, 'mul', u, u),
    apply(i, 'mul', apply(i, 'add', u, u), du!),
  ]);
  return b.applyAll(p.customJvp, [apply(b, 'sin', x)], {}, [fun, rule]);
});

export interface Example {
  readonly func: Func;
  /** Where floats are drawn. */
  readonly range?: readonly [number, number];
}

/** Functions with both modes of differentiation, and vmap. */
export const examples: readonly Example[] = [
  { func: chain },
  { func: unused },
  { func: mlp },
  { func: softmax },
  { func: layerNorm },
  { func: views },
  { func: gathered },
  { func: choices },
  { func: powers, range: [0.5, 2] },
  { func: conditional },
  { func: recurrent },
  { func: spreading },
  { func: checkpointed },
  { func: checkpointedLoop },
  { func: nestedLoops },
  { func: customForward },
];
