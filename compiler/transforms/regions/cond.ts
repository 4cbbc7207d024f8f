/**
 * Rules of `cond`: operands (condition, args...), regions then(args) and otherwise(args) with equal signatures; and of `switch`:
 * operands (index, args...) and any number of such regions.
 */

import { broadcast } from '../../primitives/broadcast.ts';
import { le } from '../../primitives/comparison.ts';
import { select } from '../../primitives/select.ts';
import { broadcastLeading, filledLike, zerosOf } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import { Builder, makeValue } from '../../tensor-ir/builder.ts';
import type { RegionRules } from '../../tensor-ir/primitive.ts';
import type { Func, Operation, TensorType, Value } from '../../tensor-ir/program.ts';
import { type Dual, finishJvp, traceJvp } from '../jvp.ts';
import { derivedName } from '../names.ts';
import { type LinearSplit, linearSplit, type Partition } from '../split.ts';
import { anyOf, pick, present, spread, type Tangent } from '../tangents.ts';
import { finishTranspose, traceTranspose } from '../transpose.ts';
import { type Batched, finishBatch, inlineBatch, traceBatch } from '../vmap.ts';

function jvp(b: Builder, op: Operation, tangents: readonly Tangent[]): Dual {
  const flags = tangents.slice(1).map((t) => t !== undefined);
  const traces = op.regions.map((region) => traceJvp(region, flags));
  const wanted = anyOf(traces.map((t) => t.dual.tangents.map((d) => d !== undefined)));
  const regions = traces.map((trace, i) => finishJvp(trace, op.regions[i]!.name, wanted));
  const operands = [...op.operands, ...present(tangents)];
  const results = b.applyAll(op.primitive, operands, op.attrs, regions);
  const count = op.results.length;
  return { primals: results.slice(0, count), tangents: spread(results.slice(count), wanted) };
}

/**
 * The known half runs the side taken and saves its residuals; a side not taken gives zeros for them. Residuals of
 * the sides share a slot where types agree; those that are arguments of the `cond` are not saved at all.
 */
function split(op: Operation, isLinear: readonly boolean[]): Partition {
  const condition = op.operands[0]!;
  const flags = isLinear.slice(1);
  const first = op.regions.map((region) => linearSplit(region, flags));
  const linearResult = anyOf(first.map((s) => s.isLinearResult));
  const halves = op.regions.map((region) => linearSplit(region, flags, linearResult));

  const slots = shareSlots(halves);
  const knownCount = linearResult.filter((f) => !f).length;
  const knownArgs = op.operands.slice(1).filter((_, i) => !flags[i]);
  const saved = slots.types.map((type) => makeValue(type));
  const known: Operation = {
    ...op,
    operands: [condition, ...knownArgs],
    regions: halves.map((half, i) => savingSide(half.known, knownCount, slots.places[i]!, slots)),
    results: [...op.results.filter((_, i) => !linearResult[i]), ...saved],
  };
  const linear: Operation = {
    ...op,
    operands: [condition, ...saved, ...knownArgs, ...pick(op.operands.slice(1), flags)],
    regions: halves.map((half, i) => readingSide(half, slots.places[i]!, slots, knownArgs)),
    results: pick(op.results, linearResult),
  };
  return {
    known: known.results.length > 0 ? [known] : [],
    linear: linear.results.length > 0 ? [linear] : [],
  };
}

interface Slots {
  readonly types: readonly TensorType[];
  /** For each side: residual to slot. Residuals that are parameters have none. */
  readonly places: readonly ReadonlyMap<Value, number>[];
}

function typeKey(type: TensorType): string {
  return `${type.dtype}[${type.shape.map((d) => d.key).join(',')}]`;
}

function shareSlots(halves: readonly LinearSplit[]): Slots {
  const types: TensorType[] = [];
  const byType = new Map<string, number[]>();
  const places = halves.map((half) => {
    const used = new Map<string, number>();
    const place = new Map<Value, number>();
    for (const residual of half.residuals) {
      if (half.known.parameters.includes(residual)) continue;
      const key = typeKey(residual.type);
      const slots = byType.get(key) ?? [];
      byType.set(key, slots);
      const next = used.get(key) ?? 0;
      used.set(key, next + 1);
      if (next === slots.length) slots.push(types.push(residual.type) - 1);
      place.set(residual, slots[next]!);
    }
    return place;
  });
  return { types, places };
}

/** The known half of one side, with a value for every slot. */
function savingSide(
  known: Func,
  knownCount: number,
  place: ReadonlyMap<Value, number>,
  slots: Slots,
): Func {
  const b = new Builder();
  b.operations.push(...known.body);
  const inSlot = new Map([...place].map(([value, slot]) => [slot, value]));
  const saved = slots.types.map((type, slot) => inSlot.get(slot) ?? zerosOf(b, type));
  return b.finish(known.name, known.parameters, [...known.results.slice(0, knownCount), ...saved]);
}

/** The linear half of one side on parameters (slots, known args, linear args). */
function readingSide(
  half: LinearSplit,
  place: ReadonlyMap<Value, number>,
  slots: Slots,
  knownArgs: readonly Value[],
): Func {
  const b = new Builder();
  const saved = slots.types.map((type) => makeValue(type));
  const known = knownArgs.map((v) => makeValue(v.type, v.name));
  const linear = half.linear.parameters.slice(half.residuals.length);
  const linearParameters = linear.map((p) => makeValue(p.type, p.name));
  const residuals = half.residuals.map((residual) => {
    const slot = place.get(residual);
    return slot === undefined ? known[half.known.parameters.indexOf(residual)]! : saved[slot]!;
  });
  const results = b.inline(half.linear, [...residuals, ...linearParameters]);
  return b.finish(half.linear.name, [...saved, ...known, ...linearParameters], results);
}

function transpose(
  b: Builder,
  op: Operation,
  isLinear: readonly boolean[],
  cotangents: readonly Tangent[],
): readonly Tangent[] {
  const flags = isLinear.slice(1);
  const hasCotangent = cotangents.map((c) => c !== undefined);
  const traces = op.regions.map((region) => traceTranspose(region, flags, hasCotangent));
  const wanted = anyOf(traces.map((t) => t.cotangents.map((c) => c !== undefined)));
  const regions = traces.map((t, i) =>
    finishTranspose(t, derivedName(op.regions[i]!.name, 'transpose'), wanted),
  );
  if (!wanted.includes(true)) return op.operands.map(() => undefined);
  const knownOperands = op.operands.filter((_, i) => !isLinear[i]);
  const operands = [...knownOperands, ...present(cotangents)];
  const results = b.applyAll(op.primitive, operands, op.attrs, regions);
  return spread(spread(results, wanted), isLinear);
}

/** A mapped condition runs all sides and selects by element; otherwise the sides are batched in place. */
function batch(b: Builder, op: Operation, isMapped: readonly boolean[], size: Int): Batched {
  const [condition, ...args] = op.operands;
  const flags = isMapped.slice(1);
  if (isMapped[0]) {
    const sides = op.regions.map((region) => {
      const side = inlineBatch(b, region, args, flags, size);
      return side.results.map((r, i) => (side.isMapped[i] ? r : broadcastLeading(b, r, size)));
    });
    const results = sides[0]!.map((_, i) =>
      selectSide(
        b,
        condition!,
        sides.map((side) => side[i]!),
      ),
    );
    return { results, isMapped: results.map(() => true) };
  }
  const traces = op.regions.map((region) => traceBatch(region, flags, size));
  const wanted = anyOf(traces.map((t) => t.isMapped));
  const regions = traces.map((t, i) => finishBatch(t, op.regions[i]!.name, wanted));
  const results = b.applyAll(op.primitive, op.operands, op.attrs, regions);
  return { results, isMapped: wanted };
}

/** Row i of the side that `condition[i]` names: true is the first of two; indices past either end are clamped. */
function selectSide(b: Builder, condition: Value, sides: readonly Value[]): Value {
  if (condition.type.dtype === 'bool') return selectRows(b, condition, sides[0]!, sides[1]!);
  return sides.reduceRight((rest, side, i) => {
    const isThis = b.apply(le, [condition, filledLike(b, condition, i)], {});
    return selectRows(b, isThis, side, rest);
  });
}

/** Row i of `taken` where `condition[i]`, else of `otherwise`. */
export function selectRows(b: Builder, condition: Value, taken: Value, otherwise: Value): Value {
  const { shape } = taken.type;
  const rows =
    shape.length === 1 ? condition : b.apply(broadcast, [condition], { shape, axes: [0] });
  return b.apply(select, [rows, taken, otherwise], {});
}

/** Rules of `cond` and `switch`. */
export const condRules: RegionRules = { jvp, split, transpose, batch };
