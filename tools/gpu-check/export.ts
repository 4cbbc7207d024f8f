/**
 * A case as a folder that run.py reads:
 *
 *   plan.json        the Metal plan with numbers for sizes, the specs of the inputs, and where expected elements lie
 *   kernels.metal    as the compiler prints it
 *   constants.bin    constants one after another, each at a multiple of 16 bytes
 *   expected.bin     float64: of each result every `stride`-th element
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../compiler/driver/compile.ts';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { buildTree, leafPlaces } from '../../compiler/driver/io/tree.ts';
import { nodeHost, packageRoot } from '../../compiler/driver/node-host.ts';
import type { Argument } from '../../runtime/arguments.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { load } from '../../runtime/load.ts';
import type { Result } from '../../runtime/module.ts';
import { Sizes } from '../../runtime/sizes.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { readElement } from '../../runtime/typed-array.ts';
import type { GpuCase } from './cases.ts';
import { type InputSpec, inputSpec, makeInput } from './inputs.ts';
import { boundPlan } from './plan.ts';

/** Elements of a result that are compared. */
const mostSamples = 4096;

export async function exportCase(gpuCase: GpuCase, folder: string): Promise<void> {
  const { file, entry, reference, below = 2 } = gpuCase;
  const isSymbolic = gpuCase.isSymbolic === true;
  const result = compile(
    { path: join(packageRoot(), file) },
    {
      host: nodeHost(),
      targets: reference === 'cpu' ? ['cpu', 'metal'] : ['metal'],
      entries: [entry],
      ...(isSymbolic ? {} : { dims: gpuCase.dims }),
    },
  );
  if (!result.ok) throw new Error(`${file}: ${result.diagnostics[0]?.message}`);
  const { bundle } = result;
  const plan = bundle.plan.plans.metal;
  const planned = plan?.functions.find((f) => f.name === entry);
  if (plan === undefined || planned === undefined) throw new Error(`${file} has no ${entry}`);

  const dims = new Map(Object.entries(gpuCase.dims));
  const sizes = new Sizes();
  const specs: InputSpec[] = [];
  const shapes: number[][] = [];
  const args = planned.parameters.map(({ name, tree }) => {
    const leaves = leafPlaces(tree).map(({ leaf }) => {
      const shape = leaf.shape.map((text) => sizes.count(text, dims));
      const spec = inputSpec(name, leaf.dtype, specs.length + 1, below);
      specs.push(spec);
      shapes.push(shape);
      return makeInput(spec, shape);
    });
    return buildTree(tree, leaves[Symbol.iterator]()) as Argument;
  });
  const device = reference === 'cpu' ? undefined : interpreterDevice(bundle.program);
  const module = await load(bundle, device === undefined ? {} : { device });
  const given = isSymbolic ? gpuCase.dims : {};
  const results = tensorsIn(module.function(entry).with({ dims: given })(...args));
  const expected = results.map(samplesOf);

  mkdirSync(folder, { recursive: true });
  const { bytes, offsets } = packConstants(bundle);
  const description = {
    case: gpuCase,
    ...boundPlan(plan, planned, dims),
    inputs: specs.map((spec, i) => ({ ...spec, shape: shapes[i] })),
    constants: offsets,
    results: expected.map(({ stride, samples }) => ({ stride, count: samples.length })),
  };
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(description));
  writeFileSync(join(folder, 'kernels.metal'), bundle.metal);
  writeFileSync(join(folder, 'constants.bin'), bytes);
  writeFileSync(
    join(folder, 'expected.bin'),
    new Uint8Array(Float64Array.from(expected.flatMap((e) => e.samples)).buffer),
  );
}

function tensorsIn(result: Result): readonly Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result).flatMap((part) => tensorsIn(part as Result));
}

function samplesOf({ dtype, data }: Tensor): { stride: number; samples: number[] } {
  // an odd stride meets every column of the usual widths
  const stride = data.length <= mostSamples ? 1 : Math.ceil(data.length / mostSamples) | 1;
  const count = Math.ceil(data.length / stride);
  const samples = Array.from({ length: count }, (_, i) =>
    Number(readElement(dtype, data, i * stride)),
  );
  return { stride, samples };
}

function packConstants(bundle: Bundle): { bytes: Uint8Array; offsets: Record<string, number> } {
  const offsets: Record<string, number> = {};
  let length = 0;
  for (const [name, { data }] of bundle.constants) {
    offsets[name] = length;
    length += Math.ceil(data.byteLength / 16) * 16;
  }
  const bytes = new Uint8Array(length);
  for (const [name, { data }] of bundle.constants) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsets[name]!);
  }
  return { bytes, offsets };
}
