/**
 * Straight-line functions drawn from a list of numbers: each number picks an operation, its operands and attrs among those
 * that fit. Every list gives a well-typed function, so fast-check can shrink lists freely.
 */
import * as p from '../../compiler/primitives/registry.ts';
import { int, one, zero } from '../../compiler/symbolic/integer.ts';
import { Builder, makeValue } from '../../compiler/tensor-ir/builder.ts';
import { type DType, isFloat, isInteger } from '../../compiler/tensor-ir/dtype.ts';
import type { Attrs, Func, TensorType, Value } from '../../compiler/tensor-ir/program.ts';
import { tensor } from './functions.ts';

export interface RandomProgramOptions {
  readonly dtype: DType;
  /** Only functions with derivatives everywhere, on values that stay small. */
  readonly isSmooth?: boolean;
}

/** Takes decisions from a list, then zeros. */
class Decisions {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get isOver(): boolean {
    return this.#next >= this.#numbers.length;
  }

  choose<T>(items: readonly T[]): T {
    const number = this.#numbers[this.#next++] ?? 0;
    return items[number % items.length]!;
  }
}

const smoothUnary = ['sin', 'cos', 'tanh', 'neg', 'logistic', 'atan', 'erf', 'asinh'];
// no quotient by a value that may be zero: rules may change the sign of a zero, and so that of an infinity
const roughUnary = ['abs', 'sign', 'floor', 'round', 'exp', 'log', 'sqrt', 'trunc'];
const roughBinary = ['max', 'min'];
const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
const integerBinary = ['add', 'sub', 'mul', 'max', 'min', 'floor_div', 'rem', 'and', 'or', 'xor'];

type Step = (b: Builder, pool: readonly Value[], d: Decisions) => Value | undefined;

function apply(b: Builder, name: string, operands: readonly Value[], attrs: Attrs = {}): Value {
  return b.apply(p.primitive(name), operands, attrs);
}

function sameType(x: Value, y: Value): boolean {
  return x.type.dtype === y.type.dtype && sameShape(x, y);
}

function sameShape(x: Value, y: Value): boolean {
  return (
    x.type.shape.length === y.type.shape.length &&
    x.type.shape.every((size, i) => size === y.type.shape[i])
  );
}

function partner(x: Value, pool: readonly Value[], d: Decisions): Value {
  return d.choose(pool.filter((y) => sameType(x, y)));
}

function unaryStep({ dtype, isSmooth }: RandomProgramOptions): Step {
  return (b, pool, d) => {
    const x = d.choose(pool);
    if (x.type.dtype === 'bool') return apply(b, 'not', [x]);
    if (!isFloat(dtype)) return apply(b, d.choose(['neg', 'abs', 'sign']), [x]);
    if (!isFloat(x.type.dtype)) return undefined;
    return apply(b, d.choose(isSmooth ? smoothUnary : [...smoothUnary, ...roughUnary]), [x]);
  };
}

function binaryStep({ isSmooth }: RandomProgramOptions): Step {
  return (b, pool, d) => {
    const x = d.choose(pool);
    const y = partner(x, pool, d);
    if (x.type.dtype === 'bool') return apply(b, d.choose(['and', 'or', 'xor']), [x, y]);
    if (isInteger(x.type.dtype)) return apply(b, d.choose(integerBinary), [x, y]);
    const plain = ['add', 'sub', 'mul'];
    return apply(b, d.choose(isSmooth ? plain : [...plain, ...roughBinary]), [x, y]);
  };
}

const constants = [0, 1, -1, 2, 0.5, -0, 3, -4, 0.1];

const operators = ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow'];

/** A value and a constant: where most identities apply. */
function withConstantStep({ dtype, isSmooth }: RandomProgramOptions): Step {
  return (b, pool, d) => {
    const x = d.choose(pool);
    const { shape } = x.type;
    if (x.type.dtype === 'bool') {
      const c = apply(b, 'constant', [], { dtype: 'bool', shape, value: d.choose([true, false]) });
      return apply(
        b,
        d.choose(['and', 'or']),
        d.choose([
          [x, c],
          [c, x],
        ]),
      );
    }
    const value = d.choose(isFloat(dtype) ? [0, 1, -1, 2, 4, 0.5, -0.25, 3] : [0, 1, -1, 2, 5]);
    const c = apply(b, 'constant', [], { dtype, shape, value });
    const name = d.choose(isFloat(dtype) ? operators : integerBinary);
    if (name === 'div') return value === 0 ? undefined : apply(b, 'div', [x, c]);
    if (name === 'pow') return isSmooth || value < 0 ? undefined : apply(b, 'pow', [x, c]);
    if (isSmooth && (name === 'max' || name === 'min')) return undefined;
    return apply(
      b,
      name,
      d.choose([
        [x, c],
        [c, x],
      ]),
    );
  };
}

function convertStep({ dtype }: RandomProgramOptions): Step {
  return (b, pool, d) => {
    const x = d.choose(pool);
    const wide = apply(b, 'convert', [x], {
      dtype: d.choose(['f64', 'i64', 'i32', 'bool'] as const),
    });
    return apply(b, 'convert', [wide], { dtype });
  };
}

function constantStep({ dtype, isSmooth }: RandomProgramOptions): Step {
  return (b, pool, d) => {
    const { shape } = d.choose(pool).type;
    const special = isSmooth || !isFloat(dtype) ? [] : [NaN, Infinity, -Infinity, 1e30];
    const number = d.choose([...constants, ...special]);
    const value = isFloat(dtype) ? number : Math.trunc(number) + 0;
    return apply(b, 'constant', [], { dtype, shape, value });
  };
}

const selectStep: Step = (b, pool, d) => {
  const numbers = pool.filter((v) => v.type.dtype !== 'bool');
  if (numbers.length === 0) return undefined;
  const x = d.choose(numbers);
  const conditions = pool.filter((c) => c.type.dtype === 'bool' && sameShape(c, x));
  const condition =
    conditions.length > 0 && d.choose([true, false])
      ? d.choose(conditions)
      : apply(b, d.choose(comparisons), [x, partner(x, pool, d)]);
  return d.choose([true, true, false])
    ? apply(b, 'select', [condition, partner(x, pool, d), partner(x, pool, d)])
    : condition;
};

const viewStep: Step = (b, pool, d) => {
  const x = d.choose(pool);
  const rank = x.type.shape.length;
  if (rank === 0) return apply(b, 'broadcast', [x], { shape: [int(3)], axes: [] });
  if (rank === 1) {
    const size = x.type.shape[0]!;
    return d.choose([
      () => apply(b, 'broadcast', [x], { shape: [int(2), size], axes: [1] }),
      () => apply(b, 'broadcast', [x], { shape: [size, int(2)], axes: [0] }),
      () => apply(b, 'reshape', [x], { shape: [one, size] }),
      () => apply(b, 'reverse', [x], { axes: [0] }),
      () => apply(b, 'slice', [x], { start: [zero], stop: [size], step: [one] }),
      () => apply(b, 'concatenate', [x, partner(x, pool, d)], { axis: 0 }),
    ])();
  }
  const [rows, columns] = x.type.shape;
  return d.choose([
    () => apply(b, 'permute', [x], { permutation: [1, 0] }),
    () => apply(b, 'permute', [x], { permutation: [0, 1] }),
    () => apply(b, 'reshape', [x], { shape: [columns!, rows!] }),
    () => apply(b, 'slice', [x], { start: [zero, zero], stop: [one, columns!], step: [one, one] }),
    () => apply(b, 'reverse', [x], { axes: [1] }),
  ])();
};

const reduceStep: Step = (b, pool, d) => {
  const numbers = pool.filter((v) => v.type.dtype !== 'bool');
  if (numbers.length === 0) return undefined;
  const x = d.choose(numbers);
  const rank = x.type.shape.length;
  const axes = d.choose([[], ...(rank > 0 ? [[0]] : []), ...(rank > 1 ? [[1], [0, 1]] : [])]);
  const names = ['reduce_sum', 'reduce_sum', 'reduce_max', 'reduce_min'];
  return apply(b, d.choose(names), [x], { axes });
};

const sumStep: Step = (b, pool, d) => {
  const x = d.choose(pool);
  const rank = x.type.shape.length;
  return apply(b, 'reduce_sum', [x], {
    axes: d.choose(rank > 1 ? [[0], [1], [0, 1]] : rank > 0 ? [[0]] : [[]]),
  });
};

const contractStep: Step = (b, pool, d) => {
  const matrices = pool.filter((v) => v.type.shape.length === 2 && v.type.dtype !== 'bool');
  if (matrices.length === 0) return undefined;
  const x = d.choose(matrices);
  const axis = d.choose([0, 1]);
  const fits = matrices.flatMap((y) =>
    [0, 1].flatMap((other) => (y.type.shape[other] === x.type.shape[axis] ? [{ y, other }] : [])),
  );
  const { y, other } = d.choose(fits);
  const attrs = { contracting: [[axis], [other]], batch: [[], []] };
  return apply(b, 'dot_general', [x, y], attrs);
};

/** The function that the numbers pick; its results are its last three values. */
export function randomProgram(numbers: readonly number[], options: RandomProgramOptions): Func {
  const d = new Decisions(numbers);
  const { dtype, isSmooth } = options;
  const types: readonly TensorType[] = [tensor(dtype, 2, 3), tensor(dtype, 3), tensor(dtype)];
  const parameters = types.map((type, i) => makeValue(type, `x${i}`));
  const b = new Builder();
  const pool = [...parameters];
  const rough = isSmooth ? [sumStep] : [selectStep, reduceStep, convertStep(options)];
  const steps = [
    unaryStep(options),
    binaryStep(options),
    binaryStep(options),
    constantStep(options),
    withConstantStep(options),
    withConstantStep(options),
    viewStep,
    contractStep,
    ...rough,
  ];
  while (!d.isOver) {
    // recent values make chains, in which rules find something to do
    const value = d.choose(steps)(b, pool.slice(-8), d);
    if (value !== undefined) pool.push(value);
  }
  return b.finish('random', parameters, pool.slice(-3));
}
