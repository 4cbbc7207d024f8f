/**
 * Which results may be written over a donated parameter: the kernel that writes the result reads each element of the parameter
 * only where it then stores the result's, and nobody reads the parameter later.
 *
 *   p' = p - lr * g      p' may live in p
 */

import type { Buffer, Kernel, Statement } from '../kernel-ir/program.ts';
import { walkStatements } from '../kernel-ir/walk.ts';
import type { FusedFunction } from '../passes/fused-group.ts';
import type { ScheduledFunction, ScheduledStep } from '../schedule/schedule.ts';
import { constantValue, type Int, indexVariable, one, substitute } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import type { PlanBuffer } from './plan.ts';

/** Schedules that touch each element once, so that loads of a point come before its stores. */
const pointwise = new Set(['map', 'horizontal map', 'contraction']);

/** Pairs of (result buffer, parameter buffer). */
export function findReuse(
  scheduled: ScheduledFunction,
  fused: FusedFunction,
  environment: ReadonlyMap<Value, number>,
  buffers: readonly PlanBuffer[],
): ReadonlyMap<number, number> {
  const lastUse = new Map<Value, number>();
  scheduled.steps.forEach((step, i) => {
    for (const value of step.kind === 'dispatch' ? step.bindings : step.op.operands)
      lastUse.set(value, i);
  });
  const returned = new Set(fused.results);
  const taken = new Set<Value>();
  const reuse = new Map<number, number>();
  scheduled.steps.forEach((step, i) => {
    if (step.kind !== 'dispatch' || !pointwise.has(step.kernel.about.schedule)) return;
    const written = resultsOf(step);
    for (const [result, at] of written) {
      const number = environment.get(result);
      if (number === undefined || buffers[number]!.kind !== 'result') continue;
      for (const [parameter, from] of bindingsOf(step)) {
        if (
          !fused.parameters.includes(parameter) ||
          taken.has(parameter) ||
          returned.has(parameter)
        )
          continue;
        if (lastUse.get(parameter) !== i || from.segment !== at.segment) continue;
        const source = buffers[environment.get(parameter)!]!;
        if (source.dtype !== buffers[number]!.dtype || source.size !== buffers[number]!.size)
          continue;
        if (!readsOnlyWhereStored(step.kernel, from.buffer, at.buffer)) continue;
        taken.add(parameter);
        reuse.set(number, environment.get(parameter)!);
        break;
      }
    }
  });
  return reuse;
}

interface Binding {
  readonly buffer: Buffer;
  readonly segment: number;
}

type Dispatch = Extract<ScheduledStep, { kind: 'dispatch' }>;

/** Every binding of a dispatch; a value bound twice gives two pairs. */
function* bindingsOf(step: Dispatch): Iterable<readonly [Value, Binding]> {
  let next = 0;
  for (const { buffer, isSegmented } of step.kernel.parameters) {
    const count = isSegmented ? (step.kernel.segments ?? 1) : 1;
    for (let s = 0; s < count; s++)
      yield [step.bindings[next++]!, { buffer, segment: isSegmented ? s : -1 }];
  }
}

function resultsOf(step: Dispatch): readonly (readonly [Value, Binding])[] {
  const written = new Set(
    step.kernel.parameters.filter((p) => p.access === 'write').map((p) => p.buffer),
  );
  return [...bindingsOf(step)].filter(([, b]) => written.has(b.buffer));
}

function readsOnlyWhereStored(kernel: Kernel, read: Buffer, written: Buffer): boolean {
  if (read === written) return false;
  const places = placesOf(kernel);
  const stores = places.stores.get(written);
  const loads = places.loads.get(read);
  if (stores === undefined || loads === undefined || stores.indices.size !== 1) return false;
  // one element that many tasks read while one writes it
  const isScalar = [...stores.indices].some((at) => constantValue(at) !== undefined);
  if (isScalar && kernel.grid.some((extent) => extent !== one)) return false;
  return loads.last <= stores.first && [...loads.indices].every((at) => stores.indices.has(at));
}

interface Accesses {
  readonly indices: Set<Int>;
  /** The first and the last statement with one, counted in the order of the text. */
  first: number;
  last: number;
}

interface Places {
  readonly loads: ReadonlyMap<Buffer, Accesses>;
  readonly stores: ReadonlyMap<Buffer, Accesses>;
}

const known = new WeakMap<Kernel, Places>();

function placesOf(kernel: Kernel): Places {
  const before = known.get(kernel);
  if (before !== undefined) return before;
  const loads = new Map<Buffer, Accesses>();
  const stores = new Map<Buffer, Accesses>();
  const names = new Map<string, Int>();
  nameIndices(kernel.body, false, names);
  let statements = 0;
  const note = (map: Map<Buffer, Accesses>, buffer: Buffer, index: Int): void => {
    const at = substitute(index, ({ name }) => names.get(name));
    const accesses = map.get(buffer);
    if (accesses === undefined) {
      map.set(buffer, { indices: new Set([at]), first: statements, last: statements });
    } else {
      accesses.indices.add(at);
      accesses.last = statements;
    }
  };
  walkStatements(kernel.body, {
    scalar: (s) => {
      if (s.kind === 'load') note(loads, s.buffer.buffer, s.index);
    },
    statement: (s) => {
      statements++;
      if (s.kind === 'store') note(stores, s.buffer, s.index);
    },
  });
  const places = { loads, stores };
  known.set(kernel, places);
  return places;
}

/**
 * What indices stand for: integers that were given a name, and one name for the variables of all outermost serial loops of an extent. A
 * thread that first holds what it loads and then stores it runs through the same elements in both loops. A loop within a loop keeps its
 * name: it comes round again after what it loads was stored over.
 */
function nameIndices(
  statements: readonly Statement[],
  isSerial: boolean,
  names: Map<string, Int>,
): void {
  for (const s of statements) {
    if (s.kind === 'let-integer') {
      names.set(
        s.name,
        substitute(s.value, ({ name }) => names.get(name)),
      );
    } else if (s.kind === 'if') {
      nameIndices(s.then, isSerial, names);
      nameIndices(s.otherwise, isSerial, names);
    } else if (s.kind === 'loop') {
      const runsInOrder = s.placement === 'serial' || s.placement === 'unroll';
      if (runsInOrder && !isSerial) {
        names.set(s.variable, indexVariable(`each ${s.extent.key}`, s.extent));
      }
      nameIndices(s.body, isSerial || runsInOrder, names);
    }
  }
}
