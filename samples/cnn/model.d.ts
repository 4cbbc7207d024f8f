import type { CallOptions, Module, NestedArray, Tensor, TypedArray } from 'mlxc/runtime';

/** What a parameter takes for a tensor: one, a typed array (row-major, not copied), or numbers. */
export type TensorLike = Tensor | TypedArray | NestedArray;

/** A function of the bundle; `with({ donate: [...] })` is the same with options for its calls. */
export interface TypedFunction<Arguments extends readonly unknown[], Result> {
  (...args: Arguments): Result;
  with(options: CallOptions): TypedFunction<Arguments, Result>;
}

export interface Cnn<T = Tensor> {
  readonly first: Conv2d<T>;
  readonly norm1: BatchNorm<T>;
  readonly second: Conv2d<T>;
  readonly norm2: BatchNorm<T>;
  readonly out: Linear<T>;
}

export interface Conv2d<T = Tensor> {
  /** f32[24, 3, 3, 1] or f32[48, 3, 3, 24] */
  readonly w: T;
  /** f32[24] or f32[48] */
  readonly b: T;
}

export interface BatchNorm<T = Tensor> {
  /** f32[24] or f32[48] */
  readonly w: T;
  /** f32[24] or f32[48] */
  readonly b: T;
}

export interface Linear<T = Tensor> {
  /** f32[192, 10] */
  readonly w: T;
  /** f32[10] */
  readonly b: T;
}

export interface State<T = Tensor> {
  readonly stats: readonly [BatchStats<T>, BatchStats<T>];
  readonly optimiser: AdamW<T>;
}

export interface BatchStats<T = Tensor> {
  /** f32[24] or f32[48] */
  readonly mean: T;
  /** f32[24] or f32[48] */
  readonly var: T;
}

export interface AdamW<T = Tensor> {
  readonly m: Cnn<T>;
  readonly v: Cnn<T>;
  /** i32 */
  readonly step: T;
}

/**
 * A fresh network and the state of its training.
 * @param seed i32
 * @returns (Cnn, State)
 */
export const init: TypedFunction<[seed: TensorLike], readonly [Cnn, State]>;

/**
 * One step of training on a batch: the new network, the new state and the loss before the step.
 * @param m Cnn
 * @param state State
 * @param x f32[B, 64]
 * @param y i32[B]
 * @returns (Cnn, State, f32)
 * Dims B come from the arguments.
 */
export const train_step: TypedFunction<[m: Cnn<TensorLike>, state: State<TensorLike>, x: TensorLike, y: TensorLike], readonly [Cnn, State, Tensor]>;

/**
 * The most likely digit of each image.
 * @param m Cnn
 * @param state State
 * @param x f32[B, 64]
 * @returns i32[B]
 * Dims B come from the arguments.
 */
export const predict: TypedFunction<[m: Cnn<TensorLike>, state: State<TensorLike>, x: TensorLike], Tensor>;

/**
 * The mean loss and the share of images that are recognised.
 * @param m Cnn
 * @param state State
 * @param x f32[B, 64]
 * @param y i32[B]
 * @returns (f32, f32)
 * Dims B come from the arguments.
 */
export const evaluate: TypedFunction<[m: Cnn<TensorLike>, state: State<TensorLike>, x: TensorLike, y: TensorLike], readonly [Tensor, Tensor]>;

/** The bundle itself: its functions by name and its device. */
declare const bundle: Module;
export default bundle;
