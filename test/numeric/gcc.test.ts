/** Kernels that a C compiler got wrong: the flags of runtime/compile-kernels.ts keep it from that. */
import { expect, test } from 'vitest';
import { compileOrThrow, load, type Tensor, tensor } from '../../index.ts';

test('nested selections of an index that is then clamped (GCC 12, -fssa-phiopt)', async () => {
  const text = `
import { svd } from "std/linalg";
export fn lengths(a: f32[3, 2]) -> f32[2] { let (_, s, _) = svd(a); s }`;
  const module = await load(compileOrThrow({ name: 'svd.mlx', text }, { targets: ['cpu'] }));
  const a = tensor([2, 1, 1, 2, 0.5, 3], [3, 2], 'f32');
  const lengths = module.function('lengths')(a) as Tensor;
  const [first, second] = lengths.tolist() as number[];
  // NumPy's
  expect(first).toBeCloseTo(4.08078992, 5);
  expect(second).toBeCloseTo(1.61156868, 5);
});
