/** The samples learn on the CPU device, through the public API, and agree with the reference interpreter. */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CompiledBundle,
  compileOrThrow,
  load,
  type Module,
  Tensor,
  tensor,
} from '../../index.ts';
import { asBatch, batches, random, readDigits } from '../../samples/digits/data.ts';
import type * as Digits from '../../samples/digits/model.d.ts';

function pathOf(sample: string): string {
  return fileURLToPath(new URL(`../../samples/${sample}.mlx`, import.meta.url));
}

/** The numbers in the leaves of a tree, in order. */
function numbersIn(tree: unknown): readonly number[] {
  if (tree instanceof Tensor) return Array.from<number | bigint, number>(tree.data, Number);
  return Object.values(tree as object).flatMap(numbersIn);
}

function largestDifference(left: readonly number[], right: readonly number[]): number {
  expect(left).toHaveLength(right.length);
  return left.reduce((worst, x, i) => Math.max(worst, Math.abs(x - right[i]!)), 0);
}

/** The losses of `steps` steps on the same data. */
function lossesOf(
  module: Module,
  names: { readonly init: string; readonly step: string },
  data: readonly Tensor[],
  steps: number,
): readonly number[] {
  const step = module.function(names.step).with({ donate: ['m', 'opt'] });
  let [model, state] = module.function(names.init)(1) as readonly [never, never];
  return Array.from({ length: steps }, () => {
    const result = step(model, state, ...data) as readonly [never, never, Tensor];
    [model, state] = [result[0], result[1]];
    return Number(result[2].item());
  });
}

/** The last loss as a part of the first. */
function fall(losses: readonly number[]): number {
  return losses.at(-1)! / losses[0]!;
}

describe('digits', () => {
  let bundle: CompiledBundle;
  beforeAll(() => {
    bundle = compileOrThrow({ path: pathOf('digits/model') }, { name: 'model', targets: ['cpu'] });
  });

  test('model.d.ts holds the types that build writes', async () => {
    const declared = String((await bundle.files()).get('index.d.ts'));
    await expect(declared).toMatchFileSnapshot('../../samples/digits/model.d.ts');
  });

  test('the data: every image once, the same in every run', () => {
    const { training, heldOut } = readDigits();
    expect([training.count, heldOut.count]).toEqual([1438, 359]);
    const sizes = [...batches(training, 32, random(1))].map(({ x, y }) => [x.shape, y.shape]);
    expect(sizes).toHaveLength(45);
    expect(sizes[0]).toEqual([[32, 64], [32]]);
    expect(sizes.at(-1)).toEqual([[30, 64], [30]]);
    expect(readDigits().heldOut).toEqual(heldOut);
    const labels = [...training.labels, ...heldOut.labels];
    // the counts that the page of the data set gives
    expect(Array.from({ length: 10 }, (_, d) => labels.filter((l) => l === d).length)).toEqual([
      178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]);
  });

  test('learns', async () => {
    const { init, train_step, evaluate } = (await load<typeof Digits>(bundle)).functions;
    const { training, heldOut } = readDigits();
    const { x, y } = asBatch(heldOut);
    let [model, state] = init(1);
    const [lossBefore] = evaluate(model, x, y);
    for (const batch of batches(training, 32, random(7))) {
      const [newModel, newState] = train_step(model, state, batch.x, batch.y, 3e-2);
      [model, state] = [newModel, newState];
    }
    const [lossAfter, accuracy] = evaluate(model, x, y);
    expect(Number(lossBefore.item())).toBeCloseTo(Math.log(10), 0);
    expect(Number(lossAfter.item())).toBeLessThan(0.5);
    expect(Number(accuracy.item())).toBeGreaterThan(0.85);
  });

  test('takes the step that the interpreter takes', async () => {
    const batch = batches(readDigits().training, 30, random(3)).next().value!;
    const results = await Promise.all(
      (['cpu', 'interp'] as const).map(async (device) => {
        const { init, train_step } = (await load<typeof Digits>(bundle, { device })).functions;
        const [model, state] = init(1);
        return numbersIn(train_step(model, state, batch.x, batch.y, 1e-3));
      }),
    );
    expect(largestDifference(results[0]!, results[1]!)).toBeLessThan(2e-5);
  });
});

test('the transformer block learns to predict the next vector', async () => {
  const module = await load(pathOf('transformer/block'));
  const [b, n, d] = [4, 12, 64];
  // waves of several frequencies: the next vector follows from the ones before
  const wave = (shift: number): Float32Array =>
    Float32Array.from({ length: b * n * d }, (_, i) => {
      const [series, time, feature] = [Math.floor(i / (n * d)), Math.floor(i / d) % n, i % d];
      return Math.sin((time + shift + series) * (0.1 + 0.05 * (feature % 8)));
    });
  const data = [tensor(wave(0), [b, n, d]), tensor(wave(1), [b, n, d])];
  const losses = lossesOf(module, { init: 'init', step: 'train_step' }, data, 60);
  expect(fall(losses)).toBeLessThan(0.2);
});

test('the small GPT learns a text by heart', async () => {
  const entries = ['small_init', 'small_train_step'];
  const module = await load(pathOf('gpt/gpt'), { entries });
  const text = 'to be, or not to be, that is the question: whether tis nobler in the mind';
  const tokens = Int32Array.from(text, (letter) => letter.charCodeAt(0) % 65);
  const [b, n] = [3, 24];
  const window = (start: number): Tensor => tensor(tokens.slice(start, start + b * n), [b, n]);
  const names = { init: 'small_init', step: 'small_train_step' };
  const losses = lossesOf(module, names, [window(0), window(1)], 80);
  expect(losses[0]).toBeCloseTo(Math.log(65), 0);
  expect(fall(losses)).toBeLessThan(0.75);
});
