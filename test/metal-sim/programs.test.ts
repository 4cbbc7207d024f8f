/** Whole programs through runtime/metal, compared with the evaluator; on Linux over the simulator with all checks on. */
import { beforeAll, test } from 'vitest';
import { type Result, type Tensor, tensor } from '../../runtime/index.ts';
import type { MetalDevice } from '../../runtime/metal-device.ts';
import { Both, numbers, strictMetal } from '../support/metal-device.ts';

let device: MetalDevice;

beforeAll(() => {
  device = strictMetal();
});

const path = (sample: string): { path: string } => ({
  path: new URL(`../../samples/${sample}`, import.meta.url).pathname,
});

function random(shape: readonly number[], seed = 1): Tensor {
  return tensor(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );
}

test('softmax', async () => {
  const both = await Both.of(path('softmax/softmax.mlx'), device);
  for (const shape of [
    [3, 7],
    [2, 1000],
    [1, 1],
    [0, 4],
  ])
    both.call('softmax', [random(shape)]);
});

test('layer norm and its gradient', async () => {
  const both = await Both.of(
    `
    import { LayerNorm, layer_norm } from "std/nn";
    fn f(x: f32[B, 48], p: LayerNorm<48>) -> f32 { sum(layer_norm(x, p) * x) }
    export fn forward(x: f32[B, 48], p: LayerNorm<48>) -> f32[B, 48] { layer_norm(x, p) }
    export fn gradient(x: f32[B, 48], p: LayerNorm<48>) -> (f32[B, 48], LayerNorm<48>) { grad(f, wrt = (0, 1))(x, p) }
    `,
    device,
  );
  const p = { w: random([48], 2), b: random([48], 3) };
  both.call('forward', [random([9, 48]), p]);
  both.call('gradient', [random([9, 48]), p], { tolerance: 1e-5 });
});

test('training steps of the digits classifier, with donation', async () => {
  const both = await Both.of(path('digits/model.mlx'), device);
  let [model, optimiser] = both.call('init', [tensor(7, [], 'i32')]) as [Result, Result];
  const x = random([12, 64]);
  const y = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 10));
  for (let step = 0; step < 3; step++) {
    const args = [model, optimiser, x, y, tensor(0.01)] as Parameters<Both['call']>[1];
    [model, optimiser] = both.call('train_step', args, {
      donate: ['m', 'opt'],
      tolerance: 2e-5,
    }) as [Result, Result];
  }
});

test('scan, with its gradient', async () => {
  const both = await Both.of(
    `
    fn step(h: f32[8], x: f32[8]) -> (f32[8], f32) { let h = tanh(h * 0.5 + x); (h, sum(h)) }
    export fn run(h: f32[8], xs: f32[T, 8]) -> (f32[8], f32[T]) { scan(step, h, xs) }
    fn total(h: f32[8], xs: f32[T, 8]) -> f32 { let (h, ys) = scan(step, h, xs); sum(h) + sum(ys) }
    export fn gradient(h: f32[8], xs: f32[T, 8]) -> f32[T, 8] { grad(total, wrt = 1)(h, xs) }
    `,
    device,
  );
  both.call('run', [random([8]), random([6, 8], 2)]);
  both.call('gradient', [random([8]), random([6, 8], 2)]);
  both.call('run', [random([8]), random([0, 8])]);
});

test('loops and branches that values decide', async () => {
  const both = await Both.of(
    `
    export fn collatz(n: i32) -> i32 {
      var at = n;
      var steps = 0;
      while at != 1 {
        if at % 2 == 0 { at = floor_divide(at, 2); } else { at = 3 * at + 1; }
        steps += 1;
      }
      steps
    }
    `,
    device,
  );
  for (const n of [1, 6, 27]) both.call('collatz', [tensor(n, [], 'i32')]);
});

test('a transformer block, forward and trained', async () => {
  const both = await Both.of(path('transformer/block.mlx'), device);
  const [block, optimiser] = both.call('init', [tensor(3, [], 'i32')]) as [Result, Result];
  const x = random([2, 5, 64]);
  const args = [block, x] as Parameters<Both['call']>[1];
  both.call('forward', args, { tolerance: 1e-5 });
  const step = [block, optimiser, x, random([2, 5, 64], 4)];
  both.call('train_step', step as Parameters<Both['call']>[1], { tolerance: 5e-5 });
});
