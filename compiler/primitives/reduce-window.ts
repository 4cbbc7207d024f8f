/** Reductions over sliding windows: pooling, moving sums and maxima. */
import { combinerOf, identityOf } from '../kernel-ir/monoids.ts';
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import { type Int, int, zero } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import {
  type Element,
  forEachIndex,
  makeArray,
  type NdArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import {
  definePrimitive,
  type EvaluateContext,
  isAbsent,
  type Primitive,
} from '../tensor-ir/primitive.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { require, requireCount, showType, tensorType } from './checks.ts';
import { constant } from './constant.ts';
import { batchAttrs, hasTangent } from './families.ts';
import { type ReduceAttrs, reduceMax, reduceMin, reduceProd, reduceSum } from './reduce.ts';
import {
  type AxisWindows,
  checkWindows,
  transposedWindows,
  viewWindows,
  windowCount,
} from './window-geometry.ts';

export type WindowMonoid = 'sum' | 'prod' | 'max' | 'min';

/** A value for each axis; windows may not be empty. */
export type ReduceWindowAttrs = {
  readonly monoid: WindowMonoid;
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly inputDilation: readonly number[];
  /** May be negative: crops. */
  readonly low: readonly Int[];
  readonly high: readonly Int[];
};

/**
 * The elements of each window combined; what is outside the operand counts as the neutral element. The sum is linear; the others
 * have the derivatives of the reductions: equal extrema share the tangent equally.
 */
export const reduceWindow: Primitive<ReduceWindowAttrs> = definePrimitive<ReduceWindowAttrs>({
  name: 'reduce_window',
  inferType: (operands, attrs) => {
    requireCount('reduce_window', operands, 1);
    const x = operands[0]!;
    require(x.dtype !== 'bool', () => `reduce_window takes numbers, found ${showType(x)}`);
    const { window, stride, dilation, inputDilation, low, high } = attrs;
    const lists = [window, stride, dilation, inputDilation, low, high];
    require(lists.every((list) => list.length === x.shape.length), () =>
      `reduce_window needs a window, strides, dilations and padding for each axis of ${showType(x)}`);
    const axes = axesOf(attrs);
    axes.forEach((windows, axis) => checkWindows('reduce_window', x.shape[axis]!, windows));
    return [
      tensorType(
        x.dtype,
        axes.map((windows, axis) => windowCount(x.shape[axis]!, windows)),
      ),
    ];
  },
  evaluate: ([x], attrs, context) => [reduceWindows(x!, attrs, context)],
  jvp: (b, op, [tangent]) => {
    if (tangent === undefined || !hasTangent(op.results[0]!.type)) return [undefined];
    const { attrs } = op;
    if (attrs.monoid === 'sum') return [b.apply(reduceWindow, [tangent], attrs)];
    const reduce = reductions[attrs.monoid]();
    if (isAbsent(reduce.jvp)) return [undefined];
    const { value: windows, axes } = windowsOf(b, op.operands[0]!, attrs);
    const { value: tangents } = windowsOf(b, tangent, { ...attrs, monoid: 'sum' });
    const view = { operands: [windows], results: op.results, attrs: { axes }, regions: [] };
    return reduce.jvp(b, view, [tangents]);
  },
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return [undefined];
    const { shape } = op.operands[0]!.type;
    const counts = cotangent.type.shape;
    const axes = axesOf(op.attrs).map((windows, axis) =>
      transposedWindows(shape[axis]!, counts[axis]!, windows),
    );
    return [
      b.apply(reduceWindow, [cotangent], {
        ...op.attrs,
        stride: axes.map((w) => w.stride),
        inputDilation: axes.map((w) => w.inputDilation),
        low: axes.map((w) => w.low),
        high: axes.map((w) => w.high),
      }),
    ];
  },
  batch: batchAttrs(
    () => reduceWindow,
    (attrs) => ({
      monoid: attrs.monoid,
      window: [1, ...attrs.window],
      stride: [1, ...attrs.stride],
      dilation: [1, ...attrs.dilation],
      inputDilation: [1, ...attrs.inputDilation],
      low: [zero, ...attrs.low],
      high: [zero, ...attrs.high],
    }),
  ),
  cost: { flops: 1 },
  lower: {
    kind: 'composite',
    expand: (b, { operands, attrs }) => {
      const { value, axes } = windowsOf(b, operands[0]!, attrs);
      return [axes.length === 0 ? value : b.apply(reductions[attrs.monoid](), [value], { axes })];
    },
  },
});

const reductions: Readonly<Record<WindowMonoid, () => Primitive<ReduceAttrs>>> = {
  sum: () => reduceSum,
  prod: () => reduceProd,
  max: () => reduceMax,
  min: () => reduceMin,
};

function axesOf(attrs: ReduceWindowAttrs): readonly AxisWindows[] {
  return attrs.window.map((window, axis) => ({
    window: int(window),
    stride: attrs.stride[axis]!,
    dilation: attrs.dilation[axis]!,
    inputDilation: attrs.inputDilation[axis]!,
    low: attrs.low[axis]!,
    high: attrs.high[axis]!,
  }));
}

/** The windows of x with neutral elements outside it, and the axes along which their elements stand. */
function windowsOf(
  b: Builder,
  x: Value,
  attrs: ReduceWindowAttrs,
): { readonly value: Value; readonly axes: readonly number[] } {
  const { dtype } = x.type;
  const { value, windowAxes } = viewWindows(b, x, axesOf(attrs), () =>
    b.apply(constant, [], { dtype, shape: [], value: neutralElement(attrs.monoid, x.type) }),
  );
  return { value, axes: windowAxes.filter((axis) => axis !== undefined) };
}

function neutralElement(monoid: WindowMonoid, { dtype }: Pick<TensorType, 'dtype'>): Element {
  const identity = identityOf(monoid, dtype);
  return identity.kind === 'constant' && typeof identity.value !== 'boolean' ? identity.value : 0;
}

/** Combines in row-major order of each window, in double precision for floats: the caller rounds the results. */
function reduceWindows(
  x: NdArray,
  attrs: ReduceWindowAttrs,
  context: EvaluateContext<ReduceWindowAttrs>,
): NdArray {
  const { monoid, window, stride, dilation, inputDilation } = attrs;
  const low = attrs.low.map(context.size);
  const strides = stridesOf(x.shape);
  const result = makeArray(x.dtype, context.resultTypes[0]!.shape.map(context.size));
  const combine = scalarFunction(combinerOf(monoid));
  const neutral = neutralElement(monoid, x);
  forEachIndex(result.shape, (index, offset) => {
    const start = index.map((o, axis) => o * stride[axis]! - low[axis]!);
    let total = neutral;
    forEachIndex(window, (place) => {
      const source = start.map(
        (s, axis) => (s + place[axis]! * dilation[axis]!) / inputDilation[axis]!,
      );
      const isInside = source.every(
        (i, axis) => Number.isInteger(i) && i >= 0 && i < x.shape[axis]!,
      );
      if (isInside)
        total = evaluateScalar(combine, x.dtype, total, x.data[offsetOf(source, strides)]!);
    });
    setElement(result.data, offset, total);
  });
  return result;
}
