/**
 * Convolutions of any number of spatial axes, in the layouts x[N, ...spatial, C] and w[O, ...spatial, C / groups].
 *
 *   y[n, p, o] = sum over k and c of x'[n, p*stride + k*kernelDilation, c] * w[o, k, c]      x' = x dilated and padded
 *
 * Both derivatives are convolutions again: see Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).
 */
import {
  add,
  constantValue,
  divideExact,
  type Int,
  isDivisible,
  multiply,
  one,
  subtract,
} from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { computeType } from '../tensor-ir/dtype.ts';
import { definePrimitive, type OperationView, type Primitive } from '../tensor-ir/primitive.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { mul } from './arithmetic.ts';
import { broadcast } from './broadcast.ts';
import {
  isOne,
  range,
  require,
  requireCount,
  requireSameDType,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { convolveInPhases } from './conv-phases.ts';
import { convert } from './convert.ts';
import { convolveArrays } from './convolve-arrays.ts';
import { dotGeneral } from './dot-general.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { reverse } from './slice.ts';
import { addTangents, filled, moveAxis, permuteTo, zerosOf } from './values.ts';
import {
  type AxisWindows,
  checkWindows,
  dilatedSize,
  singleElements,
  transposedWindows,
  viewWindows,
  windowCount,
} from './window-geometry.ts';

/** Lists hold a value for each spatial axis. */
export type ConvGeneralAttrs = {
  readonly stride: readonly number[];
  /** May be negative: crops. */
  readonly low: readonly Int[];
  readonly high: readonly Int[];
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  /** Group g of the channels of x makes group g of the channels of the result. An Int: vmap makes groups of examples. */
  readonly groups: Int;
  /** Kernels run backwards: convolution in the sense of mathematics instead of correlation. */
  readonly flip: boolean;
};

type ConvView = OperationView<ConvGeneralAttrs>;

/** Linear in each operand; accumulates in f32. */
export const convGeneral: Primitive<ConvGeneralAttrs> = definePrimitive<ConvGeneralAttrs>({
  name: 'conv_general',
  inferType: (operands, attrs) => {
    requireCount('conv_general', operands, 2);
    const [x, w] = operands as [TensorType, TensorType];
    requireSameDType('conv_general', x, w);
    require(x.dtype !== 'bool', () => `conv_general takes numbers, found ${showType(x)}`);
    const rank = x.shape.length;
    require(rank >= 2 && w.shape.length === rank, () =>
      `conv_general needs x[N, ...spatial, C] and w[O, ...spatial, C / groups], found ${showType(x)} and ${showType(w)}`);
    const { stride, low, high, inputDilation, kernelDilation, groups } = attrs;
    const lists = [stride, low, high, inputDilation, kernelDilation];
    require(lists.every((list) => list.length === rank - 2), () =>
      `conv_general needs strides, padding and dilations for each of ${rank - 2} spatial axes`);
    const axes = axesOf(attrs, w.shape);
    axes.forEach((windows, i) => checkWindows('conv_general', x.shape[i + 1]!, windows));
    const channels = x.shape[rank - 1]!;
    require((constantValue(groups) ?? 1) >= 1, () =>
      `conv_general needs at least 1 group, found ${showShape([groups])}`);
    require(channels === multiply(groups, w.shape[rank - 1]!), () =>
      `conv_general of ${showType(x)} and ${showType(w)}: ${showShape([channels])} channels are not ${showShape([groups])} groups of ${showShape([w.shape[rank - 1]!])}`);
    require(isDivisible(w.shape[0]!, groups), () =>
      `conv_general needs ${showShape([groups])} groups of as many output channels, found ${showShape([w.shape[0]!])} channels`);
    const counts = axes.map((windows, i) => windowCount(x.shape[i + 1]!, windows));
    return [tensorType(x.dtype, [x.shape[0]!, ...counts, w.shape[0]!])];
  },
  evaluate: ([x, w], attrs, context) => [
    convolveArrays(x!, w!, {
      shape: context.resultTypes[0]!.shape.map(context.size),
      stride: attrs.stride,
      low: attrs.low.map(context.size),
      inputDilation: attrs.inputDilation,
      kernelDilation: attrs.kernelDilation,
      groups: context.size(attrs.groups),
      flip: attrs.flip,
    }),
  ],
  jvp: (b, op, [dx, dw]) => {
    const [x, w] = op.operands;
    return [
      addTangents(
        b,
        dx && b.apply(convGeneral, [dx, w!], op.attrs),
        dw && b.apply(convGeneral, [x!, dw], op.attrs),
      ),
    ];
  },
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return [undefined, undefined];
    if (isLinear[0]) return [inputGradient(b, op, cotangent), undefined];
    return [undefined, kernelGradient(b, op, cotangent)];
  },
  batch: (b, op, [x, w], [isXMapped, isWMapped], size) => {
    if (constantValue(size) === 0) {
      const { dtype, shape } = op.results[0]!.type;
      return [zerosOf(b, { dtype, shape: [size, ...shape] })];
    }
    if (!isWMapped) return [batchExamples(b, op, x!, w!, size)];
    return [isXMapped ? batchBoth(b, op, x!, w!, size) : batchKernels(b, op, x!, w!, size)];
  },
  cost: { flops: 2 },
  lower: { kind: 'composite', expand: (b, op) => [expand(b, op)] },
});

function axesOf(attrs: ConvGeneralAttrs, kernel: readonly Int[]): readonly AxisWindows[] {
  return attrs.stride.map((stride, i) => ({
    window: kernel[i + 1]!,
    stride,
    dilation: attrs.kernelDilation[i]!,
    inputDilation: attrs.inputDilation[i]!,
    low: attrs.low[i]!,
    high: attrs.high[i]!,
  }));
}

function toShape(b: Builder, x: Value, shape: readonly Int[]): Value {
  return b.apply(reshape, [x], { shape });
}

/** Axes 1 .. rank - 2. */
function spatialAxes(x: Value): readonly number[] {
  return range(x.type.shape.length - 2).map((i) => i + 1);
}

/** Sizes of an axis as [groups, what a group holds]. */
function split(size: Int, groups: Int): readonly [Int, Int] {
  return [groups, divideExact(size, groups)!];
}

// ---------------------------------------------------------------------------------------------------------
// Derivatives

/** The cotangent with its strides as dilation, against the kernels turned round, their two kinds of channels swapped. */
function inputGradient(b: Builder, op: ConvView, cotangent: Value): Value {
  const [x, w] = op.operands as [Value, Value];
  const { attrs } = op;
  const counts = cotangent.type.shape;
  const axes = axesOf(attrs, w.type.shape).map((windows, i) =>
    transposedWindows(x.type.shape[i + 1]!, counts[i + 1]!, windows),
  );
  return b.apply(convGeneral, [cotangent, swapChannels(b, w, attrs.groups)], {
    stride: axes.map((a) => a.stride),
    low: axes.map((a) => a.low),
    high: axes.map((a) => a.high),
    inputDilation: axes.map((a) => a.inputDilation),
    kernelDilation: attrs.kernelDilation,
    groups: attrs.groups,
    flip: !attrs.flip,
  });
}

/** w[G*O, ..., C] as w[G*C, ..., O]. */
function swapChannels(b: Builder, w: Value, groups: Int): Value {
  const rank = w.type.shape.length;
  const { shape } = w.type;
  if (isOne(groups)) return permuteTo(b, w, [rank - 1, ...spatialAxes(w), 0]);
  const [, outputs] = split(shape[0]!, groups);
  const grouped = toShape(b, w, [groups, outputs, ...shape.slice(1)]);
  const swapped = permuteTo(b, grouped, [0, rank, ...range(rank - 2).map((i) => i + 2), 1]);
  const inputs = shape[rank - 1]!;
  return toShape(b, swapped, [multiply(groups, inputs), ...shape.slice(1, -1), outputs]);
}

/**
 * The channels of x as examples, its examples as channels, against the cotangent as the kernels: each window then holds one element for
 * each result that the kernel element took part in.
 */
function kernelGradient(b: Builder, op: ConvView, cotangent: Value): Value {
  const [x, w] = op.operands as [Value, Value];
  const { attrs } = op;
  const rank = x.type.shape.length;
  const spatial = spatialAxes(x);
  // no result: no window to look through
  if (spatial.some((a) => constantValue(cotangent.type.shape[a]!) === 0)) return zerosOf(b, w.type);
  const [examples, channels] = [x.type.shape[0]!, x.type.shape[rank - 1]!];
  const [groups, inputs] = split(channels, attrs.groups);
  const turned = isOne(groups)
    ? permuteTo(b, x, [rank - 1, ...spatial, 0])
    : toShape(
        b,
        permuteTo(b, toShape(b, x, [...x.type.shape.slice(0, -1), groups, inputs]), [
          rank,
          ...spatial,
          rank - 1,
          0,
        ]),
        [inputs, ...x.type.shape.slice(1, -1), multiply(groups, examples)],
      );
  const kernels = permuteTo(b, cotangent, [rank - 1, ...spatial, 0]);
  const high = axesOf(attrs, w.type.shape).map((windows, i) => {
    const used = add(windows.low, dilatedSize(x.type.shape[i + 1]!, windows.inputDilation));
    const reach = dilatedSize(cotangent.type.shape[i + 1]!, windows.stride);
    return subtract(add(dilatedSize(windows.window, windows.dilation), subtract(reach, one)), used);
  });
  const gradient = b.apply(convGeneral, [turned, kernels], {
    stride: attrs.kernelDilation,
    low: attrs.low,
    high,
    inputDilation: attrs.inputDilation,
    kernelDilation: attrs.stride,
    groups: attrs.groups,
    flip: false,
  });
  const placed = permuteTo(b, gradient, [rank - 1, ...spatial, 0]);
  return attrs.flip && spatial.length > 0 ? b.apply(reverse, [placed], { axes: spatial }) : placed;
}

// ---------------------------------------------------------------------------------------------------------
// Batches: the batch is axis 0 of the operands that have one

/** More examples. */
function batchExamples(b: Builder, op: ConvView, x: Value, w: Value, size: Int): Value {
  const { shape } = op.results[0]!.type;
  const [, examples, ...others] = x.type.shape;
  const merged = toShape(b, x, [multiply(size, examples!), ...others]);
  return toShape(b, b.apply(convGeneral, [merged, w], op.attrs), [size, ...shape]);
}

/** More output channels: group by group, the batch between group and channel. */
function batchKernels(b: Builder, op: ConvView, x: Value, w: Value, size: Int): Value {
  const { shape } = op.results[0]!.type;
  const rank = shape.length;
  const kernel = op.operands[1]!.type.shape;
  const [groups, outputs] = split(kernel[0]!, op.attrs.groups);
  const grouped = moveAxis(b, toShape(b, w, [size, groups, outputs, ...kernel.slice(1)]), 0, 1);
  const merged = toShape(b, grouped, [multiply(size, kernel[0]!), ...kernel.slice(1)]);
  const result = b.apply(convGeneral, [x, merged], op.attrs);
  const parts = toShape(b, result, [...shape.slice(0, -1), groups, size, outputs]);
  return toShape(b, moveAxis(b, parts, rank, 0), [size, ...shape]);
}

/** Groups of examples: example b has the channels of group b. */
function batchBoth(b: Builder, op: ConvView, x: Value, w: Value, size: Int): Value {
  const { shape } = op.results[0]!.type;
  const rank = shape.length;
  const input = op.operands[0]!.type.shape;
  const kernel = op.operands[1]!.type.shape;
  const turned = moveAxis(b, x, 0, rank - 1);
  const channels = toShape(b, turned, [...input.slice(0, -1), multiply(size, input[rank - 1]!)]);
  const kernels = toShape(b, w, [multiply(size, kernel[0]!), ...kernel.slice(1)]);
  const result = b.apply(convGeneral, [channels, kernels], {
    ...op.attrs,
    groups: multiply(size, op.attrs.groups),
  });
  const parts = toShape(b, result, [...shape.slice(0, -1), size, shape[rank - 1]!]);
  return moveAxis(b, parts, rank - 1, 0);
}

// ---------------------------------------------------------------------------------------------------------
// Other operations that mean the same

/** Groups of so few results are sums of element-wise products: too few share the elements of a window for tiles. */
const fewChannels = 4;

function expand(b: Builder, op: ConvView): Value {
  const [x, w] = op.operands as [Value, Value];
  const { attrs } = op;
  const { shape } = op.results[0]!.type;
  const spatial = spatialAxes(w);
  const kernels = attrs.flip && spatial.length > 0 ? b.apply(reverse, [w], { axes: spatial }) : w;
  const { groups } = attrs;
  const axes = axesOf(attrs, w.type.shape);
  const sizes = spatial.map((axis) => x.type.shape[axis]!);
  const inPhases = convolveInPhases(b, { kernels, axes, sizes, groups, shape }, (...phase) =>
    convolve(b, x, groups, ...phase),
  );
  return inPhases ?? convolve(b, x, groups, kernels, axes, shape);
}

/** Windows times kernels, where the windows stand. */
function convolve(
  b: Builder,
  x: Value,
  groups: Int,
  w: Value,
  spatialWindows: readonly AxisWindows[],
  shape: readonly Int[],
): Value {
  const axes = [singleElements, ...spatialWindows, singleElements];
  const { value: windows, windowAxes } = viewWindows(b, x, axes, () =>
    filled(b, { dtype: x.type.dtype, shape: [] }, 0),
  );
  const spatial = spatialAxes(w);
  // kernel axes of one element have no axis among the windows
  const kept = spatial.filter((axis) => windowAxes[axis] !== undefined);
  const trimmed = toShape(
    b,
    w,
    [0, ...kept, shape.length - 1].map((axis) => w.type.shape[axis]!),
  );
  const taps = kept.map((axis) => windowAxes[axis]!);
  if (isOne(groups)) return contract(b, windows, trimmed, taps, shape.length);
  const [, inputs] = split(x.type.shape[shape.length - 1]!, groups);
  const [, outputs] = split(shape[shape.length - 1]!, groups);
  const isThin = (constantValue(outputs) ?? fewChannels + 1) <= fewChannels;
  return (isThin ? multiplyThin : contractGroups)(b, windows, trimmed, taps, {
    shape,
    groups,
    inputs,
    outputs,
  });
}

/** windows[N, ...P, C, ...K] and kernels[O, ...K, C] to [N, ...P, O]. */
function contract(
  b: Builder,
  windows: Value,
  kernels: Value,
  taps: readonly number[],
  rank: number,
): Value {
  const channelsLast = kernels.type.shape.length - 1;
  return b.apply(dotGeneral, [windows, kernels], {
    contracting: [
      [...taps, rank - 1],
      [...range(taps.length).map((i) => i + 1), channelsLast],
    ],
    batch: [[], []],
  });
}

interface Grouped {
  readonly shape: readonly Int[];
  readonly groups: Int;
  readonly inputs: Int;
  readonly outputs: Int;
}

/** [N, ...P, C, ...K] as [N, ...P, G, C/G, ...K]. */
function splitChannels(b: Builder, windows: Value, { shape, groups, inputs }: Grouped): Value {
  const rank = shape.length;
  const sizes = windows.type.shape;
  return toShape(b, windows, [...sizes.slice(0, rank - 1), groups, inputs, ...sizes.slice(rank)]);
}

/** Groups as batch axes of the product. */
function contractGroups(
  b: Builder,
  windows: Value,
  kernels: Value,
  taps: readonly number[],
  grouped: Grouped,
): Value {
  const { shape, groups, outputs } = grouped;
  const rank = shape.length;
  const left = splitChannels(b, windows, grouped);
  const right = toShape(b, kernels, [groups, outputs, ...kernels.type.shape.slice(1)]);
  const product = b.apply(dotGeneral, [left, right], {
    contracting: [
      [...taps.map((axis) => axis + 1), rank],
      [...range(taps.length).map((i) => i + 2), taps.length + 2],
    ],
    batch: [[rank - 1], [0]],
  });
  return toShape(b, moveAxis(b, product, 0, rank - 1), shape);
}

/** A sum of element-wise products over [N, ...P, ...K, C/G, G, O/G]: neighbours in memory stay neighbours. */
function multiplyThin(
  b: Builder,
  windows: Value,
  kernels: Value,
  taps: readonly number[],
  grouped: Grouped,
): Value {
  const { shape, groups, inputs, outputs } = grouped;
  const rank = shape.length;
  const count = taps.length;
  const kernelSizes = kernels.type.shape.slice(1, -1);
  const all = [...shape.slice(0, -1), ...kernelSizes, inputs, groups, outputs];
  const accumulated = computeType(windows.type.dtype);
  const widen = (v: Value): Value =>
    v.type.dtype === accumulated ? v : b.apply(convert, [v], { dtype: accumulated });
  const place = (v: Value, axes: readonly number[]): Value =>
    b.apply(broadcast, [widen(v)], { shape: all, axes });
  const left = permuteTo(b, splitChannels(b, windows, grouped), [
    ...range(rank - 1),
    ...taps.map((axis) => axis + 1),
    rank,
    rank - 1,
  ]);
  const right = permuteTo(b, toShape(b, kernels, [groups, outputs, ...kernelSizes, inputs]), [
    ...range(count + 1).map((i) => i + 2),
    0,
    1,
  ]);
  const terms = b.apply(
    mul,
    [
      place(left, range(rank + count + 1)),
      place(
        right,
        range(count + 3).map((i) => rank - 1 + i),
      ),
    ],
    {},
  );
  const sum = b.apply(reduceSum, [terms], { axes: range(count + 1).map((i) => rank - 1 + i) });
  const result = toShape(b, sum, shape);
  const { dtype } = windows.type;
  return dtype === accumulated ? result : b.apply(convert, [result], { dtype });
}
