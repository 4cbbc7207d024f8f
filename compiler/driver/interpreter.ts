/**
 * The device `interp`: the reference evaluator behind the interface of a device. Slow, needs no C compiler, and is what the other
 * devices are held against.
 */
import type { Device, Executable } from '../../runtime/device.ts';
import { MlxcError } from '../../runtime/errors.ts';
import { readElement, type TypedArray, writeElement } from '../../runtime/typed-array.ts';
import type { Plan } from '../plan/plan.ts';
import { constantValue, evaluate, type Int } from '../symbolic/integer.ts';
import { evaluateFunction } from '../tensor-ir/evaluate.ts';
import { arrayOf, type NdArray } from '../tensor-ir/nd-array.ts';
import type { Entry, Program, Value } from '../tensor-ir/program.ts';

/** Runs the entries of a program; the plan only tells their names. */
export function interpreterDevice(program: Program<'plain'>): Device {
  return {
    name: 'interp',
    open: async (_bundle, plan) => ({
      instantiate: (index, dims) => instantiate(findEntry(program, plan, index), toMap(dims)),
    }),
    allocate: (bytes) => ({ buffer: new ArrayBuffer(bytes), free: undefined }),
  };
}

function findEntry(program: Program<'plain'>, plan: Plan, index: number): Entry {
  const name = plan.functions[index]?.name;
  const entry = program.entries.find((candidate) => candidate.name === name);
  if (entry === undefined)
    throw new MlxcError('MLX5116', `the program has no function \`${name}\``);
  return entry;
}

function toMap(
  dims: ReadonlyMap<string, number> | Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  return dims instanceof Map ? dims : new Map(Object.entries(dims));
}

function instantiate(entry: Entry, dims: ReadonlyMap<string, number>): Executable {
  const size = (dim: Int): number => constantValue(dim) ?? evaluate(dim, (name) => dims.get(name));
  return {
    run: (parameters, results) => {
      const args = entry.func.parameters.map((value, i) => unpack(value, parameters[i]!, size));
      const outputs = evaluateFunction(entry.func, args, dims);
      outputs.forEach((output, i) => pack(output, results[i]!));
    },
  };
}

/** The evaluator holds floats of every width as doubles. */
function unpack(value: Value, data: TypedArray, size: (dim: Int) => number): NdArray {
  const { dtype, shape } = value.type;
  const elements = Array.from({ length: data.length }, (_, i) => readElement(dtype, data, i));
  return arrayOf(dtype, shape.map(size), elements);
}

function pack(output: NdArray, data: TypedArray): void {
  // Results that are a parameter unchanged have no memory of their own.
  if (data.length !== output.data.length) return;
  for (let i = 0; i < data.length; i++) writeElement(output.dtype, data, i, output.data[i]!);
}
