/** Dead results, arguments and carries of operations with regions: one function a primitive. */
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import { rewriteRegions } from './pass.ts';

type Eliminate = (func: Func) => Func;

/** `op` without what only serves results outside `live`. */
export function narrowOperation(
  op: Operation,
  live: ReadonlySet<Value>,
  eliminate: Eliminate,
): Operation {
  switch (op.primitive.name) {
    case 'cond':
    case 'switch':
      return narrowCall(op, live, eliminate, 1);
    case 'call':
    case 'checkpoint':
      return narrowCall(op, live, eliminate, 0);
    case 'scan':
      return narrowScan(op, live, eliminate);
    case 'while':
      return narrowWhile(op, live, eliminate);
    default:
      return rewriteRegions(op, eliminate);
  }
}

function keep<T>(items: readonly T[], flags: readonly boolean[]): readonly T[] {
  return items.filter((_, i) => flags[i]);
}

function count(flags: readonly boolean[]): number {
  return flags.filter((f) => f).length;
}

/** Which parameters a function reads. */
function usedParameters(func: Func): readonly boolean[] {
  const used = new Set(func.results);
  for (const op of func.body) for (const v of op.operands) used.add(v);
  return func.parameters.map((p) => used.has(p));
}

function restrictResults(func: Func, flags: readonly boolean[], eliminate: Eliminate): Func {
  return eliminate(flags.every((f) => f) ? func : { ...func, results: keep(func.results, flags) });
}

/** `cond`, `switch`, `call` and `checkpoint`: `leading` operands, then arguments that every region takes. */
function narrowCall(
  op: Operation,
  live: ReadonlySet<Value>,
  eliminate: Eliminate,
  leading: number,
): Operation {
  const resultFlags = op.results.map((r) => live.has(r));
  const regions = op.regions.map((region) => restrictResults(region, resultFlags, eliminate));
  const used = regions.map(usedParameters);
  const flags = op.operands.slice(leading).map((_, i) => used.some((u) => u[i]));
  if (
    flags.every((f) => f) &&
    resultFlags.every((f) => f) &&
    regions.every((r, i) => r === op.regions[i])
  ) {
    return op;
  }
  return {
    ...op,
    operands: [...op.operands.slice(0, leading), ...keep(op.operands.slice(leading), flags)],
    regions: regions.map((r) => ({ ...r, parameters: keep(r.parameters, flags) })),
    results: keep(op.results, resultFlags),
  };
}

function narrowScan(op: Operation, live: ReadonlySet<Value>, eliminate: Eliminate): Operation {
  const carries = op.attrs['carries'] as number;
  const sequences = op.attrs['sequences'] as number;
  const resultFlags = op.results.map((r) => live.has(r));
  const stacked = resultFlags.slice(carries);
  const body = op.regions[0]!;
  let carryFlags: readonly boolean[] = resultFlags.slice(0, carries);
  let narrowed: Func;
  let used: readonly boolean[];
  for (;;) {
    narrowed = restrictResults(body, [...carryFlags, ...stacked], eliminate);
    used = usedParameters(narrowed);
    const next = carryFlags.map((f, i) => f || used[1 + i]!);
    if (count(next) === count(carryFlags)) break;
    carryFlags = next;
  }
  const flags = [...carryFlags, ...used.slice(1 + carries)];
  if (narrowed === body && flags.every((f) => f)) return op;
  return {
    ...op,
    operands: keep(op.operands, flags),
    attrs: {
      ...op.attrs,
      carries: count(carryFlags),
      sequences: count(flags.slice(carries, carries + sequences)),
    },
    regions: [{ ...narrowed, parameters: keep(narrowed.parameters, [true, ...flags]) }],
    results: keep(op.results, [...carryFlags, ...stacked]),
  };
}

function narrowWhile(op: Operation, live: ReadonlySet<Value>, eliminate: Eliminate): Operation {
  const carries = op.attrs['carries'] as number;
  const condition = eliminate(op.regions[0]!);
  const body = op.regions[1]!;
  const usedByCondition = usedParameters(condition);
  let carryFlags: readonly boolean[] = op.results.map((r, i) => live.has(r) || usedByCondition[i]!);
  let narrowed: Func;
  let used: readonly boolean[];
  for (;;) {
    narrowed = restrictResults(body, carryFlags, eliminate);
    used = usedParameters(narrowed);
    const next = carryFlags.map((f, i) => f || used[i]!);
    if (count(next) === count(carryFlags)) break;
    carryFlags = next;
  }
  const constFlags = used.slice(carries).map((f, i) => f || usedByCondition[carries + i]!);
  const flags = [...carryFlags, ...constFlags];
  if (narrowed === body && condition === op.regions[0] && flags.every((f) => f)) return op;
  return {
    ...op,
    operands: keep(op.operands, flags),
    attrs: { ...op.attrs, carries: count(carryFlags) },
    regions: [condition, narrowed].map((r) => ({ ...r, parameters: keep(r.parameters, flags) })),
    results: keep(op.results, carryFlags),
  };
}
