import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { PlanFunction } from '../compiler/plan/plan.ts';
import { cpuDevice, load, MlxcError, type Module, type Tensor, tensor } from './index.ts';
import {
  addFunction,
  addStep,
  buffer,
  indexStep,
  kernelSource,
  leafTree,
  lessStep,
  planOf,
} from './test/example-plan.ts';

const cache = mkdtempSync(join(tmpdir(), 'mlxc-test-'));
afterAll(() => rmSync(cache, { recursive: true }));

async function loadFunctions(...functions: readonly PlanFunction[]): Promise<Module> {
  const ramp = { dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) } as const;
  const bundle = {
    plan: planOf(...functions),
    kernels: kernelSource,
    constants: new Map([['ramp', ramp]]),
  };
  return await load(bundle, { device: cpuDevice({ cacheFolder: cache }) });
}

function listOf(result: unknown): unknown {
  return (result as Tensor).tolist();
}

function errorOf(run: () => unknown): MlxcError {
  try {
    run();
  } catch (error) {
    if (error instanceof MlxcError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const scalarF32 = buffer('temporary', 'f32', '1');

describe('arguments', async () => {
  const module = await loadFunctions(addFunction);
  const add = module.function('add');
  const w = [1, 2, 3, 4];

  test('in order, by name, as typed arrays, tensors and nested arrays', () => {
    const expected = [
      [1, 2, 3, 4],
      [2, 3, 4, 5],
    ];
    const x = [
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ];
    expect(listOf(add(x, { w }))).toEqual(expected);
    expect(listOf(add(tensor(x), { w: Float32Array.from(w) }))).toEqual(expected);
    expect(listOf(add(Float32Array.from(x.flat()), { w: tensor(w) }))).toEqual(expected);
    expect(listOf(add.named({ m: { w }, x }))).toEqual(expected);
  });

  test('every mismatch is reported with what was expected and found', () => {
    const error = errorOf(() => add(tensor([[1, 2, 3]]), { w: [1, 2], v: 1 }));
    expect(error.code).toBe('MLX5111');
    expect(error.message).toContain('m.v is no field of Bias');
    const shapes = errorOf(() => add(tensor([[1, 2, 3, 4, 5, 6]]), { w: [1, 2, 3, 4] }));
    expect(shapes.problems).toHaveLength(1);
    expect(shapes.message).toContain(
      'm.w dim 0 is 4 here but must be 2*N = 6 (N is 3 by x): expected f32[2*N], found f32[4]',
    );
    const odd = errorOf(() => add(tensor([[1, 2, 3]]), { w: [1, 2, 3] }));
    expect(odd.message).toContain('x dim 1 is 3 here, which no N makes 2*N');
    expect(errorOf(() => add([[1, 2, 3, 4]], { w: Int32Array.of(1, 2, 3, 4) })).message).toContain(
      'm.w has the wrong element type: expected f32[2*N], found Int32Array(4)',
    );
    expect(errorOf(() => add([[1, 2, 3, 4]])).message).toContain('m is missing: expected Bias');
    expect(errorOf(() => add([[1, 'a'] as never], { w })).code).toBe('MLX5111');
    expect(errorOf(() => add([[1, 2], [3]], { w })).message).toContain('not equally long');
    expect(errorOf(() => add(Number.NaN as never, { w })).message).toContain(
      'wrong number of axes',
    );
  });

  test('guards name the dims', () => {
    const error = errorOf(() => add([[1, 2]], { w: [1, 2] }));
    expect(error.code).toBe('MLX5112');
    expect(error.message).toContain('add cannot run with B = 1, N = 1: needs at least two pairs');
  });

  test('dims may be zero', () => {
    const y = add(tensor(new Float32Array(0), [0, 4]), { w }) as Tensor;
    expect(y.shape).toEqual([0, 4]);
    expect(y.tolist()).toEqual([]);
  });

  test('many shapes run, one after the other', () => {
    for (let rows = 0; rows < 200; rows++) {
      const y = add(tensor(new Float32Array(rows * 4), [rows, 4]), { w }) as Tensor;
      expect(y.data).toHaveLength(4 * rows);
      if (rows > 0) expect(y.data[4 * rows - 1]).toBe(4);
    }
  });

  test('an unknown function names those there are', () => {
    expect(errorOf(() => module.function('sub')).message).toContain('it has: add');
  });
});

describe('memory', async () => {
  const add = (await loadFunctions(addFunction)).function('add');
  const w = [1, 2, 3, 4];

  test('a donated tensor becomes the result', () => {
    const x = tensor([[1, 1, 1, 1]]);
    const memory = x.data;
    const y = add.with({ donate: ['x'] })(x, { w }) as Tensor;
    expect(y.data).toBe(memory);
    expect(y.tolist()).toEqual([[2, 3, 4, 5]]);
    expect(x.isDisposed).toBe(true);
    expect(() => x.data).toThrow('was donated');
    expect(errorOf(() => add(x, { w })).message).toContain('x was disposed or donated');
  });

  test('one memory cannot be donated and read elsewhere', () => {
    const x = tensor([1, 1, 1, 1], [1, 4]);
    const view = tensor(x.data);
    const error = errorOf(() => add.with({ donate: true })(x, { w: view }));
    expect(error.message).toContain('x is donated, but m.w is the same memory');
    expect(x.isDisposed).toBe(false);
  });

  test('without donation arguments stay as they are', () => {
    const x = tensor([[1, 1, 1, 1]]);
    const y = add(x, { w }) as Tensor;
    expect(y.data).not.toBe(x.data);
    expect(x.tolist()).toEqual([[1, 1, 1, 1]]);
  });

  test('disposing a large result recycles its memory', () => {
    const rows = 50_000;
    const x = tensor(new Float32Array(rows * 4), [rows, 4]);
    const results = Array.from({ length: 20 }, () => {
      const y = add(x, { w }) as Tensor;
      expect(y.data[rows * 4 - 1]).toBe(4);
      const address = y.data.buffer;
      y.dispose();
      y.dispose();
      expect(() => y.item()).toThrow('was disposed');
      return address;
    });
    for (const memory of results) expect(memory.byteLength).toBe(0);
  });
});

describe('steps', () => {
  test('temporaries share an arena by lifetime and never while both live', async () => {
    // t1 = x + x, t2 = t1 + x, t3 = t2 + t1, y = t3 + t2
    const chain: PlanFunction = {
      name: 'chain',
      doc: '',
      parameters: [{ name: 'x', tree: leafTree('f32', 'N') }],
      result: leafTree('f32', 'N'),
      dims: ['N'],
      guards: [],
      buffers: [
        buffer('parameter', 'f32', 'N'),
        buffer('result', 'f32', 'N'),
        buffer('temporary', 'f32', 'N'),
        buffer('temporary', 'f32', 'N'),
        buffer('temporary', 'f32', 'N'),
      ],
      steps: [
        addStep([0, 0, 2], 'N', 'N'),
        addStep([2, 0, 3], 'N', 'N'),
        addStep([3, 2, 4], 'N', 'N'),
        addStep([4, 3, 1], 'N', 'N'),
      ],
    };
    const module = await loadFunctions(chain);
    for (const n of [1, 17, 100_000]) {
      const y = module.functions['chain']!(Float32Array.from({ length: n }, (_, i) => i)) as Tensor;
      expect(y.data.every((value, i) => value === 8 * i)).toBe(true);
    }
  });

  test('a loop counts up or down and a copy follows it', async () => {
    // ys[i] = index as float, running up; the last one also comes back alone
    const counting = (reverse: boolean): PlanFunction => ({
      name: reverse ? 'down' : 'up',
      doc: '',
      parameters: [],
      result: { kind: 'tuple', items: [leafTree('f32', 'N'), leafTree('f32')] },
      dims: ['N'],
      guards: [],
      buffers: [
        buffer('result', 'f32', 'N'),
        buffer('result', 'f32', '1'),
        buffer('temporary', 'i32', '1'),
        scalarF32,
      ],
      steps: [
        {
          kind: 'loop',
          count: 'N',
          reverse,
          index: 2,
          body: [
            indexStep(2, 3),
            { kind: 'copy', from: 3, fromOffset: '0', to: 0, toOffset: '$iteration', size: '1' },
          ],
        },
        { kind: 'copy', from: 3, fromOffset: '0', to: 1, toOffset: '0', size: '1' },
      ],
    });
    const module = await loadFunctions(counting(false), counting(true));
    const call = (name: string): unknown[] =>
      (module.function(name).with({ dims: { N: 5 } })() as readonly Tensor[]).map(listOf);
    expect(call('up')).toEqual([[0, 1, 2, 3, 4], 4]);
    expect(call('down')).toEqual([[0, 1, 2, 3, 4], 0]);
    expect(errorOf(() => module.function('up')()).message).toContain('no argument tells the dim N');
  });

  test('a condition ends a loop, and a branch takes one side', async () => {
    // while acc < 10: acc += x; then acc + (acc < 11 ? ramp[0] : ramp[2])
    const looping: PlanFunction = {
      name: 'climb',
      doc: '',
      parameters: [{ name: 'x', tree: leafTree('f32') }],
      result: leafTree('f32'),
      dims: [],
      guards: [],
      buffers: [
        buffer('parameter', 'f32', '1'),
        buffer('result', 'f32', '1'),
        buffer('constant', 'f32', '3', { constant: 'ramp' }),
        scalarF32,
        buffer('temporary', 'bool', '1'),
        scalarF32,
      ],
      steps: [
        { kind: 'copy', from: 0, fromOffset: '0', to: 3, toOffset: '0', size: '1' },
        lessStep(3, 4, 10),
        {
          kind: 'loop',
          count: '1000',
          reverse: false,
          condition: 4,
          body: [addStep([3, 0, 3], '1', '1'), lessStep(3, 4, 10)],
        },
        lessStep(3, 4, 11),
        {
          kind: 'branch',
          condition: 4,
          then: [{ kind: 'copy', from: 2, fromOffset: '0', to: 5, toOffset: '0', size: '1' }],
          otherwise: [{ kind: 'copy', from: 2, fromOffset: '2', to: 5, toOffset: '0', size: '1' }],
        },
        addStep([3, 5, 1], '1', '1'),
      ],
    };
    const climb = (await loadFunctions(looping)).function('climb');
    expect((climb(1) as Tensor).item()).toBe(11);
    expect((climb(4) as Tensor).item()).toBe(15);
    expect((climb(20) as Tensor).item()).toBe(23);
  });

  test('results that are parameters are copies, or the donated memory itself', async () => {
    const same: PlanFunction = {
      name: 'same',
      doc: '',
      parameters: [{ name: 'x', tree: leafTree('f32', 'N') }],
      result: { kind: 'tuple', items: [leafTree('f32', 'N'), leafTree('f32', 'N')] },
      dims: ['N'],
      guards: [],
      buffers: [
        buffer('parameter', 'f32', 'N'),
        buffer('result', 'f32', 'N', { sameAs: 0 }),
        buffer('result', 'f32', 'N', { sameAs: 1 }),
      ],
      steps: [],
    };
    const run = (await loadFunctions(same)).function('same');
    const x = tensor([1, 2]);
    const memory = x.data;
    const [a, b] = run(x) as readonly Tensor[];
    expect([a!.tolist(), b!.tolist()]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    a!.data[0] = 5;
    expect([x.tolist(), b!.tolist()]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const [c, d] = run.with({ donate: true })(x) as readonly Tensor[];
    expect(c!.data).toBe(memory);
    expect(d!.data).not.toBe(memory);
  });

  test('a copy that leaves its buffer is refused before anything runs', async () => {
    const bad: PlanFunction = {
      ...addFunction,
      name: 'bad',
      steps: [{ kind: 'copy', from: 0, fromOffset: '1', to: 2, toOffset: '0', size: '2*B*N' }],
    };
    const run = (await loadFunctions(bad)).function('bad');
    expect(() => run([[1, 2, 3, 4]], { w: [1, 2, 3, 4] })).toThrow('a copy leaves its buffer');
  });
});

describe('hostile plans', () => {
  const good = JSON.stringify(planOf(addFunction));

  async function codeOf(plan: unknown): Promise<string> {
    try {
      const bundle = { plan, kernels: kernelSource, constants: new Map() };
      const module = await load(bundle, { device: cpuDevice({ cacheFolder: cache }) });
      for (const run of Object.values(module.functions)) run([[1, 2, 3, 4]], { w: [1, 2, 3, 4] });
      return 'ran';
    } catch (error) {
      return error instanceof MlxcError ? error.code : String(error);
    }
  }

  test('another version is refused by name', async () => {
    expect(await codeOf({ ...JSON.parse(good), version: 7 })).toBe('MLX5103');
    for (const plan of [null, [], 'plan', {}, 4])
      expect(await codeOf(plan)).toMatch(/^MLX510[23]$/);
  });

  test('every field replaced by nonsense gives a typed error or changes nothing that matters', async () => {
    const nonsense = [
      null,
      -1,
      1.5,
      1e300,
      'x\u0000',
      '(((',
      'N/0',
      {},
      [],
      [[]],
      true,
      '99999999999999999999',
    ];
    const places: (string | number)[][] = [];
    const visit = (value: unknown, path: (string | number)[]): void => {
      if (path.length > 0) places.push(path);
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    };
    visit(JSON.parse(good), []);
    for (const path of places) {
      for (const bad of nonsense) {
        const plan = JSON.parse(good);
        let at = plan;
        for (const key of path.slice(0, -1)) at = at[key];
        at[path[path.length - 1]!] = bad;
        expect(`${path.join('.')} = ${JSON.stringify(bad)}: ${await codeOf(plan)}`).toMatch(
          /: (MLX51\d\d|ran)$/,
        );
      }
    }
  });
});

test('a call of a one-kernel function takes a few microseconds', async () => {
  const add = (await loadFunctions(addFunction)).function('add');
  const x = tensor([[0, 1, 2, 3]]);
  const w = tensor([1, 2, 3, 4]);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const start = performance.now();
    for (let i = 0; i < 1000; i++) add(x, { w });
    best = Math.min(best, performance.now() - start);
  }
  expect(best).toBeLessThan(5);
});
