/**
 * Convolutions, pooling and what else looks through windows. Tensors are channels-last: x[N, ...spatial, C], w[O, ...spatial, C / groups].
 * An argument with a value for each axis may be one int for all of them.
 */
import { isSurelyLess } from '../../primitives/checks.ts';
import type { AxisWindows } from '../../primitives/window-geometry.ts';
import {
  constantValue,
  floordiv,
  type Int,
  int,
  print,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import {
  type Arguments,
  intrinsic,
  intTerm,
  isFloatValue,
  optional,
  range,
  required,
  showTensor,
} from './support.ts';
import {
  groupSize,
  integersOf,
  paddingOf,
  requireFit,
  type Side,
  wholesOf,
} from './window-arguments.ts';

const yes: Term = { kind: 'boolean', value: true };
const no: Term = { kind: 'boolean', value: false };
const once = intTerm(1);
const nothing = intTerm(0);

// ---------------------------------------------------------------------------------------------------------
// Convolutions

interface Convolution {
  readonly windows: readonly AxisWindows[];
  readonly groups: number;
  readonly flip: boolean;
}

/** x and w of one dtype and rank; `spatial` axes, or as many as they have. */
function operandsOf(a: Arguments, spatial: number | undefined): readonly [Value, Value] {
  const spans = [a.spanOf('x'), a.spanOf('w')];
  const [x, w] = a.need(a.context.toTensors([a.term('x'), a.term('w')], spans)) as [Value, Value];
  const rank = spatial === undefined ? Math.max(2, x.type.shape.length) : spatial + 2;
  if (x.type.shape.length === rank && w.type.shape.length === rank) return [x, w];
  return a.fail(
    'MLX2490',
    `expected x[N, ...spatial, C] and w[O, ...spatial, C / groups] with ${rank - 2} spatial axes, found ${showTensor(x.type)} and ${showTensor(w.type)}`,
  );
}

function convolve(a: Arguments, x: Value, w: Value, conv: Convolution): Term {
  const { windows, flip } = conv;
  const groups = int(conv.groups);
  const rank = x.type.shape.length;
  const [channels, outputs] = [x.type.shape[rank - 1]!, w.type.shape[0]!];
  const inputs = groupSize(a, channels, conv.groups, 'channels of x');
  groupSize(a, outputs, conv.groups, 'kernels');
  const what = `the last axis of w and the channels of ${conv.groups === 1 ? 'x' : 'a group'}`;
  const fitted = a.withSize(w, rank - 1, inputs, what, a.spanOf('w'));
  windows.forEach((axis, i) => requireFit(a, x.type.shape[i + 1]!, axis));
  const result = a.apply('conv_general', [x, fitted], {
    stride: windows.map((axis) => axis.stride),
    low: windows.map((axis) => axis.low),
    high: windows.map((axis) => axis.high),
    inputDilation: windows.map((axis) => axis.inputDilation),
    kernelDilation: windows.map((axis) => axis.dilation),
    groups,
    flip,
  });
  return a.tensor(result);
}

function groupsOf(a: Arguments): number {
  const groups = a.constantInt('groups');
  if (groups >= 1) return groups;
  return a.fail('MLX2491', `expected at least 1 group, found ${groups}`, {
    span: a.spanOf('groups'),
  });
}

function forward(a: Arguments, spatial: number | undefined, kernelDilation: string): Term {
  const [x, w] = operandsOf(a, spatial);
  const count = x.type.shape.length - 2;
  const isGeneral = kernelDilation === 'kernel_dilation';
  const inputDilation = isGeneral
    ? wholesOf(a, 'input_dilation', count)
    : range(count).map(() => 1);
  const stride = wholesOf(a, 'stride', count);
  const dilation = wholesOf(a, kernelDilation, count);
  const open = range(count).map((i) => ({
    window: w.type.shape[i + 1]!,
    stride: stride[i]!,
    dilation: dilation[i]!,
    inputDilation: inputDilation[i]!,
  }));
  const padding = paddingOf(a, 'padding', x.type.shape.slice(1, -1), open);
  return convolve(a, x, w, {
    windows: open.map((axis, i) => ({ ...axis, low: padding[i]![0], high: padding[i]![1] })),
    groups: groupsOf(a),
    flip: isGeneral && a.boolean('flip'),
  });
}

/** The transpose of a strided convolution as a function of its own: x dilated by the stride, kernels backwards. */
function transposed(a: Arguments, spatial: number): Term {
  const [x, w] = operandsOf(a, spatial);
  const stride = wholesOf(a, 'stride', spatial);
  const dilation = wholesOf(a, 'dilation', spatial);
  const more = integersOf(a, 'output_padding', spatial);
  const padding = paddingOf(a, 'padding', x.type.shape.slice(1, -1), undefined);
  const windows = range(spatial).map((i): AxisWindows => {
    const window = w.type.shape[i + 1]!;
    const reach = product([subtract(window, int(1)), int(dilation[i]!)]);
    const [low, high] = padding[i]!;
    return {
      window,
      stride: 1,
      dilation: dilation[i]!,
      inputDilation: stride[i]!,
      low: subtract(reach, low),
      high: subtract(reach, subtract(high, more[i]!)),
    };
  });
  return convolve(a, x, w, { windows, groups: groupsOf(a), flip: true });
}

const layout =
  'x is T[N, ...spatial, C], w is T[O, ...spatial, C / groups], the result T[N, ...spatial, O]; sums are in f32 at least.';
const paddings =
  '`padding` is an int, an int for each axis, `((low, high), ...)`, "same" (the result has ceil(size / stride) elements) or "valid" (none).';

function convolutionOf(spatial: 1 | 2 | 3): Intrinsic {
  return intrinsic(
    `conv${spatial}d`,
    [
      required('x'),
      required('w'),
      optional('stride', once),
      optional('padding', nothing),
      optional('dilation', once),
      optional('groups', once),
    ],
    `The convolution over ${spatial} spatial ${spatial === 1 ? 'axis' : 'axes'} (kernels are not flipped). ${layout} ${paddings}`,
    (a) => forward(a, spatial, 'dilation'),
  );
}

function transposedOf(spatial: 1 | 2 | 3): Intrinsic {
  return intrinsic(
    `conv_transpose${spatial}d`,
    [
      required('x'),
      required('w'),
      optional('stride', once),
      optional('padding', nothing),
      optional('dilation', once),
      optional('output_padding', nothing),
      optional('groups', once),
    ],
    `The transposed convolution over ${spatial} spatial ${spatial === 1 ? 'axis' : 'axes'}: (size - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1 elements along each. ${layout}`,
    (a) => transposed(a, spatial),
  );
}

// ---------------------------------------------------------------------------------------------------------
// Two sequences

/** Where the shorter of two sequences may stand over the longer: K - 1 past both ends, half, or inside. */
function overhang(a: Arguments, size: Int): readonly [Int, Int] {
  const mode = a.string('mode');
  const reach = subtract(size, int(1));
  if (mode === 'full') return [reach, reach];
  if (mode === 'valid') return [zero, zero];
  if (mode !== 'same') {
    a.fail('MLX2492', `expected "full", "same" or "valid", found "${mode}"`, {
      span: a.spanOf('mode'),
    });
  }
  const low = floordiv(size, int(2));
  return [low, subtract(reach, low)];
}

/** Sums of products of two sequences at every offset, the longer one first. */
function slide(a: Arguments, isConvolution: boolean): Term {
  const spans = [a.spanOf('a'), a.spanOf('v')];
  const [first, second] = a.need(a.context.toTensors([a.term('a'), a.term('v')], spans)) as [
    Value,
    Value,
  ];
  if (first.type.shape.length !== 1 || second.type.shape.length !== 1) {
    const shown = `${showTensor(first.type)} and ${showTensor(second.type)}`;
    a.fail('MLX2493', `expected two vectors, found ${shown}`);
  }
  const isShorter = isSurelyLess(first.type.shape[0]!, second.type.shape[0]!);
  const [long, short] = isShorter ? [second, first] : [first, second];
  const [n, k] = [long.type.shape[0]!, short.type.shape[0]!];
  if (a.string('mode') !== 'full') {
    a.context.guard({
      relation: 'at-least',
      left: n,
      right: k,
      message: `the first vector must be as long as the second: ${print(n)} and ${print(k)} elements`,
      span: a.span,
    });
  }
  const [low, high] = overhang(a, k);
  const result = a.apply(
    'conv_general',
    [a.reshape(long, [int(1), n, int(1)]), a.reshape(short, [int(1), k, int(1)])],
    {
      stride: [1],
      low: [low],
      high: [high],
      inputDilation: [1],
      kernelDilation: [1],
      groups: int(1),
      flip: isConvolution,
    },
  );
  const flat = a.reshape(result, [result.type.shape[1]!]);
  // a correlation runs the other way when its operands change places
  return a.tensor(isShorter && !isConvolution ? a.apply('reverse', [flat], { axes: [0] }) : flat);
}

// ---------------------------------------------------------------------------------------------------------
// Reductions over windows

interface WindowReduction {
  readonly monoid: string;
  readonly windows: readonly AxisWindows[];
}

function reduceWindows(a: Arguments, x: Value, { monoid, windows }: WindowReduction): Value {
  windows.forEach((axis, i) => requireFit(a, x.type.shape[i]!, axis));
  return a.apply('reduce_window', [x], {
    monoid,
    window: windows.map((axis) => constantValue(axis.window)!),
    stride: windows.map((axis) => axis.stride),
    dilation: windows.map((axis) => axis.dilation),
    inputDilation: windows.map((axis) => axis.inputDilation),
    low: windows.map((axis) => axis.low),
    high: windows.map((axis) => axis.high),
  });
}

function withPadding(
  windows: readonly Side[],
  padding: readonly (readonly [Int, Int])[],
): readonly AxisWindows[] {
  return windows.map((axis, i) => ({ ...axis, low: padding[i]![0], high: padding[i]![1] }));
}

function reduceAnyWindow(a: Arguments): Term {
  const x = a.value('x');
  const rank = x.type.shape.length;
  const monoid = a.string('op');
  if (!['sum', 'prod', 'max', 'min'].includes(monoid)) {
    a.fail('MLX2494', `expected "sum", "prod", "max" or "min", found "${monoid}"`, {
      span: a.spanOf('op'),
    });
  }
  const window = wholesOf(a, 'window', rank);
  const stride = wholesOf(a, 'stride', rank);
  const dilation = wholesOf(a, 'dilation', rank);
  const inputDilation = wholesOf(a, 'input_dilation', rank);
  const open = range(rank).map((axis) => ({
    window: int(window[axis]!),
    stride: stride[axis]!,
    dilation: dilation[axis]!,
    inputDilation: inputDilation[axis]!,
  }));
  const windows = withPadding(open, paddingOf(a, 'padding', x.type.shape, open));
  return a.tensor(reduceWindows(a, x, { monoid, windows }));
}

const single: AxisWindows = {
  window: int(1),
  stride: 1,
  dilation: 1,
  inputDilation: 1,
  low: zero,
  high: zero,
};

/** The windows of pooling: over the axes between the first and the last. */
function poolingOf(a: Arguments, x: Value): readonly AxisWindows[] {
  const spatial = x.type.shape.slice(1, -1);
  if (x.type.shape.length < 3) {
    a.fail('MLX2495', `pooling needs x[N, ...spatial, C], found ${showTensor(x.type)}`, {
      span: a.spanOf('x'),
    });
  }
  const window = wholesOf(a, 'window', spatial.length);
  const stride = a.isNone('stride') ? window : wholesOf(a, 'stride', spatial.length);
  const open = spatial.map((_, i) => ({
    window: int(window[i]!),
    stride: stride[i]!,
    dilation: 1,
    inputDilation: 1,
  }));
  return [single, ...withPadding(open, paddingOf(a, 'padding', spatial, open)), single];
}

const poolParameters = [
  required('x'),
  required('window'),
  optional('stride'),
  optional('padding', nothing),
];

function extremumPool(name: string, monoid: 'max' | 'min', which: string): Intrinsic {
  return intrinsic(
    name,
    poolParameters,
    `The ${which} element of each window over the spatial axes of T[N, ...spatial, C]; windows stand \`stride\` apart (side by side unless given), and padding never wins. ${paddings}`,
    (a) => {
      const x = a.value('x');
      return a.tensor(reduceWindows(a, x, { monoid, windows: poolingOf(a, x) }));
    },
  );
}

function averagePool(a: Arguments): Term {
  const x = a.value('x');
  if (!isFloatValue(x)) {
    a.fail('MLX2499', `\`avg_pool\` needs floats, found ${x.type.dtype}`, {
      span: a.spanOf('x'),
      hint: 'convert first: `avg_pool(f32(x), ...)`',
    });
  }
  const windows = poolingOf(a, x);
  const total = reduceWindows(a, x, { monoid: 'sum', windows });
  const { dtype, shape } = total.type;
  const isWhole = a.boolean('count_include_pad');
  const count = isWhole
    ? a.broadcast(a.dim(product(windows.map((axis) => axis.window)), dtype), shape, [])
    : reduceWindows(a, a.fill(1, dtype, x.type.shape), { monoid: 'sum', windows });
  return a.tensor(a.apply('div', [total, count]));
}

/** NumPy's `sliding_window_view`: the axes of the windows come last. */
function slidingWindows(a: Arguments): Term {
  const x = a.value('x');
  const rank = x.type.shape.length;
  const axes = a.isNone('axis') ? range(rank) : a.axes('axis', rank);
  const sizes = integersOf(a, 'window_shape', axes.length);
  axes.forEach((axis, i) => requireFit(a, x.type.shape[axis]!, { ...single, window: sizes[i]! }));
  const repeated = a.broadcast(x, [...x.type.shape, ...sizes], range(rank));
  return a.tensor(
    axes.reduce((view, axis, i) => {
      const size = subtract(x.type.shape[axis]!, subtract(sizes[i]!, int(1)));
      const attrs = { axis, window: rank + i, size, stride: 1, dilation: 1 };
      return a.apply('window_slice', [view], attrs);
    }, repeated),
  );
}

export const windows: readonly Intrinsic[] = [
  intrinsic(
    'conv_general',
    [
      required('x'),
      required('w'),
      optional('stride', once),
      optional('padding', nothing),
      optional('kernel_dilation', once),
      optional('input_dilation', once),
      optional('groups', once),
      optional('flip', no),
    ],
    `The convolution over all axes but the first and the last; \`flip\` turns the kernels round. ${layout} ${paddings}`,
    (a) => forward(a, undefined, 'kernel_dilation'),
  ),
  ...([1, 2, 3] as const).map(convolutionOf),
  ...([1, 2, 3] as const).map(transposedOf),
  intrinsic(
    'convolve',
    [required('a'), required('v'), optional('mode', { kind: 'string', value: 'full' })],
    'The discrete convolution of two vectors: every offset at which they overlap ("full"), the middle as long as the longer one ("same"), or where they overlap entirely ("valid").',
    (a) => slide(a, true),
  ),
  intrinsic(
    'correlate',
    [required('a'), required('v'), optional('mode', { kind: 'string', value: 'valid' })],
    'The sums of products of two vectors at every offset at which they overlap entirely ("valid"), at all ("full"), or in the middle ("same").',
    (a) => slide(a, false),
  ),
  intrinsic(
    'reduce_window',
    [
      required('x'),
      required('op'),
      required('window'),
      optional('stride', once),
      optional('padding', nothing),
      optional('dilation', once),
      optional('input_dilation', once),
    ],
    `The elements of each window combined by \`op\`: "sum", "prod", "max" or "min"; a window size for each axis of x. What is outside x does not count. ${paddings}`,
    reduceAnyWindow,
  ),
  extremumPool('max_pool', 'max', 'greatest'),
  extremumPool('min_pool', 'min', 'smallest'),
  intrinsic(
    'avg_pool',
    [...poolParameters, optional('count_include_pad', yes)],
    `The mean of each window over the spatial axes of T[N, ...spatial, C]; windows stand \`stride\` apart (side by side unless given). Padding counts as zeros, or not at all with \`count_include_pad = false\`. ${paddings}`,
    averagePool,
  ),
  intrinsic(
    'sliding_window_view',
    [required('x'), required('window_shape'), optional('axis')],
    'All windows of a size along the axes (all, unless given); the elements of a window are in new last axes.',
    slidingWindows,
  ),
];
