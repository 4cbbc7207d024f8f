/** Shapes and tensor types as the language writes them: what listings and diagnostics show. */
import { type Int, print } from '../symbolic/integer.ts';
import type { TensorType } from './program.ts';

/** `[B, 64]`. */
export function showShape(shape: readonly Int[]): string {
  return `[${shape.map(print).join(', ')}]`;
}

/** `f32[B, 64]`; `f32` for a scalar. */
export function showType({ dtype, shape }: TensorType): string {
  return shape.length === 0 ? dtype : `${dtype}${showShape(shape)}`;
}
