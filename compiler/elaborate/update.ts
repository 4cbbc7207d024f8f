/**
 * Functional update: `x.at[i, :].set(v)` is x with `v` at the place that `x[i, :]` reads. A place made of numbers and
 * slices is one dynamic_update_slice; with index tensors, or steps, it is a scatter. Indices of the run that are out
 * of range drop their update.
 */

import { tooManyArguments } from '../diagnostics/problems/calls.ts';
import { badAtMethod, notIndexable } from '../diagnostics/problems/shapes.ts';
import {
  integerDivision,
  realNumbersOnly,
  treesDiffer,
  typeMismatch,
} from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue, type Int, one, subtract, zero } from '../symbolic/integer.ts';
import type { Expression } from '../syntax/ast.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { showShape } from '../tensor-ir/show.ts';
import { applyIndex, sameDType, wrapIndex } from './apply-index.ts';
import { broadcastShapes, broadcastTo } from './broadcast.ts';
import { weakToComplex } from './complex.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import {
  elaborateEntries,
  expandEllipsis,
  type PlainEntry,
  type Range,
  rangeOf,
} from './index-entries.ts';
import { visibleRank } from './indexing.ts';
import { isWeak, joinDTypes, weakToTensor } from './numbers.ts';
import {
  apply,
  broadcast,
  broadcastRight,
  constant,
  dimValue,
  iota,
  permute,
  reshape,
  sameShape,
} from './operations.ts';
import { binaryOperation, unaryOperation } from './operators.ts';
import { Region } from './regions.ts';
import type { Scope } from './scope.ts';
import { errorTerm, typeOf } from './terms.ts';
import type { Term, Type } from './value.ts';

type UpdateMode = 'set' | 'add' | 'mul' | 'min' | 'max';

interface Method {
  readonly mode: UpdateMode;
  /** What is done to the update first: `subtract` adds its negative, `divide` multiplies by its reciprocal. */
  readonly first?: 'neg' | 'reciprocal';
}

/** The names of JAX, and those of MLX. */
const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['set', { mode: 'set' }],
  ['add', { mode: 'add' }],
  ['subtract', { mode: 'add', first: 'neg' }],
  ['mul', { mode: 'mul' }],
  ['multiply', { mode: 'mul' }],
  ['divide', { mode: 'mul', first: 'reciprocal' }],
  ['min', { mode: 'min' }],
  ['minimum', { mode: 'min' }],
  ['max', { mode: 'max' }],
  ['maximum', { mode: 'max' }],
]);

type Call = Expression & { readonly kind: 'call' };

/** `object.at[items].method(...)` */
export function isUpdate({ callee }: Call): boolean {
  return (
    callee.kind === 'field' &&
    callee.object.kind === 'index' &&
    callee.object.object.kind === 'field' &&
    callee.object.object.name.text === 'at'
  );
}

/** Undefined when `at` is a field of a struct after all. */
export function elaborateUpdate(e: Elaborator, call: Call, scope: Scope): Term | undefined {
  const { callee } = call;
  if (callee.kind !== 'field' || callee.object.kind !== 'index') return undefined;
  const { object: target, items } = callee.object;
  if (target.kind !== 'field') return undefined;
  const object = elaborateExpression(e, target.object, scope, undefined);
  if (object.kind === 'struct' && object.fields.has('at')) return undefined;
  const entries = elaborateEntries(e, items, scope);
  const method = methods.get(callee.name.text);
  if (method === undefined) return e.error(badAtMethod(callee.name.text, callee.name.span));
  const [argument, ...more] = call.arguments;
  if (argument === undefined || more.length > 0) {
    return e.error(
      tooManyArguments(
        `at[...].${callee.name.text}`,
        1,
        call.arguments.length,
        call.span,
        undefined,
      ),
    );
  }
  const rank = object.kind === 'error' ? undefined : visibleRank(object);
  const plain =
    entries === undefined || rank === undefined
      ? undefined
      : expandEllipsis(e, entries, rank, describe(object), callee.object.span);
  const expected = plain && typeOfPlace(e, object, plain);
  const update = elaborateExpression(e, argument.value, scope, expected);
  if (object.kind === 'error' || update.kind === 'error' || entries === undefined) return errorTerm;
  if (rank === undefined) return e.error(notIndexable(describe(object), target.object.span));
  if (plain === undefined) return errorTerm;
  const places = { span: call.span, object: target.object.span, update: argument.value.span };
  const changed =
    method.first === undefined ? update : prepare(e, object, update, method.first, places);
  if (changed.kind === 'error') return errorTerm;
  return updateTree(e, object, changed, plain, method.mode, places);
}

/** What the index would read: the type that `x.at[i].set(normal(key))` directs at its argument. */
/** What the index would read. Nothing is read, so an axis may be empty: writes out of range are dropped. */
function partAt(e: Elaborator, x: Value, entries: readonly PlainEntry[]): Value | undefined {
  return e.conditions.repeated(zero, () => new Region(e).run(() => applyIndex(e, x, entries)));
}

function typeOfPlace(
  e: Elaborator,
  object: Term,
  entries: readonly PlainEntry[],
): Type | undefined {
  if (object.kind !== 'tensor') return undefined;
  const before = e.errorCount;
  e.quiet++;
  const part = partAt(e, object.value, entries);
  e.quiet--;
  e.errorCount = before;
  return part === undefined
    ? undefined
    : typeOf({ kind: 'tensor', value: part, form: object.form });
}

/** The update turned into one that an addition or a product takes. */
function prepare(
  e: Elaborator,
  object: Term,
  update: Term,
  change: 'neg' | 'reciprocal',
  places: Places,
): Term {
  if (change === 'neg') return unaryOperation(e, '-', update, places.update);
  const dtype = object.kind === 'tensor' ? object.value.type.dtype : 'f32';
  if (!isFloat(dtype)) return e.error(integerDivision(describe(object), places.span));
  const unit: Term = { kind: 'float', value: 1 };
  const at = { span: places.update, left: places.update, right: places.update };
  return binaryOperation(e, '/', unit, update, at);
}

interface Places {
  readonly span: Span;
  readonly object: Span;
  readonly update: Span;
}

/** A tensor, or an `S[B]` with an `S` leaf by leaf. */
function updateTree(
  e: Elaborator,
  object: Term,
  update: Term,
  entries: readonly PlainEntry[],
  mode: UpdateMode,
  places: Places,
): Term {
  if (object.kind === 'tensor') return updateTensor(e, object, update, entries, mode, places);
  if (
    object.kind === 'struct' &&
    update.kind === 'struct' &&
    object.type.declaration === update.type.declaration
  ) {
    const fields = new Map<string, Term>();
    for (const [name, field] of object.fields) {
      const changed = updateTree(
        e,
        field,
        update.fields.get(name) ?? errorTerm,
        entries,
        mode,
        places,
      );
      if (changed.kind === 'error') return errorTerm;
      fields.set(name, changed);
    }
    return { kind: 'struct', type: object.type, fields };
  }
  if ((object.kind === 'tuple' || object.kind === 'array') && object.kind === update.kind) {
    const others = update.items;
    if (others.length === object.items.length) {
      const items = object.items.map((item, i) =>
        updateTree(e, item, others[i]!, entries, mode, places),
      );
      return items.some((t) => t.kind === 'error') ? errorTerm : { kind: object.kind, items };
    }
  }
  if (update.kind === 'error') return errorTerm;
  return e.error(treesDiffer(describe(object), describe(update), places.update));
}

function updateTensor(
  e: Elaborator,
  object: Term & { readonly kind: 'tensor' },
  update: Term,
  entries: readonly PlainEntry[],
  mode: UpdateMode,
  places: Places,
): Term {
  const x = object.value;
  const { dtype } = x.type;
  if (object.form === 'complex' && mode !== 'set' && mode !== 'add') {
    return e.error(realNumbersOnly(`at[...].${mode}`, describe(object), places.span));
  }
  if (joinDTypes(e, [object, update], [places.object, places.update], 'the update') === undefined) {
    return errorTerm;
  }
  // what the index would read, built aside: its shape is what the update must broadcast to
  const part = partAt(e, x, entries);
  if (part === undefined) return errorTerm;
  const wanted = part.type.shape;
  e.builder.span = places.span;
  let value: Value | undefined;
  if (isWeak(update) && object.form === 'complex') {
    const scalar = weakToComplex(e, update, [], places.update);
    value = scalar && broadcastTo(e, scalar, wanted);
  } else if (isWeak(update)) value = weakToTensor(e, update, dtype, wanted, places.update);
  else if (update.kind === 'tensor') value = fitUpdate(e, update.value, wanted, places);
  if (value === undefined) return errorTerm;
  const ranges = rangesOf(e, x, entries);
  if (ranges === undefined) return errorTerm;
  const isPlain =
    entries.every((entry) => entry.kind !== 'tensor') &&
    ranges.every((r) => r.step === 1 && !r.isReversed);
  const result = isPlain
    ? updateSlice(e, x, value, ranges, mode)
    : scatter(e, x, value, entries, ranges, mode);
  return { kind: 'tensor', value: result, form: object.form };
}

function fitUpdate(
  e: Elaborator,
  value: Value,
  wanted: readonly Int[],
  places: Places,
): Value | undefined {
  const own = value.type.shape;
  if (sameShape(own, wanted)) return value;
  const shape = broadcastShapes(e, [wanted, own], [places.object, places.update], () => [
    `the place ${showShape(wanted)}`,
    `the update ${showShape(own)}`,
  ]);
  if (shape === undefined) return undefined;
  if (shape.length !== wanted.length || !shape.every((d, i) => d === wanted[i])) {
    e.error(
      typeMismatch(showShape(wanted), showShape(own), places.update, {
        reason: 'the update does not fit its place',
      }),
    );
    return undefined;
  }
  return broadcastTo(e, value, shape);
}

/** One range for each axis of x; what problems there are have been reported. */
function rangesOf(
  e: Elaborator,
  x: Value,
  entries: readonly PlainEntry[],
): readonly Range[] | undefined {
  const ranges: Range[] = [];
  for (const entry of entries) {
    if (entry.kind === 'newaxis') continue;
    const axis = ranges.length;
    const range = rangeOf(e, entry, x.type.shape[axis]!, axis);
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  for (let axis = ranges.length; axis < x.type.shape.length; axis++) {
    ranges.push({ start: zero, stop: x.type.shape[axis]!, step: 1, isReversed: false });
  }
  return ranges;
}

const combine: Readonly<Record<Exclude<UpdateMode, 'set'>, string>> = {
  add: 'add',
  mul: 'mul',
  min: 'min',
  max: 'max',
};

/** The place is a box: read it, combine, write it back. */
function updateSlice(
  e: Elaborator,
  x: Value,
  update: Value,
  ranges: readonly Range[],
  mode: UpdateMode,
): Value {
  const b = e.builder;
  const sizes = ranges.map((r) => subtract(r.stop, r.start));
  let value = reshape(b, update, sizes);
  if (mode !== 'set') {
    const start = ranges.map((r) => r.start);
    const stop = ranges.map((r) => r.stop);
    const step = ranges.map(() => one);
    const isWhole = sameShape(sizes, x.type.shape);
    const before = isWhole ? x : apply(b, 'slice', [x], { start, stop, step });
    value = apply(b, combine[mode], [before, value]);
  }
  if (sameShape(sizes, x.type.shape)) return value;
  const starts = ranges.map((r) => dimValue(b, r.start, 'i32'));
  return apply(b, 'dynamic_update_slice', [x, value, ...starts]);
}

/**
 * Every axis that is not taken whole gets an index tensor over the common axes I: first those of the index tensors,
 * then one for each slice. The update is laid out as I, then the whole axes.
 */
function scatter(
  e: Elaborator,
  x: Value,
  update: Value,
  entries: readonly PlainEntry[],
  ranges: readonly Range[],
  mode: UpdateMode,
): Value {
  const b = e.builder;
  const { shape } = x.type;
  const tensors = entries.flatMap((t) => (t.kind === 'tensor' ? [t] : []));
  const advanced =
    broadcastShapes(
      e,
      tensors.map((t) => t.value.type.shape),
      tensors.map((t) => t.span),
    ) ?? [];
  // axes of the result of x[...], in order: which of them belong to index tensors, slices, newaxis, whole axes
  type Role = 'advanced' | 'slice' | 'newaxis' | 'whole';
  const roles: Role[] = [];
  const slices: { readonly axis: number; readonly range: Range; readonly size: Int }[] = [];
  const hasTensor = advanced.length > 0;
  const isAdvanced = (t: PlainEntry): boolean =>
    t.kind === 'tensor' || (hasTensor && t.kind === 'at');
  const first = entries.findIndex(isAdvanced);
  const last = entries.findLastIndex(isAdvanced);
  const isTogether = first >= 0 && entries.slice(first, last + 1).every(isAdvanced);
  const pushAdvanced = (): void => {
    for (const _ of advanced) roles.push('advanced');
  };
  if (!isTogether) pushAdvanced();
  let axis = 0;
  entries.forEach((entry, i) => {
    if (isTogether && i === first) pushAdvanced();
    if (entry.kind === 'newaxis') {
      roles.push('newaxis');
      return;
    }
    const range = ranges[axis]!;
    if (entry.kind === 'slice') {
      const isWhole =
        range.start === zero && range.stop === shape[axis] && range.step === 1 && !range.isReversed;
      roles.push(isWhole ? 'whole' : 'slice');
      if (!isWhole) slices.push({ axis, range, size: update.type.shape[roles.length - 1]! });
    }
    axis++;
  });
  while (roles.length < update.type.shape.length) roles.push('whole');
  const positions = (role: Role): readonly number[] =>
    roles.flatMap((r, i) => (r === role ? [i] : []));
  const order = [
    ...positions('advanced'),
    ...positions('slice'),
    ...positions('whole'),
    ...positions('newaxis'),
  ];
  const laid = permute(b, update, order);
  const kept = laid.type.shape.slice(0, laid.type.shape.length - positions('newaxis').length);
  const laidOut = reshape(b, laid, kept);

  const common = [...advanced, ...slices.map((s) => s.size)];
  const axes: number[] = [];
  const indices: Value[] = [];
  axis = 0;
  for (const entry of entries) {
    if (entry.kind === 'newaxis') continue;
    const here = axis++;
    if (entry.kind === 'tensor') {
      const wrapped = wrapIndex(e, entry.value, shape[here]!);
      const wide = broadcastRight(b, wrapped, advanced);
      indices.push(
        broadcast(
          b,
          wide,
          common,
          advanced.map((_, i) => i),
        ),
      );
      axes.push(here);
    } else if (entry.kind === 'at') {
      const start = dimValue(b, ranges[here]!.start, 'i32');
      indices.push(broadcast(b, start, common, []));
      axes.push(here);
    } else {
      const k = slices.findIndex((s) => s.axis === here);
      if (k < 0) continue;
      indices.push(sliceIndices(e, slices[k]!.range, shape[here]!, common, advanced.length + k));
      axes.push(here);
    }
  }
  return apply(b, 'scatter', [x, laidOut, ...sameDType(e, indices)], { axes, mode });
}

/** start + step * i along one axis of the common shape; counted from the end when the axis is turned round. */
function sliceIndices(
  e: Elaborator,
  range: Range,
  size: Int,
  common: readonly Int[],
  axis: number,
): Value {
  const b = e.builder;
  const step = range.isReversed ? -range.step : range.step;
  const start = range.isReversed ? subtract(subtract(size, one), range.start) : range.start;
  let index = iota(b, 'i32', common, axis);
  if (step !== 1) index = apply(b, 'mul', [index, constant(b, 'i32', common, step)]);
  if (constantValue(start) === 0) return index;
  const offset = broadcast(b, dimValue(b, start, 'i32'), common, []);
  return apply(b, 'add', [index, offset]);
}
