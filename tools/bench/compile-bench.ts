/** From source to Metal kernels and plan: GPT-2 small, one training step. */
import { join } from 'node:path';
import { type CompileOptions, compile } from '../../compiler/driver/compile.ts';
import { nodeHost, packageRoot } from '../../compiler/driver/node-host.ts';
import { measureJaxCompile } from './jax-compile.ts';
import type { BenchOptions } from './main.ts';

/** Batch, context, width, heads, layers and vocabulary of the step, for the peers. */
const sizes = { B: 4, T: 256, D: 768, H: 12, L: 12, V: 50257 };

/** Compiles once to warm up, then measures one compilation with the time of each stage. */
export async function benchCompile({ emit, peers, say }: BenchOptions): Promise<void> {
  const source = { path: join(packageRoot(), 'samples', 'gpt', 'gpt.mlx') };
  const options: CompileOptions = { host: nodeHost(), targets: ['metal'], entries: ['train_step'] };
  compile(source, options);
  const started = performance.now();
  const result = compile(source, options);
  const seconds = (performance.now() - started) / 1000;
  if (!result.ok) throw new Error(`${source.path}: ${result.diagnostics[0]?.message}`);
  emit({ name: 'gpt compile', value: seconds, unit: 's' });
  for (const { stage, milliseconds } of result.timings) {
    emit({ name: `gpt compile: ${stage}`, value: milliseconds, unit: 'ms' });
  }
  const plan = result.bundle.plan.plans.metal!;
  emit({ name: 'gpt compile: kernels', value: plan.kernels.length, unit: 'kernels' });
  const dispatches = plan.functions[0]!.steps.filter((step) => step.kind === 'dispatch').length;
  emit({ name: 'gpt compile: dispatches', value: dispatches, unit: 'dispatches' });
  // maxRSS is in kilobytes on every platform of ours.
  emit({
    name: 'gpt compile: peak memory',
    value: process.resourceUsage().maxRSS / 1024,
    unit: 'MiB',
  });
  if (peers !== true) {
    say('jax.jit is skipped: it takes a while (--peers)');
    return;
  }
  const jax = await measureJaxCompile(sizes, say);
  if (jax !== undefined) {
    emit({
      name: 'gpt compile',
      value: seconds,
      unit: 's',
      peer: 'jax.jit lower + compile',
      ratio: jax / seconds,
    });
  }
}
