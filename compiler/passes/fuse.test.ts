import { expect, test } from 'vitest';
import {
  add,
  broadcast,
  concatenate,
  constant,
  dotGeneral,
  exp,
  mul,
  permute,
  reduceMax,
  reduceSum,
  reshape,
  slice,
  sub,
} from '../primitives/registry.ts';
import { dimVariable, type Int, int, product } from '../symbolic/integer.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import type { Value } from '../tensor-ir/program.ts';
import { fuseFunction } from './fuse.ts';
import type { FusedFunction, FusedGroup } from './fused-group.ts';

const B = dimVariable('B');
const N = int(96);

type Body = (b: Builder, args: readonly Value[]) => readonly Value[];

function fused(shapes: readonly (readonly Int[])[], body: Body): FusedFunction {
  const b = new Builder();
  const args = shapes.map((shape, i) => makeValue({ dtype: 'f32', shape }, `x${i}`));
  const results = body(b, args);
  return fuseFunction(b.finish('test', args, results));
}

const along = (b: Builder, x: Value, shape: readonly Int[], axes: readonly number[]): Value =>
  b.apply(broadcast, [x], { shape, axes });

function softmax(b: Builder, x: Value): Value {
  const { shape } = x.type;
  const m = b.apply(reduceMax, [x], { axes: [1] });
  const e = b.apply(exp, [b.apply(sub, [x, along(b, m, shape, [0])], {})], {});
  const s = b.apply(reduceSum, [e], { axes: [1] });
  return b.apply(mul, [e, along(b, s, shape, [0])], {});
}

test('softmax is one group of three stages', () => {
  const { groups } = fused([[B, N]], (b, [x]) => [softmax(b, x!)]);
  expect(groups).toHaveLength(1);
  const [group] = groups as [FusedGroup];
  expect(group.stages.map((s) => [s.reduces.length, s.stores.length])).toEqual([
    [1, 0],
    [1, 0],
    [0, 1],
  ]);
});

test('a contraction takes its epilogue, and the next one reads it through a permutation', () => {
  const { groups } = fused([[B, N], [N, N], [N]], (b, [x, w, bias]) => {
    const dot = { contracting: [[1], [0]], batch: [[], []] } as const;
    const h = b.apply(add, [b.apply(dotGeneral, [x!, w!], dot), along(b, bias!, [B, N], [1])], {});
    const t = b.apply(permute, [h], { permutation: [1, 0] });
    return [b.apply(dotGeneral, [t, h], dot)];
  });
  expect(groups.map((g) => g.kind === 'fused' && g.contraction !== undefined)).toEqual([
    true,
    true,
  ]);
});

test('independent maps of one body become one group with segments', () => {
  const shapes = [[N, N], [N], [int(10), int(7)]];
  const { groups } = fused([...shapes, ...shapes], (b, args) =>
    shapes.map((_, i) => b.apply(sub, [args[i]!, args[i + 3]!], {})),
  );
  expect(groups.map((g) => g.kind)).toEqual(['horizontal']);
});

test('reductions over one input become siblings', () => {
  const { groups } = fused([[B, N]], (b, [x]) => [
    b.apply(reduceSum, [x!], { axes: [0] }),
    b.apply(reduceSum, [b.apply(mul, [x!, x!], {})], { axes: [0] }),
  ]);
  expect(groups).toHaveLength(1);
});

test('a value read at another place than computed keeps its own group', () => {
  const { groups, refusals } = fused([[N, N]], (b, [x]) => {
    const s = b.apply(reduceSum, [x!], { axes: [1] });
    const swapped = along(b, s, [N, N], [1]);
    return [b.apply(add, [softmax(b, x!), swapped], {})];
  });
  expect(groups.length).toBe(2);
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals[0]!.reason).not.toBe('');
});

test('a stencil over a stencil is stored between, not recomputed', () => {
  const size = int(1000);
  const { groups } = fused([[size]], (b, [x]) => {
    let value = x!;
    for (let step = 0; step < 8; step++) {
      const n = value.type.shape[0]!;
      const inner = product([n]);
      const left = b.apply(slice, [value], {
        start: [int(0)],
        stop: [sub1(inner)],
        step: [int(1)],
      });
      const right = b.apply(slice, [value], { start: [int(1)], stop: [inner], step: [int(1)] });
      value = b.apply(exp, [b.apply(mul, [b.apply(exp, [left], {}), right], {})], {});
    }
    return [value];
  });
  expect(groups.length).toBeGreaterThan(3);
  expect(groups.length).toBeLessThanOrEqual(8);
});

const sub1 = (n: Int): Int => int(Number(n.key) - 1);

test('views are never groups of their own', () => {
  const { groups } = fused(
    [
      [B, N],
      [B, N],
    ],
    (b, [x, y]) => {
      const joined = b.apply(concatenate, [x!, y!], { axis: 1 });
      const flat = b.apply(reshape, [joined], { shape: [product([B, N, int(2)])] });
      return [b.apply(exp, [flat], {})];
    },
  );
  expect(groups).toHaveLength(1);
});

test('a scalar rides on a map', () => {
  const { groups } = fused([[N], []], (b, [x, step]) => {
    const one = b.apply(constant, [], { dtype: 'f32', shape: [], value: 1 });
    return [b.apply(exp, [x!], {}), b.apply(add, [step!, one], {})];
  });
  expect(groups).toHaveLength(1);
  expect((groups[0] as FusedGroup).riders).toHaveLength(1);
});

test('full reductions over one input share their two stages', () => {
  const { groups } = fused([[int(1000000)], [int(1000000)]], (b, [x, y]) => [
    b.apply(reduceSum, [x!], { axes: [0] }),
    b.apply(reduceSum, [b.apply(mul, [x!, y!], {})], { axes: [0] }),
    b.apply(reduceMax, [x!], { axes: [0] }),
  ]);
  expect(groups).toHaveLength(1);
});
