/** Functions of programs/memory.mlx with their dims: what memory bounds, in the shapes that models have and in odd ones. */
import type { GpuCase } from './cases.ts';

type Dims = GpuCase['dims'];

function timed(entry: string, dims: Dims, isSymbolic: boolean, below: number): GpuCase {
  return {
    name: `memory ${entry} ${Object.values(dims).join('x')}${isSymbolic ? ', symbolic dims' : ''}`,
    file: 'tools/gpu-check/programs/memory.mlx',
    entry,
    dims,
    isSymbolic,
    reference: 'cpu',
    below,
    isTimed: true,
    // a peer knows no symbolic dims: the row before tells of it
    ...(isSymbolic ? {} : { peer: entry }),
  };
}

const constant = (entry: string, dims: Dims, below = 2): readonly GpuCase[] => [
  timed(entry, dims, false, below),
];

const both = (entry: string, dims: Dims, below = 2): readonly GpuCase[] => [
  timed(entry, dims, false, below),
  timed(entry, dims, true, below),
];

export const memoryCases: readonly GpuCase[] = [
  // rows
  ...both('softmax_rows', { M: 32768, N: 1000 }),
  ...both('softmax_rows', { M: 1024, N: 32000 }),
  ...both('softmax_rows', { M: 262144, N: 100 }),
  ...constant('softmax_half', { M: 16384, N: 4096 }),
  ...constant('softmax_bfloat', { M: 16384, N: 4096 }),
  ...both('softmax_backward', { M: 8192, N: 4096 }),
  ...both('log_softmax_rows', { M: 8192, N: 4096 }),
  ...both('logsumexp_rows', { M: 8192, N: 4096 }),
  ...both('loss', { M: 8192, N: 4096 }, 4096),
  ...both('loss_gradient', { M: 8192, N: 4096 }, 4096),
  ...both('layer_norm_rows', { M: 8192, N: 768 }),
  ...both('layer_norm_rows', { M: 4096, N: 8192 }),
  ...both('rms_norm_rows', { M: 8192, N: 4096 }),
  ...constant('rms_norm_half', { M: 16384, N: 4096 }),
  ...both('rms_norm_backward', { M: 32768, N: 1024 }),
  ...both('residual_norm', { M: 32768, N: 768 }),
  ...both('row_sum', { M: 4194304, N: 8 }),
  ...both('row_sum', { M: 1048576, N: 33 }),
  ...both('row_sum', { M: 327680, N: 100 }),
  ...both('row_sum', { M: 16, N: 2097152 }),
  ...both('row_sum', { M: 1000, N: 33333 }),
  ...constant('row_sum_half', { M: 16384, N: 4096 }),
  ...constant('row_max', { M: 8192, N: 4096 }),
  ...both('row_argmax', { M: 8192, N: 4096 }),
  ...both('total', { N: 33554432 }),
  // columns
  ...both('column_sum', { M: 1048576, N: 32 }),
  ...both('column_sum', { M: 900000, N: 37 }),
  ...both('column_sum', { M: 37, N: 900000 }),
  ...both('column_sum', { M: 1000, N: 33000 }),
  ...constant('column_sum_half', { M: 16384, N: 4096 }),
  ...both('middle_sum', { B: 64, M: 512, N: 1024 }),
  ...both('middle_sum', { B: 4096, M: 49, N: 160 }),
  ...both('column_softmax', { M: 512, N: 65536 }),
  ...both('channel_moments', { B: 128, C: 64, S: 4096 }),
  // elements
  ...both('gelu_backward', { N: 33554432 }),
  ...constant('swiglu', { N: 33554432 }),
  ...constant('swiglu_half', { N: 67108864 }),
  ...both('bias_relu', { M: 8192, N: 4096 }),
  ...constant('adamw_model', {}),
  // moves
  ...both('transposed', { M: 8192, N: 4096 }),
  ...constant('transposed_half', { M: 8192, N: 8192 }),
  ...both('batch_transposed', { B: 64, M: 1000, N: 500 }),
  ...both('heads_first', { B: 16, N: 2048, H: 16, D: 64 }),
  ...both('rows_of', { N: 32768, V: 32768, D: 1024 }, 32768),
  ...both('joined', { M: 8192, N: 2000 }),
  ...constant('shifted', { M: 8192, N: 4096 }),
];
