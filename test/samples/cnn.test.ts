/** The convolutional sample learns on the CPU device, and agrees with the reference interpreter. */
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { type CompiledBundle, compileOrThrow, load } from '../../index.ts';
import type * as Cnn from '../../samples/cnn/model.d.ts';
import { asBatch, batches, random, readDigits } from '../../samples/digits/data.ts';

type CnnModule = Awaited<ReturnType<typeof load<typeof Cnn>>>;

let bundle: CompiledBundle;
let module: CnnModule;
beforeAll(async () => {
  const path = fileURLToPath(new URL('../../samples/cnn/model.mlx', import.meta.url));
  bundle = compileOrThrow({ path }, { name: 'model', targets: ['cpu'] });
  module = await load<typeof Cnn>(bundle);
}, 60_000);

test('model.d.ts holds the types that build writes', async () => {
  const declared = String((await bundle.files()).get('index.d.ts'));
  await expect(declared).toMatchFileSnapshot('../../samples/cnn/model.d.ts');
});

test('a step on the CPU is a step of the interpreter', async () => {
  const losses = async (opened: CnnModule): Promise<readonly number[]> => {
    const { init, train_step } = opened.functions;
    const [batch] = batches(readDigits().training, 8, random(3));
    let [model, state] = init(1);
    return [1, 2].map(() => {
      const [newModel, newState, loss] = train_step(model, state, batch!.x, batch!.y);
      [model, state] = [newModel, newState];
      return Number(loss.item());
    });
  };
  const [onCpu, interpreted] = await Promise.all([
    losses(module),
    losses(await load<typeof Cnn>(bundle, { device: 'interp' })),
  ]);
  interpreted.forEach((loss, i) => {
    expect(Math.abs(onCpu[i]! - loss)).toBeLessThan(1e-4 * loss);
  });
  expect(onCpu[1]).toBeLessThan(onCpu[0]!);
}, 60_000);

test('three epochs recognise 96 % of the images held out', () => {
  const { init, train_step, evaluate } = module.functions;
  const { training, heldOut } = readDigits();
  const next = random(7);
  let [model, state] = init(1);
  for (let epoch = 0; epoch < 3; epoch++) {
    for (const { x, y } of batches(training, 32, next)) {
      const [newModel, newState] = train_step(model, state, x, y);
      [model, state] = [newModel, newState];
    }
  }
  const { x, y } = asBatch(heldOut);
  expect(Number(evaluate(model, state, x, y)[1].item())).toBeGreaterThan(0.96);
}, 60_000);
