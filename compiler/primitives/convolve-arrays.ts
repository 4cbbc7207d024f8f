/** The meaning of `conv_general` on arrays. */
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import {
  type Element,
  elementCount,
  forEachIndex,
  isBig,
  makeArray,
  type NdArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';

/** `ConvGeneralAttrs` with all dims known, and the shape of the result. */
export interface Convolution {
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly low: readonly number[];
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  readonly groups: number;
  readonly flip: boolean;
}

/** An element of a window: where its channels start in x (undefined: padding) and in each kernel. */
interface Tap {
  readonly inX: number | undefined;
  readonly inKernel: number;
}

/**
 * x[N, ...spatial, C] and w[O, ...spatial, C / groups]; floats sum in double precision, integers wrap. Padding is multiplied as
 * any 0 is (0 * inf = NaN); what dilation puts between elements is not.
 */
export function convolveArrays(x: NdArray, w: NdArray, conv: Convolution): NdArray {
  const result = makeArray(x.dtype, conv.shape);
  const outputs = w.shape[0]!;
  const inputs = w.shape[w.shape.length - 1]!;
  const outputsOfGroup = outputs / conv.groups;
  const kernelSize = elementCount(w.shape.slice(1));
  const dot = isFloat(x.dtype) ? addProducts : addIntegerProducts(x);
  const nothing = makeArray(x.dtype, [inputs]);
  // times a finite number, padding adds 0
  const showsPadding = isFloat(x.dtype) && !(w.data as Float64Array).every(Number.isFinite);
  forEachIndex(conv.shape.slice(0, -1), (index, position) => {
    const taps = tapsAt(x, w, conv, index).filter((t) => showsPadding || t.inX !== undefined);
    for (let o = 0; o < outputs; o++) {
      const group = Math.floor(o / outputsOfGroup);
      let total: Element = isBig(x.dtype) ? 0n : 0;
      for (const { inX, inKernel } of taps) {
        const at = o * kernelSize + inKernel;
        if (inX === undefined) total = dot(total, nothing, 0, w, at, inputs);
        else total = dot(total, x, inX + group * inputs, w, at, inputs);
      }
      setElement(result.data, position * outputs + o, total);
    }
  });
  return result;
}

/** The elements of the window of result [n, ...p], padding too, without what dilation puts between elements. */
function tapsAt(
  x: NdArray,
  w: NdArray,
  conv: Convolution,
  index: readonly number[],
): readonly Tap[] {
  const xStrides = stridesOf(x.shape);
  const wStrides = stridesOf(w.shape);
  const spatial = w.shape.slice(1, -1);
  const taps: Tap[] = [];
  forEachIndex(spatial, (k) => {
    let inX: number | undefined = index[0]! * xStrides[0]!;
    for (let i = 0; i < spatial.length; i++) {
      const padded = index[i + 1]! * conv.stride[i]! + k[i]! * conv.kernelDilation[i]!;
      const place = (padded - conv.low[i]!) / conv.inputDilation[i]!;
      if (!Number.isInteger(place)) return;
      if (place < 0 || place >= x.shape[i + 1]!) inX = undefined;
      else if (inX !== undefined) inX += place * xStrides[i + 1]!;
    }
    const tap = conv.flip ? k.map((at, i) => spatial[i]! - 1 - at) : k;
    taps.push({ inX, inKernel: offsetOf(tap, wStrides.slice(1, -1)) });
  });
  return taps;
}

type AddProducts = (
  total: Element,
  x: NdArray,
  xStart: number,
  w: NdArray,
  wStart: number,
  count: number,
) => Element;

const addProducts: AddProducts = (total, x, xStart, w, wStart, count) => {
  const a = x.data as Float64Array;
  const c = w.data as Float64Array;
  let sum = total as number;
  for (let i = 0; i < count; i++) sum += a[xStart + i]! * c[wStart + i]!;
  return sum;
};

function addIntegerProducts({ dtype }: NdArray): AddProducts {
  const mul = scalarFunction('mul');
  const add = scalarFunction('add');
  return (total, x, xStart, w, wStart, count) => {
    let sum = total;
    for (let i = 0; i < count; i++) {
      const term = evaluateScalar(mul, dtype, x.data[xStart + i]!, w.data[wStart + i]!);
      sum = evaluateScalar(add, dtype, sum, term);
    }
    return sum;
  };
}
