/**
 * A call as a folder that run.py reads:
 *
 *   plan.json        the Metal plan with numbers for sizes, the specs of the inputs, and where expected elements lie
 *   kernels.metal    as the compiler prints it
 *   kernels.cu       the same as CUDA text
 *   constants.bin    constants one after another, each at a multiple of 16 bytes
 *   inputs.bin       likewise the inputs that are given; others are made up by inputs.py as by inputs.ts
 *   expected.bin     float64: of each result every `stride`-th element
 *   slack.bin        float64, as many: how far each may be off by rounding alone, where that is known
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan, PlanFunction } from '../../compiler/plan/plan.ts';
import { storageOf } from '../../compiler/tensor-ir/dtype.ts';
import type { ConstantTensor } from '../../runtime/bundle.ts';
import type { Result } from '../../runtime/module.ts';
import type { Dims } from '../../runtime/sizes.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { readElement, type TypedArray } from '../../runtime/typed-array.ts';
import type { InputSpec } from './inputs.ts';
import { boundPlan } from './plan.ts';
import type { Slack } from './slack.ts';
import { translateToCuda } from './translate.ts';

/** Elements of a result that are compared. */
const mostSamples = 4096;

/** A leaf of the arguments: its value, and how to make it up again where it is. */
export interface Input {
  readonly value: Tensor;
  readonly spec: InputSpec;
  readonly isMadeUp: boolean;
}

export interface Call {
  /** What run.py is told of the case: at least `name`. */
  readonly about: { readonly name: string };
  readonly plan: Plan;
  readonly planned: PlanFunction;
  readonly dims: Dims;
  readonly metal: string;
  readonly constants: ReadonlyMap<string, ConstantTensor>;
  readonly inputs: readonly Input[];
  readonly expected: Result;
  readonly slack: Slack | undefined;
}

export function writeCall(call: Call, folder: string): void {
  const { about, plan, planned, dims } = call;
  const constants = pack([...call.constants].map(([, { data }]) => data));
  const given = pack(call.inputs.filter((i) => !i.isMadeUp).map((i) => i.value.data));
  const offsets = given.offsets[Symbol.iterator]();
  const expected = tensorsIn(call.expected).map(samplesOf);
  const { slack } = call;
  const description = {
    case: about,
    ...boundPlan(plan, planned, dims),
    inputs: call.inputs.map(({ value, spec, isMadeUp }) => ({
      ...spec,
      shape: value.dtype === spec.dtype ? value.shape : [...value.shape, 2],
      ...(isMadeUp ? {} : { offset: offsets.next().value }),
    })),
    constants: Object.fromEntries(
      [...call.constants.keys()].map((name, i) => [name, constants.offsets[i]]),
    ),
    results: expected.map(({ stride, samples }) => ({ stride, count: samples.length })),
    narrowest: slack?.narrowest,
  };
  mkdirSync(folder, { recursive: true });
  const write = (name: string, data: string | Uint8Array): void =>
    writeFileSync(join(folder, name), data);
  write('plan.json', JSON.stringify(description));
  write('kernels.metal', call.metal);
  write('kernels.cu', translateToCuda(call.metal, plan.kernels));
  write('constants.bin', constants.bytes);
  write('inputs.bin', given.bytes);
  const samples = Float64Array.from(expected.flatMap((e) => e.samples));
  write('expected.bin', new Uint8Array(samples.buffer));
  if (slack?.elements !== undefined) {
    const allowed = slack.elements.flatMap((all, i) =>
      all.filter((_, at) => at % expected[i]!.stride === 0),
    );
    write('slack.bin', new Uint8Array(Float64Array.from(allowed).buffer));
  }
}

function tensorsIn(result: Result): readonly Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result).flatMap((part) => tensorsIn(part as Result));
}

function samplesOf(tensor: Tensor): { stride: number; samples: number[] } {
  const { data } = tensor;
  const { dtype } = storageOf(tensor.dtype);
  // an odd stride meets every column of the usual widths
  const stride = data.length <= mostSamples ? 1 : Math.ceil(data.length / mostSamples) | 1;
  const count = Math.ceil(data.length / stride);
  const samples = Array.from({ length: count }, (_, i) =>
    Number(readElement(dtype, data, i * stride)),
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
