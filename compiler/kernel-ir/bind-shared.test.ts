import { describe, expect, test } from 'vitest';
import { dimVariable, indexVariable, int, zero } from '../symbolic/integer.ts';
import { bindShared } from './bind-shared.ts';
import type { Buffer, Kernel, KernelScalar, Statement } from './program.ts';
import { verifyKernel } from './verify.ts';

const N = dimVariable('N');
const i = indexVariable('i', N);
const x: Buffer = { name: 'x', dtype: 'f32', space: 'device', size: N };
const y: Buffer = { name: 'y', dtype: 'f32', space: 'device', size: N };
const loadX: KernelScalar = { kind: 'load', dtype: 'f32', buffer: { buffer: x }, index: i };
const loadY: KernelScalar = { kind: 'load', dtype: 'f32', buffer: { buffer: y }, index: i };
const one: KernelScalar = { kind: 'constant', dtype: 'f32', value: 1 };

function call(name: string, ...args: readonly KernelScalar[]): KernelScalar {
  return { kind: 'call', dtype: 'f32', name, args };
}

function store(value: KernelScalar): Statement {
  return { kind: 'store', buffer: y, index: i, value };
}

/** The body of the loop after binding, as short text. */
function bind(...body: readonly Statement[]): readonly string[] {
  const kernel: Kernel = {
    name: 'k',
    parameters: [
      { buffer: x, access: 'read', isSegmented: false },
      { buffer: y, access: 'read-write', isSegmented: false },
    ],
    integers: [{ name: 'N', value: N }],
    grid: [int(1)],
    body: [{ kind: 'loop', variable: 'i', extent: N, placement: 'serial', body }],
    about: { summary: 'k', bytes: zero, flops: zero, schedule: 'map' },
  };
  const bound = bindShared(kernel);
  verifyKernel(bound, 'cpu');
  const [loop] = bound.body;
  return loop?.kind === 'loop' ? loop.body.flatMap(show) : [];
}

function show(statement: Statement): string[] {
  switch (statement.kind) {
    case 'let':
      return [`${statement.name} = ${text(statement.value)}`];
    case 'accumulator':
      return [`var ${statement.name} = ${text(statement.initial)}`];
    case 'assign':
      return [`${statement.name} := ${text(statement.value)}`];
    case 'store':
      return [`${statement.buffer.name} <- ${text(statement.value)}`];
    case 'if':
      return [
        `if ${text(statement.condition)}`,
        ...statement.then.flatMap(show).map((s) => `  ${s}`),
      ];
    default:
      return [statement.kind];
  }
}

function text(scalar: KernelScalar): string {
  switch (scalar.kind) {
    case 'constant':
      return `${scalar.value}`;
    case 'load':
      return scalar.buffer.buffer.name;
    case 'variable':
      return scalar.name;
    case 'call':
      return `${scalar.name}(${scalar.args.map(text).join(', ')})`;
    case 'select':
      return `select(${[scalar.condition, scalar.then, scalar.otherwise].map(text).join(', ')})`;
    default:
      return scalar.kind;
  }
}

describe('bindShared', () => {
  test('names what is used twice and leaves the rest inline', () => {
    const exp = call('exp', loadX);
    expect(bind(store(call('mul', call('add', exp, one), exp)))).toEqual([
      't1 = exp(x)',
      'y <- mul(add(t1, 1), t1)',
    ]);
  });

  test('a deep chain of squares stays linear', () => {
    let value: KernelScalar = loadX;
    for (let depth = 0; depth < 60; depth++) value = call('mul', value, value);
    expect(bind(store(value))).toHaveLength(61);
  });

  test('is shared over statements until one changes what it reads', () => {
    const exp = call('exp', loadX);
    expect(bind(store(exp), store(exp))).toEqual(['t1 = exp(x)', 'y <- t1', 'y <- t1']);
    const own = call('exp', loadY);
    expect(bind(store(call('add', own, own)), store(own))).toEqual([
      't1 = exp(y)',
      'y <- add(t1, t1)',
      't2 = exp(y)',
      'y <- t2',
    ]);
  });

  test('a load stays behind the guard that protects it', () => {
    const exp = call('exp', loadX);
    const condition: KernelScalar = {
      kind: 'in-range',
      dtype: 'bool',
      conditions: [{ value: i, extent: int(4) }],
    };
    const guarded: KernelScalar = {
      kind: 'select',
      dtype: 'f32',
      condition,
      then: call('mul', exp, exp),
      otherwise: one,
      isGuard: true,
    };
    expect(bind(store(guarded))).toEqual([
      'var t1 = 1',
      'if in-range',
      '  t2 = exp(x)',
      '  t1 := mul(t2, t2)',
      'y <- t1',
    ]);
    // what is also needed outside is bound outside
    expect(bind(store(call('add', guarded, exp)))).toEqual([
      't1 = exp(x)',
      'y <- add(select(in-range, mul(t1, t1), 1), t1)',
    ]);
  });

  test('a value of a branch is not computed before it', () => {
    const exp = call('exp', loadX);
    const condition: KernelScalar = { kind: 'constant', dtype: 'bool', value: true };
    const branch: Statement = {
      kind: 'if',
      condition,
      then: [store(exp)],
      otherwise: [store(exp)],
    };
    expect(bind(branch)).toEqual(['if true', '  y <- exp(x)']);
  });

  test('an accumulator is read anew in each iteration', () => {
    const acc: KernelScalar = { kind: 'variable', dtype: 'f32', name: 'acc' };
    const exp = call('exp', acc);
    const lines = bind(
      { kind: 'accumulator', name: 'acc', dtype: 'f32', initial: one },
      store(exp),
      { kind: 'assign', name: 'acc', value: call('add', exp, one) },
      store(exp),
    );
    expect(lines).toEqual([
      'var acc = 1',
      't1 = exp(acc)',
      'y <- t1',
      'acc := add(t1, 1)',
      't2 = exp(acc)',
      'y <- t2',
    ]);
  });
});
