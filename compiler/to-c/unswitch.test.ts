import { expect, test } from 'vitest';
import type { Buffer, Kernel, KernelScalar, Loop } from '../kernel-ir/program.ts';
import { add, dimVariable, type Int, indexVariable, int, zero } from '../symbolic/integer.ts';
import { unswitchLoops } from './unswitch.ts';

const size = int(8);
const v = indexVariable('v', size);
const row = dimVariable('R');
const buffer = (name: string): Buffer => ({ name, dtype: 'f32', space: 'device', size });

function guarded(value: Int, then: KernelScalar): KernelScalar {
  return {
    kind: 'select',
    dtype: 'f32',
    condition: { kind: 'in-range', dtype: 'bool', conditions: [{ value, extent: int(4) }] },
    then,
    otherwise: { kind: 'constant', dtype: 'f32', value: 0 },
    isGuard: true,
  };
}

const loaded: KernelScalar = {
  kind: 'load',
  dtype: 'f32',
  buffer: { buffer: buffer('x') },
  index: v,
};

function kernelOf(value: KernelScalar): Kernel {
  const loop: Loop = {
    kind: 'loop',
    variable: 'v',
    extent: size,
    placement: 'vector',
    body: [{ kind: 'store', buffer: buffer('y'), index: v, value }],
  };
  return {
    name: 'k',
    parameters: [],
    integers: [],
    grid: [],
    body: [loop],
    about: { summary: '', bytes: zero, flops: zero, schedule: 'map' },
  };
}

/** Tests and loops from outside in; each loop by the kind of what it stores. */
function outline(statements: Kernel['body']): unknown {
  return statements.map((s) => {
    if (s.kind === 'if') return { then: outline(s.then), otherwise: outline(s.otherwise) };
    if (s.kind === 'loop') return outline(s.body);
    return s.kind === 'store' ? s.value.kind : s.kind;
  });
}

test('a test of a dim leaves the loop', () => {
  const { body } = unswitchLoops(kernelOf(guarded(row, loaded)));
  expect(outline(body)).toEqual([{ then: [['load']], otherwise: [['constant']] }]);
});

test('a test inside another is not repeated where the outer one fails', () => {
  const { body } = unswitchLoops(kernelOf(guarded(row, guarded(add(row, int(-1)), loaded))));
  expect(outline(body)).toEqual([
    { then: [{ then: [['load']], otherwise: [['constant']] }], otherwise: [['constant']] },
  ]);
});

test('a test of the loop variable stays', () => {
  const { body } = unswitchLoops(kernelOf(guarded(v, loaded)));
  expect(outline(body)).toEqual([['select']]);
});
