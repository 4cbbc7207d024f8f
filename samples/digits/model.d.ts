import type { CallOptions, Module, NestedArray, Tensor, TypedArray } from 'mlxc/runtime';

/** What a parameter takes for a tensor: one, a typed array (row-major, not copied), or numbers. */
export type TensorLike = Tensor | TypedArray | NestedArray;

/** A function of the bundle; `with({ donate: [...] })` is the same with options for its calls. */
export interface TypedFunction<Arguments extends readonly unknown[], Result> {
  (...args: Arguments): Result;
  with(options: CallOptions): TypedFunction<Arguments, Result>;
}

export interface Mlp<T = Tensor> {
  readonly hidden: Linear<T>;
  readonly out: Linear<T>;
}

export interface Linear<T = Tensor> {
  /** f32[64, 128] or f32[128, 10] */
  readonly w: T;
  /** f32[128] or f32[10] */
  readonly b: T;
}

export interface AdamW<T = Tensor> {
  readonly m: Mlp<T>;
  readonly v: Mlp<T>;
  /** i32 */
  readonly step: T;
}

/**
 * A fresh classifier and the state of its optimiser.
 * @param seed i32
 * @returns (Mlp, AdamW)
 */
export const init: TypedFunction<[seed: TensorLike], readonly [Mlp, AdamW]>;

/**
 * One step of training on a batch: the new classifier, the new optimiser state and the loss before the step.
 * @param m Mlp
 * @param opt AdamW
 * @param x f32[B, 64]
 * @param y i32[B]
 * @param lr f32
 * @returns (Mlp, AdamW, f32)
 * Dims B come from the arguments.
 */
export const train_step: TypedFunction<[m: Mlp<TensorLike>, opt: AdamW<TensorLike>, x: TensorLike, y: TensorLike, lr: TensorLike], readonly [Mlp, AdamW, Tensor]>;

/**
 * The most likely digit of each image.
 * @param m Mlp
 * @param x f32[B, 64]
 * @returns i32[B]
 * Dims B come from the arguments.
 */
export const predict: TypedFunction<[m: Mlp<TensorLike>, x: TensorLike], Tensor>;

/**
 * The mean loss and the share of images that are recognised.
 * @param m Mlp
 * @param x f32[B, 64]
 * @param y i32[B]
 * @returns (f32, f32)
 * Dims B come from the arguments.
 */
export const evaluate: TypedFunction<[m: Mlp<TensorLike>, x: TensorLike, y: TensorLike], readonly [Tensor, Tensor]>;

/**
 * How often digit i was taken for digit j.
 * @param m Mlp
 * @param x f32[B, 64]
 * @param y i32[B]
 * @returns i32[10, 10]
 * Dims B come from the arguments.
 */
export const confusion: TypedFunction<[m: Mlp<TensorLike>, x: TensorLike, y: TensorLike], Tensor>;

/**
 * How much each image pulls at the classifier: the norm of its own gradient.
 * @param m Mlp
 * @param x f32[B, 64]
 * @param y i32[B]
 * @returns f32[B]
 * Dims B come from the arguments.
 */
export const grad_norms: TypedFunction<[m: Mlp<TensorLike>, x: TensorLike, y: TensorLike], Tensor>;

/** The bundle itself: its functions by name and its device. */
declare const bundle: Module;
export default bundle;
