/** `mlxc run`: one call of a function of a source or a bundle. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Argument } from '../../../runtime/arguments.ts';
import { readBundle } from '../../../runtime/bundle.ts';
import { cpuDevice } from '../../../runtime/cpu-device.ts';
import type { Device } from '../../../runtime/device.ts';
import { MlxcError } from '../../../runtime/errors.ts';
import { load } from '../../../runtime/load.ts';
import { metalDevice } from '../../../runtime/metal-device.ts';
import { hasMetal } from '../../../runtime/metal-native.ts';
import type { CompiledFunction, Module, Result } from '../../../runtime/module.ts';
import { Tensor } from '../../../runtime/tensor.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import type { CompileResult } from '../compile.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { FileProblem, UsageError } from '../errors.ts';
import type { Target } from '../host.ts';
import { readArguments } from '../io/arguments.ts';
import { tensorToJson } from '../io/json-tensor.ts';
import { printTensor } from '../io/print-tensor.ts';
import { checkSavePath, saveTensors } from '../io/save.ts';
import { buildTree, leafPlaces, resultKeys } from '../io/tree.ts';
import { reportFailure } from './build.ts';
import { type CompileFlags, compileOptions, parseDims } from './compile-flags.ts';

export interface RunFlags extends Omit<CompileFlags, 'target'> {
  readonly file: string;
  readonly function: string;
  readonly values: readonly string[];
  readonly save?: string;
  readonly device?: 'cpu' | 'metal' | 'metal-sim' | 'interp';
}

export async function run(context: CommandContext, flags: RunFlags): Promise<ExitCode> {
  if (flags.save !== undefined) checkSavePath(flags.save);
  const module = await openModule(context, flags);
  if (module === undefined) return 1;
  const f = findFunction(module, flags.function);
  const { parameters, result: tree, dims } = f.signature;
  const values = await readArguments(flags.values, parameters, context.shell.cwd);
  const args = parameters.map(({ name, tree: parameter }) => {
    const leaves = values.get(name)!.map((leaf) => new Tensor(leaf.dtype, leaf.shape, leaf.data));
    return buildTree(parameter, leaves[Symbol.iterator]()) as Argument;
  });
  // A bundle still has its dims; in a source `--dim` has already fixed them.
  const wanted = Object.entries(parseDims(flags.dim ?? []));
  const given = wanted.filter(([name]) => dims.includes(name));
  if (given.length < wanted.length && isFolder(context, flags)) refuseDims(wanted, dims);
  try {
    const result = f.with({ dims: Object.fromEntries(given) })(...args);
    await show(context, flags, result, resultKeys(tree), leafPlaces(tree).length);
  } catch (error) {
    throw withFlags(error);
  }
  return 0;
}

/** A dim that the function of a bundle does not have. */
function refuseDims(wanted: readonly (readonly [string, number])[], dims: readonly string[]): void {
  for (const [name] of wanted) {
    if (dims.includes(name)) continue;
    const list = dims.length === 0 ? 'it has no dims' : `its dims: ${dims.join(', ')}`;
    throw new UsageError(
      `--dim ${name}: the function has no such dim`,
      didYouMean(name, dims) ?? list,
    );
  }
}

/** What the runtime says of a dim that nothing tells, in the words of the command line. */
function withFlags(error: unknown): unknown {
  if (!(error instanceof MlxcError)) return error;
  const inFlags = (text: string): string =>
    text.replaceAll(/`with\(\{ dims: \{ (\w+): (\d+) \} \}\)`/g, '`--dim $1=$2`');
  const start = error.message.startsWith(`${error.code}: `) ? error.code.length + 2 : 0;
  const end = error.cure === '' ? undefined : -`\n  ${error.cure}`.length;
  const problems = error.problems.map((p) => ({ ...p, message: inFlags(p.message) }));
  const message = inFlags(error.message.slice(start, end));
  return new MlxcError(error.code, message, inFlags(error.cure), problems);
}

function isFolder(context: CommandContext, flags: RunFlags): boolean {
  const path = resolve(context.shell.cwd, flags.file);
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The device that the user named; undefined for none, and for the interpreter, which needs the program. */
function deviceOf({ device }: RunFlags): Device | undefined {
  if (device === 'cpu') return cpuDevice();
  return device === 'metal' || device === 'metal-sim' ? metalDevice(device) : undefined;
}

/** The module of a source or a bundle; undefined when the source has errors, which are then reported. */
export async function openModule(
  context: CommandContext,
  flags: RunFlags,
): Promise<Module | undefined> {
  const path = resolve(context.shell.cwd, flags.file);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new FileProblem(
      'MLX5001',
      flags.file,
      'no such file',
      'name a .mlx source or a .mlxbundle folder',
    );
  }
  const device = deviceOf(flags);
  if (stat.isDirectory()) {
    if (flags.device === 'interp') {
      throw new UsageError('--device interp needs the source: a bundle holds kernels only');
    }
    return load(readBundle(path), device === undefined ? {} : { device });
  }
  const { compile } = await import('../compile.ts');
  // Only the function that is called is compiled; the rest is checked.
  const compileFor = (target: Target): CompileResult =>
    compile(
      { path: flags.file },
      compileOptions(context, { ...flags, target, entry: [flags.function] }),
    );
  const isMetal =
    device === undefined ? flags.device !== 'interp' && hasMetal() : device.target === 'metal';
  let result = compileFor(isMetal ? 'metal' : 'cpu');
  // Metal has no doubles: then the CPU is where to run, unless the user said otherwise
  if (isMetal && device === undefined && !result.ok) result = compileFor('cpu');
  if (!result.ok) {
    await reportFailure(context, result);
    return undefined;
  }
  if (flags.device !== 'interp') {
    return load(result.bundle, device === undefined ? {} : { device });
  }
  const { interpreterDevice } = await import('../interpreter.ts');
  return load(result.bundle, { device: interpreterDevice(result.bundle.program) });
}

/** The function, or an error that names the nearest or all. */
export function findFunction(module: Module, name: string): CompiledFunction {
  const names = Object.keys(module.functions);
  const found = Object.hasOwn(module.functions, name) ? module.functions[name] : undefined;
  if (found !== undefined) return found;
  const hint =
    didYouMean(name, names) ??
    (names.length === 0
      ? 'it exports none: write `export fn`'
      : `its functions: ${names.join(', ')}`);
  throw new MlxcError('MLX5116', `there is no exported function \`${name}\``, hint);
}

/** Prints or saves the leaves of a result. */
async function show(
  context: CommandContext,
  flags: RunFlags,
  result: Result,
  keys: readonly string[],
  count: number,
): Promise<void> {
  const leaves = flatten(result);
  const named = new Map(keys.map((key, i) => [key, leaves[i]!]));
  if (flags.save !== undefined) {
    const path = resolve(context.shell.cwd, flags.save);
    await saveTensors(path, named);
    if (!context.isJson)
      context.note(`${context.paintErr.green('saved')} ${flags.save} (${count} arrays)`);
  }
  if (context.isJson) {
    const results = Object.fromEntries(
      [...named].map(([key, tensor]) => {
        const type = { dtype: tensor.dtype, shape: tensor.shape };
        return [key, flags.save === undefined ? { ...type, data: tensorToJson(tensor) } : type];
      }),
    );
    context.printJson({
      ok: true,
      results,
      ...(flags.save === undefined ? {} : { saved: flags.save }),
    });
  } else if (flags.save === undefined) {
    for (const [key, tensor] of named) {
      const label = named.size === 1 && key === 'result' ? '' : `${context.paintOut.bold(key)}: `;
      context.print(`${label}${printTensor(tensor)}`);
    }
  }
}

/** The tensors of a result in the order of its leaves. */
function flatten(result: Result): readonly Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result as Readonly<Record<string, Result>>).flatMap(flatten);
}
