/**
 * Fused groups become kernels and the order in which they run. Groups that are the same but for the tensors they touch share
 * one kernel: twelve layers of a model compile like one.
 */
import type { Span } from '../diagnostics/span.ts';
import type { Kernel } from '../kernel-ir/program.ts';
import type {
  FusedEntry,
  FusedFunction,
  FusedGroup,
  Group,
  HorizontalGroup,
  OperationGroup,
} from '../passes/fused-group.ts';
import { zero } from '../symbolic/integer.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';
import { flopsOf } from './group-cost.ts';
import type { ScheduledKernel } from './kernel-builder.ts';
import { type GroupSignature, signGroup } from './signature.ts';

/** What a schedule needs to name a kernel and to know about its surroundings. */
export interface KernelLabel {
  readonly name: string;
  readonly summary: string;
  /** Dim variables of the program: reserved names. */
  readonly dims: readonly string[];
}

/** One file family per device implements this; devices differ here and in their printers only. */
export interface Schedule {
  readonly target: 'cpu' | 'metal';
  /** One kernel, or two when a reduction runs in two stages. */
  readonly fused: (
    fused: FusedFunction,
    group: FusedGroup,
    label: KernelLabel,
  ) => readonly ScheduledKernel[];
  readonly horizontal: (
    fused: FusedFunction,
    group: HorizontalGroup,
    label: KernelLabel,
  ) => readonly ScheduledKernel[];
  /** Scatter, sort and the like; control flow never gets here. */
  readonly operation: (
    fused: FusedFunction,
    op: Operation,
    label: KernelLabel,
  ) => readonly ScheduledKernel[];
}

export type ScheduledStep =
  | {
      readonly kind: 'dispatch';
      readonly kernel: Kernel;
      readonly bindings: readonly Value[];
      readonly group: Group;
    }
  | {
      readonly kind: 'control';
      readonly op: Operation;
      readonly regions: readonly ScheduledFunction[];
    };

export interface ScheduledFunction {
  readonly fused: FusedFunction;
  readonly steps: readonly ScheduledStep[];
}

export interface ScheduledProgram {
  readonly target: 'cpu' | 'metal';
  readonly kernels: readonly Kernel[];
  readonly entries: readonly {
    readonly entry: FusedEntry;
    readonly scheduled: ScheduledFunction;
  }[];
}

/** Names the source lines of spans, such as `model.mlx:3-5`; empty when nothing is known of them. */
export type ShowPlaces = (spans: readonly Span[]) => string;

/** `taken` are names that other code of the same library has. */
export function scheduleProgram(
  entries: readonly FusedEntry[],
  schedule: Schedule,
  showPlaces: ShowPlaces = () => '',
  taken: ReadonlySet<string> = new Set(),
): ScheduledProgram {
  const scheduler = new Scheduler(schedule, showPlaces, taken);
  const scheduled = entries.map((entry) => ({
    entry,
    scheduled: scheduler.function(entry.fused, entry.entry.name, entry.entry.dims),
  }));
  return { target: schedule.target, kernels: scheduler.kernels, entries: scheduled };
}

interface Known {
  readonly signature: GroupSignature;
  readonly kernels: readonly ScheduledKernel[];
}

class Scheduler {
  readonly kernels: Kernel[] = [];
  private readonly schedule: Schedule;
  private readonly showPlaces: ShowPlaces;
  private readonly names = new Set<string>();
  private readonly taken: ReadonlySet<string>;
  private readonly known = new Map<string, Known>();

  constructor(schedule: Schedule, showPlaces: ShowPlaces, taken: ReadonlySet<string>) {
    this.schedule = schedule;
    this.showPlaces = showPlaces;
    this.taken = taken;
  }

  function(fused: FusedFunction, prefix: string, dims: readonly string[]): ScheduledFunction {
    const steps = fused.groups.flatMap((group): readonly ScheduledStep[] => {
      if (group.kind === 'operation' && group.op.primitive.lower.kind === 'control') {
        const regions = (fused.regions.get(group.op) ?? []).map((r) =>
          this.function(r, prefix, dims),
        );
        return [{ kind: 'control', op: group.op, regions }];
      }
      return this.dispatches(fused, group, prefix, dims);
    });
    return { fused, steps };
  }

  private dispatches(
    fused: FusedFunction,
    group: Group,
    prefix: string,
    dims: readonly string[],
  ): readonly ScheduledStep[] {
    const signature = signGroup(fused, group);
    const known = this.known.get(signature.text);
    if (known !== undefined) {
      return rebind(known, signature).map((s) => ({
        kind: 'dispatch',
        kernel: s.kernel,
        bindings: s.bindings,
        group,
      }));
    }
    const label: KernelLabel = {
      name: this.uniqueName(nameGroup(fused, group, prefix)),
      summary: summarise(fused, group, this.showPlaces),
      dims,
    };
    const flops = flopsOf(fused, group);
    // the first of two stages does the work
    const kernels = this.lower(fused, group, label).map(({ kernel, bindings }, i) => ({
      kernel: { ...kernel, about: { ...kernel.about, flops: i === 0 ? flops : zero } },
      bindings,
    }));
    for (const { kernel } of kernels) this.kernels.push(kernel);
    this.known.set(signature.text, { signature, kernels });
    return kernels.map((s) => ({
      kind: 'dispatch',
      kernel: s.kernel,
      bindings: s.bindings,
      group,
    }));
  }

  private lower(
    fused: FusedFunction,
    group: Group,
    label: KernelLabel,
  ): readonly ScheduledKernel[] {
    switch (group.kind) {
      case 'fused':
        return this.schedule.fused(fused, group, label);
      case 'horizontal':
        return this.schedule.horizontal(fused, group, label);
      case 'operation':
        return this.schedule.operation(fused, (group as OperationGroup).op, label);
    }
  }

  private uniqueName(base: string): string {
    let name = base;
    // the printers add structs of arguments
    const isTaken = (n: string): boolean =>
      this.names.has(n) || ['', '_Params', '_Buffers'].some((end) => this.taken.has(n + end));
    for (let n = 2; isTaken(name); n++) name = `${base}_${n}`;
    this.names.add(name);
    return name;
  }
}

/** The same kernels on other tensors: values correspond by their number in the signature. */
function rebind(known: Known, signature: GroupSignature): readonly ScheduledKernel[] {
  const fresh = new Map<Value, Value>();
  return known.kernels.map(({ kernel, bindings }) => ({
    kernel,
    bindings: bindings.map((value) => {
      const number = known.signature.numbers.get(value);
      if (number !== undefined) return signature.values[number]!;
      // a temporary between the two stages of a reduction
      let copy = fresh.get(value);
      if (copy === undefined) {
        copy = { ...value };
        fresh.set(value, copy);
      }
      return copy;
    }),
  }));
}

/** A name that a reader of kernels recognises: the values it stores, else what it computes. */
function nameGroup(fused: FusedFunction, group: Group, prefix: string): string {
  const words: string[] = [];
  const add = (value: Value): void => {
    const word = value.name ?? fused.definitions.get(value)?.primitive.name ?? '';
    if (word !== '' && !words.includes(word)) words.push(word);
  };
  switch (group.kind) {
    case 'fused':
      if (group.contraction !== undefined) words.push('matmul');
      for (const stage of group.stages) for (const store of stage.stores) add(store.value);
      break;
    case 'horizontal':
      for (const store of group.members[0]!.stages[0]!.stores) add(store.value);
      words.push('all');
      break;
    case 'operation': {
      const { name } = group.op.primitive;
      words.push(name === 'extern' ? String(group.op.attrs['kernel']) : name);
    }
  }
  return [prefix, ...words.slice(0, 3)].join('_').replace(/[^A-Za-z0-9_]/g, '_');
}

/** What the group computes, in few words, and from which source lines. */
function summarise(fused: FusedFunction, group: Group, showPlaces: ShowPlaces): string {
  const anchors: Operation[] = [];
  const all = new Set<Operation>();
  const own = new Set<Value>();
  const visit = (value: Value): void => {
    const op = fused.definitions.get(value);
    if (op === undefined || all.has(op)) return;
    if (fused.inMemory.has(value) && !own.has(value)) return;
    all.add(op);
    op.operands.forEach(visit);
  };
  const collect = (g: FusedGroup): void => {
    const values = g.stages.flatMap((s) => [
      ...s.reduces.map((r) => r.value),
      ...s.stores.map((t) => t.value),
    ]);
    if (g.contraction !== undefined) values.push(g.contraction.results[0]!);
    for (const value of values) {
      own.add(value);
      const op = fused.definitions.get(value);
      if (op !== undefined) anchors.push(op);
    }
    values.forEach(visit);
  };
  if (group.kind === 'fused') collect(group);
  else if (group.kind === 'horizontal') group.members.forEach(collect);
  else {
    anchors.push(group.op);
    all.add(group.op);
  }
  const names = [...new Set(anchors.map((op) => op.primitive.name))].join(', ');
  const places = showPlaces([...all].flatMap((op) => (op.span === undefined ? [] : [op.span])));
  return places === '' ? names : `${names} (${places})`;
}
