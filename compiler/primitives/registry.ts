/** All primitives by name; each record is also exported here under its name in camelCase. */
import { InternalError } from '../diagnostics/internal-error.ts';
import type { Primitive } from '../tensor-ir/primitive.ts';
import { argmax, argmin } from './arg-reduce.ts';
import { argsort } from './argsort.ts';
import { abs, add, div, floorDiv, max, min, mul, neg, pow, rem, sign, sub } from './arithmetic.ts';
import { and, clz, not, or, popcount, shiftLeft, shiftRight, xor } from './bitwise.ts';
import { broadcast } from './broadcast.ts';
import { call } from './call.ts';
import { clamp } from './clamp.ts';
import { eq, ge, gt, isFiniteElement, le, lt, ne } from './comparison.ts';
import { concatenate } from './concatenate.ts';
import { cond } from './cond.ts';
import { constant, dimValue, iota, literal } from './constant.ts';
import { convGeneral } from './conv-general.ts';
import { bitcast, convert } from './convert.ts';
import { cumlogsumexp, cummax, cummin, cumprod, cumsum } from './cumulative.ts';
import { checkpoint, customJvp, customVjp, customVjpTangent } from './custom-derivative.ts';
import { dotGeneral } from './dot-general.ts';
import { dynamicSlice, dynamicUpdateSlice } from './dynamic-slice.ts';
import { erf, erfc, erfinv } from './error-function.ts';
import { cbrt, exp, exp2, expm1, log, log1p, log2, logistic, rsqrt, sqrt } from './exponential.ts';
import { extern } from './extern.ts';
import { digamma, lgamma, polygamma } from './gamma.ts';
import { gather } from './gather.ts';
import { linearRecurrence } from './linear-recurrence.ts';
import { optimizationBarrier } from './optimization-barrier.ts';
import { pad } from './pad.ts';
import { permute } from './permute.ts';
import { reduceAll, reduceAny, reduceMax, reduceMin, reduceProd, reduceSum } from './reduce.ts';
import { reduceWindow } from './reduce-window.ts';
import { reshape } from './reshape.ts';
import { ceil, floor, round, trunc } from './rounding.ts';
import { scan } from './scan.ts';
import { scatter } from './scatter.ts';
import { select } from './select.ts';
import { reverse, slice } from './slice.ts';
import { sort, topK } from './sort.ts';
import { stopGradient } from './stop-gradient.ts';
import { switchBranch } from './switch.ts';
import { jvp, vjp, vmap } from './transformations.ts';
import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cos,
  cosh,
  sin,
  sinh,
  tan,
  tanh,
} from './trigonometric.ts';
import { whileLoop } from './while.ts';
import { windowPad, windowSlice } from './window.ts';

/** A line a family, in the order of README.md. */
const records: readonly unknown[] = [
  // arithmetic.ts
  neg,
  abs,
  sign,
  add,
  sub,
  mul,
  div,
  floorDiv,
  rem,
  pow,
  max,
  min,
  // rounding.ts
  floor,
  ceil,
  round,
  trunc,
  // exponential.ts
  exp,
  exp2,
  expm1,
  log,
  log2,
  log1p,
  sqrt,
  rsqrt,
  cbrt,
  logistic,
  // trigonometric.ts
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  atan2,
  // error-function.ts
  erf,
  erfc,
  erfinv,
  // gamma.ts
  lgamma,
  digamma,
  polygamma,
  // clamp.ts
  clamp,
  // comparison.ts
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  isFiniteElement,
  // bitwise.ts
  not,
  popcount,
  clz,
  and,
  or,
  xor,
  shiftLeft,
  shiftRight,
  // select.ts
  select,
  // convert.ts
  convert,
  bitcast,
  // constant.ts
  constant,
  literal,
  dimValue,
  iota,
  // broadcast.ts
  broadcast,
  // reshape.ts
  reshape,
  // permute.ts
  permute,
  // slice.ts
  slice,
  reverse,
  // pad.ts
  pad,
  // concatenate.ts
  concatenate,
  // dynamic-slice.ts
  dynamicSlice,
  dynamicUpdateSlice,
  // gather.ts
  gather,
  // scatter.ts
  scatter,
  // reduce.ts
  reduceSum,
  reduceProd,
  reduceMax,
  reduceMin,
  reduceAll,
  reduceAny,
  // arg-reduce.ts
  argmax,
  argmin,
  // cumulative.ts
  cumsum,
  cumprod,
  cummax,
  cummin,
  cumlogsumexp,
  // linear-recurrence.ts
  linearRecurrence,
  // argsort.ts
  argsort,
  // sort.ts
  sort,
  topK,
  // dot-general.ts
  dotGeneral,
  // window.ts
  windowSlice,
  windowPad,
  // reduce-window.ts
  reduceWindow,
  // conv-general.ts
  convGeneral,
  // call.ts, cond.ts, switch.ts
  call,
  cond,
  switchBranch,
  // while.ts
  whileLoop,
  // scan.ts
  scan,
  // stop-gradient.ts, optimization-barrier.ts
  stopGradient,
  optimizationBarrier,
  // extern.ts
  extern,
  // custom-derivative.ts
  customVjp,
  customJvp,
  customVjpTangent,
  checkpoint,
  // transformations.ts
  vmap,
  jvp,
  vjp,
];

/** Every primitive by name. */
export const primitives: ReadonlyMap<string, Primitive> = new Map(
  // the attrs type of each record is erased: who finds a primitive by name takes its attrs as data
  (records as readonly Primitive[]).map((record) => [record.name, record]),
);

/** The primitive of this name; InternalError when there is none. */
export function primitive(name: string): Primitive {
  const found = primitives.get(name);
  if (found === undefined) throw new InternalError(`no primitive ${name}`);
  return found;
}

export {
  abs,
  acos,
  acosh,
  add,
  and,
  argmax,
  argmin,
  argsort,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  bitcast,
  broadcast,
  call,
  cbrt,
  ceil,
  checkpoint,
  clamp,
  clz,
  concatenate,
  cond,
  constant,
  convert,
  convGeneral,
  cos,
  cosh,
  cumlogsumexp,
  cummax,
  cummin,
  cumprod,
  cumsum,
  customJvp,
  customVjp,
  customVjpTangent,
  digamma,
  dimValue,
  div,
  dotGeneral,
  dynamicSlice,
  dynamicUpdateSlice,
  eq,
  erf,
  erfc,
  erfinv,
  exp,
  exp2,
  expm1,
  extern,
  floor,
  floorDiv,
  gather,
  ge,
  gt,
  iota,
  isFiniteElement,
  jvp,
  le,
  lgamma,
  linearRecurrence,
  literal,
  log,
  log1p,
  log2,
  logistic,
  lt,
  max,
  min,
  mul,
  ne,
  neg,
  not,
  optimizationBarrier,
  or,
  pad,
  permute,
  polygamma,
  popcount,
  pow,
  reduceAll,
  reduceAny,
  reduceMax,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceWindow,
  rem,
  reshape,
  reverse,
  round,
  rsqrt,
  scan,
  scatter,
  select,
  shiftLeft,
  shiftRight,
  sign,
  sin,
  sinh,
  slice,
  sort,
  sqrt,
  stopGradient,
  sub,
  switchBranch,
  tan,
  tanh,
  topK,
  trunc,
  vjp,
  vmap,
  whileLoop,
  windowPad,
  windowSlice,
  xor,
};
