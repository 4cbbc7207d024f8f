/** Reading at run-time indices along axes that are empty when running: refused where something would be read. */
import { beforeAll, describe, expect, test } from 'vitest';
import { dynamicSlice, gather } from '../../compiler/primitives/registry.ts';
import { dimVariable, one } from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import { arrayOf } from '../../compiler/tensor-ir/nd-array.ts';
import type { Value } from '../../compiler/tensor-ir/program.ts';
import { compileOrThrow, load, type Module, type Tensor, tensor } from '../../index.ts';
import { callOnCpu, compileForCpu } from '../support/run-on-cpu.ts';
import { compileSource } from '../support/run-source.ts';

const source = `
fn pick(x: f32[N], i: i32) -> f32 { x[i] }

export fn element(x: f32[N], i: i32) -> f32 { x[i] }
export fn elements(x: f32[N], i: i32[B]) -> f32[B] { x[i] }
export fn pairs(x: f32[N, M], i: i32[2]) -> f32[2] { x[i, i] }
export fn taken(x: f32[N], i: i32[2]) -> f32[2] { take(x, i) }
export fn flat(x: f32[N, M], i: i32[2]) -> f32[2] { take(x.T, i, axis = none) }
export fn along(x: f32[N, 2], i: i32[1, 2]) -> f32[1, 2] { take_along_axis(x, i, axis = 0) }
export fn block(x: f32[N], i: i32) -> f32[2] { dynamic_slice(x, (i,), (2,)) }
export fn written(x: f32[N], u: f32[2], i: i32) -> f32[N] { dynamic_update_slice(x, u, (i,)) }
export fn edge(x: f32[N]) { pad(x, 1, mode = "edge") }
export fn mapped(x: f32[N], i: i32[B]) -> f32[B] { vmap(|j| pick(x, j))(i) }
export fn gradient(x: f32[N], i: i32[2]) -> f32[N] { grad(|y| sum(y[i]))(x) }
export fn branch(x: f32[N], i: i32, c: bool) -> f32 { if c { pick(x, i) } else { 0.0 } }
export fn own_loop(x: f32[N]) -> f32 {
  var s = 0.0;
  for i in 0..N { s = s + x[i]; }
  s
}
export fn other_loop(x: f32[N], y: f32[M]) -> f32 {
  var s = 0.0;
  for i in 0..M { s = s + pick(x, i) * y[i]; }
  s
}
export fn open_loop(x: f32[N], n: i32) -> f32 {
  var s = 0.0;
  for i in 0..n { s = s + pick(x, i); }
  s
}
export fn as_many(x: f32[N], i: i32[N]) -> f32[N] { x[i] }
export fn scanned(x: f32[N], i: i32) -> f32[N] {
  scan(|s, y| (s + pick(x, i), y + s), 0.0, x).1
}
export fn sought(x: f32[N]) { searchsorted(x, array([1.0, 2.0])) }
export fn rolled(x: f32[N, M]) { (roll(x, 1), roll(x, -2, axis = 0), roll(x, (1, 5), axis = (0, 1))) }
`;

test.each([
  ['element', ['reading at run-time indices needs N >= 1']],
  ['elements', ['reading at run-time indices needs N >= 1 unless B == 0']],
  [
    'pairs',
    ['reading at run-time indices needs N >= 1', 'reading at run-time indices needs M >= 1'],
  ],
  ['flat', ['reading at run-time indices needs M*N >= 1']],
  ['along', ['reading at run-time indices needs N >= 1']],
  ['block', ['a block of 2 needs N >= 2']],
  ['written', ['a block of 2 needs N >= 2']],
  ['edge', ['reading at run-time indices needs N >= 1']],
  ['mapped', ['reading at run-time indices needs N >= 1 unless B == 0']],
  ['branch', ['reading at run-time indices needs N >= 1']],
  ['own_loop', []],
  ['other_loop', ['reading at run-time indices needs N >= 1 unless M == 0']],
  ['open_loop', ['reading at run-time indices needs N >= 1']],
  ['as_many', []],
  ['sought', ['reading at run-time indices needs N >= 1 unless 2*min(N, 32) == 0']],
  ['scanned', []],
])('%s is guarded where it reads', (name, messages) => {
  const entry = compileSource(source).entries.find((e) => e.name === name)!;
  expect(entry.guards.map((g) => g.message)).toEqual(messages);
});

test('an axis known to be empty is refused when compiling', () => {
  const text = 'export fn f(x: f32[0], i: i32[2]) -> f32[2] { x[i] }';
  expect(() => compileSource(text)).toThrow(/reading at run-time indices needs 0 >= 1/);
  expect(() => compileSource(text.replaceAll('[2]', '[0]'))).not.toThrow();
});

describe('on the CPU', () => {
  let module: Module;
  beforeAll(async () => {
    module = await load(compileOrThrow({ name: 'f.mlx', text: source }, { targets: ['cpu'] }));
  }, 120_000);

  const empty = tensor([], [0], 'f32');
  const numbers = (name: string, ...args: readonly unknown[]): unknown =>
    (module.function(name)(...(args as never[])) as Tensor).tolist();

  test.each([
    ['element', [empty, 0]],
    ['elements', [empty, tensor([0, 1], [2], 'i32')]],
    ['taken', [empty, tensor([0, 1], [2], 'i32')]],
    ['flat', [tensor([], [0, 3], 'f32'), tensor([0, 1], [2], 'i32')]],
    ['along', [tensor([], [0, 2], 'f32'), tensor([0, 1], [1, 2], 'i32')]],
    ['block', [tensor([1], [1], 'f32'), 0]],
    ['edge', [empty]],
    ['mapped', [empty, tensor([0, 1], [2], 'i32')]],
    ['gradient', [empty, tensor([0, 1], [2], 'i32')]],
    ['other_loop', [empty, tensor([1, 2], [2], 'f32')]],
    ['open_loop', [empty, 1]],
  ])('%s of nothing is refused', (name, args) => {
    expect(() => numbers(name, ...args)).toThrow(/needs (N|M\*N) >= \d/);
  });

  test('where nothing is read, nothing is refused', () => {
    const none = tensor([], [0], 'i32');
    expect(numbers('elements', empty, none)).toEqual([]);
    expect(numbers('mapped', empty, none)).toEqual([]);
    expect(numbers('as_many', empty, none)).toEqual([]);
    expect(numbers('sought', empty)).toEqual([0, 0]);
    expect(numbers('own_loop', empty)).toBe(0);
    expect(numbers('other_loop', empty, empty)).toBe(0);
    expect(numbers('scanned', empty, 3)).toEqual([]);
  });

  test('what is rolled may be empty', () => {
    const of = (x: Tensor): readonly unknown[] =>
      (module.function('rolled')(x) as readonly Tensor[]).map((y) => y.tolist());
    expect(of(tensor([], [0, 2], 'f32'))).toEqual([[], [], []]);
    expect(of(tensor([], [2, 0], 'f32'))).toEqual(new Array(3).fill([[], []]));
    expect(of(tensor([1, 2, 3], [3, 1], 'f32'))).toEqual([
      [[3], [1], [2]],
      [[3], [1], [2]],
      [[3], [1], [2]],
    ]);
  });

  test('kernels themselves give 0 and leave the memory of empty tensors alone', async () => {
    const N = dimVariable('N');
    const read = (name: string, body: (b: Builder, x: Value, at: Value) => Value) => {
      const b = new Builder();
      const [x, at] = [
        makeValue({ dtype: 'f32', shape: [N, N] }),
        makeValue({ dtype: 'i32', shape: [] }),
      ];
      return b.finish(name, [x, at], [body(b, x, at)]);
    };
    const functions = [
      read('gathered', (b, x, at) => b.apply(gather, [x, at, at], { axes: [0, 1] })),
      read('sliced', (b, x, at) => b.apply(dynamicSlice, [x, at, at], { sizes: [one, one] })),
    ];
    const compiled = await compileForCpu(functions);
    for (const { name } of functions) {
      const call = (size: number) =>
        callOnCpu(compiled.module, name, [
          arrayOf('f32', [size, size], new Array(size * size).fill(7)),
          arrayOf('i32', [], [2]),
        ])[0]!.data;
      expect([...call(0)]).toEqual([0]);
      expect([...call(3)]).toEqual([7]);
    }
  });
});
