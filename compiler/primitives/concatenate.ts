/** Tensors one after another along an axis. */

import type { KernelScalar } from '../kernel-ir/program.ts';
import { add, type Int, one, subtract, sum, zero } from '../symbolic/integer.ts';
import { isBig, makeArray, type NdArray } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type ElementBuilder, type Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import {
  isSameShape,
  range,
  require,
  requireAxes,
  requireSameDType,
  showType,
  tensorType,
  withoutAxes,
} from './checks.ts';
import { jointlyLinear } from './families.ts';
import { slice } from './slice.ts';
import { asMapped } from './values.ts';

export type ConcatenateAttrs = { readonly axis: number };

/** At least one operand; all sizes but that of `axis` are equal. Linear in all operands. */
export const concatenate: Primitive<ConcatenateAttrs> = definePrimitive<ConcatenateAttrs>({
  name: 'concatenate',
  inferType: (operands, { axis }) => {
    require(operands.length > 0, () => 'concatenate needs at least one operand');
    const first = operands[0]!;
    requireAxes('concatenate', [axis], first.shape.length);
    for (const x of operands) {
      requireSameDType('concatenate', first, x);
      require(isSameShape(withoutAxes(first.shape, [axis]), withoutAxes(x.shape, [axis])), () =>
        `concatenate along axis ${axis} needs the other sizes equal, found ${showType(first)} and ${showType(x)}`);
    }
    const size = sum(operands.map((x) => x.shape[axis]!));
    return [
      tensorType(
        first.dtype,
        first.shape.map((s, i) => (i === axis ? size : s)),
      ),
    ];
  },
  evaluate: (operands, { axis }) => [concatenateArrays(operands, axis)],
  jvp: jointlyLinear(
    () => concatenate,
    (operands) => range(operands.length),
  ),
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return op.operands.map(() => undefined);
    const { axis } = op.attrs;
    const offsets = offsetsOf(op.operands, axis);
    return op.operands.map((x, i) => {
      if (!isLinear[i]) return undefined;
      const { shape } = x.type;
      const start = shape.map((_, a) => (a === axis ? offsets[i]! : zero));
      const stop = shape.map((size, a) => add(start[a]!, size));
      return b.apply(slice, [cotangent], { start, stop, step: shape.map(() => one) });
    });
  },
  batch: (b, op, operands, isMapped, size) => [
    b.apply(
      concatenate,
      operands.map((x, i) => asMapped(b, x, isMapped[i]!, size)),
      { axis: op.attrs.axis + 1 },
    ),
  ],
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const offsets = offsetsOf(op.operands, op.attrs.axis);
      return readFrom(k, op.operands, op.attrs.axis, index, offsets, 0);
    },
  },
});

/** Where each operand starts along the axis. */
function offsetsOf(operands: readonly Value[], axis: number): readonly Int[] {
  let offset = zero;
  return operands.map((x) => {
    const start = offset;
    offset = add(offset, x.type.shape[axis]!);
    return start;
  });
}

function readFrom(
  k: ElementBuilder,
  operands: readonly Value[],
  axis: number,
  index: readonly Int[],
  offsets: readonly Int[],
  operand: number,
): KernelScalar {
  const local = subtract(index[axis]!, offsets[operand]!);
  const read = (): KernelScalar =>
    k.read(
      operand,
      index.map((i, a) => (a === axis ? local : i)),
    );
  if (operands.length === 1) return read();
  const { dtype, shape } = operands[operand]!.type;
  // the last one too: what stands outside a guard may be computed whatever the guard says
  return k.whereInRange([{ value: local, extent: shape[axis]! }], read, () =>
    operand === operands.length - 1
      ? k.constant(isBig(dtype) ? 0n : 0, dtype)
      : readFrom(k, operands, axis, index, offsets, operand + 1),
  );
}

/** Concatenation of arrays, by runs: each operand gives `size of its axis * elements behind it` in a row. */
export function concatenateArrays(operands: readonly NdArray[], axis: number): NdArray {
  const first = operands[0]!;
  const size = operands.reduce((n, x) => n + x.shape[axis]!, 0);
  const result = makeArray(
    first.dtype,
    first.shape.map((s, i) => (i === axis ? size : s)),
  );
  const behind = first.shape.slice(axis + 1).reduce((n, s) => n * s, 1);
  const before = first.shape.slice(0, axis).reduce((n, s) => n * s, 1);
  let offset = 0;
  for (let row = 0; row < before; row++) {
    for (const x of operands) {
      const run = x.shape[axis]! * behind;
      (result.data as Float64Array).set(
        (x.data as Float64Array).subarray(row * run, (row + 1) * run),
        offset,
      );
      offset += run;
    }
  }
  return result;
}
