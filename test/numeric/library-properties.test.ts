/** What goldens cannot say of the library: moments of distributions, gradients where formulas break, identities of layers, all float dtypes. */
import { describe, expect, test } from 'vitest';
import { runSource, type TestTensor } from '../support/run-source.ts';

/** The numbers of each leaf of the result. */
function evaluate(source: string, inputs: readonly TestTensor[] = []): readonly number[][] {
  return runSource(source, 'test', inputs).map((t) => [...t.data]);
}

describe('moments', () => {
  const count = 1500;
  const gumbelMean = 0.5772156649;
  /** Mean and variance. */
  const distributions: Readonly<Record<string, readonly [number, number]>> = {
    'random.normal(k)': [0, 1],
    'random.uniform(k, minval = -1.0, maxval = 3.0)': [1, 16 / 12],
    'truncated_normal(k)': [0, 0.7737],
    'exponential(k)': [1, 1],
    'laplace(k)': [0, 2],
    'random_logistic(k)': [0, Math.PI ** 2 / 3],
    'gumbel(k)': [gumbelMean, Math.PI ** 2 / 6],
    'pareto(k, 5.0)': [5 / 4, 5 / (16 * 3)],
    'rayleigh(k, 2.0)': [2 * Math.sqrt(Math.PI / 2), 4 * (2 - Math.PI / 2)],
    'weibull_min(k, 1.0, 2.0)': [0.886227, 1 - 0.785398],
    'triangular(k, 0.0, 1.0, 4.0)': [5 / 3, (16 + 1 - 4) / 18],
    'lognormal(k, 0.5)': [Math.exp(0.125), (Math.exp(0.25) - 1) * Math.exp(0.25)],
    'maxwell(k)': [2 * Math.sqrt(2 / Math.PI), 3 - 8 / Math.PI],
    'f32(geometric(k, 0.25))': [4, 12],
    'f32(rademacher_i32(k))': [0, 1],
    'f32(randint(k, -3, 5))': [0.5, 63 / 12],
    'f32(bernoulli(k, 0.3))': [0.3, 0.21],
    [`gamma(k, full((${count},), 3.0))`]: [3, 3],
    [`gamma(k, full((${count},), 0.5))`]: [0.5, 0.5],
    [`beta(k, full((${count},), 2.0), full((${count},), 3.0))`]: [0.4, 0.04],
    [`chisquare(k, full((${count},), 3.0))`]: [3, 6],
    [`t(k, full((${count},), 8.0))`]: [0, 8 / 6],
    [`f32(poisson(k, full((${count},), 4.0)))`]: [4, 4],
    [`f32(poisson(k, full((${count},), 40.0)))`]: [40, 40],
  };

  test.each(Object.entries(distributions))('%s', (call, [mean, variance]) => {
    const typed = call
      .replace('random.', '')
      .replace('random_logistic', 'logistic')
      .replace('rademacher_i32', 'rademacher');
    const integer = /^f32\((.*)\)$/.exec(typed)?.[1];
    const dtype = integer === undefined ? 'f32' : integer.startsWith('bern') ? 'bool' : 'i32';
    const [[foundMean], [foundVariance]] = evaluate(`
      import { bernoulli, beta, chisquare, exponential, gamma, geometric, gumbel, laplace, logistic, lognormal, maxwell, normal,
        pareto, poisson, rademacher, randint, rayleigh, t, triangular, truncated_normal, uniform,
        weibull_min } from "std/random";
      export fn test() -> (f32, f32) {
        let k = key(5);
        let drawn: ${dtype}[${count}] = ${integer ?? typed};
        let x = f32(drawn);
        (mean(x), var(x))
      }`) as [[number], [number]];
    // five standard errors of the mean; the variance of heavy tails is less sure
    expect(Math.abs(foundMean - mean)).toBeLessThan(5 * Math.sqrt(variance / count));
    expect(Math.abs(foundVariance / variance - 1)).toBeLessThan(0.25);
  });
});

describe('gradients where formulas break', () => {
  const imports = `
    import { celu, elu, gelu, gelu_approx, hard_shrink, hard_tanh, hardswish, layer_norm, LayerNorm, log_sigmoid, log_softmax, mish,
      relu, relu2, rms_norm, RMSNorm, group_norm, GroupNorm, instance_norm, batch_norm_train, batch_norm_init, batch_stats_init,
      selu, sigmoid, silu, softmax, softshrink, softsign } from "std/nn";
    import { binary_cross_entropy, cosine_similarity_loss, cross_entropy, gaussian_nll_loss, hinge_loss, huber_loss,
      kl_div_loss, l1_loss, log_cosh_loss, margin_ranking_loss, mse_loss, smooth_l1_loss, soft_cross_entropy,
      triplet_loss } from "std/losses";`;
  const calls = [
    ...[
      'celu',
      'elu',
      'gelu',
      'gelu_approx',
      'hard_shrink',
      'hard_tanh',
      'hardswish',
      'log_sigmoid',
    ],
    ...[
      'log_softmax',
      'mish',
      'relu',
      'relu2',
      'selu',
      'sigmoid',
      'silu',
      'softmax',
      'softshrink',
      'softsign',
    ],
    'instance_norm',
    '|x| layer_norm(x, LayerNorm { w: ones(), b: zeros() })',
    '|x| rms_norm(x, RMSNorm { w: ones() })',
    '|x| group_norm(x, GroupNorm { w: ones(), b: zeros() }, 2)',
    '|x| batch_norm_train(x, batch_norm_init(), batch_stats_init()).0',
    '|x| binary_cross_entropy(x, ones_like(x))',
    '|x| cosine_similarity_loss(x, x)',
    '|x| cross_entropy(x, array([0, 3]))',
    '|x| gaussian_nll_loss(x, ones_like(x), abs(x))',
    '|x| hinge_loss(x, ones_like(x))',
    '|x| huber_loss(x, ones_like(x))',
    '|x| kl_div_loss(log_softmax(x), log_softmax(-x))',
    '|x| l1_loss(x, x)',
    '|x| log_cosh_loss(x, -x)',
    '|x| margin_ranking_loss(x, -x, ones_like(x))',
    '|x| mse_loss(x, -x)',
    '|x| smooth_l1_loss(x, -x)',
    '|x| soft_cross_entropy(x, softmax(x))',
    '|x| triplet_loss(x, x, -x)',
  ];

  test.each(calls)('%s', (call) => {
    const results = evaluate(`${imports}
      fn gradient(x: f32[2, 4]) -> f32[2, 4] { grad(|x| { let f = ${call}; sum(f(x)) })(x) }
      export fn test() -> (f32[2, 4], f32[2, 4], f32[2, 4]) {
        (gradient(zeros()), gradient(full(fill_value = 3e4)), gradient(full(fill_value = -3e4)))
      }`);
    expect(results.flat().filter((v) => !Number.isFinite(v))).toEqual([]);
  });
});

describe('identities', () => {
  test('attention from a cache is causal attention of the whole', () => {
    const [apart, whole] = evaluate(`
      import { KVCache, MultiHeadAttention, cached_attention, kv_cache_init, multi_head_attention,
        multi_head_attention_init } from "std/nn";
      import { normal } from "std/random";
      export fn test() -> (f32[1, 5, 4], f32[1, 5, 4]) {
        let m: MultiHeadAttention<4, 2> = multi_head_attention_init(key(1), stddev = 0.5);
        let x: f32[1, 5, 4] = normal(key(2));
        let cache: KVCache<1, 2, 7, 2> = kv_cache_init();
        let (first, cache) = cached_attention(x[:, :2], m, cache);
        let (_, rest) = scan(
          |cache, token| { let (y, next) = cached_attention(token[:, newaxis], m, cache); (next, y[:, 0]) },
          cache,
          swapaxes(x[:, 2:], 0, 1),
        );
        (concatenate((first, swapaxes(rest, 0, 1)), axis = 1), multi_head_attention(x, m, causal = true))
      }`);
    apart!.forEach((value, i) => {
      expect(value).toBeCloseTo(whole![i]!, 6);
    });
  });

  test('dropout zeroes the given share and keeps the mean; in 2d, whole channels', () => {
    const [plain, channels] = evaluate(`
      import { dropout, dropout2d } from "std/nn";
      export fn test() -> (f32[2000], f32[10, 3, 2, 20]) {
        (dropout(ones((2000,)), key(3), rate = 0.2), dropout2d(ones((10, 3, 2, 20)), key(4), rate = 0.2))
      }`);
    expect(new Set(plain)).toEqual(new Set([0, 1.25]));
    expect(Math.abs(plain!.filter((v) => v === 0).length / 2000 - 0.2)).toBeLessThan(0.045);
    for (let example = 0; example < 10; example++) {
      for (let channel = 0; channel < 20; channel++) {
        const values = [0, 1, 2, 3, 4, 5].map((i) => channels![(example * 6 + i) * 20 + channel]);
        expect(new Set(values).size).toBe(1);
      }
    }
  });

  test('an encoder is its layers one after the other', () => {
    const [stacked, unrolled] = evaluate(`
      import { TransformerEncoder, layer_norm, transformer_encoder, transformer_encoder_init,
        transformer_encoder_layer } from "std/nn";
      import { normal } from "std/random";
      export fn test() -> (f32[1, 3, 4], f32[1, 3, 4]) {
        let m: TransformerEncoder<4, 2, 8, 2> = transformer_encoder_init(key(1));
        let x: f32[1, 3, 4] = normal(key(2));
        let y = transformer_encoder_layer(x, map(|w| w[0], m.layers), norm_first = true);
        let z = transformer_encoder_layer(y, map(|w| w[1], m.layers), norm_first = true);
        (transformer_encoder(x, m, norm_first = true), layer_norm(z, m.norm))
      }`);
    stacked!.forEach((value, i) => {
      expect(value).toBeCloseTo(unrolled![i]!, 6);
    });
  });

  test('initialisers scale by their fans', () => {
    const [deviations, gram, zeros] = evaluate(`
      import { glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_normal, orthogonal, sparse } from "std/init";
      export fn test() -> (f32[6], f32[4, 4], i32[5]) {
        let a: f32[30, 50] = glorot_normal(key(0));
        let b: f32[30, 50] = glorot_uniform(key(0));
        let c: f32[30, 50] = he_normal(key(0));
        let d: f32[16, 3, 3, 8] = he_uniform(key(0));
        let e: f32[30, 50] = he_normal(key(0), mode = "fan_out", gain = 1.0);
        let f: f32[30, 50] = lecun_normal(key(0));
        let q: f32[9, 4] = orthogonal(key(1));
        let s: f32[10, 5] = sparse(key(2), 0.3);
        let deviations = array([std(a), std(b), std(c), std(d), std(e), std(f)]);
        (deviations, swapaxes(q, 0, 1) @ q, sum(s == 0.0, axis = 0))
      }`);
    const wanted = [2 / 80, 2 / 80, 2 / 30, 2 / 72, 1 / 50, 1 / 30].map(Math.sqrt);
    deviations!.forEach((value, i) => {
      expect(Math.abs(value / wanted[i]! - 1)).toBeLessThan(0.06);
    });
    gram!.forEach((value, i) => {
      expect(value).toBeCloseTo(i % 5 === 0 ? 1 : 0, 6);
    });
    expect(zeros).toEqual([3, 3, 3, 3, 3]);
  });

  test('the bounds of a truncated normal are never reached', () => {
    const [low, high] = evaluate(`
      import { truncated_normal } from "std/random";
      export fn test() -> (f32, f32) {
        let x: f32[3000] = truncated_normal(key(0), lower = -0.001, upper = 0.001);
        (min(x), max(x))
      }`) as [[number], [number]];
    expect(low[0]).toBeGreaterThan(Math.fround(-0.001));
    expect(high[0]).toBeLessThan(Math.fround(0.001));
  });
});

describe('choices', () => {
  test.each([
    ['mse_loss(x, x, reduction = "average")', '`reduction` is "none", "mean" or "sum"'],
    ['{ let w: f32[3] = he_normal(key(0)); sum(w) }', 'a weight has two axes at least'],
  ])('%s is refused', (call, message) => {
    const source = `
      import { mse_loss } from "std/losses";
      import { he_normal } from "std/init";
      export fn test(x: f32[3]) -> f32 { ${call} }`;
    expect(() => evaluate(source)).toThrow(message);
  });
});

describe('every layer in each float dtype', () => {
  const source = (dtype: string): string => `
    import { BatchNorm, BatchStats, Bilinear, Conv1d, Conv2d, GRU, GroupNorm, LSTM, RNN, TransformerDecoder, TransformerEncoder,
      alibi, batch_norm, batch_norm_init, batch_norm_train, batch_stats_init, bilinear, bilinear_init, conv1d, conv1d_init,
      conv2d, conv2d_init, conv_transpose1d, cross_attention, dropout2d, embedding_as_linear, group_norm, group_norm_init,
      gru, gru_init, instance_norm, lstm, lstm_init, rnn, rnn_init, rope, sinusoidal_positional_encoding,
      transformer_decoder, transformer_decoder_init, transformer_encoder, transformer_encoder_init, upsample_linear,
      upsample_nearest } from "std/nn";
    import { orthogonal } from "std/init";
    import { gaussian_nll_loss, kl_div_loss, triplet_loss } from "std/losses";
    import { adafactor, adafactor_init, lion, lion_init, muon, muon_init, rmsprop, rmsprop_init } from "std/optim";
    import { normal } from "std/random";

    struct Net<T: float> {
      bilinear: Bilinear<4, 4, 4, T>,
      conv: Conv1d<4, 4, 3, T>,
      image: Conv2d<4, 4, 1, 3, T>,
      norm: GroupNorm<4, T>,
      batch: BatchNorm<4, T>,
      rnn: RNN<4, 4, T>,
      lstm: LSTM<4, 4, T>,
      gru: GRU<4, 4, T>,
      encoder: TransformerEncoder<4, 2, 8, 2, T>,
      decoder: TransformerDecoder<4, 2, 8, 1, T>,
      mix: T[4, 4],
    }

    fn init<T: float>(k: Key) -> Net<T> {
      Net {
        bilinear: bilinear_init(k), conv: conv1d_init(k), image: conv2d_init(k), norm: group_norm_init(),
        batch: batch_norm_init(), rnn: rnn_init(k), lstm: lstm_init(k), gru: gru_init(k),
        encoder: transformer_encoder_init(k), decoder: transformer_decoder_init(k), mix: orthogonal(k),
      }
    }

    fn loss<T: float>(net: Net<T>, x: T[2, 6, 4]) -> T {
      let y = bilinear(x, x, net.bilinear) |> conv1d(net.conv, padding = "same") |> conv_transpose1d(net.conv, padding = 1);
      let y = (conv2d(y[:, newaxis], net.image, padding = "same") |> dropout2d(key(1)))[:, 0] |> group_norm(net.norm, 2);
      let (y, stats) = batch_norm_train(y, net.batch, batch_stats_init());
      let y = batch_norm(y, net.batch, stats) |> instance_norm |> rnn(net.rnn) |> gru(net.gru);
      let y = lstm(y, net.lstm).0 |> rope |> upsample_linear(2) |> upsample_nearest(2);
      let z = transformer_encoder(y[:, ::4] @ net.mix, net.encoder, rate = 0.1, key = key(4));
      let z = transformer_decoder(x, z, net.decoder, norm_first = true);
      let places: T[6] = arange(6, dtype = ${dtype});
      let scores: T[2, 6, 4] = alibi();
      let z = z + sinusoidal_positional_encoding(places, 4) + scores;
      gaussian_nll_loss(z, x, ones_like(z)) + triplet_loss(z, x, -x, reduction = "mean") +
        kl_div_loss(z, x, reduction = "mean") * 0.01
    }

    fn step<T: float>(x: T[2, 6, 4]) -> (Net<T>, T) {
      let net: Net<T> = init(key(0));
      let (l, g) = value_and_grad(loss)(net, x);
      let (net, _) = muon(net, g, muon_init(net));
      let (net, _) = adafactor(net, g, adafactor_init(net));
      let (net, _) = lion(net, g, lion_init(net));
      let (net, _) = rmsprop(net, g, rmsprop_init(net), lr = 1e-3, eps = 1e-3);
      (net, l)
    }

    export fn test() -> (Net<${dtype}>, ${dtype}) { step(${dtype}(normal<f32>(key(7))[:2])) }`;

  test.each(['f32', 'f64', 'f16', 'bf16'])('%s', (dtype) => {
    const text = source(dtype).replace(
      `step(${dtype}(normal<f32>(key(7))[:2]))`,
      `{
      let x: f32[2, 6, 4] = normal(key(7));
      step(${dtype}(x))
    }`,
    );
    const results = evaluate(text);
    expect(results.flat().filter((v) => !Number.isFinite(v))).toEqual([]);
  });
});
