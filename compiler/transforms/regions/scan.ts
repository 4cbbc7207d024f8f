/**
 * Rules of `scan`: operands (carry..., sequences..., consts...), region body(index, carry, slices, consts) -> (carry, ys).
 *
 * Whether a carry has a tangent, a batch axis or is linear depends on the body, which depends on the carries:
 * each rule starts from the operands and repeats until nothing changes (at most once per carry, mostly once or twice).
 */

import { add } from '../../primitives/arithmetic.ts';
import { broadcastLeading, instantiate, moveAxis, zerosOf } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import { type Builder, makeValue } from '../../tensor-ir/builder.ts';
import type { RegionRules } from '../../tensor-ir/primitive.ts';
import type { Attrs, Func, Operation, Value } from '../../tensor-ir/program.ts';
import { type Dual, finishJvp, traceJvp } from '../jvp.ts';
import { derivedName } from '../names.ts';
import { type LinearSplit, linearSplit, type Partition } from '../split.ts';
import { either, pick, present, sameFlags, spread, type Tangent } from '../tangents.ts';
import { traceTranspose } from '../transpose.ts';
import { type Batched, finishBatch, traceBatch } from '../vmap.ts';

export interface ScanAttrs extends Attrs {
  readonly carries: number;
  readonly sequences: number;
  readonly length: Int;
  readonly reverse: boolean;
}

/** The three groups of operands, or of body parameters after the index. */
interface Groups<T> {
  readonly carries: readonly T[];
  readonly sequences: readonly T[];
  readonly consts: readonly T[];
}

function group<T>(items: readonly T[], attrs: ScanAttrs): Groups<T> {
  const end = attrs.carries + attrs.sequences;
  return {
    carries: items.slice(0, attrs.carries),
    sequences: items.slice(attrs.carries, end),
    consts: items.slice(end),
  };
}

function attrsOf(op: Operation): ScanAttrs {
  return op.attrs as ScanAttrs;
}

/** Repeats `step` until the flags of the carries stop growing; returns its last outcome with the flags it was given. */
function fixpoint<T>(
  initial: readonly boolean[],
  step: (carries: readonly boolean[]) => { readonly outcome: T; readonly out: readonly boolean[] },
): { readonly outcome: T; readonly flags: readonly boolean[] } {
  let flags = initial;
  for (;;) {
    const { outcome, out } = step(flags);
    const next = either(flags, out);
    if (sameFlags(flags, next)) return { outcome, flags };
    flags = next;
  }
}

function jvp(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const attrs = attrsOf(op);
  const body = op.regions[0]!;
  const given = group(tangents, attrs);
  const sequenceFlags = given.sequences.map((t) => t !== undefined);
  const constFlags = given.consts.map((t) => t !== undefined);
  const { outcome: trace, flags } = fixpoint(
    given.carries.map((t) => t !== undefined),
    (carries) => {
      const outcome = traceJvp(body, [false, ...carries, ...sequenceFlags, ...constFlags]);
      const out = outcome.dual.tangents.slice(0, attrs.carries).map((t) => t !== undefined);
      return { outcome, out };
    },
  );
  const stackedFlags = trace.dual.tangents.slice(attrs.carries).map((t) => t !== undefined);
  const dual = finishJvp(trace, body.name, [...flags, ...stackedFlags]);

  // The trace has all primals first; the scan wants carries, sequences and consts each with their tangents.
  const primals = group(dual.parameters.slice(1, 1 + op.operands.length), attrs);
  const tangentFlags = [...flags, ...sequenceFlags, ...constFlags];
  const extra = group(spread(dual.parameters.slice(1 + op.operands.length), tangentFlags), attrs);
  const count = op.results.length;
  const results = dual.results.slice(0, count);
  const outTangents = dual.results.slice(count);
  const carryCount = flags.filter((f) => f).length;
  const region: Func = {
    ...dual,
    parameters: [
      dual.parameters[0]!,
      ...primals.carries,
      ...present(extra.carries),
      ...primals.sequences,
      ...present(extra.sequences),
      ...primals.consts,
      ...present(extra.consts),
    ],
    results: [
      ...results.slice(0, attrs.carries),
      ...outTangents.slice(0, carryCount),
      ...results.slice(attrs.carries),
      ...outTangents.slice(carryCount),
    ],
  };
  const operands = group(op.operands, attrs);
  const initial = operands.carries.flatMap((v, i) =>
    flags[i] ? [instantiate(b, given.carries[i], v.type)] : [],
  );
  const out = b.applyAll(
    op.primitive,
    [
      ...operands.carries,
      ...initial,
      ...operands.sequences,
      ...present(given.sequences),
      ...operands.consts,
      ...present(given.consts),
    ],
    {
      ...attrs,
      carries: attrs.carries + carryCount,
      sequences: attrs.sequences + present(given.sequences).length,
    },
    [region],
  );
  const stacked = attrs.carries + carryCount;
  const stackedTangents = stacked + count - attrs.carries;
  return {
    primals: [...out.slice(0, attrs.carries), ...out.slice(stacked, stackedTangents)],
    tangents: [
      ...spread(out.slice(attrs.carries, stacked), flags),
      ...spread(out.slice(stackedTangents), stackedFlags),
    ],
  };
}

/**
 * The known half stacks the residuals of each step; the linear half reads them as sequences. Residuals that are
 * operands of the scan, or that do not change from step to step, are not stacked.
 */
function split(op: Operation, isLinear: readonly boolean[]): Partition {
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

/**
 * Runs the loop the other way round: the carry holds the cotangents of the carry and the sums of those of linear consts, the ys are
 * the cotangents of linear sequences.
 */
function transpose(
  b: Builder,
  op: Operation,
  isLinear: readonly boolean[],
  cotangents: readonly Tangent[],
): readonly Tangent[] {
  const attrs = attrsOf(op);
  const body = op.regions[0]!;
  const flags = group(isLinear, attrs);
  const operands = group(op.operands, attrs);
  const carryCotangents = cotangents.slice(0, attrs.carries);
  const stackedCotangents = cotangents.slice(attrs.carries);
  const hasStacked = stackedCotangents.map((c) => c !== undefined);
  const linearParameters = [
    false,
    ...operands.carries.map(() => true),
    ...flags.sequences,
    ...flags.consts,
  ];
  const { outcome: trace, flags: carryFlags } = fixpoint(
    carryCotangents.map((c) => c !== undefined),
    (carries) => {
      const outcome = traceTranspose(body, linearParameters, [...carries, ...hasStacked]);
      return {
        outcome,
        out: outcome.cotangents.slice(0, attrs.carries).map((c) => c !== undefined),
      };
    },
  );

  // Order of the trace: known parameters, cotangents in; and out: carries, linear sequences, linear consts.
  const sequenceCount = flags.sequences.filter((f) => f).length;
  const outSequences = trace.cotangents.slice(attrs.carries, attrs.carries + sequenceCount);
  const outConsts = trace.cotangents.slice(attrs.carries + sequenceCount);
  const constTypes = trace.types.slice(attrs.carries + sequenceCount);
  const { builder } = trace;
  const sums = outConsts.map((c, i) => (c === undefined ? undefined : makeValue(constTypes[i]!)));
  const newSums = outConsts.flatMap((c, i) =>
    c === undefined ? [] : [builder.apply(add, [sums[i]!, c], {})],
  );
  const outCarries = trace.cotangents
    .slice(0, attrs.carries)
    .flatMap((c, i) => (carryFlags[i] ? [instantiate(builder, c, trace.types[i]!)] : []));

  const knownSequences = operands.sequences.filter((_, i) => !flags.sequences[i]);
  const knownConsts = operands.consts.filter((_, i) => !flags.consts[i]);
  const parameters = [...trace.parameters];
  const [index] = parameters.splice(0, 1);
  const sequenceParameters = parameters.splice(0, knownSequences.length);
  const constParameters = parameters.splice(0, knownConsts.length);
  const carryParameters = parameters.splice(0, outCarries.length);
  const region = builder.finish(
    derivedName(body.name, 'transpose'),
    [
      index!,
      ...carryParameters,
      ...present(sums),
      ...sequenceParameters,
      ...parameters,
      ...constParameters,
    ],
    [...outCarries, ...newSums, ...present(outSequences)],
  );
  const initial = operands.carries.flatMap((v, i) =>
    carryFlags[i] ? [instantiate(b, carryCotangents[i], v.type)] : [],
  );
  const zeroSums = present(sums).map((s) => zerosOf(b, s.type));
  const results = b.applyAll(
    op.primitive,
    [...initial, ...zeroSums, ...knownSequences, ...present(stackedCotangents), ...knownConsts],
    {
      ...attrs,
      carries: initial.length + zeroSums.length,
      sequences: knownSequences.length + present(stackedCotangents).length,
      reverse: !attrs.reverse,
    },
    [region],
  );
  const isPresent = (t: Tangent) => t !== undefined;
  const carries = spread(results.slice(0, initial.length), carryFlags);
  const consts = spread(
    results.slice(initial.length, initial.length + zeroSums.length),
    outConsts.map(isPresent),
  );
  const sequences = spread(
    results.slice(initial.length + zeroSums.length),
    outSequences.map(isPresent),
  );
  return [
    ...carries.map((c, i) => (flags.carries[i] ? c : undefined)),
    ...spread(sequences, flags.sequences),
    ...spread(consts, flags.consts),
  ];
}

/** The batch stays axis 0 inside the body; stacks carry it behind the axis of the loop. */
function batch(b: Builder, op: Operation, isMapped: readonly boolean[], size: Int): Batched {
  const attrs = attrsOf(op);
  const body = op.regions[0]!;
  const given = group(isMapped, attrs);
  const { outcome: trace, flags } = fixpoint(given.carries, (carries) => {
    const outcome = traceBatch(
      body,
      [false, ...carries, ...given.sequences, ...given.consts],
      size,
    );
    return { outcome, out: outcome.isMapped.slice(0, attrs.carries) };
  });
  const wanted = [...flags, ...trace.isMapped.slice(attrs.carries)];
  const region = finishBatch(trace, body.name, wanted);
  const operands = group(op.operands, attrs);
  const results = b.applyAll(
    op.primitive,
    [
      ...operands.carries.map((v, i) =>
        flags[i] && !given.carries[i] ? broadcastLeading(b, v, size) : v,
      ),
      ...operands.sequences.map((v, i) => (given.sequences[i] ? moveAxis(b, v, 0, 1) : v)),
      ...operands.consts,
    ],
    attrs,
    [region],
  );
  return {
    results: results.map((r, i) => (i >= attrs.carries && wanted[i] ? moveAxis(b, r, 1, 0) : r)),
    isMapped: wanted,
  };
}

/** Rules of `scan`. */
export const scanRules: RegionRules = { jvp, split, transpose, batch };
