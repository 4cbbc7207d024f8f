/** Runs functions of the tensor IR on the CPU device, through fusion, schedules, plan, C and the native runtime. */
import { readFileSync } from 'node:fs';
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { makePlan } from '../../compiler/plan/make-plan.ts';
import { cpuSchedule } from '../../compiler/schedule/cpu/schedule.ts';
import { type CpuModel, cpuModels } from '../../compiler/schedule/device-model.ts';
import { type ScheduledProgram, scheduleProgram } from '../../compiler/schedule/schedule.ts';
import { forEachVariable } from '../../compiler/symbolic/integer.ts';
import { type ElementType, storageOf } from '../../compiler/tensor-ir/dtype.ts';
import { type NdArray, toConstantData } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry, Func, Program, Tree } from '../../compiler/tensor-ir/program.ts';
import { printC } from '../../compiler/to-c/print.ts';
import {
  type Bundle,
  type CompileOptions,
  cpuDevice,
  load,
  type Module,
  type Result,
  type Tensor,
  tensor,
} from '../../runtime/index.ts';
import { numberToBf16, numberToF16, readElement } from '../../runtime/typed-array.ts';

const helpers = new URL('../../compiler/to-c/helpers/', import.meta.url);

function leaf(type: {
  readonly dtype: NdArray['dtype'];
  readonly shape: Func['results'][number]['type']['shape'];
}): Tree<{ type: typeof type }> {
  return { kind: 'leaf', leaf: { type } };
}

/** A function as an entry whose parameters and results are plain tensors. */
export function entryOf(func: Func): Entry {
  const dims = new Set<string>();
  for (const value of [...func.parameters, ...func.body.flatMap((op) => op.results)]) {
    for (const dim of value.type.shape) forEachVariable(dim, (v) => dims.add(v.name));
  }
  return {
    name: func.name,
    doc: '',
    parameters: func.parameters.map((p, i) => ({ name: `x${i}`, tree: leaf(p.type) })),
    result: { kind: 'tuple', items: func.results.map((r) => leaf(r.type)) },
    func,
    dims: [...dims],
    guards: [],
  };
}

export interface CompiledForCpu {
  readonly module: Module;
  readonly source: string;
}

/** Compiles functions together: one call of the C compiler for all. */
export async function compileForCpu(
  functions: readonly Func[],
  model: CpuModel = cpuModels.avx2,
): Promise<CompiledForCpu> {
  return compileProgramForCpu({ stage: 'plain', entries: functions.map(entryOf) }, model);
}

/** Compiles all entries of a program, with their trees and guards: one call of the C compiler for all. */
export async function compileProgramForCpu(
  program: Program<'plain'>,
  model: CpuModel = cpuModels.avx2,
): Promise<CompiledForCpu> {
  const fused = fuse(expandComposites.run(program));
  return compileScheduledForCpu(scheduleProgram(fused, cpuSchedule(model)));
}

/** The same from kernels on. */
export async function compileScheduledForCpu(
  scheduled: ScheduledProgram,
  options: CompileOptions = {},
): Promise<CompiledForCpu> {
  const source = printC(scheduled.kernels, (name) => readFileSync(new URL(name, helpers), 'utf8'));
  const bundle: Bundle = { ...planOf(scheduled), kernels: source };
  return { module: await load(bundle, { device: cpuDevice(options) }), source };
}

/** What a bundle holds beside kernels. */
export function planOf(scheduled: ScheduledProgram): Pick<Bundle, 'plan' | 'constants'> {
  const { plan, constants } = makePlan(scheduled);
  return {
    plan: JSON.parse(JSON.stringify(plan)),
    constants: new Map(
      constants.map(({ key, value, data }) => [
        key,
        {
          dtype: value.type.dtype,
          shape: value.type.shape.map((d) => Number(d.key)),
          data: storage(value.type.dtype, data),
        },
      ]),
    ),
  };
}

/** Elements as the runtime stores them: f16 and bf16 as bits. */
function storage(
  dtype: NdArray['dtype'],
  data: ReturnType<typeof toConstantData>,
): ReturnType<typeof toConstantData> {
  if (dtype === 'f16') return Uint16Array.from(data as Float32Array, numberToF16);
  if (dtype === 'bf16') return Uint16Array.from(data as Float32Array, numberToBf16);
  return data;
}

/** Pairs along the last axis make complex numbers. */
export function tensorOf(x: NdArray, type: ElementType): Tensor {
  const shape = type === 'c64' ? x.shape.slice(0, -1) : [...x.shape];
  return tensor(storage(x.dtype, toConstantData(x)), shape, type);
}

export function toTensor(x: NdArray): Tensor {
  return tensorOf(x, x.dtype);
}

/** The numbers of a tensor: complex numbers are pairs along a last axis, as in the tensor IR. */
export function fromTensor(t: Tensor): NdArray {
  const { dtype, width } = storageOf(t.dtype);
  const shape = width === 1 ? t.shape : [...t.shape, width];
  const length = shape.reduce((a, b) => a * b, 1);
  const is64 = dtype === 'i64' || dtype === 'u64';
  const elements = Array.from({ length }, (_, i) => readElement(dtype, t.data, i));
  if (is64) {
    const values = elements.map((e) => BigInt(e as bigint));
    return {
      dtype,
      shape,
      data: dtype === 'i64' ? BigInt64Array.from(values) : BigUint64Array.from(values),
    };
  }
  return { dtype, shape, data: Float64Array.from(elements, Number) };
}

/** Calls a function whose parameters and results are plain tensors. */
export function callOnCpu(
  module: Module,
  name: string,
  args: readonly NdArray[],
  dims: Readonly<Record<string, number>> = {},
): NdArray[] {
  const called = module.function(name);
  const known = Object.fromEntries(
    Object.entries(dims).filter(([dim]) => called.signature.dims.includes(dim)),
  );
  const result = called.with({ dims: known })(...args.map(toTensor));
  return (result as readonly Result[]).map((r) => fromTensor(r as Tensor));
}
