/**
 * Where the windows of an axis stand: what `reduce_window` and `conv_general` share.
 *
 *   padded    = low ++ elements, `inputDilation` apart ++ high       (low and high may be negative: they crop)
 *   window o  = padded[o*stride + k*dilation] for k < window
 */
import {
  add,
  constantValue,
  floordiv,
  type Int,
  int,
  multiply,
  one,
  subtract,
  sum,
  zero,
} from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import type { Value } from '../tensor-ir/program.ts';
import { broadcast } from './broadcast.ts';
import { isOne, isSurelyLess, range, require, showShape } from './checks.ts';
import { pad } from './pad.ts';
import { slice } from './slice.ts';
import { isPositive, windowSlice } from './window.ts';

/** The windows along one axis. */
export interface AxisWindows {
  /** Elements of a window. */
  readonly window: Int;
  readonly stride: number;
  readonly dilation: number;
  readonly inputDilation: number;
  readonly low: Int;
  readonly high: Int;
}

/** An axis without windows: each element is one. */
export const singleElements: AxisWindows = {
  window: one,
  stride: 1,
  dilation: 1,
  inputDilation: 1,
  low: zero,
  high: zero,
};

/** From the first to the last of `size` elements that lie `dilation` apart. */
export function dilatedSize(size: Int, dilation: number): Int {
  if (dilation === 1 || size === zero) return size;
  return add(multiply(subtract(size, one), int(dilation)), one);
}

/** The size of an axis with its padding. */
export function sizeWithPadding(size: Int, { inputDilation, low, high }: AxisWindows): Int {
  return sum([low, dilatedSize(size, inputDilation), high]);
}

/** How many windows fit on an axis; a symbolic axis is taken to hold one at least. */
export function windowCount(size: Int, windows: AxisWindows): Int {
  const rest = subtract(
    sizeWithPadding(size, windows),
    dilatedSize(windows.window, windows.dilation),
  );
  const known = constantValue(rest);
  if (known !== undefined && known < 0) return zero;
  return add(floordiv(rest, int(windows.stride)), one);
}

/** Demands whole, positive strides and dilations, and sizes that are not negative. */
export function checkWindows(name: string, size: Int, windows: AxisWindows): void {
  const { window, stride, dilation, inputDilation } = windows;
  require([stride, dilation, inputDilation].every(isPositive), () =>
    `${name} needs strides and dilations of at least 1, found ${stride}, ${dilation} and ${inputDilation}`);
  require(!isSurelyLess(window, one), () =>
    `${name} needs windows of at least 1 element, found ${showShape([window])}`);
  require(!isSurelyLess(sizeWithPadding(size, windows), zero), () =>
    `${name} crops more than all ${showShape([size])} elements`);
}

/**
 * The windows of the transposed problem: over what stands for the windows (`count` of them), as many as the original axis has
 * elements (`size`), each the elements that an input element went to, last to first.
 */
export function transposedWindows(size: Int, count: Int, windows: AxisWindows): AxisWindows {
  const { window, stride, dilation, inputDilation } = windows;
  const reach = subtract(dilatedSize(window, dilation), one);
  const low = subtract(reach, windows.low);
  const used = add(low, dilatedSize(count, stride));
  return {
    window,
    stride: inputDilation,
    dilation,
    inputDilation: stride,
    low,
    high: subtract(add(dilatedSize(size, inputDilation), reach), used),
  };
}

export interface WindowView {
  /** The axes of x with windows in place of elements, then one axis for each window of more than one element. */
  readonly value: Value;
  /** For each axis the axis along which its windows' elements stand; undefined for windows of one element. */
  readonly windowAxes: readonly (number | undefined)[];
}

/** x padded with `value` (made when needed) and seen through its windows, one description for each axis. */
export function viewWindows(
  b: Builder,
  x: Value,
  axes: readonly AxisWindows[],
  value: () => Value,
): WindowView {
  const counts = axes.map((windows, axis) => windowCount(x.type.shape[axis]!, windows));
  const padded = padForWindows(b, x, axes, value);
  // windows of one element are a slice with steps
  const isPicked = axes.map(
    (w, axis) => isOne(w.window) && padded.type.shape[axis] !== counts[axis],
  );
  const sliced = isPicked.includes(true)
    ? pickWithSteps(b, padded, axes, counts, isPicked)
    : padded;
  const rank = axes.length;
  const windowed = range(rank).filter((axis) => !isOne(axes[axis]!.window));
  const repeated =
    windowed.length === 0
      ? sliced
      : b.apply(broadcast, [sliced], {
          shape: [...sliced.type.shape, ...windowed.map((axis) => axes[axis]!.window)],
          axes: range(rank),
        });
  const view = windowed.reduce((current, axis, i) => {
    const { stride, dilation } = axes[axis]!;
    return b.apply(windowSlice, [current], {
      axis,
      window: rank + i,
      size: counts[axis]!,
      stride,
      dilation,
    });
  }, repeated);
  return {
    value: view,
    windowAxes: range(rank).map((axis) => {
      const place = windowed.indexOf(axis);
      return place < 0 ? undefined : rank + place;
    }),
  };
}

function padForWindows(
  b: Builder,
  x: Value,
  axes: readonly AxisWindows[],
  value: () => Value,
): Value {
  const isPlain = axes.every((w) => w.low === zero && w.high === zero && w.inputDilation === 1);
  if (isPlain) return x;
  return b.apply(pad, [x, value()], {
    low: axes.map((w) => w.low),
    high: axes.map((w) => w.high),
    interior: axes.map((w) => int(w.inputDilation - 1)),
  });
}

function pickWithSteps(
  b: Builder,
  x: Value,
  axes: readonly AxisWindows[],
  counts: readonly Int[],
  isPicked: readonly boolean[],
): Value {
  return b.apply(slice, [x], {
    start: axes.map(() => zero),
    stop: x.type.shape.map((size, axis) =>
      isPicked[axis] ? dilatedSize(counts[axis]!, axes[axis]!.stride) : size,
    ),
    step: axes.map((w, axis) => int(isPicked[axis] ? w.stride : 1)),
  });
}
