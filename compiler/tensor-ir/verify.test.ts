import { describe, expect, test } from 'vitest';
import { add, cond, exp, vmap } from '../primitives/registry.ts';
import { dimVariable, int } from '../symbolic/integer.ts';
import { Builder, makeValue } from './builder.ts';
import type { Entry, Func, LeafType, TensorType, Tree } from './program.ts';
import { verifyFunction, verifyProgram } from './verify.ts';

const vector: TensorType = { dtype: 'f32', shape: [int(3)] };
const bool: TensorType = { dtype: 'bool', shape: [] };

function double(): Func {
  const x = makeValue(vector, 'x');
  const b = new Builder();
  return b.finish('double', [x], [b.apply(add, [x, x], {})]);
}

describe('verifyFunction', () => {
  test('accepts what the builder makes', () => {
    verifyFunction(double(), 'plain');
  });

  test('refuses a value read before it is defined', () => {
    const func = double();
    const stray = makeValue(vector);
    const body = func.body.map((op) => ({ ...op, operands: [stray, stray] }));
    expect(() => verifyFunction({ ...func, body }, 'plain')).toThrow(
      'double: it reads a value that is not defined before it in its function, in `%1 = add %undefined, %undefined : f32[3]`',
    );
  });

  test('refuses a region that reads from outside', () => {
    const x = makeValue(vector);
    const c = makeValue(bool);
    const b = new Builder();
    const inner = new Builder();
    const open = inner.finish('open', [makeValue(vector)], [inner.apply(exp, [x], {})]);
    const func = b.finish('outer', [c, x], [b.apply(cond, [c, x], {}, [double(), open])]);
    expect(() => verifyFunction(func, 'plain')).toThrow('open: it reads a value');
  });

  test('refuses a value defined twice', () => {
    const func = double();
    const body = [...func.body, ...func.body];
    expect(() => verifyFunction({ ...func, body }, 'plain')).toThrow('a value is defined twice');
  });

  test('refuses a result type other than the inferred one', () => {
    const func = double();
    const result = makeValue({ dtype: 'f32', shape: [int(4)] });
    const body = func.body.map((op) => ({ ...op, results: [result] }));
    expect(() => verifyFunction({ ...func, body, results: [result] }, 'plain')).toThrow(
      'result 0 is f32[4], but inferType gives f32[3]',
    );
  });

  test('refuses operands that do not fit, in the words of the primitive', () => {
    const func = double();
    const y = makeValue({ dtype: 'f32', shape: [int(4)] });
    const body = func.body.map((op) => ({ ...op, operands: [func.parameters[0]!, y] }));
    const parameters = [...func.parameters, y];
    expect(() => verifyFunction({ ...func, parameters, body }, 'plain')).toThrow(
      'add needs equal shapes, found f32[3] and f32[4]',
    );
  });

  test('refuses transformation operations in a plain function', () => {
    const x = makeValue({ dtype: 'f32', shape: [int(2), int(3)] });
    const b = new Builder();
    const attrs = { inAxes: [0], outAxes: [0], size: int(2) };
    const func = b.finish('mapped', [x], [b.apply(vmap, [x], attrs, [double()])]);
    verifyFunction(func, 'traced');
    expect(() => verifyFunction(func, 'plain')).toThrow('should have been removed by transforms');
  });
});

describe('verifyProgram', () => {
  const leaf = (type: TensorType): Tree<LeafType> => ({ kind: 'leaf', leaf: { type } });

  function entry(over: Partial<Entry> = {}): Entry {
    return {
      name: 'double',
      doc: '',
      parameters: [{ name: 'x', tree: leaf(vector) }],
      result: leaf(vector),
      func: double(),
      dims: [],
      guards: [],
      ...over,
    };
  }

  test('accepts a signature whose leaves are the parameters and results', () => {
    verifyProgram({ stage: 'plain', entries: [entry()] });
  });

  test('refuses other leaves', () => {
    const result: Tree<LeafType> = { kind: 'tuple', items: [leaf(vector), leaf(vector)] };
    expect(() => verifyProgram({ stage: 'plain', entries: [entry({ result })] })).toThrow(
      'entry double: results: 2 leaves in the signature, 1 in the function',
    );
  });

  test('refuses a dim that the entry does not list', () => {
    const type: TensorType = { dtype: 'f32', shape: [dimVariable('N')] };
    const x = makeValue(type);
    const func = new Builder().finish('same', [x], [x]);
    const parameters = [{ name: 'x', tree: leaf(type) }];
    const bad = entry({ func, parameters, result: leaf(type) });
    expect(() => verifyProgram({ stage: 'plain', entries: [bad] })).toThrow(
      'dim N is not in its list',
    );
    verifyProgram({ stage: 'plain', entries: [{ ...bad, dims: ['N'] }] });
  });
});
