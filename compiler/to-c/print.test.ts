import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kernelFlags } from '../../runtime/compile-kernels.ts';
import { replacesBest } from '../kernel-ir/monoids.ts';
import type { Buffer, Kernel, KernelScalar, Loop, Statement } from '../kernel-ir/program.ts';
import { verifyKernel } from '../kernel-ir/verify.ts';
import {
  add,
  ceildiv,
  dimVariable,
  divideExact,
  floordiv,
  type Int,
  indexVariable,
  int,
  min,
  mod,
  multiply,
  one,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import { emitInteger } from './emit-integer.ts';
import { printC } from './print.ts';
import { emitConstant } from './types.ts';

const work = mkdtempSync(join(tmpdir(), 'mlxc-print-'));
afterAll(() => rmSync(work, { recursive: true }));

function helpers(name: string): string {
  return readFileSync(new URL(`./helpers/${name}`, import.meta.url), 'utf8');
}

const B = dimVariable('B');
const N = dimVariable('N');

function device(name: string, dtype: DType, size: Int): Buffer {
  return { name, dtype, space: 'device', size };
}

function load(buffer: Buffer, index: Int, dtype: DType = 'f32'): KernelScalar {
  return { kind: 'load', dtype, buffer: { buffer }, index };
}

function call(name: string, ...args: readonly KernelScalar[]): KernelScalar {
  return { kind: 'call', dtype: args[0]!.dtype, name, args };
}

function constant(value: number, dtype: DType = 'f32'): KernelScalar {
  return { kind: 'constant', dtype, value };
}

function variable(name: string, dtype: DType = 'f32'): KernelScalar {
  return { kind: 'variable', dtype, name };
}

function kernelOf(
  name: string,
  reads: readonly Buffer[],
  writes: readonly Buffer[],
  grid: readonly Int[],
  body: readonly Statement[],
  more: Partial<Kernel> = {},
): Kernel {
  const kernel: Kernel = {
    name,
    parameters: [
      ...reads.map((buffer) => ({ buffer, access: 'read', isSegmented: false }) as const),
      ...writes.map((buffer) => ({ buffer, access: 'write', isSegmented: false }) as const),
    ],
    integers: [
      { name: 'B', value: B },
      { name: 'N', value: N },
    ],
    grid,
    body,
    about: { summary: `${name}: line 1`, bytes: multiply(int(8), N), flops: N, schedule: 'map' },
    ...more,
  };
  verifyKernel(kernel, 'cpu');
  return kernel;
}

function loop(
  name: string,
  extent: Int,
  placement: Loop['placement'],
  body: (index: Int) => readonly Statement[],
  reduces?: Loop['reduces'],
): Statement {
  const index = indexVariable(name, extent);
  const plain = { kind: 'loop', variable: name, extent, placement, body: body(index) } as const;
  return reduces === undefined ? plain : { ...plain, reduces };
}

/** Half-precision storage, blocks of 4096, a guard, a shared value. */
function mapKernel(): Kernel {
  const x = device('x', 'f16', N);
  const mask = device('mask', 'bool', N);
  const y = device('y', 'bf16', N);
  const blocks = ceildiv(N, int(4096));
  return kernelOf(
    'masked_gelu',
    [x, mask],
    [y],
    [blocks],
    [
      loop('block', blocks, 'grid', (block) => {
        const start = multiply(block, int(4096));
        return [
          loop('i', min(int(4096), subtract(N, start)), 'vector', (i) => {
            const at = add(start, i);
            const before = subtract(at, int(2));
            const shifted: KernelScalar = {
              kind: 'select',
              dtype: 'f32',
              condition: {
                kind: 'in-range',
                dtype: 'bool',
                conditions: [{ value: before, extent: N }],
              },
              then: load(x, before),
              otherwise: constant(-0.5),
              isGuard: true,
            };
            const value = load(x, at);
            const gelu = call('mul', value, call('add', call('erf', value), shifted));
            return [
              {
                kind: 'store',
                buffer: y,
                index: at,
                value: {
                  kind: 'select',
                  dtype: 'f32',
                  condition: load(mask, at, 'bool'),
                  then: gelu,
                  otherwise: constant(0.1),
                  isGuard: false,
                },
              },
            ];
          }),
        ];
      }),
    ],
  );
}

function rowKernel(): Kernel {
  const x = device('x', 'f32', multiply(B, N));
  const y = device('y', 'f32', multiply(B, N));
  const weights: Buffer = { name: 'weights', dtype: 'f32', space: 'scratch', size: N };
  return kernelOf(
    'softmax',
    [x],
    [y],
    [B],
    [
      loop('row', B, 'grid', (row) => {
        const at = (i: Int): Int => add(multiply(row, N), i);
        return [
          { kind: 'accumulator', name: 'largest', dtype: 'f32', initial: constant(-Infinity) },
          loop(
            'i',
            N,
            'vector',
            (i) => [
              {
                kind: 'assign',
                name: 'largest',
                value: call('max', variable('largest'), load(x, at(i))),
              },
            ],
            [{ name: 'largest', monoid: 'max' }],
          ),
          { kind: 'allocate', buffer: weights },
          { kind: 'accumulator', name: 'sum', dtype: 'f32', initial: constant(0) },
          loop(
            'j',
            N,
            'vector',
            (j) => {
              const weight = call('exp', call('sub', load(x, at(j)), variable('largest')));
              return [
                { kind: 'store', buffer: weights, index: j, value: weight },
                { kind: 'assign', name: 'sum', value: call('add', variable('sum'), weight) },
              ];
            },
            [{ name: 'sum', monoid: 'sum' }],
          ),
          loop('k', N, 'vector', (k) => [
            {
              kind: 'store',
              buffer: y,
              index: at(k),
              value: call('div', load(weights, k), variable('sum')),
            },
          ]),
        ];
      }),
    ],
  );
}

function argmaxKernel(): Kernel {
  const x = device('x', 'f32', multiply(B, N));
  const y = device('y', 'i32', B);
  return kernelOf(
    'argmax',
    [x],
    [y],
    [B],
    [
      loop('row', B, 'grid', (row) => [
        { kind: 'accumulator', name: 'best', dtype: 'f32', initial: constant(-Infinity) },
        { kind: 'accumulator', name: 'at', dtype: 'i32', initial: constant(0, 'i32') },
        loop(
          'i',
          N,
          'vector',
          (i) => {
            const candidate = load(x, add(multiply(row, N), i));
            const better = replacesBest('argmax', candidate, variable('best'));
            const index: KernelScalar = { kind: 'index', dtype: 'i32', value: i };
            const pick = (then: KernelScalar, otherwise: KernelScalar): KernelScalar => ({
              kind: 'select',
              dtype: then.dtype,
              condition: variable('better', 'bool'),
              then,
              otherwise,
              isGuard: false,
            });
            return [
              { kind: 'let', name: 'better', value: better },
              { kind: 'assign', name: 'best', value: pick(candidate, variable('best')) },
              { kind: 'assign', name: 'at', value: pick(index, variable('at', 'i32')) },
            ];
          },
          [{ name: 'best', monoid: 'argmax', index: 'at' }],
        ),
        { kind: 'store', buffer: y, index: row, value: variable('at', 'i32') },
      ]),
    ],
  );
}

/** Three tensors of different lengths scaled in one launch, 8 elements a task. */
function segmentedKernel(): Kernel {
  const x = device('x', 'f32', dimVariable('length'));
  const y = device('y', 'f32', dimVariable('length'));
  const numbers = [0, 1, 2];
  const total = dimVariable('tasks');
  const length = dimVariable('length');
  return kernelOf(
    'scale',
    [],
    [],
    [total],
    [
      loop('t', total, 'grid', (t) => [
        {
          kind: 'locate-segment',
          task: t,
          segment: 'segment',
          local: 'local',
          starts: numbers.map((s) => `start_${s}`),
          length: 'length',
          lengths: numbers.map((s) => `length_${s}`),
        },
        loop(
          'i',
          min(int(8), subtract(length, multiply(int(8), dimVariable('local')))),
          'vector',
          (i) => {
            const at = add(multiply(int(8), dimVariable('local')), i);
            return [
              { kind: 'store', buffer: y, index: at, value: call('mul', load(x, at), constant(3)) },
            ];
          },
        ),
      ]),
    ],
    {
      segments: 3,
      parameters: [
        { buffer: x, access: 'read', isSegmented: true },
        { buffer: y, access: 'write', isSegmented: true },
      ],
      integers: [
        { name: 'tasks', value: total },
        ...numbers.map((s) => ({ name: `start_${s}`, value: int(s) })),
        ...numbers.map((s) => ({ name: `length_${s}`, value: int(s) })),
      ],
    },
  );
}

function productKernel(): Kernel {
  const x = device('x', 'f32', int(16 * 64));
  const y = device('y', 'f32', int(16 * 64));
  const a: Buffer = { name: 'a', dtype: 'f32', space: 'scratch', size: int(16 * 4) };
  const b: Buffer = { name: 'b', dtype: 'f32', space: 'scratch', size: int(16 * 32) };
  const c: Buffer = { name: 'c', dtype: 'f32', space: 'thread', size: int(4 * 32) };
  return kernelOf(
    'product',
    [x],
    [y],
    [one],
    [
      loop('task_of_tile', one, 'grid', () => [
        { kind: 'allocate', buffer: a },
        { kind: 'allocate', buffer: b },
        { kind: 'allocate', buffer: c },
        loop('i', int(16 * 4), 'vector', (i) => [
          { kind: 'store', buffer: a, index: i, value: load(x, i) },
        ]),
        loop('j', int(16 * 32), 'vector', (j) => [
          { kind: 'store', buffer: b, index: j, value: load(x, j) },
        ]),
        {
          kind: 'micro-kernel',
          a,
          aOffset: zero,
          aRowStride: one,
          aDepthStride: int(4),
          b,
          bOffset: zero,
          c,
          cOffset: zero,
          cStride: int(32),
          depth: int(16),
          rows: 4,
          columns: 32,
          accumulate: false,
        },
        loop('k', int(4 * 32), 'vector', (k) => [
          { kind: 'store', buffer: y, index: k, value: load(c, k) },
        ]),
      ]),
    ],
  );
}

const kernels = [mapKernel(), rowKernel(), argmaxKernel(), segmentedKernel(), productKernel()];

/** The kernels alone: the helpers have tests of their own. */
function withoutHelpers(source: string): string {
  const start = /^(DEFINE_MICRO_KERNEL\(|\/\/ kernel )/m.exec(source);
  return source.slice(start?.index ?? 0);
}

describe('printC', () => {
  test.each(kernels.map((kernel) => [kernel.name, kernel] as const))('%s', async (name, kernel) => {
    const source = withoutHelpers(printC([kernel], helpers));
    await expect(source).toMatchFileSnapshot(`../../test/golden/to-c/${name}.c`);
  });

  test('is the same from run to run', () => {
    expect(printC(kernels, helpers)).toBe(printC(kernels, helpers));
  });

  test('includes only the helpers in use', () => {
    const source = printC([productKernel()], helpers);
    expect(source).toContain('DEFINE_MICRO_KERNEL(micro_kernel_f32_4x32, f32, 4, 32)');
    expect(source).not.toContain('erf_f32');
    expect(printC([mapKernel()], helpers)).toContain('erf_f32');
  });

  test('compiles without warnings and computes', () => {
    const main = readFileSync(new URL('./test/printed-kernels.c', import.meta.url), 'utf8');
    const path = join(work, 'kernels.c');
    writeFileSync(path, printC(kernels, helpers) + main);
    const flags = kernelFlags().filter((flag) => flag !== '-w' && flag !== '-fPIC');
    const program = join(work, 'kernels');
    const warnings = [
      '-Wall',
      '-Wextra',
      '-Wno-unused-parameter',
      '-Wno-type-limits',
      '-Wno-unknown-pragmas',
      '-Werror',
    ];
    execFileSync(process.env['CC'] ?? 'cc', [...flags, ...warnings, path, '-o', program, '-lm']);
    expect(execFileSync(program, { encoding: 'utf8' })).toBe('ok\n');
  });

  test('names that C or the helpers take are changed', () => {
    const float = device('float', 'f32', N);
    const begin = device('begin', 'f32', N);
    const kernel = kernelOf(
      'int',
      [float],
      [begin],
      [one],
      [
        loop('task', N, 'vector', (i) => [
          { kind: 'store', buffer: begin, index: i, value: load(float, i) },
        ]),
      ],
    );
    const source = withoutHelpers(printC([kernel], helpers));
    expect(source).toContain('void mlxc_int(');
    expect(source).toContain('v_begin_[v_task_] = v_float_[v_task_];');
  });
});

describe('emitInteger', () => {
  const D = dimVariable('D');
  const H = dimVariable('H');
  const i = indexVariable('i', N);
  const emit = (value: Int): string => emitInteger(value, (name) => name).text;

  test.each([
    [add(multiply(i, N), int(3)), 'i * N + 3'],
    [subtract(int(7), i), '7 - i'],
    [divideExact(D, H)!, 'D / H'],
    [multiply(divideExact(D, H)!, i), 'i * D / H'],
    [divideExact(add(multiply(N, N), N), int(2))!, '(N + N * N) / 2'],
    [multiply(int(4), floordiv(i, int(4))), '4 * (i / 4)'],
    [mod(i, int(4)), '(i % 4)'],
    [floordiv(subtract(i, N), int(3)), 'floor_div_i64(i - N, 3)'],
    [floordiv(subtract(i, N), int(4)), '((i - N) >> 2)'],
    [mod(subtract(i, N), int(4)), '((i - N) & 3)'],
    [min(N, int(16)), 'min_i64(16, N)'],
    [zero, '0'],
  ])('%#: %s', (value, expected) => {
    const [text, wanted] = [emit(value), expected];
    // the order of operands follows the normal form of the algebra
    expect(text.replace('min_i64(N, 16)', 'min_i64(16, N)').replace('N * i', 'i * N')).toBe(wanted);
  });
});

test.each([
  ['f32', 0.1, '0.1f'],
  ['f32', 1e10, '10000000000.0f'],
  ['f32', 1.1754943508222875e-38, '1.1754944e-38f'],
  ['f32', -0, '-0.0f'],
  ['f32', Number.NaN, 'NAN'],
  ['f16', Number.NEGATIVE_INFINITY, '-INFINITY'],
  ['f64', 0.1, '0.1'],
  ['f64', 1 / 3, '0.3333333333333333'],
  ['i32', -2147483648, 'INT32_MIN'],
  ['u32', 4294967295, '4294967295u'],
  ['i64', -(2n ** 63n), 'INT64_MIN'],
  ['u64', 2n ** 64n - 1n, 'UINT64_C(18446744073709551615)'],
  ['bool', true, 'true'],
] as const)('the %s constant %s is %s', (dtype, value, expected) => {
  expect(emitConstant(dtype, value)).toBe(expected);
});
