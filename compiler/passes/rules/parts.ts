/** Slices, pads, concatenations and reversals of each other. Exact but for the sign of a zero in add-of-pads. */
import { isOne, isSameShape, range } from '../../primitives/checks.ts';
import { type ConcatenateAttrs, concatenate } from '../../primitives/concatenate.ts';
import { type PadAttrs, pad } from '../../primitives/pad.ts';
import { type SliceAttrs, slice } from '../../primitives/slice.ts';
import { add, constantValue, type Int, one, subtract, zero } from '../../symbolic/integer.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import type { Rewriter, Rule } from '../rewriter.ts';
import { isSplat } from './constants.ts';

/** True when a size or offset is >= 0 also where dims are 0 (`isNonNegative` takes dims to be at least 1). */
function isAtLeastZero(a: Int): boolean {
  return a.terms.every(
    (t) => t.numerator > 0 && t.powers.every((p) => p.exponent > 0 && p.atom.kind === 'variable'),
  );
}

/** A slice that takes from one operand only. */
function sliceOfConcatenate(r: Rewriter, op: Operation): Value | undefined {
  const inner = r.definedBy(op.operands[0]!, 'concatenate');
  if (inner === undefined) return undefined;
  const { axis } = inner.attrs as ConcatenateAttrs;
  const { start, stop, step } = op.attrs as SliceAttrs;
  let offset = zero;
  for (const operand of inner.operands) {
    const end = add(offset, operand.type.shape[axis]!);
    const isInside =
      isAtLeastZero(subtract(start[axis]!, offset)) && isAtLeastZero(subtract(end, stop[axis]!));
    if (isInside) {
      const shift = (list: SliceAttrs['start']) => list.with(axis, subtract(list[axis]!, offset));
      return r.apply(slice, [operand], { start: shift(start), stop: shift(stop), step });
    }
    offset = end;
  }
  return undefined;
}

/** pad(x) + pad(y) with zeros, where y begins along one axis where x ends. */
function joinPads(r: Rewriter, x: Value, y: Value): Value | undefined {
  const [first, second] = [zeroPad(r, x), zeroPad(r, y)];
  if (first === undefined || second === undefined) return undefined;
  const [a, b] = [first.attrs as PadAttrs, second.attrs as PadAttrs];
  const [from, to] = [first.operands[0]!, second.operands[0]!];
  const different = range(a.low.length).filter((axis) => a.low[axis] !== b.low[axis]);
  const [axis] = different;
  if (axis === undefined || different.length > 1) return undefined;
  const meet = add(a.low[axis]!, from.type.shape[axis]!) === b.low[axis];
  const alike = from.type.shape.every((size, i) => i === axis || size === to.type.shape[i]);
  if (!meet || !alike) return undefined;
  const joined = r.apply(concatenate, [from, to], { axis });
  const high = a.high.with(axis, b.high[axis]!);
  return r.apply(pad, [joined, first.operands[1]!], { ...a, high });
}

/** The definition of a value that is a pad with zeros around its operand, without cropping. */
function zeroPad(r: Rewriter, value: Value): Operation | undefined {
  const op = r.definedBy(value, 'pad');
  if (op === undefined || !isSplat(r, op.operands[1]!, 0)) return undefined;
  const { low, high, interior } = op.attrs as PadAttrs;
  const isPlain = interior.every((n) => n === zero) && [...low, ...high].every(isAtLeastZero);
  return isPlain ? op : undefined;
}

export const partRules: readonly Rule[] = [
  {
    name: 'slice-of-everything',
    on: ['slice'],
    rewrite: (_, op) => {
      const { start, step } = op.attrs as SliceAttrs;
      const isWhole =
        isSameShape(op.operands[0]!.type.shape, op.results[0]!.type.shape) &&
        start.every((s) => s === zero) &&
        step.every((s) => s === one);
      return isWhole ? op.operands[0]! : undefined;
    },
  },
  {
    name: 'slice-of-slice',
    on: ['slice'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'slice');
      if (inner === undefined) return undefined;
      const outer = op.attrs as SliceAttrs;
      const first = inner.attrs as SliceAttrs;
      // with steps the last element taken may lie before the stop: only plain ranges compose without rounding
      if (!first.step.every((s) => s === one)) return undefined;
      const start = outer.start.map((s, i) => add(first.start[i]!, s));
      const stop = outer.stop.map((s, i) => add(first.start[i]!, s));
      return r.apply(slice, inner.operands, { start, stop, step: outer.step });
    },
  },
  {
    name: 'pad-by-nothing',
    on: ['pad'],
    rewrite: (_, op) => {
      const { low, high, interior } = op.attrs as PadAttrs;
      const isNothing = [...low, ...high, ...interior].every((p) => p === zero);
      return isNothing ? op.operands[0]! : undefined;
    },
  },
  {
    name: 'concatenate-without-empty',
    on: ['concatenate'],
    rewrite: (r, op) => {
      const axis = op.attrs['axis'] as number;
      const filled = op.operands.filter((v) => constantValue(v.type.shape[axis]!) !== 0);
      if (filled.length === 1) return filled[0]!;
      if (filled.length === op.operands.length || filled.length === 0) return undefined;
      return r.apply(op.primitive, filled, op.attrs);
    },
  },
  {
    name: 'concatenate-of-concatenate',
    on: ['concatenate'],
    rewrite: (r, op) => {
      const { axis } = op.attrs as ConcatenateAttrs;
      const isNested = (v: Value): boolean => r.definedBy(v, 'concatenate')?.attrs['axis'] === axis;
      if (!op.operands.some(isNested)) return undefined;
      const operands = op.operands.flatMap((v) => (isNested(v) ? r.definition(v)!.operands : [v]));
      return r.apply(concatenate, operands, { axis });
    },
  },
  {
    name: 'slice-of-concatenate',
    on: ['slice'],
    rewrite: sliceOfConcatenate,
  },
  {
    // the transpose of a split: zero-padded parts that lie side by side
    name: 'add-of-pads',
    on: ['add'],
    rewrite: (r, op) => {
      const [x, y] = op.operands as [Value, Value];
      return joinPads(r, x, y) ?? joinPads(r, y, x);
    },
  },
  {
    name: 'reverse-nothing',
    on: ['reverse'],
    rewrite: (r, op) => {
      const x = op.operands[0]!;
      const axes = op.attrs['axes'] as readonly number[];
      if (axes.every((axis) => isOne(x.type.shape[axis]!))) return x;
      const inner = r.definedBy(x, 'reverse');
      if (inner === undefined) return undefined;
      const before = inner.attrs['axes'] as readonly number[];
      const left = range(x.type.shape.length).filter(
        (a) => axes.includes(a) !== before.includes(a),
      );
      return r.apply(op.primitive, inner.operands, { axes: left });
    },
  },
];
