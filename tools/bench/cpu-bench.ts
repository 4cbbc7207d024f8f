/** Our CPU device and the peers, a sample of each in turn, so that all see the same machine. */
import { join } from 'node:path';
import { compile } from '../../compiler/driver/compile.ts';
import { randomTensor } from '../../compiler/driver/io/random-tensor.ts';
import { buildTree, leafPlaces } from '../../compiler/driver/io/tree.ts';
import { nodeHost, packageRoot } from '../../compiler/driver/node-host.ts';
import type { Argument } from '../../runtime/arguments.ts';
import { load } from '../../runtime/load.ts';
import type { Result } from '../../runtime/module.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { type BenchCase, cases } from './cases.ts';
import type { BenchOptions } from './main.ts';
import { median, sampleCalls } from './measure.ts';
import { Peers } from './peers.ts';

const rounds = 5;

export async function benchCpu(options: BenchOptions): Promise<void> {
  const { only, say } = options;
  const peers = options.peers === false ? undefined : await Peers.start(say);
  if (peers === undefined) say('peers: none, so there are no ratios');
  const ratios: number[] = [];
  try {
    for (const benchCase of cases) {
      if (only === undefined || benchCase.name.includes(only)) {
        const best = await measureCase(benchCase, peers, options).catch((error: unknown) => {
          say(
            `${benchCase.name}: FAILED: ${error instanceof Error ? error.message : String(error)}`,
          );
          process.exitCode = 1;
          return undefined;
        });
        if (best !== undefined) ratios.push(best);
      }
    }
  } finally {
    peers?.stop();
  }
  if (ratios.length === 0) return;
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const peer = 'the best peer of each case';
  options.emit({ name: 'geometric mean', value: mean, unit: 'x', peer, ratio: mean });
  options.emit({
    name: 'worst',
    value: Math.min(...ratios),
    unit: 'x',
    peer,
    ratio: Math.min(...ratios),
  });
}

/** The ratio to the fastest peer, if there is one. */
async function measureCase(
  benchCase: BenchCase,
  peers: Peers | undefined,
  { seconds, say, emit }: BenchOptions,
): Promise<number | undefined> {
  const ours = await prepare(benchCase);
  const ready: string[] = [];
  for (const peer of peers?.versions.keys() ?? []) {
    const reason = await peers!.prepare(benchCase.peerCase, benchCase.sizes, peer);
    if (reason === undefined) ready.push(peer);
    else say(`${benchCase.name}: skipping ${peer}: ${reason}`);
  }
  sampleCalls(ours.call, seconds / 2);
  const times: number[] = [];
  const peerTimes = new Map(ready.map((peer) => [peer, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    times.push(sampleCalls(ours.call, seconds));
    for (const peer of ready) {
      const time = await peers!.sample(peer, seconds);
      if (time !== undefined) peerTimes.get(peer)!.push(time);
    }
  }
  const time = median(times);
  const { work, name } = benchCase;
  const value = work === undefined ? time * 1e3 : work.amount / time / 1e9;
  const unit = work?.unit ?? 'ms';
  emit({ name: `${name}: kernels`, value: ours.kernels, unit: 'kernels' });
  if (ready.length === 0) emit({ name, value, unit });
  let best: number | undefined;
  for (const [peer, samples] of peerTimes) {
    if (samples.length === 0) continue;
    const ratio = median(samples) / time;
    emit({ name, value, unit, peer, ratio });
    best = Math.min(best ?? ratio, ratio);
  }
  return best;
}

interface Prepared {
  readonly call: () => void;
  /** Kernels launched by a call. */
  readonly kernels: number;
}

async function prepare({ program, entry, dims, state }: BenchCase): Promise<Prepared> {
  const path = join(packageRoot(), 'tools', 'bench', 'programs', program);
  const result = compile({ path }, { host: nodeHost(), targets: ['cpu'], entries: [entry], dims });
  if (!result.ok) throw new Error(`${path}: ${result.diagnostics[0]?.message}`);
  const module = await load(result.bundle);
  const f = module.function(entry);
  const { parameters, steps } = f.signature;
  const kernels = steps.filter((step) => step.kind === 'dispatch').length;
  let seed = 1;
  const args = parameters.map(({ name, tree }) => {
    // Small weights and moments of zero, as at the start of a training.
    const scale = state === undefined ? 1 : name === 'm' ? 0.02 : name === 'opt' ? 0 : 1;
    const leaves = leafPlaces(tree).map(({ leaf }) =>
      makeLeaf(leaf.dtype, leaf.shape.map(Number), seed++, scale),
    );
    return buildTree(tree, leaves[Symbol.iterator]()) as Argument;
  });
  if (state === undefined) return { kernels, call: () => dispose(settled(f(...args))) };
  const step = f.with({ donate: state });
  const call = (): void => {
    const results = settled(step(...args)) as readonly Result[];
    state.forEach((_, i) => {
      args[i] = results[i] as Argument;
    });
    for (const rest of results.slice(state.length)) dispose(rest);
  };
  return { kernels, call };
}

/** The result, once it is there: a call returns before that. */
function settled(result: Result): Result {
  if (result instanceof Tensor) result.wait();
  else for (const part of Object.values(result)) settled(part as Result);
  return result;
}

function makeLeaf(
  dtype: Tensor['dtype'],
  shape: readonly number[],
  seed: number,
  scale: number,
): Tensor {
  const { data } = randomTensor(dtype, shape, seed);
  if (data instanceof Float32Array && scale !== 1)
    for (let i = 0; i < data.length; i++) data[i]! *= scale;
  return new Tensor(dtype, shape, data);
}

function dispose(result: Result): void {
  if (result instanceof Tensor) result.dispose();
  else for (const part of Object.values(result)) dispose(part as Result);
}
