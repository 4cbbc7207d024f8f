/**
 * One call of a function of a source or of a bundle, with the inputs given. A source is held against the interpreter, or against the
 * CPU device when the arguments are large; a bundle holds no program to interpret, so its Metal plan is held against its plan for the
 * CPU.
 */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseDims } from '../../compiler/driver/commands/compile-flags.ts';
import { compile } from '../../compiler/driver/compile.ts';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { readArguments } from '../../compiler/driver/io/arguments.ts';
import { leafPlaces } from '../../compiler/driver/io/tree.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import type { Plan, PlanFunction, Step } from '../../compiler/plan/plan.ts';
import { readBundle } from '../../runtime/bundle.ts';
import { load } from '../../runtime/load.ts';
import { selectPlan } from '../../runtime/select-plan.ts';
import { type Dims, Sizes } from '../../runtime/sizes.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { validatePlan } from '../../runtime/validate-plan.ts';
import { type Callee, dimsOf, exportCall, plannedFunction } from './call.ts';

export interface SingleCall {
  /** A .mlx source or a .mlxbundle folder. */
  readonly path: string;
  readonly function: string;
  /** `name=VALUE` as for `mlxc run`; parameters without one are made up. */
  readonly inputs: readonly string[];
  /** `N=4` */
  readonly dims: readonly string[];
}

export async function exportSingle(call: SingleCall, folder: string): Promise<void> {
  const path = resolve(call.path);
  const callee = statSync(path).isDirectory()
    ? await ofBundle(path, call.function)
    : await ofSource(path, call.function);
  const { parameters } = callee.planned;
  const values = await readArguments(call.inputs, parameters, process.cwd(), true);
  const given = new Map<number, Tensor>();
  let number = 0;
  for (const { name, tree } of parameters) {
    leafPlaces(tree).forEach((_, i) => {
      const leaf = values.get(name)?.[i];
      if (leaf !== undefined) given.set(number, new Tensor(leaf.dtype, leaf.shape, leaf.data));
      number++;
    });
  }
  const about = { name: `${call.path} ${call.function}`, isTimed: true };
  const dims = parseDims(call.dims);
  const known = dimsOf(callee.planned, dims, given);
  const missing = callee.planned.dims.filter((name) => !known.has(name));
  if (missing.length > 0)
    throw new Error(`no value for ${missing.join(', ')}: --dim ${missing[0]}=64`);
  const isLarge = workOf(callee.planned, known) > mostInterpreted;
  const chosen = isLarge ? await callee.forLarge() : callee;
  exportCall(chosen, about, dims, given, folder);
}

/** Elements in memory and operations together, above which the interpreter would take more than a minute or so. */
const mostInterpreted = 3e7;

function workOf({ buffers, steps }: PlanFunction, dims: Dims): number {
  const sizes = new Sizes();
  const inSteps = (all: readonly Step[]): number =>
    all.reduce((sum, step) => {
      if (step.kind === 'dispatch') return sum + sizes.countOrNone(step.flops, dims);
      if (step.kind === 'loop')
        return sum + sizes.countOrNone(step.count, dims) * inSteps(step.body);
      if (step.kind === 'branch') return sum + inSteps(step.then) + inSteps(step.otherwise);
      return sum;
    }, 0);
  return buffers.reduce((sum, b) => sum + sizes.countOrNone(b.size, dims), inSteps(steps));
}

interface SingleCallee extends Callee {
  /** The same, held against a device that is faster. */
  readonly forLarge: () => Promise<Callee>;
}

async function ofSource(path: string, name: string): Promise<SingleCallee> {
  const targets = ['cpu', 'metal'] as const;
  const result = compile({ path }, { host: nodeHost(), targets, entries: [name] });
  if (!result.ok) throw new Error(`${path}: ${result.diagnostics[0]?.message}`);
  const { bundle } = result;
  const plan = bundle.plan.plans.metal!;
  const reference = await load(bundle, { device: interpreterDevice(bundle.program) });
  const { metal, constants } = bundle;
  const callee = { plan, planned: plannedFunction(plan, name, path), metal, constants };
  const entry = bundle.program.entries.find((e) => e.name === name);
  return {
    ...{ ...callee, reference, entry },
    forLarge: async () => ({ ...callee, reference: await load(bundle) }),
  };
}

async function ofBundle(path: string, name: string): Promise<SingleCallee> {
  const bundle = readBundle(path);
  const plan: Plan = validatePlan(selectPlan(bundle.plan, 'metal'));
  const callee: Callee = {
    plan,
    planned: plannedFunction(plan, name, path),
    metal: readFileSync(join(path, 'kernels.metal'), 'utf8'),
    constants: bundle.constants,
    reference: await load(bundle),
  };
  return { ...callee, forLarge: async () => callee };
}
