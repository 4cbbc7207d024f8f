/** Sums of products over shared axes: matrix products, batched and of any rank. */
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import {
  type Element,
  elementCount,
  isBig,
  makeArray,
  moveElements,
  type NdArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import {
  otherAxes,
  range,
  require,
  requireAxes,
  requireCount,
  requireSameDType,
  showType,
  tensorType,
} from './checks.ts';
import { inversePermutation } from './permute.ts';
import { addTangents, moveAxis, permuteTo } from './values.ts';

export type DotGeneralAttrs = {
  /** Axes of x and of y, pairwise of one size, that are summed over. */
  readonly contracting: readonly [readonly number[], readonly number[]];
  /** Axes of x and of y, pairwise of one size, that stay and come first. */
  readonly batch: readonly [readonly number[], readonly number[]];
};

/** The result's axes: batch, then the other axes of x, then the other axes of y. Linear in each operand. */
export const dotGeneral: Primitive<DotGeneralAttrs> = definePrimitive<DotGeneralAttrs>({
  name: 'dot_general',
  inferType: (operands, attrs) => {
    requireCount('dot_general', operands, 2);
    const [x, y] = operands;
    requireSameDType('dot_general', x!, y!);
    require(x!.dtype !== 'bool', () => `dot_general takes numbers, found ${showType(x!)}`);
    const { contracting, batch } = attrs;
    [x!, y!].forEach((type, side) => {
      requireAxes('dot_general', [...batch[side]!, ...contracting[side]!], type.shape.length);
    });
    for (const [inX, inY] of [contracting, batch]) {
      const fits =
        inX.length === inY.length && inX.every((axis, i) => x!.shape[axis] === y!.shape[inY[i]!]);
      require(fits, () =>
        `dot_general needs equal sizes on axes (${inX.join(', ')}) of ${showType(x!)} and (${inY.join(', ')}) of ${showType(y!)}`);
    }
    const [freeX, freeY] = freeAxes(x!.shape.length, y!.shape.length, attrs);
    return [
      tensorType(x!.dtype, [
        ...batch[0].map((axis) => x!.shape[axis]!),
        ...freeX.map((axis) => x!.shape[axis]!),
        ...freeY.map((axis) => y!.shape[axis]!),
      ]),
    ];
  },
  evaluate: ([x, y], attrs) => [multiplyArrays(x!, y!, attrs)],
  jvp: (b, op, [dx, dy]) => {
    const [x, y] = op.operands;
    return [
      addTangents(
        b,
        dx && b.apply(dotGeneral, [dx, y!], op.attrs),
        dy && b.apply(dotGeneral, [x!, dy], op.attrs),
      ),
    ];
  },
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return [undefined, undefined];
    return isLinear[0]
      ? [transposeLeft(b, cotangent, op.operands[0]!, op.operands[1]!, op.attrs), undefined]
      : [undefined, transposeRight(b, cotangent, op.operands[0]!, op.operands[1]!, op.attrs)];
  },
  batch: (b, op, [x, y], [isXMapped, isYMapped]) => {
    const shift = (axes: readonly number[], isMapped: boolean): number[] =>
      axes.map((axis) => (isMapped ? axis + 1 : axis));
    const { contracting, batch } = op.attrs;
    const newContracting = [shift(contracting[0], isXMapped!), shift(contracting[1], isYMapped!)];
    const newBatch = [shift(batch[0], isXMapped!), shift(batch[1], isYMapped!)];
    const isBoth = isXMapped! && isYMapped!;
    const result = b.apply(dotGeneral, [x!, y!], {
      contracting: [newContracting[0]!, newContracting[1]!],
      batch: isBoth
        ? [
            [0, ...newBatch[0]!],
            [0, ...newBatch[1]!],
          ]
        : [newBatch[0]!, newBatch[1]!],
    });
    if (isBoth) return [result];
    // the batch is the first free axis of its operand
    const [freeX] = freeAxes(op.operands[0]!.type.shape.length, 0, op.attrs);
    const place = batch[0].length + (isXMapped ? 0 : freeX.length);
    return [moveAxis(b, result, place, 0)];
  },
  cost: { flops: 2 },
  lower: { kind: 'contraction' },
});

/** The axes of each operand that are neither contracted nor batch, in order. */
export function freeAxes(
  rankX: number,
  rankY: number,
  { contracting, batch }: DotGeneralAttrs,
): readonly [readonly number[], readonly number[]] {
  return [
    otherAxes(rankX, [...contracting[0], ...batch[0]]),
    otherAxes(rankY, [...contracting[1], ...batch[1]]),
  ];
}

/**
 * The cotangent of x: the result's cotangent contracted with y over y's free axes has the axes batch, free of x, and the
 * contracted ones in the order that they have in y; they are then put where x has them.
 */
function transposeLeft(b: Builder, c: Value, x: Value, y: Value, attrs: DotGeneralAttrs): Value {
  const { contracting, batch } = attrs;
  const [freeX, freeY] = freeAxes(x.type.shape.length, y.type.shape.length, attrs);
  const batchCount = batch[0].length;
  const product = b.apply(dotGeneral, [c, y], {
    contracting: [range(freeY.length).map((i) => batchCount + freeX.length + i), freeY],
    batch: [range(batchCount), batch[1]],
  });
  // axis i of the product is axis places[i] of x
  const inOrderOfY = range(contracting[0].length).sort(
    (i, j) => contracting[1][i]! - contracting[1][j]!,
  );
  const places = [...batch[0], ...freeX, ...inOrderOfY.map((i) => contracting[0][i]!)];
  return permuteTo(b, product, inversePermutation(places));
}

/** The cotangent of y, likewise: x is put on the left so that its batch axes come first. */
function transposeRight(b: Builder, c: Value, x: Value, y: Value, attrs: DotGeneralAttrs): Value {
  const { contracting, batch } = attrs;
  const [freeX, freeY] = freeAxes(x.type.shape.length, y.type.shape.length, attrs);
  const batchCount = batch[0].length;
  const product = b.apply(dotGeneral, [x, c], {
    contracting: [freeX, range(freeX.length).map((i) => batchCount + i)],
    batch: [batch[0], range(batchCount)],
  });
  const inOrderOfX = range(contracting[0].length).sort(
    (i, j) => contracting[0][i]! - contracting[0][j]!,
  );
  const places = [...batch[1], ...inOrderOfX.map((i) => contracting[1][i]!), ...freeY];
  return permuteTo(b, product, inversePermutation(places));
}

/** Brings both operands to [batch, free, contracted] and sums in double precision (integers: wrapping). */
function multiplyArrays(x: NdArray, y: NdArray, attrs: DotGeneralAttrs): NdArray {
  const { contracting, batch } = attrs;
  const [freeX, freeY] = freeAxes(x.shape.length, y.shape.length, attrs);
  const left = permuteArray(x, [...batch[0], ...freeX, ...contracting[0]]);
  const right = permuteArray(y, [...batch[1], ...freeY, ...contracting[1]]);
  const sizes = (of: NdArray, axes: readonly number[]): number[] => axes.map((a) => of.shape[a]!);
  const shape = [...sizes(x, batch[0]), ...sizes(x, freeX), ...sizes(y, freeY)];
  const result = makeArray(x.dtype, shape);
  const rows = elementCount(sizes(x, freeX));
  const columns = elementCount(sizes(y, freeY));
  const depth = elementCount(sizes(x, contracting[0]));
  const dot = isFloat(x.dtype) ? dotOfFloats : dotOfIntegers;
  for (let i = 0; i < result.data.length; i++) {
    const group = Math.floor(i / (rows * columns));
    const row = group * rows + (Math.floor(i / columns) % rows);
    const column = group * columns + (i % columns);
    setElement(result.data, i, dot(left, row * depth, right, column * depth, depth));
  }
  return result;
}

function permuteArray(x: NdArray, permutation: readonly number[]): NdArray {
  const strides = stridesOf(x.shape);
  const source = permutation.map((axis) => strides[axis]!);
  const shape = permutation.map((axis) => x.shape[axis]!);
  return moveElements(x, shape, (index) => offsetOf(index, source));
}

function dotOfFloats(x: NdArray, xStart: number, y: NdArray, yStart: number, n: number): Element {
  const a = x.data as Float64Array;
  const c = y.data as Float64Array;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += a[xStart + i]! * c[yStart + i]!;
  return sum;
}

function dotOfIntegers(x: NdArray, xStart: number, y: NdArray, yStart: number, n: number): Element {
  const mul = scalarFunction('mul');
  const add = scalarFunction('add');
  let sum: Element = isBig(x.dtype) ? 0n : 0;
  for (let i = 0; i < n; i++) {
    const term = evaluateScalar(mul, x.dtype, x.data[xStart + i]!, y.data[yStart + i]!);
    sum = evaluateScalar(add, x.dtype, sum, term);
  }
  return sum;
}
