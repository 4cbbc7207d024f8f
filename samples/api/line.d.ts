import type { CallOptions, Module, NestedArray, Tensor, TypedArray } from 'mlxc/runtime';

/** What a parameter takes for a tensor: one, a typed array (row-major, not copied), or numbers. */
export type TensorLike = Tensor | TypedArray | NestedArray;

/** A function of the bundle; `with({ donate: [...] })` is the same with options for its calls. */
export interface TypedFunction<Arguments extends readonly unknown[], Result> {
  (...args: Arguments): Result;
  with(options: CallOptions): TypedFunction<Arguments, Result>;
}

export interface Line<T = Tensor> {
  /** f32 */
  readonly slope: T;
  /** f32 */
  readonly offset: T;
}

/**
 * One step of gradient descent, and the loss before it.
 * @param m Line
 * @param x f32[N]
 * @param y f32[N]
 * @returns (Line, f32)
 * Dims N come from the arguments.
 */
export const step: TypedFunction<[m: Line<TensorLike>, x: TensorLike, y: TensorLike], readonly [Line, Tensor]>;

/** The bundle itself: its functions by name and its device. */
declare const bundle: Module;
export default bundle;
