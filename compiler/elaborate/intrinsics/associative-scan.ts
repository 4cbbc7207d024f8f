/**
 * `associative_scan`: prefixes combined by an associative function, in steps that grow as the logarithm of the length.
 *
 * Of a known length, neighbours are combined in pairs, the scan of the pairs gives the odd places, and one more combination
 * the even ones: fewer than 2n combinations (Blelloch, Prefix sums and their applications, 1990). Of a symbolic length, every
 * place is combined with the one 1, 2, 4, ... before it, as long as there is one: n log n combinations (Hillis and Steele, Data
 * parallel algorithms, 1986). That loop has a constant bound, so it has reverse mode.
 */
import { constantValue, type Int, int, one } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { slice } from '../operations.ts';
import { formOf } from '../terms.ts';
import type { FunctionTerm, Term } from '../value.ts';
import { leavesOf, nameOf, requireSameTypes, shareCaptured, traceRegion } from './closures.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  intTerm,
  native,
  optional,
  range,
  required,
} from './support.ts';
import { leafTerms } from './trees.ts';

/** What is scanned: a tree of tensors that have one size along the axis of each leaf. */
interface Scanned {
  readonly f: FunctionTerm;
  readonly tree: Term;
  /** By leaf. */
  readonly axes: readonly number[];
}

type Leaves = readonly Value[];

/** Elements of i32 that double: the last shift is 2^30. */
const mostSteps = 31;

function scanAssociatively(a: Arguments): Term {
  const f = a.func('f');
  const tree = a.term('xs');
  const given = leavesOf(a, [tree]);
  if (given.length === 0) return tree;
  const axes = leafTerms(tree).map((leaf, i) => {
    const rank = given[i]!.type.shape.length;
    return a.axis('axis', formOf(leaf) === 'plain' ? rank : rank - 1);
  });
  const length = given[0]!.type.shape[axes[0]!]!;
  const leaves = given.map((v, i) =>
    a.withSize(v, axes[i]!, length, 'the trees of `associative_scan`'),
  );
  const scanned: Scanned = { f, tree, axes };
  const reverse = (values: Leaves): Leaves =>
    a.boolean('reverse')
      ? values.map((v, i) => a.apply('reverse', [v], { axes: [axes[i]!] }))
      : values;
  const count = constantValue(length);
  const ordered = reverse(leaves);
  const scans =
    count === undefined
      ? scanByDoubling(a, scanned, ordered, length)
      : scanByPairs(a, scanned, ordered, count);
  return a.context.rebuild(tree, reverse(scans));
}

function combine(e: Emitter, { f, tree }: Scanned, left: Leaves, right: Leaves): Leaves {
  const args = [left, right].map((leaves) => e.context.rebuild(tree, leaves));
  const given = e.context.call(f, args, undefined, e.span);
  const result = leavesOf(e, [given]);
  const what = `\`${nameOf(f)}\` must give what it takes`;
  requireSameTypes(e, result, right, what, { trees: [given, tree] });
  return result;
}

function scanByPairs(e: Emitter, scanned: Scanned, xs: Leaves, count: number): Leaves {
  if (count < 2) return xs;
  const take = (values: Leaves, start: number, stop: number, step: number): Leaves =>
    values.map((v, i) => takeAlong(e, v, scanned.axes[i]!, start, stop, step));
  const pairs = count >> 1;
  const odd = scanByPairs(
    e,
    scanned,
    combine(e, scanned, take(xs, 0, 2 * pairs, 2), take(xs, 1, 2 * pairs, 2)),
    pairs,
  );
  const before = take(odd, 0, (count - 1) >> 1, 1);
  const rest = count > 2 ? combine(e, scanned, before, take(xs, 2, count, 2)) : before;
  return xs.map((x, i) => {
    const axis = scanned.axes[i]!;
    const first = takeAlong(e, x, axis, 0, 1, 1);
    const even = count > 2 ? e.apply('concatenate', [first, rest[i]!], { axis }) : first;
    return interleave(e, even, odd[i]!, axis, count);
  });
}

function takeAlong(
  e: Emitter,
  x: Value,
  axis: number,
  start: number,
  stop: number,
  step: number,
): Value {
  const { shape } = x.type;
  const along = <T>(here: T, elsewhere: (axis: number) => T): T[] =>
    shape.map((_, i) => (i === axis ? here : elsewhere(i)));
  return slice(
    e.builder,
    x,
    along(int(start), () => int(0)),
    along(int(stop), (i) => shape[i]!),
    along(step, () => 1),
  );
}

/** even[0], odd[0], even[1], ... along an axis: `count` of them. */
function interleave(e: Emitter, even: Value, odd: Value, axis: number, count: number): Value {
  const pairs = count >> 1;
  const { shape } = odd.type;
  const column = [...shape.slice(0, axis + 1), one, ...shape.slice(axis + 1)];
  const columns = [takeAlong(e, even, axis, 0, pairs, 1), odd].map((v) => e.reshape(v, column));
  const both = e.apply('concatenate', columns, { axis: axis + 1 });
  const flat = e.reshape(
    both,
    shape.map((dim, i) => (i === axis ? int(2 * pairs) : dim)),
  );
  if (count % 2 === 0) return flat;
  return e.apply('concatenate', [flat, takeAlong(e, even, axis, pairs, pairs + 1, 1)], { axis });
}

function scanByDoubling(e: Emitter, scanned: Scanned, xs: Leaves, length: Int): Leaves {
  const state = e.context.rebuild(scanned.tree, xs);
  const step = native('step', (outer, [index, before]) => {
    const [i] = leavesOf(outer, [index!]);
    const distance = outer.apply('shift_left', [outer.fill(1, 'i32'), i!]);
    const isInside = outer.apply('lt', [distance, outer.dim(length, 'i32')]);
    const double = native('double', (e, [tree]) => {
      const values = leavesOf(e, [tree!]);
      return e.context.rebuild(
        scanned.tree,
        combineAtDistance(e, scanned, values, distance, length),
      );
    });
    const keep = native('keep', (_, [tree]) => tree!);
    const sides = [double, keep].map((f) => traceRegion(outer, f, [before!]));
    const { funcs, captured } = shareCaptured(sides);
    const operands = [isInside, ...sides[0]!.operands, ...captured];
    return outer.context.rebuild(scanned.tree, outer.applyAll('cond', operands, {}, funcs));
  });
  const region = traceRegion(e, step, [e.tensor(e.fill(0, 'i32')), state]);
  return e.applyAll(
    'scan',
    [...xs, ...region.captured],
    { carries: xs.length, sequences: 0, length: int(mostSteps), reverse: false },
    [region.func],
  );
}

/** Every place from `distance` on combined with the one so far before it. */
function combineAtDistance(
  e: Emitter,
  scanned: Scanned,
  xs: Leaves,
  distance: Value,
  length: Int,
): Leaves {
  const place = e.apply('iota', [], { dtype: 'i32', shape: [length], axis: 0 });
  const far = e.broadcast(distance, [length], []);
  const source = e.apply('sub', [place, far]);
  const start = e.apply('max', [source, e.fill(0, 'i32', [length])]);
  const earlier = xs.map((x, i) => {
    const axis = scanned.axes[i]!;
    const taken = e.apply('gather', [x, start], { axes: [axis] });
    // the index comes in front
    const order = range(x.type.shape.length).map((k) => (k === axis ? 0 : k < axis ? k + 1 : k));
    return e.permute(taken, order);
  });
  const combined = combine(e, scanned, earlier, xs);
  const isFar = e.apply('ge', [place, far]);
  return xs.map((x, i) => {
    const mask = e.broadcast(isFar, x.type.shape, [scanned.axes[i]!]);
    return e.apply('select', [mask, combined[i]!, x]);
  });
}

export const associativeScan: readonly Intrinsic[] = [
  intrinsic(
    'associative_scan',
    [
      required('f'),
      required('xs'),
      optional('axis', intTerm(0)),
      optional('reverse', { kind: 'boolean', value: false }),
    ],
    'Prefixes of xs along an axis combined by an associative `f(a, b)`, which takes and gives many places at once: in ' +
      'steps that grow as the logarithm of the length.',
    scanAssociatively,
  ),
];
