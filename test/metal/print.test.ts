import { expect, test } from 'vitest';
import type {
  Buffer,
  Kernel,
  KernelParameter,
  KernelScalar,
  Statement,
} from '../../compiler/kernel-ir/program.ts';
import { isInOperandClass, scalarFunctions } from '../../compiler/kernel-ir/scalar-functions.ts';
import {
  add,
  ceildiv,
  dimVariable,
  floordiv,
  type Int,
  indexVariable,
  int,
  mod,
  multiply,
  one,
  subtract,
  zero,
} from '../../compiler/symbolic/integer.ts';
import { computeType, type DType, dtypes } from '../../compiler/tensor-ir/dtype.ts';
import { printMetal, unsupportedOnMetal } from '../../compiler/to-metal/print.ts';
import { expectMetal, metalHelper } from '../support/metal-helpers.ts';

const about = { summary: 'hand-written', bytes: int(8), flops: one, schedule: 'test' };
const N = dimVariable('N');
const M = dimVariable('M');

const device = (name: string, dtype: DType, size: Int): Buffer => ({
  name,
  dtype,
  space: 'device',
  size,
});
const parameter = (
  buffer: Buffer,
  access: KernelParameter['access'],
  isSegmented = false,
): KernelParameter => ({ buffer, access, isSegmented });
const load = (buffer: Buffer, index: Int): KernelScalar => ({
  kind: 'load',
  dtype: computeType(buffer.dtype),
  buffer: { buffer },
  index,
});
const variable = (name: string, dtype: DType = 'f32'): KernelScalar => ({
  kind: 'variable',
  dtype,
  name,
});
const apply = (name: string, args: readonly KernelScalar[], dtype: DType): KernelScalar => ({
  kind: 'call',
  dtype,
  name,
  args,
});
const f32 = (value: number): KernelScalar => ({ kind: 'constant', dtype: 'f32', value });
const below = (value: Int, extent: Int): KernelScalar => ({
  kind: 'in-range',
  dtype: 'bool',
  conditions: [{ value, extent }],
});

/** y[i] = value(i) for i < N, one element a thread. */
function map(
  name: string,
  parameters: readonly KernelParameter[],
  y: Buffer,
  value: (i: Int) => KernelScalar,
): Kernel {
  const i = indexVariable('i', N);
  const position = add(
    multiply(indexVariable('block', ceildiv(N, int(256))), int(256)),
    indexVariable('t', int(256)),
  );
  return {
    name,
    parameters: [...parameters, parameter(y, 'write')],
    integers: [{ name: 'N', value: N }],
    grid: [ceildiv(N, int(256))],
    threads: 256,
    about,
    body: [
      {
        kind: 'loop',
        variable: 'block',
        extent: ceildiv(N, int(256)),
        placement: 'grid',
        body: [
          {
            kind: 'loop',
            variable: 't',
            extent: int(256),
            placement: 'threads',
            body: [
              {
                kind: 'if',
                condition: below(position, N),
                then: [
                  { kind: 'let-integer', name: 'i', value: position },
                  { kind: 'store', buffer: y, index: i, value: value(i) },
                ],
                otherwise: [],
              },
            ],
          },
        ],
      },
    ],
  };
}

const metalTypes = dtypes.filter((d) => d !== 'f64');

function everyFunction(): Kernel[] {
  const kernels: Kernel[] = [];
  for (const f of scalarFunctions.values()) {
    for (const dtype of metalTypes) {
      if (!isInOperandClass(dtype, f.operands)) continue;
      const buffers = Array.from({ length: f.arity }, (_, n) => device('xyz'[n]!, dtype, N));
      const result: DType = f.result === 'bool' ? 'bool' : computeType(dtype);
      const out = device('out', f.result === 'bool' ? 'bool' : dtype, N);
      const name = `${f.name}_of_${dtype}`;
      const inputs = buffers.map((b) => parameter(b, 'read'));
      // twice, so that precedence shows
      kernels.push(
        map(name, inputs, out, (i) => {
          const inner = apply(
            f.name,
            buffers.map((b) => load(b, i)),
            result,
          );
          if (f.result === 'bool') return inner;
          return apply(
            f.name,
            buffers.map((b, n) => (n === 0 ? inner : load(b, i))),
            result,
          );
        }),
      );
    }
  }
  return kernels;
}

function everyConversion(): Kernel[] {
  const kernels: Kernel[] = [];
  for (const from of metalTypes) {
    for (const to of metalTypes) {
      const x = device('x', from, N);
      const y = device('y', to, N);
      kernels.push(
        map(`${from}_to_${to}`, [parameter(x, 'read')], y, (i) => ({
          kind: 'convert',
          dtype: to,
          value: load(x, i),
        })),
      );
    }
  }
  const x = device('x', 'f32', N);
  const pairs: (readonly [DType, DType])[] = [
    ['u32', 'f32'],
    ['f32', 'i32'],
    ['i64', 'u64'],
    ['f16', 'u16'],
    ['bf16', 'i16'],
    ['i16', 'bf16'],
    ['u8', 'i8'],
    ['bool', 'u8'],
  ];
  for (const [from, to] of pairs) {
    kernels.push(
      map(`bits_${from}_${to}`, [parameter(x, 'read')], device('y', to, N), (i) => ({
        kind: 'bitcast',
        dtype: to,
        value: { kind: 'convert', dtype: from, value: load(x, i) },
      })),
    );
  }
  return kernels;
}

/** Softmax over rows: one threadgroup of 256 a row. */
function softmax(dtype: DType): Kernel {
  const x = device('x', dtype, multiply(M, N));
  const y = device('half', dtype, multiply(M, N));
  const partial: Buffer = { name: 'partial', dtype: 'f32', space: 'threadgroup', size: int(8) };
  const row = indexVariable('row', M);
  const at = (j: string): Int => add(multiply(row, N), indexVariable(j, N));
  const reduce = (
    name: string,
    j: string,
    monoid: 'max' | 'sum',
    value: KernelScalar,
  ): Statement[] => [
    {
      kind: 'accumulator',
      name,
      dtype: 'f32',
      initial: f32(monoid === 'max' ? -Infinity : 0),
    },
    {
      kind: 'loop',
      variable: j,
      extent: N,
      placement: 'threads',
      body: [
        {
          kind: 'assign',
          name,
          value: apply(monoid === 'max' ? 'max' : 'add', [variable(name), value], 'f32'),
        },
      ],
    },
    { kind: 'simd-reduce', name, monoid },
    {
      kind: 'loop',
      variable: `${name}_group`,
      extent: int(8),
      placement: 'simdgroups',
      body: [
        {
          kind: 'loop',
          variable: `${name}_first`,
          extent: one,
          placement: 'lanes',
          body: [
            {
              kind: 'store',
              buffer: partial,
              index: indexVariable(`${name}_group`, int(8)),
              value: variable(name),
            },
          ],
        },
      ],
    },
    { kind: 'barrier', device: false },
    { kind: 'assign', name, value: load(partial, zero) },
    {
      kind: 'loop',
      variable: `${name}_part`,
      extent: int(7),
      placement: 'unroll',
      body: [
        {
          kind: 'assign',
          name,
          value: apply(
            monoid === 'max' ? 'max' : 'add',
            [variable(name), load(partial, add(indexVariable(`${name}_part`, int(7)), one))],
            'f32',
          ),
        },
      ],
    },
    { kind: 'barrier', device: false },
  ];
  const exponential = (j: string): KernelScalar =>
    apply('exp', [apply('sub', [load(x, at(j)), variable('m')], 'f32')], 'f32');
  return {
    name: 'softmax',
    parameters: [parameter(x, 'read'), parameter(y, 'write')],
    integers: [
      { name: 'M', value: M },
      { name: 'N', value: N },
    ],
    grid: [M],
    threads: 256,
    about: {
      summary: 'softmax: lines 3-5 of model.mlx',
      bytes: multiply(int(8), multiply(M, N)),
      flops: multiply(int(11), multiply(M, N)),
      schedule: 'row',
    },
    body: [
      {
        kind: 'loop',
        variable: 'row',
        extent: M,
        placement: 'grid',
        body: [
          { kind: 'allocate', buffer: partial },
          ...reduce('m', 'j', 'max', load(x, at('j'))),
          ...reduce('s', 'k', 'sum', exponential('k')),
          {
            kind: 'loop',
            variable: 'l',
            extent: N,
            placement: 'threads',
            body: [
              {
                kind: 'store',
                buffer: y,
                index: at('l'),
                value: apply('div', [exponential('l'), variable('s')], 'f32'),
              },
            ],
          },
        ],
      },
    ],
  };
}

/** Argmax over rows, one simdgroup a row. */
function argmax(dtype: DType): Kernel {
  const x = device('x', dtype, multiply(M, N));
  const y = device('y', 'i32', M);
  const row = indexVariable('row', M);
  const value = computeType(dtype);
  const element = load(x, add(multiply(row, N), indexVariable('j', N)));
  const assign = (name: string, v: KernelScalar): Statement => ({ kind: 'assign', name, value: v });
  return {
    name: `argmax_${dtype}`,
    parameters: [parameter(x, 'read'), parameter(y, 'write')],
    integers: [{ name: 'N', value: N }],
    grid: [M],
    threads: 32,
    about,
    body: [
      {
        kind: 'loop',
        variable: 'row',
        extent: M,
        placement: 'grid',
        body: [
          {
            kind: 'accumulator',
            name: 'best',
            dtype: value,
            initial: { kind: 'constant', dtype: value, value: value === 'i64' ? 0n : 0 },
          },
          {
            kind: 'accumulator',
            name: 'at',
            dtype: 'i32',
            initial: { kind: 'constant', dtype: 'i32', value: 0 },
          },
          {
            kind: 'loop',
            variable: 'j',
            extent: N,
            placement: 'lanes',
            body: [
              {
                kind: 'if',
                condition: apply('gt', [element, variable('best', value)], 'bool'),
                then: [
                  assign('best', element),
                  assign('at', { kind: 'index', dtype: 'i32', value: indexVariable('j', N) }),
                ],
                otherwise: [],
              },
            ],
          },
          { kind: 'simd-reduce', name: 'best', monoid: 'argmax', index: 'at' },
          {
            kind: 'loop',
            variable: 'first',
            extent: one,
            placement: 'lanes',
            body: [{ kind: 'store', buffer: y, index: row, value: variable('at', 'i32') }],
          },
        ],
      },
    ],
  };
}

/** One 8x8 tile of a product a simdgroup. */
function product(dtype: DType): Kernel {
  const a = device('a', dtype, int(64));
  const b = device('b', dtype, int(64));
  const c = device('c', 'f32', int(64));
  const tile: Buffer = { name: 'tile', dtype, space: 'threadgroup', size: int(64) };
  return {
    name: `product_${dtype}`,
    parameters: [parameter(a, 'read'), parameter(b, 'read'), parameter(c, 'write')],
    integers: [],
    grid: [int(1), int(3), int(4), int(5)],
    threads: 32,
    about,
    body: [
      {
        kind: 'loop',
        variable: 'p',
        extent: int(2),
        placement: 'grid',
        body: [
          {
            kind: 'loop',
            variable: 'q',
            extent: int(3),
            placement: 'grid',
            body: [
              { kind: 'allocate', buffer: tile },
              {
                kind: 'loop',
                variable: 'e',
                extent: int(64),
                placement: 'lanes',
                body: [
                  {
                    kind: 'store',
                    buffer: tile,
                    index: indexVariable('e', int(64)),
                    value: load(a, indexVariable('e', int(64))),
                  },
                ],
              },
              { kind: 'barrier', device: true },
              { kind: 'matrix-declare', name: 'sum', dtype: 'f32', count: 2 },
              { kind: 'matrix-declare', name: 'left', dtype, count: 1, isUndefined: true },
              { kind: 'matrix-declare', name: 'right', dtype, count: 1, isUndefined: true },
              ...(['left', 'right'] as const).map(
                (name, n): Statement => ({
                  kind: 'matrix-load',
                  name,
                  element: zero,
                  buffer: n === 0 ? tile : b,
                  offset: zero,
                  stride: int(8),
                  transpose: n === 1,
                }),
              ),
              {
                kind: 'matrix-multiply-accumulate',
                d: 'sum',
                dElement: one,
                a: 'left',
                aElement: zero,
                b: 'right',
                bElement: zero,
              },
              {
                kind: 'matrix-store',
                name: 'sum',
                element: one,
                buffer: c,
                offset: multiply(
                  int(0),
                  add(indexVariable('p', int(2)), indexVariable('q', int(3))),
                ),
                stride: int(8),
              },
            ],
          },
        ],
      },
    ],
  };
}

/** y_s[i] = x_s[i] * scale for many segments s in one dispatch. */
function segments(count: number): Kernel {
  const x = device('x', 'f32', N);
  const y = device('y', 'f32', N);
  const scale = device('scale', 'f32', one);
  const task = indexVariable('task', N);
  const i = indexVariable('i', dimVariable('length'));
  const names = (base: string): string[] => Array.from({ length: count }, (_, s) => `${base}${s}`);
  const position = add(multiply(indexVariable('local', N), int(256)), indexVariable('t', int(256)));
  return {
    name: 'scale_all',
    parameters: [parameter(x, 'read', true), parameter(y, 'write', true), parameter(scale, 'read')],
    integers: [...names('start'), ...names('size')].map((name) => ({ name, value: N })),
    grid: [N],
    threads: 256,
    segments: count,
    about,
    body: [
      {
        kind: 'loop',
        variable: 'task',
        extent: N,
        placement: 'grid',
        body: [
          {
            kind: 'locate-segment',
            task,
            segment: 'segment',
            local: 'local',
            starts: names('start'),
            length: 'length',
            lengths: names('size'),
          },
          {
            kind: 'loop',
            variable: 't',
            extent: int(256),
            placement: 'threads',
            body: [
              {
                kind: 'if',
                condition: below(position, dimVariable('length')),
                then: [
                  { kind: 'let-integer', name: 'i', value: position },
                  {
                    kind: 'store',
                    buffer: y,
                    index: i,
                    value: apply('mul', [load(x, i), load(scale, zero)], 'f32'),
                  },
                ],
                otherwise: [],
              },
            ],
          },
        ],
      },
    ],
  };
}

function wide(count: number): Kernel {
  const inputs = Array.from({ length: count }, (_, n) => device('x', n === 0 ? 'bf16' : 'f32', N));
  return map(
    'wide_sum',
    inputs.map((b) => parameter(b, 'read')),
    device('y', 'f32', N),
    (i) => inputs.map((b) => load(b, i)).reduce((a, b) => apply('add', [a, b], 'f32')),
  );
}

/** Names that are words of Metal, indices of every shape, a gather. */
function names(): Kernel {
  const x = device('device', 'f32', multiply(N, M));
  const at = device('quad', 'i64', N);
  const y = device('float4', 'f32', N);
  const kernel = map('kernel', [parameter(x, 'read'), parameter(at, 'read')], y, (i) => ({
    kind: 'select',
    dtype: 'f32',
    condition: below(subtract(i, int(3)), M),
    isGuard: true,
    then: load(
      x,
      add(
        multiply(mod(subtract(i, int(3)), M), indexVariable('thread', N)),
        floordiv(subtract(i, int(7)), int(4)),
      ),
    ),
    otherwise: load(x, add(multiply(floordiv(i, int(4)), int(4)), mod(i, int(4)))),
  }));
  const [grid] = kernel.body;
  if (grid?.kind !== 'loop') throw new Error('a loop');
  const threads = grid.body[0];
  if (threads?.kind !== 'loop') throw new Error('a loop');
  const guard = threads.body[0];
  if (guard?.kind !== 'if') throw new Error('an if');
  const gather: Statement = {
    kind: 'let-index',
    name: 'thread',
    value: load(at, indexVariable('i', N)),
    extent: N,
  };
  const then = [guard.then[0]!, gather, ...guard.then.slice(1)];
  const body = [{ ...grid, body: [{ ...threads, body: [{ ...guard, then }] }] }];
  return { ...kernel, body, integers: [...kernel.integers, { name: 'M', value: M }] };
}

const print = (...kernels: Kernel[]): string => printMetal(kernels, metalHelper);

test('every scalar function and conversion in every dtype passes the strict check', async () => {
  await expectMetal(
    new Map([
      ['functions', print(...everyFunction())],
      ['conversions', print(...everyConversion())],
    ]),
  );
});

test('hand-written kernels pass the strict check', async () => {
  const kernels: Kernel[] = [
    softmax('f32'),
    softmax('bf16'),
    argmax('f32'),
    argmax('f16'),
    argmax('i64'),
    product('f32'),
    product('f16'),
    product('bf16'),
    segments(1),
    segments(40),
    wide(29),
    wide(40),
    names(),
  ];
  await expectMetal(new Map(kernels.map((k, n) => [`${k.name} ${n}`, print(k)])));
});

test('prints softmax as a person would write it', () => {
  expect(print(softmax('f32'))).toMatchInlineSnapshot(`
    "#include <metal_stdlib>

    namespace mlxc {
    // NaN if either is; metal::max would drop it.
    inline float max(float a, float b) {
      return a > b || metal::isnan(a) ? a : b;
    }
    }

    namespace mlxc {
    // Extremes over a simdgroup that keep NaN.
    inline float simd_max(float x) {
      return metal::simd_any(metal::isnan(x)) ? NAN : metal::simd_max(x);
    }
    inline float simd_min(float x) {
      return metal::simd_any(metal::isnan(x)) ? NAN : metal::simd_min(x);
    }
    }

    // softmax: lines 3-5 of model.mlx
    // row schedule, 256 threads a threadgroup; bytes: 8*M*N; flops: 11*M*N
    struct softmax_Params {
      int M;
      int N;
    };
    [[kernel, max_total_threads_per_threadgroup(256)]] void softmax(
        const device float* x [[buffer(0)]],
        device float* half_v [[buffer(1)]],
        constant softmax_Params& params [[buffer(2)]],
        metal::uint3 group [[threadgroup_position_in_grid]],
        uint thread_index [[thread_index_in_threadgroup]],
        uint simdgroup [[simdgroup_index_in_threadgroup]],
        uint lane [[thread_index_in_simdgroup]]) {
      threadgroup float partial[8];
      const int row = int(group.x);
      float m = -INFINITY;
      for (int j = int(thread_index); j < params.N; j += 256) {
        m = mlxc::max(m, x[j + row * params.N]);
      }
      m = mlxc::simd_max(m);
      const int m_group = int(simdgroup);
      if (lane == 0u) {
        partial[m_group] = m;
      }
      metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
      m = partial[0];
      #pragma clang loop unroll(full)
      for (int m_part = 0; m_part < 7; ++m_part) {
        m = mlxc::max(m, partial[m_part + 1]);
      }
      metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
      float s = 0.0f;
      for (int k = int(thread_index); k < params.N; k += 256) {
        s += metal::exp(x[k + row * params.N] - m);
      }
      s = metal::simd_sum(s);
      const int s_group = int(simdgroup);
      if (lane == 0u) {
        partial[s_group] = s;
      }
      metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
      s = partial[0];
      #pragma clang loop unroll(full)
      for (int s_part = 0; s_part < 7; ++s_part) {
        s += partial[s_part + 1];
      }
      metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
      for (int l = int(thread_index); l < params.N; l += 256) {
        half_v[l + row * params.N] = metal::exp(x[l + row * params.N] - m) / s;
      }
    }
    "
  `);
});

test('prints segments through a table of addresses', () => {
  expect(print(segments(40))).toMatchInlineSnapshot(`
    "#include <metal_stdlib>

    // hand-written
    // test schedule, 256 threads a threadgroup; bytes: 8; flops: 1
    // its 81 buffers travel as one table of addresses: more than Metal's 31 bindings
    struct scale_all_Buffers {
      const device float* x[40];
      device float* y[40];
      const device float* scale;
    };
    struct scale_all_Params {
      int starts[40];
      int lengths[40];
    };
    [[kernel, max_total_threads_per_threadgroup(256)]] void scale_all(
        constant scale_all_Buffers& buffers [[buffer(0)]],
        constant scale_all_Params& params [[buffer(1)]],
        metal::uint3 group [[threadgroup_position_in_grid]],
        uint thread_index [[thread_index_in_threadgroup]]) {
      const int task = int(group.x);
      int segment = 0;
      for (int step = 32; step > 0; step /= 2) {
        if (segment + step < 40 && params.starts[segment + step] <= task) {
          segment += step;
        }
      }
      const int local = task - params.starts[segment];
      const int length = params.lengths[segment];
      const int t = int(thread_index);
      if (local * 256 + t < length) {
        const int i = local * 256 + t;
        buffers.y[segment][i] = buffers.x[segment][i] * buffers.scale[0];
      }
    }
    "
  `);
});

test('the text does not depend on what was printed before', () => {
  const first = print(softmax('f32'), argmax('f32'), segments(3));
  print(wide(12));
  expect(print(softmax('f32'), argmax('f32'), segments(3))).toBe(first);
});

test('a buffer of 2^31 elements makes indices long', () => {
  const x = device('x', 'f32', int(2 ** 31));
  const kernel = map('big', [parameter(x, 'read')], device('y', 'f32', N), (i) => load(x, i));
  expect(print(kernel)).toContain('const long i = block * 256l + t;');
});

test('f64 is refused with a reason', () => {
  const x = device('x', 'f64', N);
  const kernel = map('doubles', [parameter(x, 'read')], device('y', 'f64', N), (i) => load(x, i));
  expect(unsupportedOnMetal(kernel)).toMatch(/no f64/);
  expect(unsupportedOnMetal(softmax('f32'))).toBeUndefined();
});
