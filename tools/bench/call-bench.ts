/** What a call costs from JavaScript, when the work itself is nothing. */
import { join } from 'node:path';
import { compile } from '../../compiler/driver/compile.ts';
import { nodeHost, packageRoot } from '../../compiler/driver/node-host.ts';
import { load } from '../../runtime/load.ts';
import { type Tensor, tensor } from '../../runtime/tensor.ts';
import type { BenchOptions } from './main.ts';
import { median, sampleCalls } from './measure.ts';

const samples = 15;

export async function benchCall({ emit, seconds }: BenchOptions): Promise<void> {
  const path = join(packageRoot(), 'tools', 'bench', 'programs', 'kernels.mlx');
  const result = compile({ path }, { host: nodeHost(), targets: ['cpu'] });
  if (!result.ok) throw new Error(`${path}: ${result.diagnostics[0]?.message}`);
  const module = await load(result.bundle);
  const x = tensor(new Float32Array(8));
  const xy = tensor(new Float32Array(64), [8, 8]);
  const calls: readonly (readonly [string, () => unknown])[] = [
    ['call: one kernel, 8 numbers', () => module.functions['scale']!(x)],
    ['call: softmax of 8x8', () => module.functions['softmax']!(xy)],
    ['call: gemm of 8x8', () => module.functions['gemm']!(xy, xy)],
  ];
  for (const [name, call] of calls) {
    const work = (): void => (call() as Tensor).dispose();
    sampleCalls(work, seconds);
    const times = Array.from({ length: samples }, () => sampleCalls(work, seconds / samples));
    emit({ name, value: median(times) * 1e6, unit: 'us' });
  }
}
