/** Loaded bundles: functions that take arguments, bind dims, run on a device and give tensors. */
import { constants } from 'node:buffer';
import { markAsUntransferable } from 'node:worker_threads';
import type { Plan, PlanFunction, PlanParameter, PlanTree } from '../compiler/plan/plan.ts';
import { product } from '../compiler/symbolic/integer.ts';
import { byteSize, storageOf } from '../compiler/tensor-ir/dtype.ts';
import { type Argument, ArgumentReader, type LeafArgument } from './arguments.ts';
import { bindDims, type Equation } from './bind-dims.ts';
import type { Bundle } from './bundle.ts';
import type { Device, Executable, Program, Run, RunContext } from './device.ts';
import { MlxcError, type Problem } from './errors.ts';
import { leafPlaces, showLeaf, showType } from './signature.ts';
import { type Dims, rebuild, Sizes, showDims } from './sizes.ts';
import { Tensor } from './tensor.ts';
import { makeTypedArray, type TypedArray, viewTypedArray } from './typed-array.ts';

/** A result: a lazy tensor, an object for a struct, an array for a tuple or an array. */
export type Result = Tensor | { readonly [field: string]: Result } | readonly Result[];

export interface CallOptions {
  /**
   * Parameters whose tensors the call may use up: their memory becomes results where the plan can, the tensors are unusable afterwards. `true`
   * for all. A donated typed array is overwritten, at any time until the results are there: it belongs to the runtime.
   */
  readonly donate?: readonly string[] | true;
  /** Dims that no argument tells. */
  readonly dims?: Readonly<Record<string, number>>;
}

/**
 * A function of a bundle. Called with arguments in the order of its parameters, it gives the result tree. Errors: MLX5111
 * (arguments do not fit; all problems are in `problems`), MLX5112 (dims violate a guard), MLX5113 (a disposed tensor).
 *
 * On the CPU a call returns at once and its tensors are lazy: they are filled in the order of the calls, and reading one waits. Results may be
 * passed on, donated and disposed before they are there. A call waits only when it is so far ahead that the runs pending would hold
 * much memory, when a result is an argument unchanged, and for large arguments that code outside the runtime can reach (typed arrays,
 * tensors made of them, tensors whose `data` was read; small ones are copied). So whatever a program writes to after a call
 * cannot change its result. What goes wrong in a run (MLX5115) is thrown by whatever reads its results, or those made from them.
 */
export interface CompiledFunction {
  (...args: readonly Argument[]): Result;
  /** The same with arguments by name. */
  named(args: Readonly<Record<string, Argument>>): Result;
  /** The same function with options for its calls. */
  with(options: CallOptions): CompiledFunction;
  /** Parameters, result and documentation, as in plan.json. */
  readonly signature: PlanFunction;
}

/** The functions of a bundle whose types are not known to TypeScript. */
export type AnyFunctions = Readonly<Record<string, CompiledFunction>>;

export interface Module<Functions extends object = AnyFunctions> {
  /** The exported functions by name. */
  readonly functions: Functions;
  readonly device: Device;
  /** A function by name; MLX5116, with the names there are, when there is none. */
  function(name: string): CompiledFunction;
}

/** Instances kept a function: enough for the batch sizes of a program, a bound for those who change it every call. */
const mostInstances = 64;

/** A module over a checked plan; see `load`. */
export async function openModule(bundle: Bundle, plan: Plan, device: Device): Promise<Module> {
  const program = await device.open(bundle, plan);
  const functions = Object.fromEntries(
    plan.functions.map((planned, index) => [
      planned.name,
      makeCallable(new PlannedFunction(planned, index, program, device), {}),
    ]),
  );
  return {
    functions,
    device,
    function(name) {
      const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (found !== undefined) return found;
      const names = Object.keys(functions).join(', ') || 'none';
      throw new MlxcError('MLX5116', `the bundle has no function \`${name}\``, `it has: ${names}`);
    },
  };
}

function makeCallable(planned: PlannedFunction, options: CallOptions): CompiledFunction {
  const call = (...args: readonly Argument[]): Result => planned.call(args, options);
  return Object.assign(call, {
    named: (args: Readonly<Record<string, Argument>>) => planned.callNamed(args, options),
    with: (more: CallOptions) => makeCallable(planned, { ...options, ...more }),
    signature: planned.planned,
  });
}

/** A function with its dims bound and the shapes of its results. */
interface Instance {
  readonly executable: Executable;
  readonly resultShapes: readonly (readonly number[])[];
  /** Elements of each result. */
  readonly resultSizes: readonly number[];
}

interface ParameterLeaf {
  readonly path: string;
  readonly parameter: number;
  readonly expected: string;
  readonly leaf: ReturnType<typeof leafPlaces>[number]['leaf'];
}

class PlannedFunction {
  readonly planned: PlanFunction;
  private readonly index: number;
  private readonly program: Program;
  private readonly device: Device;
  private readonly sizes = new Sizes();
  private readonly parameterLeaves: readonly ParameterLeaf[];
  private readonly resultLeaves: ReturnType<typeof leafPlaces>;
  /** By shapes; a Map iterates in order of insertion, so the first key is the one unused for longest. */
  private readonly instances = new Map<string, Instance>();
  private readonly positions: ReadonlyMap<string, number>;

  constructor(planned: PlanFunction, index: number, program: Program, device: Device) {
    this.planned = planned;
    this.index = index;
    this.program = program;
    this.device = device;
    this.parameterLeaves = planned.parameters.flatMap((parameter, position) =>
      leavesOfParameter(parameter, position),
    );
    this.resultLeaves = leafPlaces(planned.result, 'result');
    this.positions = new Map(planned.parameters.map((p, i) => [p.name, i]));
  }

  callNamed(args: Readonly<Record<string, Argument>>, options: CallOptions): Result {
    const unknown = Object.keys(args).filter((name) => !this.positions.has(name));
    if (unknown.length > 0) {
      const problems = unknown.map((name) => ({ place: name, message: 'is no parameter' }));
      throw this.argumentError(problems);
    }
    return this.call(
      this.planned.parameters.map((p) => args[p.name] as Argument),
      options,
    );
  }

  call(args: readonly Argument[], options: CallOptions): Result {
    const leaves = this.readArguments(args);
    const instance = this.findInstance(leaves, options.dims);
    const donated =
      options.donate === undefined ? undefined : this.donatedLeaves(options.donate, leaves);
    const context = contextOf(leaves, donated, this.device.name);
    const outputs = this.makeResults(instance, leaves, donated);
    let run: Run | undefined;
    try {
      run = instance.executable.run(
        leaves.map((leaf) => leaf.data),
        outputs.map((output) => output.native),
        context,
      );
    } catch (error) {
      for (const output of outputs) output.free?.();
      throw error;
    }
    if (run !== undefined) for (const { tensor } of leaves) tensor?.readBy(run);
    const tensors = this.finishResults(instance, outputs, leaves, donated, run);
    let next = 0;
    return buildTree(this.planned.result, () => tensors[next++]!);
  }

  private readArguments(args: readonly Argument[]): readonly LeafArgument[] {
    const { parameters } = this.planned;
    const reader = new ArgumentReader();
    for (const [i, parameter] of parameters.entries()) reader.read(parameter, args[i]);
    if (args.length > parameters.length) {
      reader.problems.push({
        place: this.planned.name,
        message: `takes ${parameters.length} arguments, ${args.length} were given`,
      });
    }
    if (reader.problems.length > 0) throw this.argumentError(reader.problems);
    return reader.leaves;
  }

  private findInstance(
    leaves: readonly LeafArgument[],
    given: Readonly<Record<string, number>> | undefined,
  ): Instance {
    let key = '';
    for (const { shape, data } of leaves) {
      if (shape === undefined) key += `#${data.length};`;
      else {
        for (const dim of shape) key += `${dim},`;
        key += ';';
      }
    }
    if (given !== undefined) key += JSON.stringify(given);
    let instance = this.instances.get(key);
    if (instance === undefined) {
      instance = this.makeInstance(leaves, given ?? {});
      const oldest = this.instances.keys().next().value;
      if (this.instances.size >= mostInstances && oldest !== undefined) {
        this.instances.delete(oldest);
      }
      this.instances.set(key, instance);
    } else if (this.instances.size >= mostInstances) {
      // only a full cache needs its order
      this.instances.delete(key);
      this.instances.set(key, instance);
    }
    return instance;
  }

  private makeInstance(
    leaves: readonly LeafArgument[],
    given: Readonly<Record<string, number>>,
  ): Instance {
    const { planned, sizes } = this;
    const known = new Map<string, number>();
    const problems: Problem[] = [];
    for (const [name, value] of Object.entries(given)) {
      if (!planned.dims.includes(name)) problems.push({ place: name, message: 'is no dim here' });
      else if (!Number.isSafeInteger(value) || value < 0) {
        problems.push({ place: name, message: `a dim is a whole number from 0, not ${value}` });
      } else known.set(name, value);
    }
    const equations = leaves.flatMap((leaf, i) => this.equationsOf(leaf, this.parameterLeaves[i]!));
    const bound = bindDims(planned.dims, equations, known);
    problems.push(...bound.problems);
    if (problems.length > 0) throw this.argumentError(problems);
    this.checkGuards(bound.dims);
    const executable = this.program.instantiate(this.index, bound.dims);
    const resultShapes = this.resultLeaves.map(({ leaf }) =>
      leaf.shape.map((text) => sizes.count(text, bound.dims)),
    );
    const resultSizes = resultShapes.map((shape) => shape.reduce((a, b) => a * b, 1));
    const numbers = resultSizes.map(
      (n, i) => n * storageOf(this.resultLeaves[i]!.leaf.dtype).width,
    );
    this.checkSizes([...leaves.map((leaf) => leaf.data.length), ...numbers], bound.dims);
    return { executable, resultShapes, resultSizes };
  }

  private equationsOf(argument: LeafArgument, parameter: ParameterLeaf): readonly Equation[] {
    const { leaf, path: place, expected } = parameter;
    const dims = leaf.shape.map((text) => this.sizes.parse(text));
    if (argument.shape === undefined) {
      const found = `${argument.data.constructor.name}(${argument.data.length})`;
      const text =
        leaf.shape.length === 0
          ? '1'
          : leaf.shape.map((d) => (/^\w+$/.test(d) ? d : `(${d})`)).join('*');
      const what = 'the number of elements';
      const size = product(dims);
      const value = argument.data.length / storageOf(leaf.dtype).width;
      return [{ place, what, size, text, value, expected, found }];
    }
    const found = showType(leaf.dtype, argument.shape);
    return dims.map((size, axis) => ({
      place,
      what: `dim ${axis}`,
      size,
      text: leaf.shape[axis]!,
      value: argument.shape![axis]!,
      expected,
      found,
    }));
  }

  /** The buffers of a plan must be as large as its signature says. */
  private checkSizes(elements: readonly number[], dims: Dims): void {
    for (const [i, count] of elements.entries()) {
      const { size } = this.planned.buffers[i]!;
      if (this.sizes.count(size, dims) === count) continue;
      const place = `${this.planned.name}.buffers[${i}].size`;
      throw new MlxcError(
        'MLX5102',
        `plan.json is damaged: ${place} is not that of its leaf`,
        rebuild,
      );
    }
  }

  private checkGuards(dims: Dims): void {
    const problems: Problem[] = [];
    for (const guard of this.planned.guards) {
      const left = this.sizes.evaluate(guard.left, dims);
      const right = this.sizes.evaluate(guard.right, dims);
      const holds =
        guard.relation === 'equal'
          ? left === right
          : guard.relation === 'at-least'
            ? left >= right
            : right !== 0 && left % right === 0;
      if (holds) continue;
      const sides = [
        [guard.left, left],
        [guard.right, right],
      ] as const;
      // a number is what it is
      const values = sides.filter(([text, value]) => text !== `${value}`);
      const shown = values.map(([text, value]) => `${text} is ${value}`).join(', ');
      const message = shown === '' ? guard.message : `${guard.message} (${shown})`;
      problems.push({ place: this.planned.name, message });
    }
    if (problems.length === 0) return;
    const reasons = problems.map((problem) => problem.message).join('\n  ');
    throw new MlxcError(
      'MLX5112',
      `${this.planned.name} cannot run with ${showDims(dims)}: ${reasons}`,
      '',
      problems,
    );
  }

  /** Which leaves may be used up; MLX5111 when one of them is given twice. */
  private donatedLeaves(
    donate: readonly string[] | true,
    leaves: readonly LeafArgument[],
  ): readonly boolean[] {
    if (donate !== true) {
      const unknown = donate.filter((name) => !this.positions.has(name));
      if (unknown.length > 0) {
        const message = 'is no parameter that could be donated';
        throw this.argumentError(unknown.map((place) => ({ place, message })));
      }
    }
    const names = new Set(donate === true ? this.positions.keys() : donate);
    const isDonated = leaves.map((_, i) =>
      names.has(this.planned.parameters[this.parameterLeaves[i]!.parameter]!.name),
    );
    // one memory in two places: overwriting one would change the other
    const owners = new Map<ArrayBufferLike, number[]>();
    for (const [i, { data }] of leaves.entries()) {
      const sharing = owners.get(data.buffer);
      if (sharing === undefined) owners.set(data.buffer, [i]);
      else sharing.push(i);
    }
    const problems: Problem[] = [];
    for (const sharing of owners.values()) {
      for (const i of sharing) {
        if (!isDonated[i]) continue;
        const other = sharing.find((j) => j !== i && overlap(leaves[i]!.data, leaves[j]!.data));
        if (other === undefined) continue;
        problems.push({
          place: this.parameterLeaves[i]!.path,
          message: `is donated, but ${this.parameterLeaves[other]!.path} is the same memory`,
        });
      }
    }
    if (problems.length > 0) throw this.argumentError(problems);
    return isDonated;
  }

  private makeResults(
    instance: Instance,
    leaves: readonly LeafArgument[],
    donated: readonly boolean[] | undefined,
  ): readonly Output[] {
    const first = leaves.length;
    const used = new Set<number>();
    return this.resultLeaves.map(({ leaf }, i): Output => {
      const buffer = this.planned.buffers[first + i]!;
      if (buffer.sameAs !== undefined) return { native: empty, data: undefined, free: undefined };
      const { dtype, width } = storageOf(leaf.dtype);
      const size = instance.resultSizes[i]! * width;
      const { mayReuse } = buffer;
      if (mayReuse !== undefined && donated?.[mayReuse] === true && !used.has(mayReuse)) {
        const { data, owner = this.device.name } = leaves[mayReuse]!;
        const isOurs = owner === this.device.name;
        if (isOurs && data.length === size && this.planned.buffers[mayReuse]!.dtype === dtype) {
          used.add(mayReuse);
          return { native: data, data, free: undefined, reuses: mayReuse };
        }
      }
      const bytes = size * byteSize(dtype);
      const { buffer: memory, free } = allocate(this.device, bytes);
      const data = viewTypedArray(dtype, memory, size);
      return { native: data, data, free };
    });
  }

  private finishResults(
    instance: Instance,
    outputs: readonly Output[],
    leaves: readonly LeafArgument[],
    donated: readonly boolean[] | undefined,
    run: Run | undefined,
  ): readonly Tensor[] {
    const first = leaves.length;
    const taken = new Map<number, (() => void) | undefined>();
    if (donated !== undefined) {
      for (const [i, leaf] of leaves.entries()) {
        if (donated[i] && leaf.tensor !== undefined) taken.set(i, leaf.tensor.surrender().free);
      }
    }
    const tensors: Tensor[] = [];
    for (const [i, { leaf }] of this.resultLeaves.entries()) {
      const output = outputs[i]!;
      const shape = instance.resultShapes[i]!;
      let { data, free } = output;
      let owner = this.device.name;
      if (output.reuses !== undefined) {
        free = taken.get(output.reuses);
        taken.delete(output.reuses);
      }
      if (data === undefined) {
        const source = this.planned.buffers[first + i]!.sameAs!;
        if (source < first && taken.has(source)) {
          data = leaves[source]!.data;
          owner = leaves[source]!.owner ?? owner;
          free = taken.get(source);
          taken.delete(source);
        } else {
          // what goes wrong is thrown when the copy is read
          run?.wait();
          const original = source < first ? leaves[source]! : tensors[source - first]!.lend();
          data = copyOf(storageOf(leaf.dtype).dtype, original.data);
        }
      }
      tensors.push(new Tensor(leaf.dtype, shape, data, free).fillBy(run, owner));
    }
    for (const free of taken.values()) free?.();
    return tensors;
  }

  private argumentError(problems: readonly Problem[]): MlxcError {
    const lines = problems.map(({ place, message, expected, found }) => {
      const types = expected === undefined ? '' : `: expected ${expected}`;
      return `${place} ${message}${types}${found === undefined ? '' : `, found ${found}`}`;
    });
    const signature = this.planned.parameters
      .map(
        (p) =>
          `${p.name}: ${p.tree.kind === 'leaf' ? showLeaf(p.tree.leaf) : describeTree(p.tree)}`,
      )
      .join(', ');
    const message = `the arguments do not fit ${this.planned.name}(${signature})\n  ${lines.join('\n  ')}`;
    return new MlxcError('MLX5111', message, '', problems);
  }
}

interface Output {
  /** What the device fills. */
  readonly native: TypedArray;
  /** Undefined for results that are another buffer unchanged. */
  readonly data: TypedArray | undefined;
  readonly free: (() => void) | undefined;
  /** The parameter leaf whose memory it is. */
  readonly reuses?: number;
}

const empty = new Uint8Array(0);

/**
 * What a run must know of its arguments. Donated memory belongs to the runtime from now on; nobody may take it away to another thread
 * while a run is under way. Memory of another device is filled by now, and may be recycled by that device as soon as the call returns.
 */
function contextOf(
  leaves: readonly LeafArgument[],
  donated: readonly boolean[] | undefined,
  device: string,
): RunContext {
  const exposed: number[] = [];
  const after: Run[] = [];
  for (const [i, { tensor, isExposed, data, owner = device }] of leaves.entries()) {
    if (owner !== device) {
      tensor?.wait();
      exposed.push(i);
      continue;
    }
    if (isExposed) {
      if (donated?.[i]) markAsUntransferable(data.buffer);
      else exposed.push(i);
    }
    const run = tensor?.pendingRun();
    if (run !== undefined && !after.includes(run)) after.push(run);
  }
  return { exposed, after };
}

function leavesOfParameter(parameter: PlanParameter, position: number): ParameterLeaf[] {
  return leafPlaces(parameter.tree, parameter.name).map(({ path, leaf }) => ({
    path,
    leaf,
    parameter: position,
    expected: showLeaf(leaf),
  }));
}

function describeTree(tree: PlanTree): string {
  return tree.kind === 'struct' ? tree.name : tree.kind;
}

function overlap(a: TypedArray, b: TypedArray): boolean {
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

function copyOf(dtype: Parameters<typeof makeTypedArray>[0], source: TypedArray): TypedArray {
  const copy = makeTypedArray(dtype, source.length);
  new Uint8Array(copy.buffer).set(
    new Uint8Array(source.buffer, source.byteOffset, source.byteLength),
  );
  return copy;
}

function buildTree(tree: PlanTree, next: () => Tensor): Result {
  switch (tree.kind) {
    case 'leaf':
      return next();
    case 'struct':
      return Object.fromEntries(tree.fields.map((f) => [f.name, buildTree(f.tree, next)]));
    case 'tuple':
    case 'array':
      return tree.items.map((item) => buildTree(item, next));
  }
}

function allocate(device: Device, bytes: number): ReturnType<Device['allocate']> {
  if (bytes > constants.MAX_LENGTH) {
    const limit = `Node's buffers hold at most ${constants.MAX_LENGTH}`;
    throw new MlxcError('MLX5121', `no memory for a tensor of ${bytes} bytes`, limit);
  }
  try {
    return device.allocate(bytes);
  } catch {
    throw new MlxcError('MLX5121', `no memory for a tensor of ${bytes} bytes`, 'use smaller dims');
  }
}
