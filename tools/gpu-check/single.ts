/**
 * One call of a function of a source or of a bundle, with the inputs given. A source is held against the interpreter; a bundle
 * holds no program to interpret, so its Metal plan is held against its plan for the CPU.
 */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseDims } from '../../compiler/driver/commands/compile-flags.ts';
import { compile } from '../../compiler/driver/compile.ts';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { readArguments } from '../../compiler/driver/io/arguments.ts';
import { leafPlaces } from '../../compiler/driver/io/tree.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { readBundle } from '../../runtime/bundle.ts';
import { load } from '../../runtime/load.ts';
import { selectPlan } from '../../runtime/select-plan.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { validatePlan } from '../../runtime/validate-plan.ts';
import { type Callee, exportCall, plannedFunction } from './call.ts';

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
  exportCall(callee, about, parseDims(call.dims), given, folder);
}

async function ofSource(path: string, name: string): Promise<Callee> {
  const result = compile({ path }, { host: nodeHost(), targets: ['metal'], entries: [name] });
  if (!result.ok) throw new Error(`${path}: ${result.diagnostics[0]?.message}`);
  const { bundle } = result;
  const plan = bundle.plan.plans.metal!;
  const reference = await load(bundle, { device: interpreterDevice(bundle.program) });
  const { metal, constants } = bundle;
  return { plan, planned: plannedFunction(plan, name, path), metal, constants, reference };
}

async function ofBundle(path: string, name: string): Promise<Callee> {
  const bundle = readBundle(path);
  const plan: Plan = validatePlan(selectPlan(bundle.plan, 'metal'));
  return {
    plan,
    planned: plannedFunction(plan, name, path),
    metal: readFileSync(join(path, 'kernels.metal'), 'utf8'),
    constants: bundle.constants,
    reference: await load(bundle),
  };
}
