/**
 * From scheduled kernels to a plan: which memory each tensor lives in, and in what order the kernels run.
 *
 * Parameters, results and constants have buffers of their own; everything else is a temporary with a lifetime. Control flow
 * becomes loop and branch steps: values of a region share the buffers of the operands and results they stand for, so
 * that only carries that change are copied.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { metalKernelName, usesBindingTable } from '../kernel-ir/launch.ts';
import type { ExternalKernel, Kernel } from '../kernel-ir/program.ts';
import { scratchBytes } from '../kernel-ir/scratch.ts';
import type { FusedFunction } from '../passes/fused-group.ts';
import type { ScheduledFunction, ScheduledProgram, ScheduledStep } from '../schedule/schedule.ts';
import { dimVariable, type Int, multiply, print, product } from '../symbolic/integer.ts';
import type {
  ConstantData,
  Entry,
  LeafType,
  Operation,
  Tree,
  Value,
} from '../tensor-ir/program.ts';
import type {
  Plan,
  PlanBuffer,
  PlanExternal,
  PlanFunction,
  PlanKernel,
  PlanTree,
  Step,
} from './plan.ts';
import { planVersion } from './plan.ts';
import { findReuse } from './reuse.ts';

/** A literal of the program: its data goes to constants.safetensors under `key`. */
export interface PlanConstant {
  readonly key: string;
  readonly value: Value;
  readonly data: ConstantData;
}

export interface PlannedProgram {
  readonly plan: Plan;
  readonly constants: readonly PlanConstant[];
}

/** The index of the innermost loop, in the offsets of copies. */
const iteration: Int = dimVariable('$iteration');

/** The count of a loop that ends by its condition alone: more than any run makes, and exact everywhere. */
const unbounded = 2 ** 48;

export function makePlan(program: ScheduledProgram): PlannedProgram {
  const kernelNumbers = new Map(program.kernels.map((k, i) => [k, i]));
  const constants = new Map<Value, PlanConstant>();
  const functions = program.entries.map(({ entry, scheduled }) =>
    new FunctionPlanner(entry.entry, scheduled, kernelNumbers, constants).run(),
  );
  const plan: Plan = {
    version: planVersion,
    target: program.target,
    kernels: program.kernels.map((k) => planKernel(k, program.target)),
    functions,
  };
  return { plan, constants: [...constants.values()] };
}

function planKernel(kernel: Kernel, target: 'cpu' | 'metal'): PlanKernel {
  const bindings = kernel.parameters.flatMap(({ buffer, access, isSegmented }) =>
    Array.from({ length: isSegmented ? (kernel.segments ?? 1) : 1 }, (_, s) => ({
      name: isSegmented ? `${buffer.name}_${s}` : buffer.name,
      dtype: buffer.dtype,
      access,
    })),
  );
  return {
    name: target === 'metal' ? metalKernelName(kernel.name) : kernel.name,
    bindings,
    integers: kernel.integers.map((i) => i.name),
    scratchBytes: target === 'cpu' ? print(scratchBytes(kernel)) : '0',
    threads: kernel.threads ?? 0,
    bindingTable: target === 'metal' && usesBindingTable(kernel),
    schedule: kernel.about.schedule,
    summary: kernel.about.summary,
    ...(kernel.external === undefined ? {} : { external: planExternal(kernel.external) }),
  };
}

function planExternal({ entry, threadgroup }: ExternalKernel): PlanExternal {
  return { entry, threadgroup };
}

type MutableBuffer = { -readonly [K in keyof PlanBuffer]: PlanBuffer[K] };

/** Values in scope and the buffers they live in; a region's scope hides nothing of its parent because regions are closed. */
type Environment = Map<Value, number>;

class FunctionPlanner {
  private readonly entry: Entry;
  private readonly scheduled: ScheduledFunction;
  private readonly kernelNumbers: ReadonlyMap<Kernel, number>;
  private readonly constants: Map<Value, PlanConstant>;
  private readonly buffers: MutableBuffer[] = [];
  private readonly constantBuffers: Map<Value, number> = new Map();
  private topStep = 0;

  constructor(
    entry: Entry,
    scheduled: ScheduledFunction,
    kernelNumbers: ReadonlyMap<Kernel, number>,
    constants: Map<Value, PlanConstant>,
  ) {
    this.entry = entry;
    this.scheduled = scheduled;
    this.kernelNumbers = kernelNumbers;
    this.constants = constants;
  }

  run(): PlanFunction {
    const { entry, scheduled } = this;
    const { fused } = scheduled;
    const environment: Environment = new Map();
    const parameterNames = entry.parameters.flatMap((p) => leafNames(p.tree, p.name));
    fused.parameters.forEach((value, i) => {
      environment.set(
        value,
        this.addBuffer('parameter', value, parameterNames[i] ?? `argument${i}`),
      );
    });
    const copies = this.addResults(fused, environment, leafNames(entry.result, 'result'));
    this.addConstants(scheduled);
    const steps = [...this.steps(scheduled, environment, true), ...copies];
    const reuse = findReuse(scheduled, fused, environment, this.buffers);
    for (const [result, parameter] of reuse) this.buffers[result]!.mayReuse = parameter;
    return {
      name: entry.name,
      doc: entry.doc,
      parameters: entry.parameters.map(({ name, doc, tree }) => ({
        name,
        ...(doc === undefined || doc === '' ? {} : { doc }),
        tree: planTree(tree),
      })),
      result: planTree(entry.result),
      dims: entry.dims,
      guards: entry.guards.map(({ relation, left, right, message }) => ({
        relation,
        left: print(left),
        right: print(right),
        message,
      })),
      buffers: this.buffers,
      steps,
    };
  }

  private addBuffer(kind: PlanBuffer['kind'], value: Value, name: string): number {
    const { dtype, shape } = value.type;
    this.buffers.push({ kind, name, dtype, size: print(product(shape)) });
    return this.buffers.length - 1;
  }

  /** Adds the result buffers; returns the copies that fill those which are constants of the program. */
  private addResults(
    fused: FusedFunction,
    environment: Environment,
    names: readonly string[],
  ): Step[] {
    const literals: { readonly number: number; readonly value: Value }[] = [];
    fused.results.forEach((value, i) => {
      const number = this.addBuffer('result', value, names[i] ?? `result${i}`);
      const before = environment.get(value);
      if (before !== undefined) this.buffers[number]!.sameAs = before;
      else if (isLiteral(fused, value)) {
        literals.push({ number, value });
      } else environment.set(value, number);
    });
    // constants come after all results
    return literals.map(({ number, value }) =>
      this.copy(this.constant(fused, value), number, value),
    );
  }

  /** Adds the constants that steps touch, also those of regions: they come before all temporaries. */
  private addConstants({ fused, steps }: ScheduledFunction): void {
    const add = (values: readonly Value[]): void => {
      for (const value of values) {
        if (isLiteral(fused, value)) this.constant(fused, value);
      }
    };
    for (const step of steps) {
      if (step.kind === 'dispatch') add(step.bindings);
      else {
        add(step.op.operands);
        for (const region of step.regions) this.addConstants(region);
      }
    }
    add(fused.results);
  }

  private constant(fused: FusedFunction, value: Value): number {
    const known = this.constantBuffers.get(value);
    if (known !== undefined) return known;
    const op = fused.definitions.get(value)!;
    let constant = this.constants.get(value);
    if (constant === undefined) {
      constant = { key: `c${this.constants.size}`, value, data: op.attrs['data'] as ConstantData };
      this.constants.set(value, constant);
    }
    const number = this.addBuffer('constant', value, value.name ?? constant.key);
    this.buffers[number]!.constant = constant.key;
    this.constantBuffers.set(value, number);
    return number;
  }

  /** The buffer of a value that a step touches; a temporary is made when it is first written. */
  private bufferOf(fused: FusedFunction, value: Value, environment: Environment): number {
    let number = environment.get(value);
    if (number === undefined) {
      if (isLiteral(fused, value)) number = this.constant(fused, value);
      else {
        number = this.addBuffer(
          'temporary',
          value,
          value.name ?? fused.definitions.get(value)?.primitive.name ?? 'temporary',
        );
        environment.set(value, number);
      }
    }
    this.touch(number);
    return number;
  }

  private temporary(value: Value, name: string): number {
    const number = this.addBuffer('temporary', value, name);
    this.touch(number);
    return number;
  }

  private touch(number: number): void {
    const buffer = this.buffers[number]!;
    if (buffer.kind !== 'temporary') return;
    buffer.firstStep ??= this.topStep;
    buffer.lastStep = this.topStep;
  }

  private steps(scheduled: ScheduledFunction, environment: Environment, isTop: boolean): Step[] {
    const steps: Step[] = [];
    for (const step of scheduled.steps) {
      const planned = this.step(scheduled.fused, step, environment, isTop);
      steps.push(...planned);
      if (isTop) this.topStep = steps.length;
    }
    return steps;
  }

  private step(
    fused: FusedFunction,
    step: ScheduledStep,
    environment: Environment,
    isTop: boolean,
  ): readonly Step[] {
    if (step.kind === 'dispatch') {
      const { kernel } = step;
      return [
        {
          kind: 'dispatch',
          kernel: this.kernelNumbers.get(kernel)!,
          buffers: step.bindings.map((v) => this.bufferOf(fused, v, environment)),
          integers: kernel.integers.map((i) => print(i.value)),
          grid: kernel.grid.map(print),
          bytes: print(kernel.about.bytes),
          flops: print(kernel.about.flops),
        },
      ];
    }
    const { op, regions } = step;
    // all steps of one control operation share a lifetime: the loop may read any of them in any iteration
    const before = this.buffers.length;
    const operands = op.operands.map((v) => this.bufferOf(fused, v, environment));
    const results = op.results.map((v) => this.bufferOf(fused, v, environment));
    const planned = this.control(op, regions, operands, results);
    if (isTop) {
      const last = this.topStep + planned.length - 1;
      for (const number of [...operands, ...results]) this.extend(number, last);
      for (let number = before; number < this.buffers.length; number++) this.extend(number, last);
    }
    return planned;
  }

  private extend(number: number, last: number): void {
    const buffer = this.buffers[number]!;
    if (buffer.kind === 'temporary') buffer.lastStep = Math.max(buffer.lastStep ?? 0, last);
  }

  private control(
    op: Operation,
    regions: readonly ScheduledFunction[],
    operands: readonly number[],
    results: readonly number[],
  ): Step[] {
    switch (op.primitive.name) {
      case 'cond':
        return this.branch(regions, operands, results);
      case 'while':
        return this.while(op, regions, operands, results);
      case 'scan':
        return this.scan(op, regions[0]!, operands, results);
      default:
        throw new InternalError(`no plan for ${op.primitive.name}`);
    }
  }

  /**
   * Plans a region with its parameters in `inputs`; its results end in `outputs`, directly where a kernel writes them, else
   * by a copy.
   */
  private region(
    scheduled: ScheduledFunction,
    inputs: readonly number[],
    outputs: readonly (number | undefined)[],
  ): Step[] {
    const { fused } = scheduled;
    const environment: Environment = new Map();
    fused.parameters.forEach((p, i) => environment.set(p, inputs[i]!));
    const copies: { readonly value: Value; readonly to: number }[] = [];
    fused.results.forEach((value, i) => {
      const to = outputs[i];
      if (to === undefined) return;
      const isComputed = !environment.has(value) && !isLiteral(fused, value);
      if (isComputed) environment.set(value, to);
      else copies.push({ value, to });
    });
    const steps = this.steps(scheduled, environment, false);
    for (const { value, to } of copies)
      steps.push(this.copy(this.bufferOf(fused, value, environment), to, value));
    return steps;
  }

  private copy(from: number, to: number, value: Value, fromOffset = '0', toOffset = '0'): Step {
    return { kind: 'copy', from, fromOffset, to, toOffset, size: print(product(value.type.shape)) };
  }

  private branch(
    regions: readonly ScheduledFunction[],
    operands: readonly number[],
    results: readonly number[],
  ): Step[] {
    const [condition, ...args] = operands;
    const [accept, refuse] = regions;
    return [
      {
        kind: 'branch',
        condition: condition!,
        then: this.region(accept!, args, results),
        otherwise: this.region(refuse!, args, results),
      },
    ];
  }

  private while(
    op: Operation,
    regions: readonly ScheduledFunction[],
    operands: readonly number[],
    results: readonly number[],
  ): Step[] {
    const carries = op.attrs['carries'] as number;
    const consts = operands.slice(carries);
    const [condition, body] = regions as [ScheduledFunction, ScheduledFunction];
    const isRunning = this.temporary(condition.fused.results[0]!, 'condition');
    const next = op.results.map((v) => this.temporary(v, 'next'));
    const test = (): Step[] => this.region(condition, [...results, ...consts], [isRunning]);
    return [
      ...op.results.map((v, i) => this.copy(operands[i]!, results[i]!, v)),
      ...test(),
      {
        kind: 'loop',
        count: String(unbounded),
        reverse: false,
        condition: isRunning,
        body: [
          ...this.region(body, [...results, ...consts], next),
          ...op.results.map((v, i) => this.copy(next[i]!, results[i]!, v)),
          ...test(),
        ],
      },
    ];
  }

  private scan(
    op: Operation,
    body: ScheduledFunction,
    operands: readonly number[],
    results: readonly number[],
  ): Step[] {
    const { carries, sequences, length, reverse } = op.attrs as unknown as {
      carries: number;
      sequences: number;
      length: Int;
      reverse: boolean;
    };
    const [indexParameter, ...parameters] = body.fused.parameters;
    const index = this.temporary(indexParameter!, 'index');
    const carry = results.slice(0, carries);
    const next = op.results.slice(0, carries).map((v) => this.temporary(v, 'next'));
    const slices = parameters.slice(carries, carries + sequences);
    const sliceBuffers = slices.map((v) => this.temporary(v, v.name ?? 'slice'));
    const outputs = body.fused.results.slice(carries);
    const outputBuffers = outputs.map((v) => this.temporary(v, v.name ?? 'output'));
    const offset = (v: Value): string => print(multiply(product(v.type.shape), iteration));
    return [
      ...op.results.slice(0, carries).map((v, i) => this.copy(operands[i]!, carry[i]!, v)),
      {
        kind: 'loop',
        count: print(length),
        reverse,
        index,
        body: [
          ...slices.map((v, i) =>
            this.copy(operands[carries + i]!, sliceBuffers[i]!, v, offset(v)),
          ),
          ...this.region(
            body,
            [index, ...carry, ...sliceBuffers, ...operands.slice(carries + sequences)],
            [...next, ...outputBuffers],
          ),
          ...op.results.slice(0, carries).map((v, i) => this.copy(next[i]!, carry[i]!, v)),
          ...outputs.map((v, i) =>
            this.copy(outputBuffers[i]!, results[carries + i]!, v, '0', offset(v)),
          ),
        ],
      },
    ];
  }
}

function isLiteral(fused: FusedFunction, value: Value): boolean {
  return fused.definitions.get(value)?.primitive.name === 'literal';
}

function planTree(tree: Tree<LeafType>): PlanTree {
  switch (tree.kind) {
    case 'leaf': {
      const { type, isKey, isComplex } = tree.leaf;
      if (isComplex === true) {
        const shape = type.shape.slice(0, -1).map(print);
        return { kind: 'leaf', leaf: { dtype: 'c64', shape } };
      }
      const leaf = { dtype: type.dtype, shape: type.shape.map(print) };
      return { kind: 'leaf', leaf: isKey === true ? { ...leaf, isKey: true } : leaf };
    }
    case 'struct':
      return {
        kind: 'struct',
        name: tree.name,
        fields: tree.fields.map((f) => ({ name: f.name, tree: planTree(f.tree) })),
      };
    case 'tuple':
    case 'array':
      return { kind: tree.kind, items: tree.items.map(planTree) };
  }
}

/** `m.hidden.w`, `result.0`: the dotted path of each leaf. */
export function leafNames(tree: Tree<LeafType>, path: string): readonly string[] {
  switch (tree.kind) {
    case 'leaf':
      return [path];
    case 'struct':
      return tree.fields.flatMap((f) => leafNames(f.tree, `${path}.${f.name}`));
    case 'tuple':
    case 'array':
      return tree.items.flatMap((item, i) => leafNames(item, `${path}.${i}`));
  }
}
