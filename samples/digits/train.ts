/**
 * Trains model.mlx on handwritten digits and shows what it learnt. Exit code 1 below 97 % on the images held out.
 *
 *   npm run demo                          on the CPU
 *   npm run demo -- --device metal        on the GPU of a Mac
 *   npm run demo -- --device metal-sim    on the simulator of Metal that the tests use, which is built first, on Linux
 *   npm run demo -- --device interp       in the reference interpreter, which needs no C compiler
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, MlxcError } from 'mlxc';
import { asBatch, batches, random, readDigits } from './data.ts';
import type * as Digits from './model.d.ts';
import { makeProgress } from './progress.ts';
import { report } from './report.ts';

const options = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    epochs: { type: 'string', default: '40' },
  },
}).values;
const epochs = Math.max(1, Number.parseInt(options.epochs, 10) || 1);
const batchSize = 32;

/** The bundle that `mlxc build` wrote; the interpreter takes the source. */
async function open(device: string): ReturnType<typeof load<typeof Digits>> {
  const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  if (device === 'cpu') return load(file('model.mlxbundle'));
  if (device === 'interp' || device === 'metal' || device === 'metal-sim')
    return load(file('model.mlx'), { device });
  throw new MlxcError('MLX5118', `there is no device ${device}`, 'use cpu, interp or metal');
}

/** Builds the simulator of Metal, unless it is there and up to date. */
function buildSimulator(): void {
  const bootstrap = fileURLToPath(new URL('../../tools/bootstrap.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [bootstrap, '--tests'], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/** METAL_SIM_CHECKS=off leaves them out. */
function describeChecks(): string {
  const isOff = process.env['METAL_SIM_CHECKS'] === 'off';
  return isOff ? 'without checks of memory' : 'with all checks on, for every dispatch';
}

async function main(): Promise<void> {
  if (options.device === 'metal-sim') {
    buildSimulator();
    console.log(`the simulator of Metal, ${describeChecks()}`);
  }
  const { init, train_step, evaluate, confusion } = (await open(options.device)).functions;
  const { training, heldOut } = readDigits();
  const test = asBatch(heldOut);
  const next = random(7);
  const progress = makeProgress(epochs * Math.ceil(training.count / batchSize));

  // the old model and state are not needed again: their memory becomes the new ones
  const step = train_step.with({ donate: ['m', 'opt'] });
  let [model, state] = init(1);
  const trainingLoss: number[] = [];
  const heldOutLoss: number[] = [];
  let accuracy = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 3e-2 * Math.cos(((Math.PI / 2) * epoch) / epochs); // large steps first
    let sum = 0;
    for (const { x, y } of batches(training, batchSize, next)) {
      const [newModel, newState, loss] = step(model, state, x, y, rate);
      [model, state] = [newModel, newState];
      sum += Number(loss.item()) * y.size;
      progress.step(`epoch ${epoch + 1} of ${epochs}, loss ${Number(loss.item()).toFixed(4)}`);
    }
    const [loss, share] = evaluate(model, test.x, test.y);
    trainingLoss.push(sum / training.count);
    heldOutLoss.push(Number(loss.item()));
    accuracy = Number(share.item());
  }

  const counts = confusion(model, test.x, test.y).tolist() as number[][];
  report({ trainingLoss, heldOutLoss, confusion: counts, accuracy, heldOutCount: heldOut.count });
  if (accuracy < 0.97) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  console.error(error instanceof MlxcError ? error.message : error);
  process.exitCode = 1;
});
