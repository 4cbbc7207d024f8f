/** What the cases and single calls share: the inputs of a function, its expected results, and the folder for run.py. */
import { buildTree, leafPlaces } from '../../compiler/driver/io/tree.ts';
import type { Plan, PlanFunction } from '../../compiler/plan/plan.ts';
import { storageOf } from '../../compiler/tensor-ir/dtype.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import type { Argument } from '../../runtime/arguments.ts';
import type { ConstantTensor } from '../../runtime/bundle.ts';
import type { Module } from '../../runtime/module.ts';
import { Sizes } from '../../runtime/sizes.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { type Input, writeCall } from './case-folder.ts';
import { inputSpec, makeInput } from './inputs.ts';
import { slackFor } from './slack.ts';

export interface Callee {
  readonly plan: Plan;
  readonly planned: PlanFunction;
  readonly metal: string;
  readonly constants: ReadonlyMap<string, ConstantTensor>;
  /** Computes the expected results. */
  readonly reference: Module;
  /** The function that is interpreted, when its results are held against the interpreter's. */
  readonly entry?: Entry | undefined;
}

/** The function of a Metal plan. */
export function plannedFunction(plan: Plan | undefined, name: string, place: string): PlanFunction {
  const planned = plan?.functions.find((f) => f.name === name);
  if (planned === undefined) throw new Error(`${place} has no function ${name} for Metal`);
  return planned;
}

/**
 * Writes the call with these dims and leaves, by the number of the leaf among all of the arguments; those not given are made up,
 * with integers in [0, below).
 */
export function exportCall(
  callee: Callee,
  about: { readonly name: string; readonly below?: number },
  named: Readonly<Record<string, number>>,
  given: ReadonlyMap<number, Tensor>,
  folder: string,
): void {
  const { planned } = callee;
  const dims = dimsOf(planned, named, given);
  const sizes = new Sizes();
  const inputs: Input[] = [];
  const args = planned.parameters.map(({ name, tree }) => {
    const own = leafPlaces(tree).map(({ leaf }): Tensor => {
      const number = inputs.length;
      const { dtype, width } = storageOf(leaf.dtype);
      const spec = inputSpec(name, dtype, number + 1, about.below ?? 2);
      const own = given.get(number);
      const shape = leaf.shape.map((text) => sizes.count(text, dims));
      const value = own ?? new Tensor(leaf.dtype, shape, makeInput(spec, [...shape, width]));
      inputs.push({ value, spec, isMadeUp: own === undefined });
      return value;
    });
    return buildTree(tree, own[Symbol.iterator]()) as Argument;
  });
  const bound = Object.entries(named).filter(([name]) => planned.dims.includes(name));
  const called = callee.reference.function(planned.name).with({ dims: Object.fromEntries(bound) });
  const slack = callee.entry === undefined ? undefined : slackFor(callee.entry, inputs, dims);
  writeCall({ ...callee, about, dims, inputs, expected: called(...args), slack }, folder);
}

/** The dims of a call: those named, and those that stand alone as the size of an axis. */
export function dimsOf(
  planned: PlanFunction,
  named: Readonly<Record<string, number>>,
  given: ReadonlyMap<number, Tensor>,
): Map<string, number> {
  const dims = new Map(Object.entries(named));
  const places = planned.parameters.flatMap(({ tree }) => leafPlaces(tree));
  places.forEach(({ leaf }, i) => {
    leaf.shape.forEach((text, axis) => {
      const size = given.get(i)?.shape[axis];
      if (size !== undefined && planned.dims.includes(text)) dims.set(text, size);
    });
  });
  return dims;
}
