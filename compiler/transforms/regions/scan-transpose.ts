/** The transpose of a linear `scan`. */
import { add } from '../../primitives/arithmetic.ts';
import { instantiate, zerosOf } from '../../primitives/values.ts';
import { type Builder, makeValue } from '../../tensor-ir/builder.ts';
import type { Operation } from '../../tensor-ir/program.ts';
import { derivedName } from '../names.ts';
import { present, spread, type Tangent } from '../tangents.ts';
import { traceTranspose } from '../transpose.ts';
import { attrsOf, fixpoint, group } from './scan-operands.ts';

/**
 * Runs the loop the other way round: the carry holds the cotangents of the carry and the sums of those of linear consts, the ys are
 * the cotangents of linear sequences.
 */
export function transpose(
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
