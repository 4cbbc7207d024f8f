/** Sliding windows as views: each window a row of a new axis, and the transpose that puts windows back where they were. */
import {
  add,
  constantValue,
  floordiv,
  type Int,
  int,
  mod,
  multiply,
  one,
  subtract,
} from '../symbolic/integer.ts';
import {
  forEachIndex,
  isBig,
  makeArray,
  moveElements,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { TensorType } from '../tensor-ir/program.ts';
import {
  isSurelyLess,
  require,
  requireAxes,
  requireCount,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { batchAttrs, jointlyLinear } from './families.ts';

export type WindowAttrs = {
  /** The axis along which the windows stand. */
  readonly axis: number;
  /** The axis along which the elements of one window stand. */
  readonly window: number;
  /** The size of `axis` in the result. */
  readonly size: Int;
  /** From one window to the next, and from one element of a window to the next: at least 1. */
  readonly stride: number;
  readonly dilation: number;
};

/**
 * `result[.., o, .., k, ..] = x[.., o*stride + k*dilation, .., k, ..]` where o runs along `axis` and k along axis `window`. Of a
 * tensor repeated along `window` these are its sliding windows. Linear.
 */
export const windowSlice: Primitive<WindowAttrs> = definePrimitive<WindowAttrs>({
  name: 'window_slice',
  inferType: (operands, attrs) => {
    const x = checkWindow('window_slice', operands, attrs);
    const { axis, window, size } = attrs;
    const needed = spread(size, x.shape[window]!, attrs);
    const isEmpty = [size, x.shape[window]!].some((n) => constantValue(n) === 0);
    require(isEmpty || !isSurelyLess(x.shape[axis]!, needed), () =>
      `window_slice of ${showType(x)} needs ${showShape([needed])} elements along axis ${axis}`);
    return [withSize(x, attrs)];
  },
  evaluate: ([x], attrs, context) => {
    const strides = stridesOf(x!.shape);
    const source = strides.map((stride, axis) => {
      if (axis === attrs.axis) return stride * attrs.stride;
      return axis === attrs.window ? stride + strides[attrs.axis]! * attrs.dilation : stride;
    });
    const shape = context.resultTypes[0]!.shape.map(context.size);
    return [moveElements(x!, shape, (index) => offsetOf(index, source))];
  },
  jvp: jointlyLinear(
    () => windowSlice,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return [undefined];
    const size = op.operands[0]!.type.shape[op.attrs.axis]!;
    return [b.apply(windowPad, [cotangent], { ...op.attrs, size })];
  },
  batch: batchAttrs(() => windowSlice, shiftAxes),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, { attrs }, index) =>
      k.read(
        0,
        index.with(
          attrs.axis,
          add(
            multiply(index[attrs.axis]!, int(attrs.stride)),
            multiply(index[attrs.window]!, int(attrs.dilation)),
          ),
        ),
      ),
  },
});

/**
 * `result[.., n, .., k, ..] = x[.., (n - k*dilation) / stride, .., k, ..]` for n < `size`, and 0 where there is no such element.
 * Its sum over `window` is overlap-add. Linear; the transpose of `windowSlice`.
 */
export const windowPad: Primitive<WindowAttrs> = definePrimitive<WindowAttrs>({
  name: 'window_pad',
  inferType: (operands, attrs) => {
    const x = checkWindow('window_pad', operands, attrs);
    const { axis, window, size } = attrs;
    const needed = spread(x.shape[axis]!, x.shape[window]!, attrs);
    const isEmpty = [axis, window].some((a) => constantValue(x.shape[a]!) === 0);
    require(isEmpty || !isSurelyLess(size, needed), () =>
      `window_pad of ${showType(x)} needs ${showShape([needed])} elements along axis ${axis}, found ${showShape([size])}`);
    return [withSize(x, attrs)];
  },
  evaluate: ([x], { axis, window, stride, dilation }, context) => {
    const count = x!.shape[axis]!;
    const strides = stridesOf(x!.shape);
    const result = makeArray(x!.dtype, context.resultTypes[0]!.shape.map(context.size));
    forEachIndex(result.shape, (index, offset) => {
      const place = (index[axis]! - index[window]! * dilation) / stride;
      if (!Number.isInteger(place) || place < 0 || place >= count) return;
      setElement(result.data, offset, x!.data[offsetOf(index.with(axis, place), strides)]!);
    });
    return [result];
  },
  jvp: jointlyLinear(
    () => windowPad,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return [undefined];
    const size = op.operands[0]!.type.shape[op.attrs.axis]!;
    return [b.apply(windowSlice, [cotangent], { ...op.attrs, size })];
  },
  batch: batchAttrs(() => windowPad, shiftAxes),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const { axis, window, stride, dilation } = op.attrs;
      const { dtype, shape } = op.operands[0]!.type;
      const from = subtract(index[axis]!, multiply(index[window]!, int(dilation)));
      const step = int(stride);
      // from < (count - 1)*stride + 1 comes first: the division then never sees a negative number
      const reach = add(multiply(subtract(shape[axis]!, one), step), one);
      const conditions = [
        { value: from, extent: reach },
        ...(stride === 1 ? [] : [{ value: mod(from, step), extent: one }]),
      ];
      return k.whereInRange(
        conditions,
        () => k.read(0, index.with(axis, floordiv(from, step))),
        () => k.constant(dtype === 'bool' ? false : isBig(dtype) ? 0n : 0, dtype),
      );
    },
  },
});

function checkWindow(
  name: string,
  operands: readonly TensorType[],
  attrs: WindowAttrs,
): TensorType {
  requireCount(name, operands, 1);
  const x = operands[0]!;
  requireAxes(name, [attrs.axis, attrs.window], x.shape.length);
  require([attrs.stride, attrs.dilation].every(isPositive), () =>
    `${name} needs a stride and a dilation of at least 1, found ${attrs.stride} and ${attrs.dilation}`);
  require(!isSurelyLess(attrs.size, int(0)), () =>
    `${name} needs a size of at least 0, found ${showShape([attrs.size])}`);
  return x;
}

/** Whole and at least 1. */
export function isPositive(n: number): boolean {
  return Number.isInteger(n) && n >= 1;
}

/** How many elements `count` windows of `window` elements lie on, both at least 1. */
function spread(count: Int, window: Int, { stride, dilation }: WindowAttrs): Int {
  const last = multiply(subtract(count, one), int(stride));
  return add(add(last, multiply(subtract(window, one), int(dilation))), one);
}

function withSize(x: TensorType, { axis, size }: WindowAttrs): TensorType {
  return tensorType(x.dtype, x.shape.with(axis, size));
}

function shiftAxes(attrs: WindowAttrs): WindowAttrs {
  return { ...attrs, axis: attrs.axis + 1, window: attrs.window + 1 };
}
