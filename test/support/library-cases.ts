/**
 * Small programs over std/random, std/nn, std/losses and std/optim, held like those of stdlib-cases.ts to what JAX and PyTorch
 * gave (tools/goldens/{distributions,layers,losses,optimisers}.py).
 */
import type { Suite } from './stdlib-cases.ts';

const randomImports = `
import { beta, bernoulli, bits, categorical, cauchy, chisquare, choice, dirichlet, fold_in, gamma, geometric, laplace,
  loggamma, logistic, lognormal, maxwell, multivariate_normal, normal, pareto, permutation, poisson, rademacher, randint, rayleigh, t, triangular,
  truncated_normal, uniform, weibull_min } from "std/random";`;

/** u64 words as their halves, which JSON can hold. */
const halves = (type: string, value: string): string => `{
  let x: ${type} = ${value};
  let words = bitcast(x, u64);
  (u32(words >> 32), u32(words))
}`;

const randomWords: Suite = {
  file: 'distributions',
  imports: randomImports,
  tolerance: 0,
  cases: {
    'bits u8': '{ let x: u8[9] = bits(key(1)); i32(x) }',
    'bits u16': '{ let x: u16[2, 4] = bits(key(1)); i32(x) }',
    'bits u64': halves('u64[5]', 'bits(key(1))'),
    'bits empty': 'bits(key(1))',
    'fold_in twice': 'key_data(fold_in(fold_in(key(3), u32(4294967295)), 8))',
    'uniform f64': halves('f64[4]', 'uniform(key(9))'),
    'randint u8': '{ let x: u8[9] = randint(key(5), 3, 250); i32(x) }',
    'randint i8': '{ let x: i8[9] = randint(key(5), -100, 100); i32(x) }',
    'randint i16': '{ let x: i16[9] = randint(key(5), -30000, 30000); i32(x) }',
    'randint u32': 'randint(key(5), 7, 4000000000)',
    'randint i64': halves('i64[4]', 'randint(key(5), -4503599627370496, 4503599627370496)'),
    'randint empty range': 'randint(key(5), 4, 4)',
    rademacher: 'rademacher(key(2))',
    geometric: 'geometric(key(17), 0.3)',
    permutation: 'permutation(key(11), arange(20))',
    'permutation of rows': 'permutation(key(12), a)',
    'permutation along axis 1': 'permutation(key(12), a, axis = 1)',
    'permutation independent': 'permutation(key(12), a, independent = true)',
    'permutation of 2000': 'permutation(key(13), arange(2000))[:50]',
    choice: 'choice(key(14), a)',
    'choice without replacement': 'choice(key(14), a, replace = false)',
    'choice by weight': 'choice(key(15), a, p = a)',
    'choice by weight without replacement': 'choice(key(15), a, replace = false, p = a)',
    poisson: 'poisson(key(18), a)',
    'categorical draws': 'categorical(key(16), broadcast_to(a, (3, 5, 5)))',
  },
};

const randomReals: Suite = {
  file: 'distributions',
  imports: randomImports,
  tolerance: 2e-6,
  cases: {
    laplace: 'laplace(key(1))',
    logistic: 'logistic(key(1))',
    cauchy: 'cauchy(key(1))',
    pareto: 'pareto(key(1), 3.0)',
    rayleigh: 'rayleigh(key(1), 1.5)',
    weibull_min: 'weibull_min(key(1), 2.0, 1.5)',
    triangular: 'triangular(key(1), 0.0, 1.0, 4.0)',
    lognormal: 'lognormal(key(1), 0.5)',
    maxwell: 'maxwell(key(1))',
    'truncated_normal one side': 'truncated_normal(key(1), lower = 1.0, upper = inf)',
    'truncated_normal narrow': 'truncated_normal(key(1), lower = 0.0, upper = 1e-6)',
    multivariate_normal: 'multivariate_normal(key(2), a, b)',
    gamma: 'gamma(key(2), a)',
    loggamma: 'loggamma(key(2), a)',
    beta: 'beta(key(2), a, b)',
    dirichlet: 'dirichlet(key(2), a)',
    chisquare: 'chisquare(key(2), a)',
    t: 't(key(2), a)',
  },
};

/** A fused kernel rounds to f16 once, JAX after each operation. */
const randomHalves: Suite = {
  file: 'distributions',
  imports: randomImports,
  tolerance: 1e-3,
  cases: { 'normal f16': 'normal(key(1))' },
};

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** A function of n arguments, with what its pullback gives for the argument after them. */
function backward(n: number, f: string): string {
  const args = [...letters.slice(0, n)].join(', ');
  const parts = Array.from({ length: n }, (_, i) => `gradients.${i}`).join(', ');
  return `{
    let (y, pullback) = vjp(${f}, ${args});
    let gradients = pullback(${letters[n]});
    (y, ${parts})
  }`;
}

const activations: Readonly<Record<string, string>> = {
  relu: 'relu',
  relu2: 'relu2',
  relu6: 'relu6',
  leaky_relu: '|x| leaky_relu(x, negative_slope = 0.1)',
  elu: '|x| elu(x, alpha = 1.5)',
  celu: '|x| celu(x, alpha = 1.5)',
  selu: 'selu',
  gelu: 'gelu',
  gelu_approx: 'gelu_approx',
  gelu_fast_approx: 'gelu_fast_approx',
  sigmoid: 'sigmoid',
  log_sigmoid: 'log_sigmoid',
  silu: 'silu',
  mish: 'mish',
  hardswish: 'hardswish',
  hard_tanh: '|x| hard_tanh(x, min_val = -1.5, max_val = 2.5)',
  hard_shrink: 'hard_shrink',
  softshrink: 'softshrink',
  softsign: 'softsign',
  softplus: 'softplus',
  tanh: 'tanh',
  softmax: 'softmax',
  softmin: 'softmin',
  log_softmax: 'log_softmax',
};

const layerImports = `
import { Bilinear, BatchNorm, BatchStats, Conv1d, Conv2d, Conv3d, Embedding, GRU, GroupNorm, InstanceNorm, LSTM, LayerNorm, Linear,
  MultiHeadAttention, RMSNorm, RNN, TransformerDecoderLayer, TransformerEncoderLayer, alibi, attention, batch_norm,
  batch_norm_train, bilinear, causal_attention, celu, conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d,
  conv_transpose3d, cross_attention, elu, embedding, embedding_as_linear, gelu, gelu_approx, gelu_fast_approx, glu,
  group_norm, gru, hard_shrink, hard_tanh, hardswish, instance_norm, layer_norm, leaky_relu, linear, log_sigmoid,
  log_softmax, lstm, mish, multi_head_attention, prelu, relu, relu2, relu6, repeat_heads, rms_norm, rnn, rope,
  scaled_dot_product_attention, selu, sigmoid, silu, sinusoidal_positional_encoding, softmax, softmin, softshrink,
  softsign, step, transformer_decoder_layer, transformer_encoder_layer, upsample_linear, upsample_nearest } from "std/nn";

fn heads(w: f32[4, 12], b: f32[12], u: f32[4, 4], c: f32[4]) -> MultiHeadAttention<4, 2> {
  MultiHeadAttention { qkv: Linear { w, b }, out: Linear { w: u, b: c } }
}
`;

const forwardAndBackward = Object.entries(activations).flatMap(([name, f]) => [
  [name, backward(1, f)],
  [`${name} of large`, backward(1, f)],
]);

const layers: Suite = {
  file: 'layers',
  imports: layerImports,
  tolerance: 3e-6,
  cases: {
    ...Object.fromEntries(forwardAndBackward),
    step: 'step(a, threshold = 0.5)',
    glu: backward(1, 'glu'),
    'glu axis 1': backward(1, '|x| glu(x, axis = 1)'),
    prelu: backward(2, 'prelu'),
    'softmax axis 1': backward(1, '|x| softmax(x, axis = 1)'),
    linear: backward(3, '|x, w, b| linear(x, Linear { w, b })'),
    bilinear: backward(4, '|x, y, w, b| bilinear(x, y, Bilinear { w, b })'),
    embedding: backward(1, '|w| embedding(array([[0, 2], [2, 1]]), Embedding { w })'),
    embedding_as_linear: backward(2, '|x, w| embedding_as_linear(x, Embedding { w })'),
    conv1d: backward(3, '|x, w, b| conv1d(x, Conv1d { w, b }, stride = 2, padding = 1)'),
    conv2d: backward(3, '|x, w, b| conv2d(x, Conv2d { w, b }, padding = 1)'),
    'conv2d strides': backward(
      3,
      '|x, w, b| conv2d(x, Conv2d { w, b }, stride = (2, 1), padding = (0, 2), dilation = (1, 2))',
    ),
    'conv2d groups': backward(3, '|x, w, b| conv2d(x, Conv2d { w, b }, groups = 2)'),
    conv3d: backward(3, '|x, w, b| conv3d(x, Conv3d { w, b })'),
    conv_transpose1d: backward(
      3,
      '|x, w, b| conv_transpose1d(x, Conv1d { w, b }, stride = 2, padding = 1, output_padding = 1)',
    ),
    conv_transpose2d: backward(
      3,
      '|x, w, b| conv_transpose2d(x, Conv2d { w, b }, stride = 2, dilation = 2)',
    ),
    conv_transpose3d: backward(3, '|x, w, b| conv_transpose3d(x, Conv3d { w, b })'),
    max_pool: backward(1, '|x| max_pool(x, 3, stride = 2, padding = 1)'),
    avg_pool: backward(1, '|x| avg_pool(x, 2)'),
    upsample_nearest: backward(1, '|x| upsample_nearest(x, 3)'),
    'upsample_nearest 1d': backward(1, '|x| upsample_nearest(x, 2)'),
    upsample_linear: backward(1, '|x| upsample_linear(x, 2)'),
    'upsample_linear 2d': backward(1, '|x| upsample_linear(x, 3)'),
    'upsample_linear corners': backward(1, '|x| upsample_linear(x, 2, align_corners = true)'),
    'upsample_linear 3d': backward(1, '|x| upsample_linear(x, 2)'),
    layer_norm: backward(3, '|x, w, b| layer_norm(x, LayerNorm { w, b })'),
    rms_norm: backward(2, '|x, w| rms_norm(x, RMSNorm { w })'),
    batch_norm: backward(
      5,
      `|x, w, b, mean, var| batch_norm(x, BatchNorm { w, b }, stop_gradient(BatchStats { mean, var }))`,
    ),
    batch_norm_train: backward(
      3,
      '|x, w, b| batch_norm_train(x, BatchNorm { w, b }, BatchStats { mean: b, var: w }).0',
    ),
    'batch_norm_train statistics': `{
      let m = BatchNorm { w: b, b };
      let stats = batch_norm_train(a, m, BatchStats { mean: b, var: c }).1;
      (stats.mean, stats.var)
    }`,
    group_norm: backward(3, '|x, w, b| group_norm(x, GroupNorm { w, b }, 3)'),
    'group_norm of images': backward(3, '|x, w, b| group_norm(x, GroupNorm { w, b }, 2)'),
    instance_norm: backward(3, '|x, w, b| instance_norm(x, m = InstanceNorm { w, b })'),
    'instance_norm plain': backward(1, 'instance_norm'),
    rope: backward(1, 'rope'),
    'rope traditional': backward(
      1,
      '|x| rope(x, dims = 4, traditional = true, base = 100.0, scale = 0.5, offset = 3)',
    ),
    sinusoidal_positional_encoding: backward(1, '|x| sinusoidal_positional_encoding(x, 6)'),
    alibi: 'alibi(offset = 2)',
    'alibi of 8 heads': 'alibi()',
    attention: backward(3, 'attention'),
    causal_attention: backward(3, 'causal_attention'),
    'sdpa bool mask': backward(
      3,
      `|q, k, v| scaled_dot_product_attention(q, k, v, scale = 0.3,
        mask = array([true, true, false, true, false]))`,
    ),
    'sdpa float mask': backward(
      4,
      '|q, k, v, mask| scaled_dot_product_attention(q, k, v, mask = mask)',
    ),
    'sdpa causal': backward(3, '|q, k, v| scaled_dot_product_attention(q, k, v, causal = true)'),
    'grouped queries': backward(
      3,
      '|q, k, v| scaled_dot_product_attention(q, repeat_heads(k, 4), repeat_heads(v, 4))',
    ),
    multi_head_attention: backward(5, '|x, w, b, u, c| multi_head_attention(x, heads(w, b, u, c))'),
    cross_attention: backward(6, '|x, m, w, b, u, c| cross_attention(x, m, heads(w, b, u, c))'),
    rnn: backward(4, '|x, wx, wh, b| rnn(x, RNN { wx, wh, b })'),
    'rnn relu': backward(
      5,
      '|x, wx, wh, b, h| rnn(x, RNN { wx, wh, b }, hidden = h, activation = relu)',
    ),
    lstm: backward(4, '|x, wx, wh, b| lstm(x, LSTM { wx, wh, b }).0'),
    'lstm from a state': backward(
      6,
      '|x, wx, wh, b, h, c| lstm(x, LSTM { wx, wh, b }, hidden = h, cell = c).0',
    ),
    gru: backward(5, '|x, wx, wh, b, bn| gru(x, GRU { wx, wh, b, bn })'),
    'gru from a state': backward(
      6,
      '|x, wx, wh, b, bn, h| gru(x, GRU { wx, wh, b, bn }, hidden = h)',
    ),
  },
};

function encoderLayer(options: string): string {
  return `|x, w, b, u, c, w1, b1, w2, b2, v1, c1, v2, c2| transformer_encoder_layer(x, TransformerEncoderLayer {
    attention: heads(w, b, u, c), norm1: LayerNorm { w: w1, b: b1 }, norm2: LayerNorm { w: w2, b: b2 },
    linear1: Linear { w: v1, b: c1 }, linear2: Linear { w: v2, b: c2 },
  }${options})`;
}

function decoderLayer(options: string): string {
  return `|x, memory, w, b, u, c, s, d, t, f, w1, b1, w2, b2, w3, b3, v1, c1, v2, c2|
    transformer_decoder_layer(x, memory, TransformerDecoderLayer {
      self_attention: heads(w, b, u, c), cross_attention: heads(s, d, t, f),
      norm1: LayerNorm { w: w1, b: b1 }, norm2: LayerNorm { w: w2, b: b2 }, norm3: LayerNorm { w: w3, b: b3 },
      linear1: Linear { w: v1, b: c1 }, linear2: Linear { w: v2, b: c2 },
    }${options})`;
}

/** Sums of sums of products: what is lost to rounding adds up, in torch too. */
const transformers: Suite = {
  file: 'layers',
  imports: layerImports,
  tolerance: 1e-5,
  cases: {
    transformer_encoder_layer: backward(13, encoderLayer('')),
    'transformer_encoder_layer norm first': backward(13, encoderLayer(', norm_first = true')),
    transformer_decoder_layer: backward(20, decoderLayer('')),
    'transformer_decoder_layer norm first': backward(20, decoderLayer(', norm_first = true')),
  },
};

const losses: Suite = {
  file: 'losses',
  imports: `
import { binary_cross_entropy, cosine_similarity_loss, cross_entropy, gaussian_nll_loss, hinge_loss, huber_loss, kl_div_loss,
  l1_loss, log_cosh_loss, margin_ranking_loss, mse_loss, nll_loss, smooth_l1_loss, soft_cross_entropy,
  triplet_loss } from "std/losses";

fn labels() -> i32[4] { array([0, 2, 1, 2]) }`,
  tolerance: 2e-6,
  cases: {
    cross_entropy: backward(1, '|x| cross_entropy(x, labels())'),
    'cross_entropy weights': backward(2, '|x, w| cross_entropy(x, labels(), weights = w)'),
    'cross_entropy smoothing': backward(
      1,
      '|x| cross_entropy(x, labels(), label_smoothing = 0.1, reduction = "mean")',
    ),
    'cross_entropy of large': backward(1, '|x| cross_entropy(x, labels())'),
    soft_cross_entropy: backward(2, '|x, p| soft_cross_entropy(x, p, reduction = "sum")'),
    binary_cross_entropy: backward(2, '|x, t| binary_cross_entropy(x, t, reduction = "none")'),
    'binary_cross_entropy of large': backward(
      1,
      '|x| binary_cross_entropy(x, ones_like(x), reduction = "none")',
    ),
    'binary_cross_entropy probabilities': backward(
      1,
      '|p| binary_cross_entropy(p, array([[0.0, 1.0], [1.0, 0.25]]), with_logits = false)',
    ),
    nll_loss: backward(1, '|x| nll_loss(x, labels())'),
    kl_div_loss: backward(2, '|q, p| kl_div_loss(q, p)'),
    hinge_loss: backward(2, '|x, t| hinge_loss(x, t)'),
    mse_loss: backward(2, '|x, y| mse_loss(x, y)'),
    'mse_loss sum': backward(2, '|x, y| mse_loss(x, y, reduction = "sum")'),
    l1_loss: backward(2, '|x, y| l1_loss(x, y, reduction = "none")'),
    smooth_l1_loss: backward(2, '|x, y| smooth_l1_loss(x, y, beta = 0.5)'),
    huber_loss: backward(2, '|x, y| huber_loss(x, y, delta = 0.7)'),
    log_cosh_loss: backward(2, '|x, y| log_cosh_loss(x, y)'),
    gaussian_nll_loss: backward(3, '|x, y, v| gaussian_nll_loss(x, y, v, full = true, eps = 0.3)'),
    cosine_similarity_loss: backward(2, '|x, y| cosine_similarity_loss(x, y)'),
    margin_ranking_loss: backward(3, '|x, y, t| margin_ranking_loss(x, y, t, margin = 0.3)'),
    triplet_loss: backward(3, '|x, p, n| triplet_loss(x, p, n)'),
    'triplet_loss p 3': backward(
      3,
      '|x, p, n| triplet_loss(x, p, n, p = 3, margin = 0.5, reduction = "mean")',
    ),
  },
};

/** Ten steps, in a loop, on a tree of a matrix and a vector with an integer beside them, which stays. */
function tenSteps(name: string, options: string): string {
  return `{
    let start = (a, (b, 7));
    let ((p, _), _) = scan(
      |(p, s), (g, h)| (${name}(p, (g, (h, ())), s, ${options}), ()),
      (start, ${name}_init(start)),
      (c, d),
    );
    (p.0, p.1.0)
  }`;
}

const optimisers: Suite = {
  file: 'optimisers',
  imports: `
import { adadelta, adadelta_init, adafactor, adafactor_init, adagrad, adagrad_init, adam, adam_init, adamax, adamax_init, adamw,
  adamw_init, clip_by_value, cosine_decay, exponential_decay, join_schedules, linear_schedule, lion, lion_init, muon,
  muon_init, rmsprop, rmsprop_init, sgd, sgd_init, step_decay, warmup_cosine_decay } from "std/optim";`,
  tolerance: 2e-6,
  cases: {
    sgd: tenSteps('sgd', 'lr = 0.1'),
    'sgd momentum': tenSteps(
      'sgd',
      'lr = 0.1, momentum = 0.9, weight_decay = 0.01, dampening = 0.3',
    ),
    'sgd nesterov': tenSteps(
      'sgd',
      'lr = 0.1, momentum = 0.9, weight_decay = 0.01, nesterov = true',
    ),
    adam: tenSteps('adam', 'lr = 0.01, weight_decay = 0.1'),
    adamw: tenSteps('adamw', 'lr = 0.01'),
    adamax: tenSteps('adamax', 'weight_decay = 0.1'),
    rmsprop: tenSteps('rmsprop', ''),
    'rmsprop momentum': tenSteps(
      'rmsprop',
      'lr = 0.02, alpha = 0.9, momentum = 0.8, weight_decay = 0.1',
    ),
    adagrad: tenSteps('adagrad', 'lr = 0.1, lr_decay = 0.1, weight_decay = 0.1'),
    adadelta: tenSteps('adadelta', 'weight_decay = 0.1'),
    adafactor: tenSteps('adafactor', 'weight_decay = 0.1'),
    'adafactor fast': tenSteps('adafactor', 'lr = 0.5, d = 1.5'),
    lion: tenSteps('lion', 'lr = 0.01, weight_decay = 0.1'),
    muon: tenSteps('muon', 'lr = 0.05'),
    'muon plain': tenSteps(
      'muon',
      'lr = 0.05, momentum = 0.9, weight_decay = 0.0, nesterov = false',
    ),
    clip_by_value: 'clip_by_value((a, b), 0.5)',
    exponential_decay: 'vmap(exponential_decay(0.1, 0.95))(a)',
    step_decay: 'vmap(step_decay(0.1, 0.5, 10))(a)',
    cosine_decay: 'vmap(cosine_decay(0.1, 100, end = 0.01))(a)',
    linear_schedule: 'vmap(linear_schedule(0.01, 0.1, 50))(a)',
    warmup_cosine_decay: 'vmap(warmup_cosine_decay(0.0, 0.1, 10, 100, end = 0.02))(a)',
    join_schedules: `{
      let parts = [linear_schedule(0.0, 0.1, 10), cosine_decay(0.1, 40), exponential_decay(0.05, 0.9)];
      vmap(join_schedules(parts, [10, 50]))(a)
    }`,
  },
};

export const librarySuites: Readonly<Record<string, Suite>> = {
  'distributions: words': randomWords,
  'distributions: reals': randomReals,
  'distributions: halves': randomHalves,
  layers,
  transformers,
  losses,
  optimisers,
};
