/**
 * Trains model.mlx on the handwritten digits of samples/digits. Exit code 1 below 98 % on the images held out.
 *
 *   npm run build && npx tsx samples/cnn/train.ts
 */
import { fileURLToPath } from 'node:url';
import { load } from 'mlxc';
import { asBatch, batches, random, readDigits } from '../digits/data.ts';
import type * as Cnn from './model.d.ts';

const epochs = 20;
const batchSize = 32;

async function main(): Promise<void> {
  const path = fileURLToPath(new URL('model.mlx', import.meta.url));
  const { init, train_step, evaluate } = (await load<typeof Cnn>(path)).functions;
  const { training, heldOut } = readDigits();
  const test = asBatch(heldOut);
  const next = random(7);
  const step = train_step.with({ donate: ['m', 'state'] });
  let [model, state] = init(1);
  let accuracy = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (const { x, y } of batches(training, batchSize, next)) {
      const [newModel, newState, loss] = step(model, state, x, y);
      [model, state] = [newModel, newState];
      sum += Number(loss.item()) * y.size;
    }
    const [loss, share] = evaluate(model, state, test.x, test.y);
    accuracy = Number(share.item());
    const percent = (100 * accuracy).toFixed(2);
    const losses = `${(sum / training.count).toFixed(4)}, held out ${Number(loss.item()).toFixed(4)}`;
    console.log(`epoch ${epoch}: loss ${losses}, ${percent} % recognised`);
  }
  if (accuracy < 0.98) process.exitCode = 1;
}

await main();
