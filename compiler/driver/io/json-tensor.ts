/** Tensors as JSON: nested lists of numbers. */
import { makeTypedArray, writeElement } from '../../../runtime/typed-array.ts';
import type { PlanLeaf } from '../../plan/plan.ts';
import { type DType, integerRange, isFloat, storageOf } from '../../tensor-ir/dtype.ts';
import { FileProblem } from '../errors.ts';
import { asNumbers, elementAt, type HostTensor } from './host-tensor.ts';

function problem(place: string, message: string, hint?: string): FileProblem {
  return new FileProblem('MLX5020', place, message, hint);
}

const wordNumbers: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  '-inf': -Infinity,
  NaN: Number.NaN,
  Infinity,
  '-Infinity': -Infinity,
};

/** The lengths of nested lists; MLX5020 when they are ragged. */
function shapeOf(value: unknown, place: string): number[] {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  const check = (part: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (Array.isArray(part)) throw problem(place, 'its lists differ in depth');
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[depth]) {
      throw problem(
        place,
        `its lists differ in length at depth ${depth + 1}`,
        'every row of a tensor has the same length',
      );
    }
    for (const item of part) check(item, depth + 1);
  };
  check(value, 0);
  return shape;
}

/** The value as a number that `dtype` can hold. */
function checked(value: unknown, dtype: DType, place: string): number {
  if (typeof value === 'string' && isFloat(dtype) && Object.hasOwn(wordNumbers, value)) {
    return checked(wordNumbers[value], dtype, place);
  }
  if (typeof value === 'boolean') {
    if (dtype !== 'bool') throw problem(place, `expected ${dtype}, found ${value}`);
    return value ? 1 : 0;
  }
  if (typeof value !== 'number') {
    throw problem(place, `expected a number (${dtype}), found ${JSON.stringify(value)}`);
  }
  if (isFloat(dtype)) return value;
  if (dtype === 'bool') throw problem(place, `expected true or false, found ${value}`);
  const { min, max } = integerRange(dtype);
  if (!Number.isInteger(value) || BigInt(value) < min || BigInt(value) > max) {
    throw problem(place, `${value} is not an ${dtype} (a whole number from ${min} to ${max})`);
  }
  return value;
}

/**
 * A tensor from parsed JSON, with the dtype that the parameter wants. A key may be given by its seed, as `key(seed)` makes
 * it. Errors: MLX5020 (not numbers, ragged, out of range, wrong rank).
 */
export function tensorFromJson(value: unknown, expected: PlanLeaf, place: string): HostTensor {
  if (expected.isKey === true && expected.shape.length === 1 && typeof value === 'number') {
    const seed = BigInt.asUintN(64, BigInt(Math.trunc(value)));
    return {
      dtype: 'u32',
      shape: [2],
      data: Uint32Array.of(Number(seed >> 32n), Number(seed & 0xffffffffn)),
    };
  }
  const { dtype, width } = storageOf(expected.dtype);
  const found = shapeOf(value, place);
  if (width === 2 && found.at(-1) !== 2) {
    throw problem(place, 'holds no complex numbers', 'each is a pair: [re, im]');
  }
  const shape = width === 2 ? found.slice(0, -1) : found;
  if (shape.length !== expected.shape.length && !shape.includes(0)) {
    throw problem(
      place,
      `expected ${expected.shape.length} axes (${expected.dtype}[${expected.shape.join(', ')}]), found ${shape.length}`,
    );
  }
  const flat: unknown[] = [];
  const flatten = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) flatten(item);
    else flat.push(part);
  };
  flatten(value);
  const data = makeTypedArray(dtype, flat.length);
  flat.forEach((item, i) => {
    writeElement(dtype, data, i, checked(item, dtype, place));
  });
  return { dtype: expected.dtype, shape, data };
}

/** Nested lists of the elements; a complex number is a list [re, im]. */
export function tensorToJson(tensor: HostTensor): unknown {
  const numbers = asNumbers(tensor);
  const { shape } = numbers;
  const build = (axis: number, start: number, count: number): unknown => {
    if (axis === shape.length) return elementAt(numbers, start);
    const length = shape[axis]!;
    const step = length === 0 ? 0 : count / length;
    return Array.from({ length }, (_, i) => build(axis + 1, start + i * step, step));
  };
  return build(0, 0, tensor.data.length);
}
