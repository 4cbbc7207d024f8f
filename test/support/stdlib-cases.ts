/**
 * Small programs over the standard library and the prelude, and what JAX, NumPy and PyTorch gave for them
 * (test/golden/stdlib, written by tools/goldens/stdlib.py).
 *
 * A case is an expression over the golden inputs `a`, `b`, `c`, ...; its type is that of the golden outputs.
 */
import { expect } from 'vitest';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { librarySuites } from './library-cases.ts';
import { preludeSuites } from './prelude-suites.ts';
import { type Golden, readGoldens, type Suite } from './stdlib-goldens.ts';

export type { Golden, Suite };

import type { TestTensor } from './run-source.ts';

const random: Suite = {
  file: 'random',
  imports: `
import { bernoulli, bits, categorical, exponential, fold_in, gumbel, normal, randint, truncated_normal, uniform,
  split as split_key } from "std/random";`,
  tolerance: 0,
  cases: {
    bits: 'bits(key(0))',
    'bits 2d': 'bits(key(1234))',
    'bits scalar': 'bits(key(5))',
    split: 'key_data(split_key(key(42), 3))',
    'split of split': 'key_data(split_key(split_key(key(1))[1], 2))',
    fold_in: 'key_data(fold_in(key(7), 5))',
    'negative seed': 'bits(key(-3))',
    uniform: 'uniform(key(0))',
    'uniform f16': 'uniform(key(3))',
    'uniform bf16': 'uniform(key(3))',
    randint: 'randint(key(8), 0, 10)',
    'randint wide': 'randint(key(8), -5, 100003)',
    bernoulli: 'bernoulli(key(2), 0.3)',
    categorical: 'categorical(key(6), a)',
  },
};

/** The bits are JAX's, but XLA fuses multiply-add, and erfinv and log are our own: the last place may differ. */
const randomReal: Suite = {
  file: 'random',
  imports: random.imports,
  tolerance: 1e-6,
  cases: {
    'uniform range': 'uniform(key(3), minval = -2.0, maxval = 3.0)',
    normal: 'normal(key(0))',
    'normal 2d': 'normal(key(99))',
    exponential: 'exponential(key(2))',
    gumbel: 'gumbel(key(2))',
    truncated_normal: 'truncated_normal(key(4), lower = -1.0, upper = 2.0)',
  },
};

const nn: Suite = {
  file: 'nn',
  imports: `
import { LayerNorm, Linear, MultiHeadAttention, RMSNorm, attention, causal_attention, elu, Embedding, embedding, gelu,
  gelu_tanh, layer_norm, leaky_relu, linear, log_softmax, multi_head_attention, relu, rms_norm, sigmoid, silu,
  softmax } from "std/nn";
import { binary_cross_entropy, cross_entropy, huber, mse } from "std/losses";`,
  tolerance: 2e-6,
  cases: {
    softmax: 'softmax(a)',
    'softmax axis 0': 'a.softmax(axis = 0)',
    'softmax backward': 'vjp(softmax, a).1(b).0',
    'softmax of large': 'softmax(a)',
    log_softmax: 'log_softmax(a)',
    layer_norm: 'layer_norm(a, LayerNorm { w: b, b: c })',
    'layer_norm backward': 'vjp(|x, w, b| layer_norm(x, LayerNorm { w, b }), a, b, c).1(d)',
    rms_norm: 'rms_norm(a, RMSNorm { w: b })',
    relu: 'relu(a)',
    'relu derivative': 'vmap(grad(relu))(a)',
    leaky_relu: 'leaky_relu(a)',
    gelu: 'gelu(a)',
    gelu_tanh: 'gelu_tanh(a)',
    silu: 'silu(a)',
    elu: 'elu(a)',
    sigmoid: 'sigmoid(a)',
    softplus: 'softplus(a)',
    linear: 'a |> linear(Linear { w: b, b: c })',
    embedding: 'embedding(a, Embedding { w: b })',
    attention: 'attention(a, b, c)',
    causal_attention: 'causal_attention(a, b, c)',
    'causal_attention backward': 'vjp(causal_attention, a, b, c).1(d)',
    multi_head_attention: `{
      let m: MultiHeadAttention<4, 2> = MultiHeadAttention {
        qkv: Linear { w: b, b: c },
        out: Linear { w: d, b: e },
      };
      multi_head_attention(a, m, causal = true)
    }`,
    cross_entropy: 'cross_entropy(a, b)',
    'cross_entropy gradient': 'grad(|l| mean(cross_entropy(l, b)))(a)',
    binary_cross_entropy: 'binary_cross_entropy(a, b, reduction = "none")',
    huber: 'huber(a, b)',
    mse: 'mse(a, b)',
    logaddexp: 'logaddexp(a, b)',
    hypot: 'hypot(a, b)',
  },
};

/** Three steps on the pair of parameters (a, b) with gradients (c, d), (e, f), (g, h). */
const threeSteps = (name: string, options: string): string => `{
  let s = ${name}_init((a, b));
  let (p, s) = ${name}((a, b), (c, d), s, ${options});
  let (p, s) = ${name}(p, (e, f), s, ${options});
  let (p, _) = ${name}(p, (g, h), s, ${options});
  p
}`;

const optim: Suite = {
  file: 'optim',
  imports: `
import { adam, adam_init, adamw, adamw_init, clip_by_global_norm, sgd, sgd_init } from "std/optim";`,
  tolerance: 1e-6,
  cases: {
    sgd: threeSteps('sgd', 'lr = 0.1, momentum = 0.9, weight_decay = 0.01'),
    adam: threeSteps('adam', 'lr = 0.01, weight_decay = 0.1'),
    adamw: threeSteps('adamw', 'lr = 0.01, beta1 = 0.8, beta2 = 0.95, weight_decay = 0.1'),
    clip_by_global_norm: `{
      let ((x, y), norm) = clip_by_global_norm((a, b), 0.5);
      (x, y, norm)
    }`,
  },
};

const array: Suite = {
  file: 'array',
  imports: '',
  tolerance: 2e-6,
  cases: {
    'einsum ij,jk->ik': 'einsum("ij,jk->ik", a, b)',
    'einsum bij,bjk->bik': 'einsum("bij,bjk->bik", a, b)',
    'einsum bhqd,bhkd->bhqk': 'einsum("bhqd,bhkd->bhqk", a, b)',
    'einsum ij->ji': 'einsum("ij->ji", a)',
    'einsum ii->i': 'einsum("ii->i", a)',
    'einsum ii': 'einsum("ii", a)',
    'einsum ij->': 'einsum("ij->", a)',
    'einsum ij,j': 'einsum("ij,j", a, b)',
    'einsum i,j->ij': 'einsum("i,j->ij", a, b)',
    'einsum ij,kj,k->i': 'einsum("ij,kj,k->i", a, b, c)',
    'einsum ...ij,...jk->...ik': 'einsum("...ij,...jk->...ik", a, b)',
    'einsum b...d,d->b...': 'einsum("b...d,d->b...", a, b)',
    'einsum ijk,ilm,nlk->jmn': 'einsum("ijk,ilm,nlk->jmn", a, b, c)',
    var: 'var(a, axis = (0, 2))',
    'std ddof': 'std(a, axis = 1, ddof = 1)',
    logsumexp: 'logsumexp(a, axis = 1)',
    argmax: 'argmax(a, axis = 1)',
    'argmin all': 'argmin(a)',
    cumsum: 'cumsum(a, axis = 1)',
    cumprod: 'cumprod(a, axis = -1)',
    prod: 'prod(a, axis = 0)',
    'min keepdims': 'min(a, axis = 1, keepdims = true)',
    any: 'any(a > 1, axis = 0)',
    count: 'sum(a > 0)',
    take: 'take(a, b, axis = 0)',
    'take last axis': 'take(a, b, axis = 1)',
    'take flat': 'take(a, b)',
    take_along_axis: 'take_along_axis(a, b, axis = 1)',
    one_hot: 'one_hot(where(a < 0, a + 4, a), 4)',
    roll: 'roll(a, 1, axis = 1)',
    'roll flat': 'roll(a, -5)',
    tile: 'tile(a, (2, 1, 2))',
    repeat: 'repeat(a, 2, axis = 1)',
    pad: 'pad(a, ((1, 0), (2, 1)), constant_values = 7)',
    flip: 'flip(a, axis = (0, 2))',
    tril: 'tril(a, k = 1)',
    triu: 'triu(a, k = -1)',
    eye: 'eye(3, 5, k = 1)',
    linspace: 'linspace(-1, 2, 7)',
    arange: 'arange(2, 17, 4)',
    'arange down': 'arange(5, -4, -3)',
    'arange real': 'arange(0, 1, 0.25)',
    moveaxis: 'moveaxis(a, (0, 1), (2, 0))',
    transpose: 'transpose(a)',
    swapaxes: 'swapaxes(a, 0, -1)',
    concatenate: 'concatenate((a, a * 2), axis = 1)',
    stack: 'stack([a, a + 1], axis = -1)',
    'split at': 'split(a, (1, 3), axis = 1)',
    squeeze: 'squeeze(a[:1])',
    expand_dims: 'expand_dims(a, (0, -1))',
    reshape: 'reshape(a, (4, -1))',
    clip: 'clip(a, -0.5, 0.75)',
    where: 'where(a > b, a, 0.0)',
    tensordot: 'tensordot(a, b, axes = ((2, 1), (1, 0)))',
    'matmul vector': 'matmul(a, b)',
    'matmul batch': 'matmul(a, swapaxes(a, 1, 2))',
    'matmul shared': 'matmul(a, swapaxes(b, 1, 2))',
    outer: 'outer(a, b[:, 0])',
    round: 'round(a * 4)',
    log10: 'log10(abs(a))',
    floor_divide: 'floor_divide(a, 2)',
    remainder: 'remainder(a - 1, 3)',
    diagonal: 'diagonal(a[:, :, :3], axis1 = -2, axis2 = -1)',
  },
};

const letters = 'abcdefghijklmnopqrstuvwxyz';

function showType({ dtype, shape }: TestTensor): string {
  return shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`;
}

/** The case as an exported function of that name. */
export function functionOf(name: string, expression: string, golden: Golden): string {
  const parameters = golden.inputs.map((t, i) => `${letters[i]}: ${showType(t)}`).join(', ');
  const types = golden.outputs.map(showType);
  const result = types.length === 1 ? types[0] : `(${types.join(', ')})`;
  return `export fn ${name}(${parameters}) -> ${result} { ${expression} }\n`;
}

export function goldensOf({ file }: Suite): Readonly<Record<string, Golden>> {
  return readGoldens(file);
}

/** One module with a function `case_I` for each case, so that a device's compiler runs once. */
export function moduleOf(suite: Suite): string {
  const goldens = goldensOf(suite);
  const functions = Object.entries(suite.cases).map(([key, expression], i) =>
    functionOf(`case_${i}`, expression, goldens[key]!),
  );
  return `${suite.imports}\n${functions.join('\n')}`;
}

const unitRoundoff: Readonly<Partial<Record<DType, number>>> = { f16: 2 ** -11, bf16: 2 ** -8 };

/** Equal up to `tolerance`, relative to the greatest finite element of the golden, or with `byElement` to each. */
export function expectClose(
  found: TestTensor,
  wanted: TestTensor,
  tolerance: number,
  byElement = false,
): void {
  expect({ dtype: found.dtype, shape: found.shape }).toEqual({
    dtype: wanted.dtype,
    shape: wanted.shape,
  });
  const greatest = Math.max(1, ...wanted.data.filter(Number.isFinite).map(Math.abs));
  wanted.data.forEach((value, i) => {
    const exact = isFloat(wanted.dtype) ? Math.fround(value) : value;
    // NaN and infinities are met or missed
    const isSame = Object.is(found.data[i]! + 0, exact + 0);
    const gap = isSame ? 0 : Math.abs(found.data[i]! - exact);
    const scale = byElement ? Math.max(1, Math.abs(exact)) : greatest;
    const isLoose = tolerance > 0 && Number.isFinite(exact);
    const allowed = isLoose ? scale * Math.max(tolerance, unitRoundoff[wanted.dtype] ?? 0) : 0;
    expect(gap, `element ${i}: ${found.data[i]}, not ${exact}`).toBeLessThanOrEqual(allowed);
  });
}

export const suites: Readonly<Record<string, Suite>> = {
  'random bits': random,
  'random reals': randomReal,
  'nn and losses': nn,
  optim,
  'array functions': array,
  ...librarySuites,
  ...preludeSuites,
};
