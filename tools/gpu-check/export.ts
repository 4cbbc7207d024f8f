/**
 * A case as a folder that run.py reads:
 *
 *   plan.json        the Metal plan with numbers for sizes, the specs of the inputs, and where expected elements lie
 *   kernels.metal    as the compiler prints it
 *   constants.bin    constants one after another, each at a multiple of 16 bytes
 *   inputs.bin       likewise the inputs, of cases that have their own; others are made up by inputs.py as by inputs.ts
 *   expected.bin     float64: of each result every `stride`-th element
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../compiler/driver/compile.ts';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { buildTree, leafPlaces } from '../../compiler/driver/io/tree.ts';
import { nodeHost, packageRoot } from '../../compiler/driver/node-host.ts';
import type { PlanFunction } from '../../compiler/plan/plan.ts';
import { storageOf } from '../../compiler/tensor-ir/dtype.ts';
import type { Argument } from '../../runtime/arguments.ts';
import { load } from '../../runtime/load.ts';
import type { Result } from '../../runtime/module.ts';
import { Sizes } from '../../runtime/sizes.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { readElement, type TypedArray } from '../../runtime/typed-array.ts';
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

  const given = gpuCase.leaves?.();
  const dims = dimsOf(planned, gpuCase.dims, given ?? []);
  const sizes = new Sizes();
  const leaves: Tensor[] = [];
  const specs: InputSpec[] = [];
  const args = planned.parameters.map(({ name, tree }) => {
    const own = leafPlaces(tree).map(({ leaf }) => {
      const number = leaves.length;
      const spec = inputSpec(name, storageOf(leaf.dtype).dtype, number + 1, below);
      specs.push(spec);
      const shape = leaf.shape.map((text) => sizes.count(text, dims));
      leaves.push(given?.[number] ?? makeInput(spec, shape));
      return leaves[number]!;
    });
    return buildTree(tree, own[Symbol.iterator]()) as Argument;
  });
  const device = reference === 'cpu' ? undefined : interpreterDevice(bundle.program);
  const module = await load(bundle, device === undefined ? {} : { device });
  const bound = isSymbolic ? gpuCase.dims : {};
  const results = tensorsIn(module.function(entry).with({ dims: bound })(...args));
  const expected = results.map(samplesOf);

  mkdirSync(folder, { recursive: true });
  const constants = pack([...bundle.constants].map(([, { data }]) => data));
  const inputs = pack(given === undefined ? [] : leaves.map(({ data }) => data));
  const description = {
    case: gpuCase,
    ...boundPlan(plan, planned, dims),
    inputs: leaves.map(({ shape }, i) => ({
      ...specs[i],
      shape,
      ...(given && { offset: inputs.offsets[i] }),
    })),
    constants: Object.fromEntries(
      [...bundle.constants.keys()].map((name, i) => [name, constants.offsets[i]]),
    ),
    results: expected.map(({ stride, samples }) => ({ stride, count: samples.length })),
  };
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(description));
  writeFileSync(join(folder, 'kernels.metal'), bundle.metal);
  writeFileSync(join(folder, 'constants.bin'), constants.bytes);
  writeFileSync(join(folder, 'inputs.bin'), inputs.bytes);
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
    Number(readElement(storageOf(dtype).dtype, data, i * stride)),
  );
  return { stride, samples };
}

/** Arrays one after another. */
function pack(arrays: readonly TypedArray[]): { bytes: Uint8Array; offsets: number[] } {
  let length = 0;
  const offsets = arrays.map(({ byteLength }) => {
    const offset = length;
    length += Math.ceil(byteLength / 16) * 16;
    return offset;
  });
  const bytes = new Uint8Array(length);
  arrays.forEach((data, i) => {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsets[i]!);
  });
  return { bytes, offsets };
}

/** The dims of a case: those named, and those that stand alone as the size of an axis. */
function dimsOf(
  planned: PlanFunction,
  named: GpuCase['dims'],
  leaves: readonly Tensor[],
): Map<string, number> {
  const dims = new Map(Object.entries(named));
  const places = planned.parameters.flatMap(({ tree }) => leafPlaces(tree));
  places.forEach(({ leaf }, i) => {
    leaf.shape.forEach((text, axis) => {
      const size = leaves[i]?.shape[axis];
      if (size !== undefined && planned.dims.includes(text)) dims.set(text, size);
    });
  });
  return dims;
}
