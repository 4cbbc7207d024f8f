/** The linear split of `scan`: what a step saves for the way back. */
import { makeValue } from '../../tensor-ir/builder.ts';
import type { Func, Operation, Value } from '../../tensor-ir/program.ts';
import { type LinearSplit, linearSplit, type Partition } from '../split.ts';
import { pick, present, spread } from '../tangents.ts';
import { attrsOf, fixpoint, type Groups, group } from './scan-operands.ts';

/**
 * The known half stacks the residuals of each step; the linear half reads them as sequences. Residuals that are
 * operands of the scan, or that do not change from step to step, are not stacked.
 */
export function split(op: Operation, isLinear: readonly boolean[]): Partition {
  const attrs = attrsOf(op);
  const body = op.regions[0]!;
  const given = group(isLinear, attrs);
  const { outcome: half, flags } = fixpoint(given.carries, (carries) => {
    const parameters = [false, ...carries, ...given.sequences, ...given.consts];
    const outcome = linearSplit(body, parameters, carries);
    return { outcome, out: outcome.isLinearResult.slice(0, attrs.carries) };
  });
  const operands = group(op.operands, attrs);
  const isKnown = (fs: readonly boolean[]) => fs.map((f) => !f);
  const knownOperands: Groups<Value> = {
    carries: pick(operands.carries, isKnown(flags)),
    sequences: pick(operands.sequences, isKnown(given.sequences)),
    consts: pick(operands.consts, isKnown(given.consts)),
  };
  const saved = saveResiduals(half, knownOperands, op);

  const resultIsLinear = half.isLinearResult;
  const knownResults = op.results.filter((_, i) => !resultIsLinear[i]);
  const known: Operation = {
    ...op,
    operands: [...knownOperands.carries, ...knownOperands.sequences, ...knownOperands.consts],
    attrs: {
      ...attrs,
      carries: knownOperands.carries.length,
      sequences: knownOperands.sequences.length,
    },
    regions: [
      {
        ...half.known,
        results: [...half.known.results.slice(0, knownResults.length), ...saved.stacked],
      },
    ],
    results: [...knownResults, ...saved.stackedResults],
  };

  const linearParameters = group(
    spread(half.linear.parameters.slice(half.residuals.length), [
      ...flags,
      ...given.sequences,
      ...given.consts,
    ]),
    attrs,
  );
  const index = half.known.parameters[0]!;
  const residualParameter = (residual: Value): Value =>
    half.linear.parameters[half.residuals.indexOf(residual)]!;
  const linearCarries = pick(operands.carries, flags);
  const linear: Operation = {
    ...op,
    operands: [
      ...linearCarries,
      ...saved.sequences.map((s) => s.value),
      ...pick(operands.sequences, given.sequences),
      ...saved.consts.map((s) => s.value),
      ...pick(operands.consts, given.consts),
    ],
    attrs: {
      ...attrs,
      carries: linearCarries.length,
      sequences: saved.sequences.length + pick(operands.sequences, given.sequences).length,
    },
    regions: [
      {
        ...half.linear,
        parameters: [
          half.residuals.includes(index)
            ? residualParameter(index)
            : makeValue(index.type, index.name),
          ...present(linearParameters.carries),
          ...saved.sequences.map((s) => residualParameter(s.residual)),
          ...present(linearParameters.sequences),
          ...saved.consts.map((s) => residualParameter(s.residual)),
          ...present(linearParameters.consts),
        ],
      },
    ],
    results: pick(op.results, resultIsLinear),
  };
  return {
    known: [...saved.hoisted, ...(known.results.length > 0 ? [known] : [])],
    linear: [linear],
  };
}

interface SavedResidual {
  readonly residual: Value;
  /** Where the linear scan finds it: a stack or a value for all steps. */
  readonly value: Value;
}

interface SavedResiduals {
  readonly sequences: readonly SavedResidual[];
  readonly consts: readonly SavedResidual[];
  /** Values of the known body to stack, and the stacks. */
  readonly stacked: readonly Value[];
  readonly stackedResults: readonly Value[];
  /** Operations moved in front of the loop. */
  readonly hoisted: readonly Operation[];
}

function saveResiduals(half: LinearSplit, operands: Groups<Value>, op: Operation): SavedResiduals {
  const attrs = attrsOf(op);
  const [index, ...parameters] = half.known.parameters;
  const firstConst = operands.carries.length + operands.sequences.length;
  const outer = [...operands.carries, ...operands.sequences, ...operands.consts];
  const invariant = invariantValues(half.known, parameters.slice(firstConst), operands.consts);

  const sequences: SavedResidual[] = [];
  const consts: SavedResidual[] = [];
  const stacked: Value[] = [];
  const stackedResults: Value[] = [];
  const needed: Value[] = [];
  for (const residual of half.residuals) {
    if (residual === index) continue;
    const place = parameters.indexOf(residual);
    const fixed = invariant.values.get(residual);
    if (fixed !== undefined) {
      consts.push({ residual, value: fixed });
      needed.push(fixed);
    } else if (place >= operands.carries.length && place < firstConst) {
      sequences.push({ residual, value: outer[place]! });
    } else {
      const { dtype, shape } = residual.type;
      const stack = makeValue({ dtype, shape: [attrs.length, ...shape] }, residual.name);
      stacked.push(residual);
      stackedResults.push(stack);
      sequences.push({ residual, value: stack });
    }
  }
  const hoisted = keepFor(invariant.operations, needed);
  return { sequences, consts, stacked, stackedResults, hoisted };
}

/** What the body computes from its consts alone, computed in front of the loop instead. */
function invariantValues(
  body: Func,
  parameters: readonly Value[],
  operands: readonly Value[],
): { readonly operations: readonly Operation[]; readonly values: ReadonlyMap<Value, Value> } {
  const values = new Map(parameters.map((p, i) => [p, operands[i]!]));
  const operations: Operation[] = [];
  for (const op of body.body) {
    if (!op.operands.every((v) => values.has(v))) continue;
    const results = op.results.map((r) => makeValue(r.type, r.name));
    operations.push({ ...op, operands: op.operands.map((v) => values.get(v)!), results });
    op.results.forEach((r, i) => values.set(r, results[i]!));
  }
  return { operations, values };
}

function keepFor(operations: readonly Operation[], needed: readonly Value[]): readonly Operation[] {
  const live = new Set(needed);
  const kept = operations.toReversed().filter((op) => {
    const isLive = op.results.some((r) => live.has(r));
    if (isLive) for (const v of op.operands) live.add(v);
    return isLive;
  });
  return kept.toReversed();
}
