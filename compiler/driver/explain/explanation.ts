/**
 * What `explain` shows, as data: for each function its source lines, its operations and the kernels that compute them,
 * tied together by line and operation numbers, with their cost and the fusions that were refused.
 */
import type { Kernel } from '../../kernel-ir/program.ts';
import type { FusedFunction, Group, Refusal } from '../../passes/fused-group.ts';
import type { PlanFunction } from '../../plan/plan.ts';
import type { ScheduledFunction } from '../../schedule/schedule.ts';
import { constantValue, type Int, print, sum } from '../../symbolic/integer.ts';
import { printFunction } from '../../tensor-ir/print.ts';
import type { Entry, Func, Operation, Value } from '../../tensor-ir/program.ts';
import type { Stages } from '../compile.ts';
import type { TargetProgram } from '../pipeline.ts';
import { operationsOf } from './group-operations.ts';
import { splitKernels } from './kernel-text.ts';
import { type Place, PlaceTable, type SourceLine } from './places.ts';

/** A polynomial over dims as text, and its value where no dim is open. */
export interface Amount {
  readonly text: string;
  readonly value: number | undefined;
}

export interface ExplainedOperation {
  /** Position in the function as printed, regions included, from 0. */
  readonly number: number;
  readonly text: string;
  readonly place: Place | undefined;
  /** Moves elements or makes a constant: costs nothing in a kernel. */
  readonly isFree: boolean;
}

export interface ExplainedDispatch {
  readonly kernel: string;
  readonly schedule: string;
  readonly summary: string;
  readonly bytes: Amount;
  readonly flops: Amount;
  /** Operations that it computes, by number. */
  readonly operations: readonly number[];
  /** Lines that they come from, in order. */
  readonly places: readonly Place[];
  /** How deep in loops and branches; 0 for the top. */
  readonly depth: number;
}

export interface ExplainedRefusal {
  readonly producer: string;
  readonly consumer: string;
  readonly reason: string;
  /** Bytes written and read again because of it. */
  readonly bytes: Amount;
}

export interface ExplainedFunction {
  readonly name: string;
  readonly doc: string;
  readonly signature: PlanFunction;
  /** Its own lines, then all others that its operations come from; the root source first. */
  readonly source: readonly SourceLine[];
  readonly operations: readonly ExplainedOperation[];
  readonly dispatches: readonly ExplainedDispatch[];
  readonly refusals: readonly ExplainedRefusal[];
  readonly bytes: Amount;
  readonly flops: Amount;
}

export interface Explanation {
  readonly file: string;
  readonly target: 'cpu' | 'metal';
  readonly functions: readonly ExplainedFunction[];
  /** The text of each kernel by name. */
  readonly kernels: Readonly<Record<string, string>>;
}

/** Explains the functions of a compilation for one of its targets. */
export function explainProgram(stages: Stages, program: TargetProgram): Explanation {
  const functions = program.scheduled.entries.map(({ entry, scheduled }, i) =>
    explainFunction(entry.entry, scheduled, program.planned.plan.functions[i]!, stages),
  );
  return {
    file: stages.module.file,
    target: program.target,
    functions,
    kernels: splitKernels(program),
  };
}

function explainFunction(
  entry: Entry,
  scheduled: ScheduledFunction,
  signature: PlanFunction,
  stages: Stages,
): ExplainedFunction {
  const all = allOperations(entry.func);
  const numbers = new Map(all.map((op, i) => [op, i]));
  const places = new PlaceTable(stages.module.file, stages.sources);
  const texts = operationTexts(entry.func);
  const operations = all.map((op, number) => ({
    number,
    text: texts[number] ?? op.primitive.name,
    place: places.of(op.span),
    isFree: isFree(op),
  }));
  const flat = flattenSteps(scheduled, 0);
  const dispatches = flat.map(({ kernel, group, fused, depth }): ExplainedDispatch => {
    const ops = operationsOf(fused, group);
    return {
      kernel: kernel.name,
      schedule: kernel.about.schedule,
      summary: kernel.about.summary,
      bytes: amount(kernel.about.bytes),
      flops: amount(kernel.about.flops),
      operations: ops.flatMap((op) => numbers.get(op) ?? []),
      places: places.sorted(ops.map((op) => op.span)),
      depth,
    };
  });
  return {
    name: entry.name,
    doc: entry.doc,
    signature,
    source: places.lines(
      entry.span,
      all.map((op) => op.span),
    ),
    operations,
    dispatches,
    refusals: collectRefusals(scheduled).map(explainRefusal),
    bytes: amount(sum(flat.map(({ kernel }) => kernel.about.bytes))),
    flops: amount(sum(flat.map(({ kernel }) => kernel.about.flops))),
  };
}

interface FlatStep {
  readonly kernel: Kernel;
  readonly group: Group;
  readonly fused: FusedFunction;
  readonly depth: number;
}

function flattenSteps(scheduled: ScheduledFunction, depth: number): readonly FlatStep[] {
  return scheduled.steps.flatMap((step) =>
    step.kind === 'dispatch'
      ? [{ kernel: step.kernel, group: step.group, fused: scheduled.fused, depth }]
      : step.regions.flatMap((region) => flattenSteps(region, depth + 1)),
  );
}

function collectRefusals(scheduled: ScheduledFunction): readonly Refusal[] {
  const inner = scheduled.steps.flatMap((step) =>
    step.kind === 'control' ? step.regions.flatMap(collectRefusals) : [],
  );
  return [...scheduled.fused.refusals, ...inner];
}

function explainRefusal({ producer, consumer, reason, bytes }: Refusal): ExplainedRefusal {
  const name = (value: Value | undefined): string =>
    value === undefined ? 'an input' : (value.name ?? `%${value.id}`);
  return { producer: name(producer), consumer: name(consumer), reason, bytes: amount(bytes) };
}

function amount(value: Int): Amount {
  return { text: print(value), value: constantValue(value) };
}

/** The operations of a function and of its regions, in the order in which they are printed. */
function allOperations(func: Func): readonly Operation[] {
  return func.body.flatMap((op) => [op, ...op.regions.flatMap(allOperations)]);
}

/** The printed line of each of them. */
function operationTexts(func: Func): readonly string[] {
  const lines = printFunction(func).split('\n');
  return lines.filter((line) => /^ +%[^:]* = /.test(line)).map((line) => line.trim());
}

function isFree({ primitive }: Operation): boolean {
  return (
    primitive.name === 'constant' || (primitive.lower.kind === 'element' && primitive.lower.isView)
  );
}

/** Flops per byte: above the machine's balance a kernel is bound by arithmetic, below by memory. */
export function intensity(bytes: Amount, flops: Amount): number | undefined {
  if (bytes.value === undefined || flops.value === undefined || bytes.value === 0) return undefined;
  return flops.value / bytes.value;
}
