/** Samples of windows, reductions over windows and convolutions. */
import { int } from '../../compiler/symbolic/integer.ts';
import { type DType, dtypes, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { Attrs } from '../../compiler/tensor-ir/program.ts';
import { tensor } from './functions.ts';
import type { Sample, SampleOperand } from './samples.ts';

const numbers = dtypes.filter((dtype) => dtype !== 'bool');
const f32: readonly DType[] = ['f32'];

/** Samples of a primitive of this family; undefined for others. */
export function windowSamples(name: string): readonly Sample[] | undefined {
  switch (name) {
    case 'window_slice':
      return viewsInAllDTypes([
        ['one axis', [7, 3], { axis: 0, window: 1, size: 5, stride: 1, dilation: 1 }],
        ['strided and dilated', [2, 3, 9], { axis: 2, window: 1, size: 3, stride: 2, dilation: 2 }],
        ['window in front', [2, 6], { axis: 1, window: 0, size: 3, stride: 2, dilation: 1 }],
        ['no window', [4, 2], { axis: 0, window: 1, size: 0, stride: 1, dilation: 3 }],
        ['nothing in a window', [4, 0], { axis: 0, window: 1, size: 6, stride: 1, dilation: 1 }],
      ]);
    case 'window_pad':
      return viewsInAllDTypes([
        ['one axis', [5, 3], { axis: 0, window: 1, size: 7, stride: 1, dilation: 1 }],
        ['strided and dilated', [2, 3, 3], { axis: 2, window: 1, size: 9, stride: 2, dilation: 2 }],
        ['window in front', [2, 3], { axis: 1, window: 0, size: 8, stride: 3, dilation: 1 }],
        ['no window', [0, 2], { axis: 0, window: 1, size: 4, stride: 1, dilation: 1 }],
      ]);
    case 'reduce_window':
      return reduceWindowSamples();
    case 'conv_general':
      return convSamples();
    default:
      return undefined;
  }
}

/** The first case in all dtypes, the others in f32. */
function viewsInAllDTypes(
  cases: readonly (readonly [
    string,
    readonly number[],
    { readonly size: number } & Readonly<Record<string, number>>,
  ])[],
): readonly Sample[] {
  return cases.flatMap(([label, shape, attrs], i) =>
    (i === 0 ? dtypes : f32).map((dtype) => ({
      label: `${label}, ${dtype}`,
      dtype,
      operands: [{ type: tensor(dtype, ...shape) }],
      attrs: { ...attrs, size: int(attrs.size) },
    })),
  );
}

/** Values for each axis, the defaults where a case says nothing. */
interface Windows {
  readonly stride?: readonly number[];
  readonly dilation?: readonly number[];
  readonly inputDilation?: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
}

function reduceWindowSamples(): readonly Sample[] {
  const cases: readonly (readonly [string, readonly number[], readonly number[], Windows])[] = [
    ['windows of two axes', [2, 5, 4], [1, 2, 3], { stride: [1, 2, 1], low: [0, 1, 0] }],
    ['dilated', [9, 2], [3, 1], { dilation: [2, 1], high: [1, 0] }],
    ['input dilated', [4, 3], [3, 1], { inputDilation: [2, 1], stride: [2, 1], low: [1, 0] }],
    ['cropped', [8], [2], { low: [-2], high: [-1], stride: [2] }],
    ['one element', [5, 3], [1, 1], { stride: [2, 1] }],
    ['no window', [2, 3], [4, 1], {}],
    ['no rows', [0, 4], [1, 2], {}],
    ['channels last', [1, 6, 6, 20], [1, 3, 3, 1], { low: [0, 1, 1, 0], high: [0, 1, 1, 0] }],
    ['scalar', [], [], {}],
  ];
  return ['sum', 'prod', 'max', 'min'].flatMap((monoid) =>
    cases.flatMap(([label, shape, window, windows], i) =>
      (i === 0 ? numbers : f32).map((dtype) => {
        const fill = (list: readonly number[] | undefined, value: number): readonly number[] =>
          list ?? shape.map(() => value);
        return {
          label: `${monoid}, ${label}, ${dtype}`,
          dtype,
          operands: [{ type: tensor(dtype, ...shape), ...rangeOf(dtype) }],
          attrs: {
            monoid,
            window,
            stride: fill(windows.stride, 1),
            dilation: fill(windows.dilation, 1),
            inputDilation: fill(windows.inputDilation, 1),
            low: fill(windows.low, 0).map(int),
            high: fill(windows.high, 0).map(int),
          },
        };
      }),
    ),
  );
}

interface Convolution {
  readonly stride?: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  readonly inputDilation?: readonly number[];
  readonly kernelDilation?: readonly number[];
  readonly groups?: number;
  readonly flip?: boolean;
}

/** The attrs of a convolution with this many spatial axes. */
export function convAttrs(axes: number, conv: Convolution): Attrs {
  const fill = (list: readonly number[] | undefined, value: number): readonly number[] =>
    list ?? Array.from({ length: axes }, () => value);
  return {
    stride: fill(conv.stride, 1),
    low: fill(conv.low, 0).map(int),
    high: fill(conv.high, 0).map(int),
    inputDilation: fill(conv.inputDilation, 1),
    kernelDilation: fill(conv.kernelDilation, 1),
    groups: int(conv.groups ?? 1),
    flip: conv.flip ?? false,
  };
}

function convSamples(): readonly Sample[] {
  const cases: readonly (readonly [
    string,
    readonly number[],
    readonly number[],
    Convolution,
    (readonly DType[])?,
  ])[] = [
    ['two axes', [2, 5, 4, 3], [2, 3, 2, 3], { low: [1, 0], high: [1, 1] }, numbers],
    ['one axis, strided', [2, 9, 2], [3, 3, 2], { stride: [2], low: [1] }],
    ['three axes', [1, 3, 4, 3, 2], [2, 2, 1, 2, 2], { stride: [1, 2, 1] }],
    ['no axis', [3, 4], [2, 4], {}],
    ['dilated', [1, 9, 2], [2, 3, 2], { kernelDilation: [3], low: [2], high: [-1] }],
    ['transposed', [2, 4, 3], [2, 3, 3], { inputDilation: [2], low: [2], high: [1], flip: true }],
    ['all dilated', [1, 5, 2], [2, 2, 2], { inputDilation: [3], kernelDilation: [2], stride: [2] }],
    ['cropped', [1, 7, 2], [2, 2, 2], { low: [-1], high: [-2] }],
    ['groups', [2, 5, 6], [4, 3, 3], { groups: 2, stride: [2], low: [1], high: [1] }],
    ['large groups', [1, 5, 12], [14, 2, 6], { groups: 2, flip: true }],
    [
      'depthwise',
      [1, 4, 5, 6],
      [6, 3, 3, 1],
      { groups: 6, low: [1, 1], high: [1, 1] },
      ['f32', 'f16'],
    ],
    ['points', [2, 4, 4, 5], [6, 1, 1, 5], { stride: [2, 2] }],
    ['large', [2, 9, 9, 8], [16, 3, 3, 8], { low: [1, 1], high: [1, 1] }, ['f32', 'f16', 'bf16']],
    ['no channels', [2, 4, 0], [3, 2, 0], {}],
    ['no examples', [0, 4, 2], [3, 2, 2], {}],
    ['no kernels', [1, 4, 2], [0, 2, 2], {}],
    ['no window', [1, 2, 2], [3, 4, 2], {}],
    ['nothing padded', [1, 0, 2], [3, 3, 2], { low: [2], high: [2] }],
  ];
  return cases.flatMap(([label, x, w, conv, list]) =>
    (list ?? f32).map((dtype) => ({
      label: `${label}, ${dtype}`,
      dtype,
      operands: [x, w].map((shape) => ({ type: tensor(dtype, ...shape), ...rangeOf(dtype) })),
      attrs: convAttrs(x.length - 2, conv),
    })),
  );
}

/** Numbers whose sums and products stay moderate. */
function rangeOf(dtype: DType): Pick<SampleOperand, 'range'> {
  if (isFloat(dtype)) return { range: [-1, 1] };
  return { range: dtype.startsWith('u') ? [0, 5] : [-3, 3] };
}
