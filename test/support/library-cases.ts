/**
 * Small programs over std/random, std/nn, std/losses and std/optim, held like those of stdlib-cases.ts to what JAX and PyTorch
 * gave (tools/goldens/{distributions,layers,losses,optimisers}.py).
 */
import type { Suite } from './stdlib-cases.ts';

const randomImports = `
import { beta, bernoulli, bits, categorical, cauchy, chisquare, choice, dirichlet, fold_in, gamma, geometric, laplace,
  loggamma, logistic, lognormal, maxwell, normal, pareto, permutation, poisson, rademacher, randint, rayleigh, t, triangular,
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
    'normal f16': 'normal(key(1))',
    gamma: 'gamma(key(2), a)',
    loggamma: 'loggamma(key(2), a)',
    beta: 'beta(key(2), a, b)',
    dirichlet: 'dirichlet(key(2), a)',
    chisquare: 'chisquare(key(2), a)',
    t: 't(key(2), a)',
  },
};

export const librarySuites: Readonly<Record<string, Suite>> = {
  'distributions: words': randomWords,
  'distributions: reals': randomReals,
};
