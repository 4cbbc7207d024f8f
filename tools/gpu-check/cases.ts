/** What the check runs: functions with their dims, and what they are held against. */
import type { Tensor } from '../../runtime/tensor.ts';
import { memoryCases } from './memory-cases.ts';
import { programCases } from './programs.ts';

export interface GpuCase {
  readonly name: string;
  /** Below the root of the repository; with `text`, only what it is called. */
  readonly file: string;
  readonly text?: string;
  readonly entry: string;
  readonly dims: Readonly<Record<string, number>>;
  /** Dims are left symbolic in the kernels and handed over in the struct of integers. */
  readonly isSymbolic?: boolean;
  /** What computes the expected results: the interpreter, or the CPU device where that would take too long. */
  readonly reference: 'interp' | 'cpu';
  /** Integers of the inputs lie in [0, below). */
  readonly below?: number;
  /** The leaves of the arguments; made up by inputs.ts when absent. Dims are then read off their shapes. */
  readonly leaves?: () => readonly Tensor[];
  /** Timed, each dispatch and all together. */
  readonly isTimed?: boolean;
  /** The formula in peers.py that is timed beside it; its inputs are the parameters of the entry. */
  readonly peer?: string;
  /** When the peer is a training step of tools/bench/peers/training.py: its sizes. */
  readonly sizes?: Readonly<Record<string, number>>;
}

const golden = (name: string, dims: GpuCase['dims']): GpuCase[] => {
  const file = `test/golden/kernels/${name}.mlx`;
  const of = { file, entry: name, dims, reference: 'interp' } as const;
  const constant: GpuCase = { ...of, name: `golden ${name}` };
  if (Object.keys(dims).length === 0) return [constant];
  return [constant, { ...of, name: `golden ${name}, symbolic dims`, isSymbolic: true }];
};

const sample = (file: string, entry: string, dims: GpuCase['dims'], below: number): GpuCase => ({
  name: `sample ${file} ${entry}`,
  file: `samples/${file}.mlx`,
  entry,
  dims,
  reference: 'interp',
  below,
});

const bench = (entry: string, dims: GpuCase['dims']): GpuCase => ({
  name: `bench ${entry} ${Object.values(dims).join('x')}`,
  file: 'tools/bench/programs/kernels.mlx',
  entry,
  dims,
  reference: 'cpu',
  isTimed: true,
  peer: entry,
});

const both = (
  program: string,
  entry: string,
  dims: GpuCase['dims'],
  below: number,
): readonly GpuCase[] =>
  [false, true].map((isSymbolic) => ({
    name: `${program} ${entry}${isSymbolic ? ', symbolic dims' : ''}`,
    file: `tools/gpu-check/programs/${program}.mlx`,
    entry,
    dims,
    isSymbolic,
    reference: 'interp',
    below,
  }));

const variety = (entry: string, dims: GpuCase['dims'], below = 2): readonly GpuCase[] =>
  both('variety', entry, dims, below);

const ordering = (entry: string, dims: GpuCase['dims'], below = 100): readonly GpuCase[] =>
  both('ordering', entry, dims, below);

const training = (
  program: string,
  below: number,
  peer: string,
  sizes: Readonly<Record<'B', number>> & Readonly<Record<string, number>>,
): GpuCase => ({
  name: `bench ${program} train_step`,
  file: `tools/bench/programs/${program}.mlx`,
  entry: 'train_step',
  dims: { B: sizes.B },
  reference: 'cpu',
  below,
  isTimed: true,
  peer,
  sizes,
});

const withSymbolicDims = (c: GpuCase): GpuCase => ({
  ...c,
  name: `${c.name}, symbolic dims`,
  isSymbolic: true,
});

const scans = [
  bench('cumsum_rows', { M: 2048, N: 2048 }),
  bench('cumsum_columns', { M: 2048, N: 2048 }),
  bench('cumsum_long', { N: 2 ** 21 }),
  bench('argsort_rows', { M: 1024, N: 1024 }),
  bench('argsort_long', { N: 2 ** 20 }),
].map((c): GpuCase => ({ ...c, file: 'tools/gpu-check/programs/ordering.mlx' }));

export const cases: readonly GpuCase[] = [
  ...golden('gelu_chain', { N: 1000 }),
  ...golden('softmax', { M: 37, N: 250 }),
  ...golden('layer_norm', { M: 33, N: 96 }),
  ...golden('layer_norm_backward', { M: 65, N: 100 }),
  ...golden('linear_gelu', { M: 70, K: 45, N: 130 }),
  ...golden('mse', { N: 5000 }),
  ...golden('causal_attention', { B: 1, H: 2, N: 70 }),
  ...golden('adamw_tree', {}),
  sample('digits/model', 'train_step', { B: 32 }, 10),
  sample('digits/model', 'evaluate', { B: 50 }, 10),
  sample('digits/model', 'confusion', { B: 50 }, 10),
  sample('digits/model', 'grad_norms', { B: 20 }, 10),
  sample('digits/model', 'init', {}, 7),
  sample('transformer/block', 'train_step', { B: 2, N: 12 }, 2),
  sample('gpt/gpt', 'small_train_step', { B: 2, N: 16 }, 65),
  ...variety('half_matmul', { M: 70, K: 50, N: 90 }),
  ...variety('bfloat_matmul', { M: 64, K: 128, N: 64 }),
  ...variety('half_softmax', { M: 20, N: 333 }),
  ...variety('bfloat_norm', { M: 20, N: 200 }),
  ...variety('batched_matmul', { B: 3, M: 40, N: 50, K: 60 }),
  ...variety('best', { M: 50, N: 300 }),
  ...variety('integers', { M: 40, N: 100 }, 200),
  ...variety('embedding_gradient', { B: 4, N: 50, V: 30, D: 20 }, 30),
  ...variety('running', { M: 6, N: 100 }),
  ...variety('layer_norm_backward', { M: 70, N: 65 }),
  variety('randoms', {})[0]!,
  ...ordering('running_long', { N: 100_000 }),
  ...ordering('running', { M: 50, N: 3000 }),
  ...ordering('running_gradient', { M: 20, N: 1500 }),
  ...ordering('order', { N: 70_000 }),
  ...ordering('order_rows', { M: 30, N: 700 }),
  ...programCases(),
  bench('gelu_chain', { N: 2 ** 25 }),
  bench('softmax', { M: 8192, N: 4096 }),
  bench('layer_norm', { M: 32768, N: 1024 }),
  bench('column_sum', { M: 8192, N: 4096 }),
  bench('mean_squared_error', { N: 2 ** 25 }),
  { ...bench('row_sum', { M: 8192, N: 4096 }), file: 'tools/gpu-check/programs/variety.mlx' },
  withSymbolicDims(bench('softmax', { M: 8192, N: 4096 })),
  withSymbolicDims(bench('layer_norm', { M: 32768, N: 1024 })),
  {
    ...bench('layer_norm_backward', { M: 32768, N: 1024 }),
    file: 'tools/gpu-check/programs/variety.mlx',
  },
  ...scans,
  bench('gemm', { M: 2048, N: 2048, K: 2048 }),
  bench('linear_gelu', { M: 1024, K: 768, N: 3072 }),
  bench('attention', { B: 4, H: 12, N: 256, D: 64 }),
  ...memoryCases,
  training('mlp', 10, 'mlp_step', { B: 256, I: 784, D: 512, O: 10 }),
  training('small-gpt', 1024, 'gpt_step', { B: 4, V: 1024, T: 128, D: 256, H: 8, L: 4 }),
];
