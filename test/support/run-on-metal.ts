/** Runs functions of the tensor IR through fusion and the Metal schedules, kernels by `runMetalKernel`. */
import { deadCode } from '../../compiler/passes/dead-code.ts';
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { metalSchedule } from '../../compiler/schedule/metal/schedule.ts';
import {
  type ScheduledFunction,
  type ScheduledProgram,
  scheduleProgram,
} from '../../compiler/schedule/schedule.ts';
import { evaluate, product } from '../../compiler/symbolic/integer.ts';
import { bindDims } from '../../compiler/tensor-ir/evaluate.ts';
import {
  fromConstantData,
  makeArray,
  type NdArray,
  setElement,
} from '../../compiler/tensor-ir/nd-array.ts';
import type { ConstantData, Func, Program, Value } from '../../compiler/tensor-ir/program.ts';
import { type Memory, runMetalKernel } from './run-metal-kernel.ts';
import { entryOf } from './run-on-cpu.ts';

export function scheduleForMetal(funcs: readonly Func[]): ScheduledProgram {
  const program: Program<'plain'> = { stage: 'plain', entries: funcs.map(entryOf) };
  return scheduleProgram(fuse(deadCode.run(expandComposites.run(program))), metalSchedule());
}

/** The results of a function without control flow. */
export function runOnMetal(
  func: Func,
  args: readonly NdArray[],
  dims: Readonly<Record<string, number>> = {},
): NdArray[] {
  return runScheduled(scheduleForMetal([func]).entries[0]!.scheduled, func, args, dims);
}

/** Runs the kernels of a function one after another, on results that hold nothing before. */
export function runScheduled(
  scheduled: ScheduledFunction,
  func: Func,
  args: readonly NdArray[],
  given: Readonly<Record<string, number>> = {},
): NdArray[] {
  const dims = new Map([...bindDims(func, args), ...Object.entries(given)]);
  const size = (value: Value): number =>
    evaluate(product(value.type.shape), (name) => dims.get(name));
  const memories = new Map<Value, Memory>();
  func.parameters.forEach((p, i) => memories.set(p, [...args[i]!.data]));
  const memoryOf = (value: Value): Memory => {
    let memory = memories.get(value);
    if (memory === undefined) {
      const op = scheduled.fused.definitions.get(value);
      if (op?.primitive.name === 'literal') {
        const shape = value.type.shape.map((d) => evaluate(d, (n) => dims.get(n)));
        const data = op.attrs['data'] as ConstantData;
        memory = [...fromConstantData(value.type.dtype, shape, data).data];
      } else memory = new Array<undefined>(size(value)).fill(undefined);
      memories.set(value, memory);
    }
    return memory;
  };
  for (const step of scheduled.steps) {
    if (step.kind !== 'dispatch') throw new Error('control flow');
    runMetalKernel(step.kernel, step.bindings.map(memoryOf), dims);
  }
  // expanding composites replaces results
  return scheduled.fused.results.map((value) => {
    const shape = value.type.shape.map((d) => evaluate(d, (n) => dims.get(n)));
    const result = makeArray(value.type.dtype, shape);
    memoryOf(value).forEach((element, i) => {
      if (element === undefined)
        throw new Error(`${value.name ?? 'a result'}[${i}] was not written`);
      setElement(result.data, i, element);
    });
    return result;
  });
}
