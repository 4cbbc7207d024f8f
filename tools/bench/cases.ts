/** What `bench cpu` measures: each case is a function of programs/, its sizes, and a formula of the peers. */

export interface BenchCase {
  readonly name: string;
  /** File in programs/ and the function in it. */
  readonly program: string;
  readonly entry: string;
  /** The case in peers/measure.py, with its sizes. */
  readonly peerCase: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** Dims of our program, where their names differ from the sizes. */
  readonly dims: Readonly<Record<string, number>>;
  /** Work of one call, in `unit`s per second; milliseconds when absent. */
  readonly work?: { readonly amount: number; readonly unit: 'GFLOP/s' | 'GB/s' };
  /** For training steps: parameters that the call may overwrite, which are its first results. */
  readonly state?: readonly string[];
}

const flops = (amount: number): BenchCase['work'] => ({ amount, unit: 'GFLOP/s' });
const bytes = (amount: number): BenchCase['work'] => ({ amount, unit: 'GB/s' });

/** A case of kernels.mlx whose dims are its sizes. */
function kernel(
  name: string,
  entry: string,
  sizes: BenchCase['sizes'],
  work: BenchCase['work'],
): BenchCase {
  return {
    name,
    program: 'kernels.mlx',
    entry,
    peerCase: entry,
    sizes,
    dims: sizes,
    ...(work && { work }),
  };
}

function gemm(n: number): BenchCase {
  return kernel(`gemm ${n}`, 'gemm', { M: n, N: n, K: n }, flops(2 * n ** 3));
}

const attention = { B: 4, H: 12, T: 256, D: 64 };
const million = 10 ** 6;

export const cases: readonly BenchCase[] = [
  gemm(512),
  gemm(1024),
  gemm(2048),
  kernel('softmax 4096x4096', 'softmax', { M: 4096, N: 4096 }, bytes(8 * 4096 ** 2)),
  kernel('gelu chain 10^7', 'gelu_chain', { N: 10 * million }, bytes(80 * million)),
  kernel('layer norm 4096x1024', 'layer_norm', { M: 4096, N: 1024 }, bytes(8 * 4096 * 1024)),
  kernel('column sum 4096x4096', 'column_sum', { M: 4096, N: 4096 }, bytes(4 * 4096 ** 2)),
  kernel('mean squared error 10^7', 'mean_squared_error', { N: 10 * million }, bytes(80 * million)),
  kernel(
    'linear+bias+gelu 1024x768x3072',
    'linear_gelu',
    { M: 1024, K: 768, N: 3072 },
    flops(2 * 1024 * 768 * 3072),
  ),
  {
    ...kernel('causal attention 4x12x256x64', 'attention', attention, undefined),
    dims: { B: attention.B, H: attention.H, N: attention.T, D: attention.D },
    // Two products over the half of the scores that the mask leaves.
    work: {
      amount: 2 * attention.B * attention.H * attention.T ** 2 * attention.D,
      unit: 'GFLOP/s',
    },
  },
  {
    name: 'MLP training step, batch 256',
    program: 'mlp.mlx',
    entry: 'train_step',
    peerCase: 'mlp_step',
    sizes: { B: 256, I: 784, D: 512, O: 10 },
    dims: { B: 256 },
    state: ['m', 'opt'],
  },
  {
    name: 'small GPT training step, batch 4',
    program: 'small-gpt.mlx',
    entry: 'train_step',
    peerCase: 'gpt_step',
    sizes: { B: 4, T: 128, D: 256, H: 8, L: 4, V: 1024 },
    dims: { B: 4 },
    state: ['m', 'opt'],
  },
];
