/** Complex numbers and std/fft on the Metal device, compared with the evaluator. */
import { beforeAll, test } from 'vitest';
import { type Tensor, tensor } from '../../runtime/index.ts';
import type { MetalDevice } from '../../runtime/metal-device.ts';
import { Both, numbers, strictMetal } from '../support/metal-device.ts';

let device: MetalDevice;

beforeAll(() => {
  device = strictMetal();
});

function random(shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 2);
  return tensor(Float32Array.from(numbers(count, seed)), shape, 'c64');
}

test('arithmetic, functions and a gradient', async () => {
  const both = await Both.of(
    `
    export fn values(z: c64[N], w: c64[N]) -> (c64[N], c64[N], f32[N]) { (z * w / (2.0 + w), sqrt(exp(z) + tanh(w)), abs(z)) }
    export fn gradient(z: c64[N]) -> c64[N] { grad(|z: c64[N]| sum(abs(z * z + 1.0)))(z) }
    export fn products(a: c64[5, 7], b: c64[7, 3]) -> c64[5, 3] { a @ b }
    `,
    device,
  );
  both.call('values', [random([33], 1), random([33], 2)], { tolerance: 1e-5 });
  both.call('gradient', [random([9], 3)], { tolerance: 1e-5 });
  both.call('products', [random([5, 7], 4), random([7, 3], 5)], { tolerance: 1e-5 });
});

test('transforms of a length that splits, of a prime one and of a symbolic one', async () => {
  const both = await Both.of(
    `
    import { fft, ifft } from "std/fft";
    export fn split(z: c64[3, 96]) -> c64[3, 96] { fft(z) }
    export fn prime(z: c64[263]) -> c64[263] { ifft(z) }
    export fn symbolic(z: c64[N]) -> c64[N] where N >= 1 { fft(z) }
    `,
    device,
  );
  both.call('split', [random([3, 96], 1)], { tolerance: 1e-4 });
  both.call('prime', [random([263], 2)], { tolerance: 1e-4 });
  both.call('symbolic', [random([11], 3)], { tolerance: 1e-4 });
});
