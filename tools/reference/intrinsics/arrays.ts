import { alike, type Reference, withAliases } from '../entry.ts';

const m = 'array([[1.0, 5.0, 2.0], [4.0, 3.0, 6.0]])';
const v = 'array([3.0, 1.0, 2.0])';

const overAxes = 'axis: axes = none, keepdims: bool = false';
const running = '<T: number>(x: T[...S], axis: int = none, reverse: bool = false) -> T[...]';

export const reductions: Reference = withAliases(
  {
    ...alike(`<T: any>(x: T[...S], ${overAxes}) -> T[...]`, {
      sum: `sum(${m}, axis = 0)`,
      prod: `prod(${m}, axis = 1)`,
    }),
    ...alike(`<T: any>(x: T[...S], ${overAxes}) -> bool[...]`, {
      all: 'all(array([[1, 0], [2, 3]]), axis = 1)',
      any: 'any(array([[1, 0], [0, 0]]), axis = 1)',
    }),
    ...alike(`<T: number>(x: T[...S], ${overAxes}) -> T[...]`, {
      max: `max(${m}, axis = 1, keepdims = true)`,
      min: `min(${m})`,
    }),
    ...alike(`<T: float>(x: T[...S], ${overAxes}) -> T[...]`, {
      mean: `mean(${m}, axis = -1)`,
      logsumexp: 'logsumexp(array([1000.0, 1000.0]))',
    }),
    ...alike(
      '<T: float>(x: T[...S], axis: axes = none, ddof: int = 0, keepdims: bool = false) -> T[...]',
      {
        var: `var(${m}, axis = 1)`,
        std: `std(${m}, axis = 1, ddof = 1)`,
      },
    ),
    ...alike('<T: number>(x: T[...S], axis: int = none, keepdims: bool = false) -> i32[...]', {
      argmax: `argmax(${m}, axis = 1)`,
      argmin: `argmin(${m})`,
    }),
    merge_axes: {
      signature: '<T: any>(x: T[...S], axis: axes = none) -> T[...]',
      example: 'shape(merge_axes(zeros((2, 3, 4)), axis = (0, 2)))',
    },
    ...alike(running, {
      cumsum: `cumsum(${m}, axis = 1)`,
      cumprod: `cumprod(${v})`,
      cummax: `cummax(${v})`,
      cummin: `cummin(${v}, axis = 0, reverse = true)`,
      cumlogsumexp: 'cumlogsumexp(array([0.0, 0.0, 0.0]))',
    }),
    linear_recurrence: {
      signature:
        '<T: float>(a: T[...S], b: T[...S], axis: int = 0, reverse: bool = false) -> T[...S]',
      example: 'linear_recurrence(array([0.5, 0.5, 0.5]), array([1.0, 1.0, 1.0]))',
    },
  },
  { logcumsumexp: 'cumlogsumexp' },
);

export const ordering: Reference = {
  sort: {
    signature: '<T: any>(x: T[...S], axis: int = -1, descending: bool = false) -> T[...]',
    example: 'sort(array([3.0, nan, 1.0, 2.0]))',
  },
  argsort: {
    signature: '<T: any>(x: T[...S], axis: int = -1, descending: bool = false) -> i32[...]',
    example: `argsort(${v}, descending = true)`,
  },
  sort_by: {
    signature:
      '<V: tree>(keys: any, values: V, axis: int = -1, descending: bool = false) -> (any, V)',
    example: `sort_by(${v}, array([10, 20, 30]))`,
  },
  lexsort: {
    signature: '(keys: any, axis: int = -1) -> i32[...]',
    example: 'lexsort((array([1, 0, 1]), array([2, 2, 1])))',
  },
  top_k: {
    signature: '<T: any>(x: T[...S], k: int, axis: int = -1) -> (T[...], i32[...])',
    example: `top_k(${v}, 2)`,
  },
  partition: {
    signature: '<T: any>(x: T[...S], kth: int, axis: int = -1) -> T[...]',
    example: `partition(${v}, 1)`,
  },
  argpartition: {
    signature: '<T: any>(x: T[...S], kth: int, axis: int = -1) -> i32[...]',
    example: `argpartition(${v}, 1)`,
  },
};

export const creation: Reference = {
  ...alike('(shape: shape = none, dtype: dtype = none) -> T[...]', {
    zeros: 'zeros((2, 2))',
    ones: 'ones(3, dtype = i32)',
  }),
  full: {
    signature: '(shape: shape = none, fill_value: T = none, dtype: dtype = none) -> T[...]',
    example: 'full((2, 2), 7)',
  },
  ...alike('<P: tree>(x: P, dtype: dtype = none) -> P', {
    zeros_like: 'zeros_like((array([1, 2]), 3.0))',
    ones_like: 'ones_like(array([1.5, 2.5]))',
  }),
  full_like: {
    signature: '<P: tree>(x: P, fill_value: any, dtype: dtype = none) -> P',
    example: 'full_like(array([1.5, 2.5]), 9.0)',
  },
  arange: {
    signature: '(start: int, stop: int = none, step: int = 1, dtype: dtype = none) -> T[...]',
    example: 'arange(2, 11, 3)',
  },
  eye: {
    signature: '(n: int = none, m: int = none, k: int = 0, dtype: dtype = none) -> T[...]',
    example: 'eye(2, 3, k = 1)',
  },
  iota: {
    signature: '(shape: shape = none, axis: int = 0, dtype: dtype = none) -> T[...]',
    example: 'iota((2, 3), axis = 1)',
  },
  linear_index: {
    signature: '(shape: shape = none, dtype: dtype = none) -> T[...]',
    example: 'linear_index((2, 3))',
  },
  linspace: {
    signature:
      '<T: float>(start: T[...S], stop: T[...R], num: int = 50, endpoint: bool = true, dtype: dtype = none, axis: int = 0) -> T[...]',
    example: 'linspace(0, 1, 5)',
  },
  ...alike('<T: any>(x: T[...S, M, N], k: int = 0) -> T[...S, M, N]', {
    tril: 'tril(ones((3, 3)))',
    triu: 'triu(ones((3, 3)), k = 1)',
  }),
  array: {
    signature: '(data: any, dtype: dtype = none) -> T[...]',
    example: 'array([[1, 2], [3, 4]])',
  },
  meshgrid: {
    signature: '(...xi: T[N], sparse: bool = false, indexing: string = "xy") -> (T[...], ...)',
    example: 'meshgrid(array([1, 2, 3]), array([10, 20]))',
  },
  indices: { signature: '(dimensions: shape) -> i32[R, ...]', example: 'indices((2, 2))' },
  ...alike('(n: int, k: int = 0, m: int = none) -> (i32[C], i32[C])', {
    tril_indices: 'tril_indices(2)',
    triu_indices: 'triu_indices(2, m = 3)',
  }),
};

const small = 'array([[1, 2], [3, 4]])';

export const shapes: Reference = withAliases(
  {
    reshape: {
      signature: '<T: any>(x: T[...S], shape: shape) -> T[...]',
      example: 'reshape(arange(6), (2, -1))',
    },
    ravel: { signature: '<T: any>(x: T[...S]) -> T[N]', example: `ravel(${small})` },
    flatten: {
      signature: '<T: any>(x: T[...S], start_axis: int = 0, end_axis: int = -1) -> T[...]',
      example: 'shape(flatten(zeros((2, 3, 4)), start_axis = 1))',
    },
    unflatten: {
      signature: '<T: any>(x: T[...S], axis: int, shape: shape) -> T[...]',
      example: 'unflatten(arange(6), 0, (2, 3))',
    },
    expand_dims: {
      signature: '<T: any>(x: T[...S], axis: axes) -> T[...]',
      example: 'expand_dims(array([1, 2]), 1)',
    },
    squeeze: {
      signature: '<T: any>(x: T[...S], axis: axes = none) -> T[...]',
      example: 'squeeze(array([[1, 2]]))',
    },
    broadcast_to: {
      signature: '<T: any>(x: T[...S], shape: shape) -> T[...]',
      example: 'broadcast_to(array([1, 2]), (2, 2))',
    },
    transpose: {
      signature: '<T: any>(x: T[...S], axes: axes = none) -> T[...]',
      example: `transpose(${small})`,
    },
    swapaxes: {
      signature: '<T: any>(x: T[...S], axis1: int, axis2: int) -> T[...]',
      example: `swapaxes(${small}, 0, 1)`,
    },
    moveaxis: {
      signature: '<T: any>(x: T[...S], source: axes, destination: axes) -> T[...]',
      example: 'shape(moveaxis(zeros((2, 3, 4)), 0, -1))',
    },
    flip: {
      signature: '<T: any>(x: T[...S], axis: axes = none) -> T[...S]',
      example: `flip(${small}, axis = 1)`,
    },
    concatenate: {
      signature: '(tensors: any, axis: int = 0) -> T[...]',
      example: `concatenate((${small}, ${small}), axis = 1)`,
    },
    stack: {
      signature: '(tensors: any, axis: int = 0) -> T[...]',
      example: 'stack([array([1, 2]), array([3, 4])], axis = 1)',
    },
    split: {
      signature: '<T: any>(x: T[...S], indices_or_sections: any, axis: int = 0) -> (T[...], ...)',
      example: 'split(arange(6), 3)',
    },
    unstack: {
      signature: '<T: any>(x: T[...S], axis: int = 0) -> (T[...], ...)',
      example: `unstack(${small})`,
    },
    pad: {
      signature:
        '<T: any>(x: T[...S], pad_width: any, mode: string = "constant", constant_values: T = 0) -> T[...]',
      example: 'pad(array([1, 2, 3]), 2, mode = "reflect")',
    },
    roll: {
      signature: '<T: any>(x: T[...S], shift: any, axis: axes = none) -> T[...S]',
      example: 'roll(array([1, 2, 3]), 1)',
    },
    repeat: {
      signature: '<T: any>(x: T[...S], repeats: int, axis: int = none) -> T[...]',
      example: 'repeat(array([1, 2]), 2)',
    },
    tile: {
      signature: '<T: any>(x: T[...S], reps: shape) -> T[...]',
      example: 'tile(array([1, 2]), (2, 2))',
    },
    diagonal: {
      signature: '<T: any>(x: T[...S], offset: int = 0, axis1: int = 0, axis2: int = 1) -> T[...]',
      example: `diagonal(${small})`,
    },
    broadcast_arrays: {
      signature: '(...args: any) -> (T[...], ...)',
      example: 'broadcast_arrays(array([1, 2]), 3)',
    },
    broadcast_shapes: {
      signature: '(...shapes: shape) -> (int, ...)',
      example: 'zeros(broadcast_shapes((2, 1), (3,)))',
    },
    unravel_index: {
      signature: '<I: integer>(indices: I[...S], shape: shape) -> (I[...S], ...)',
      example: 'unravel_index(array([4, 5]), (2, 3))',
    },
    ravel_multi_index: {
      signature: '(multi_index: any, dims: shape) -> I[...]',
      example: 'ravel_multi_index((array([1, 1]), array([1, 2])), (2, 3))',
    },
    shape: { signature: '(x: any) -> (int, ...)', example: 'zeros(shape(array([[1, 2]])))' },
    ndim: { signature: '(x: any) -> int', example: 'ndim(zeros((2, 3)))' },
    size: { signature: '(x: any, axis: axes = none) -> int', example: 'size(zeros((2, 3)))' },
    len: { signature: '(x: any) -> int', example: 'len(zeros((2, 3)))' },
    dtype: { signature: '(x: any) -> dtype', example: 'zeros(2, dtype = dtype(array([1, 2])))' },
  },
  { permute_dims: 'transpose', concat: 'concatenate' },
);

const columns = 'array([[1.0, 2.0], [3.0, 4.0]])';

export const products: Reference = {
  ...alike('<T: number>(x: T[...S], y: T[...R]) -> T[...]', {
    matmul: `matmul(${columns}, ${columns})`,
    dot: 'dot(array([1.0, 2.0]), array([3.0, 4.0]))',
    inner: `inner(${columns}, array([1.0, 1.0]))`,
    outer: 'outer(array([1.0, 2.0]), array([3.0, 4.0]))',
    kron: 'kron(array([1, 10]), array([1, 2]))',
  }),
  tensordot: {
    signature: '<T: number>(x: T[...S], y: T[...R], axes: any = 2) -> T[...]',
    example: `tensordot(${columns}, ${columns}, axes = ((1,), (0,)))`,
  },
  einsum: {
    signature: '(equation: string, ...operands: T[...]) -> T[...]',
    example: `einsum("ij,kj->ik", ${columns}, ${columns})`,
  },
};

export const indexing: Reference = {
  take: {
    signature: '<T: any, I: integer>(x: T[...S], indices: I[...R], axis: int = none) -> T[...]',
    example: `take(${columns}, array([1, 0, -1]), axis = 0)`,
  },
  take_along_axis: {
    signature: '<T: any, I: integer>(x: T[...S], indices: I[...R], axis: int) -> T[...]',
    example: `take_along_axis(${columns}, array([[1], [0]]), axis = 1)`,
  },
  put_along_axis: {
    signature:
      '<T: any, I: integer>(x: T[...S], indices: I[...R], values: T[...Q], axis: int) -> T[...S]',
    example: `put_along_axis(${columns}, array([[1], [0]]), 9.0, axis = 1)`,
  },
  one_hot: {
    signature:
      '<I: integer>(x: I[...S], num_classes: int = none, dtype: dtype = none) -> T[...S, C]',
    example: 'one_hot(array([0, 2]), 3)',
  },
  dynamic_slice: {
    signature: '<T: any>(x: T[...S], start: any, sizes: shape) -> T[...]',
    example: 'dynamic_slice(arange(5), (i32(3),), (2,))',
  },
  dynamic_update_slice: {
    signature: '<T: any>(x: T[...S], update: T[...R], start: any) -> T[...S]',
    example: 'dynamic_update_slice(zeros(4), array([1.0, 2.0]), (i32(1),))',
  },
};

const image = 'reshape(f32(arange(9)), (1, 3, 3, 1))';
const signal = 'reshape(f32(arange(4)), (1, 4, 1))';
const convolution = (n: number, options: string): string =>
  `<T: float>(x: T[N, ...S, C], w: T[O, ...K, C/groups], ${options}) -> T[N, ...${n === 0 ? '' : 'R'}, O]`;
const plain = 'stride: any = 1, padding: any = 0, dilation: any = 1, groups: int = 1';
const transposed =
  'stride: any = 1, padding: any = 0, dilation: any = 1, output_padding: any = 0, groups: int = 1';

export const windows: Reference = {
  conv_general: {
    signature: convolution(
      1,
      'stride: any = 1, padding: any = 0, kernel_dilation: any = 1, input_dilation: any = 1, groups: int = 1, flip: bool = false',
    ),
    example: `ravel(conv_general(${signal}, ones((1, 2, 1)), input_dilation = 2))`,
  },
  ...alike(convolution(1, plain), {
    conv1d: `ravel(conv1d(${signal}, ones((1, 2, 1))))`,
    conv2d: `ravel(conv2d(${image}, ones((1, 2, 2, 1))))`,
    conv3d: 'ravel(conv3d(ones((1, 2, 2, 3, 1)), ones((1, 2, 2, 2, 1))))',
  }),
  ...alike(convolution(1, transposed), {
    conv_transpose1d: `ravel(conv_transpose1d(${signal}, ones((1, 2, 1)), stride = 2))`,
    conv_transpose2d: 'ravel(conv_transpose2d(ones((1, 2, 2, 1)), ones((1, 2, 2, 1))))',
    conv_transpose3d: 'ravel(conv_transpose3d(ones((1, 1, 1, 2, 1)), ones((1, 1, 1, 2, 1))))',
  }),
  convolve: {
    signature: '<T: number>(a: T[M], v: T[N], mode: string = "full") -> T[...]',
    example: 'convolve(array([1.0, 2.0, 3.0]), array([1.0, 1.0]))',
  },
  correlate: {
    signature: '<T: number>(a: T[M], v: T[N], mode: string = "valid") -> T[...]',
    example: 'correlate(array([1.0, 2.0, 3.0]), array([0.0, 1.0]))',
  },
  reduce_window: {
    signature:
      '<T: number>(x: T[...S], op: string, window: any, stride: any = 1, padding: any = 0, dilation: any = 1, input_dilation: any = 1) -> T[...]',
    example: 'reduce_window(array([1, 5, 2, 4]), "max", 2)',
  },
  ...alike(
    '<T: number>(x: T[N, ...S, C], window: any, stride: any = none, padding: any = 0) -> T[N, ...R, C]',
    {
      max_pool: `ravel(max_pool(${signal}, 2))`,
      min_pool: `ravel(min_pool(${signal}, 2))`,
    },
  ),
  avg_pool: {
    signature:
      '<T: float>(x: T[N, ...S, C], window: any, stride: any = none, padding: any = 0, count_include_pad: bool = true) -> T[N, ...R, C]',
    example: `ravel(avg_pool(${signal}, 2))`,
  },
  sliding_window_view: {
    signature: '<T: any>(x: T[...S], window_shape: shape, axis: axes = none) -> T[...]',
    example: 'sliding_window_view(arange(4), 2)',
  },
};
