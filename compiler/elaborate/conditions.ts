/**
 * What must hold of the dims: facts that `where` clauses state, and guards that stay for the plan because nothing
 * proves them. Dims are at least 0 here (an empty batch is legal), so `N - 1 >= 0` is a guard.
 */

import type { Span } from '../diagnostics/span.ts';
import {
  type Atom,
  add,
  constantValue,
  dimVariable,
  divideExact,
  type Int,
  isDivisible,
  isNonNegative,
  multiply,
  one,
  print,
  substitute,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import type { Guard } from '../tensor-ir/program.ts';

export type Verdict = 'proved' | 'refuted' | 'open';

/** `count` reads at run-time indices along an axis: unless there are none, the axis has an element. */
export interface IndexedRead {
  readonly size: Int;
  readonly count: Int;
  readonly span: Span;
}

export class Conditions {
  readonly guards: Guard[] = [];
  /** What is left open of reads at run-time indices, counted within these conditions. */
  readonly reads: IndexedRead[] = [];
  /** How often the loops around this place run what stands in them. */
  private trips: Int = one;
  private readonly seen = new Set<string>();
  private readonly divisible: { readonly left: Int; readonly right: Int }[];
  private readonly nonNegative: Int[];
  private readonly equal: Int[];

  /** Starts without guards and with the facts of `from`. */
  constructor(from?: Conditions) {
    this.divisible = from === undefined ? [] : [...from.divisible];
    this.nonNegative = from === undefined ? [] : [...from.nonNegative];
    this.equal = from === undefined ? [] : [...from.equal];
  }

  /** Names what is assumed: instances made under equal facts can be shared. */
  get key(): string {
    return [
      ...this.divisible.map((f) => `${f.left.key}%${f.right.key}`),
      ...this.nonNegative.map((f) => `${f.key}>=0`),
      ...this.equal.map((f) => `${f.key}=0`),
    ].join(',');
  }

  /** Takes the condition of a guard as given from here on. */
  assume({ relation, left, right }: Pick<Guard, 'relation' | 'left' | 'right'>): void {
    if (relation === 'divisible') this.divisible.push({ left, right });
    else if (relation === 'at-least') this.nonNegative.push(subtract(left, right));
    else this.equal.push(subtract(left, right));
  }

  /** Keeps a guard for the plan, once. */
  record(guard: Guard): void {
    const key =
      guard.relation === 'divisible'
        ? `${guard.left.key}|${guard.right.key}`
        : `${guard.relation}|${subtract(guard.left, guard.right).key}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.guards.push(guard);
  }

  /** Keeps a condition of a read for the plan, unless it is proved; `refuted` if it cannot hold. */
  read({ size, count, span }: IndexedRead): Verdict {
    const total = multiply(count, this.trips);
    // as many elements as reads, or a fraction of them: without elements nothing is read
    if (total === zero || (constantValue(total) === undefined && isDivisible(total, size))) {
      return 'proved';
    }
    const verdict = this.judge({ relation: 'at-least', left: size, right: one });
    if (verdict === 'proved' || (verdict === 'refuted' && constantValue(total) !== undefined)) {
      return verdict;
    }
    const key = `read|${size.key}|${total.key}`;
    if (!this.seen.has(key)) this.reads.push({ size, count: total, span });
    this.seen.add(key);
    return 'open';
  }

  /** Runs `body` with its reads counted `trips` times. */
  repeated<T>(trips: Int, body: () => T): T {
    const outer = this.trips;
    this.trips = multiply(outer, trips);
    try {
      return body();
    } finally {
      this.trips = outer;
    }
  }

  /** All that the plan checks. */
  get forPlan(): readonly Guard[] {
    return [...this.guards, ...this.reads.map(guardOfRead)];
  }

  judge({ relation, left, right }: Pick<Guard, 'relation' | 'left' | 'right'>): Verdict {
    if (relation === 'divisible') return this.judgeDivisible(left, right);
    const difference = subtract(left, right);
    return relation === 'equal' ? this.judgeZero(difference) : this.judgeNonNegative(difference);
  }

  private judgeZero(difference: Int): Verdict {
    if (difference === zero) return 'proved';
    for (const fact of this.equal) {
      if (fact === difference || add(fact, difference) === zero) return 'proved';
    }
    return isRefutedAsZero(difference) ? 'refuted' : 'open';
  }

  private judgeNonNegative(difference: Int): Verdict {
    const known = constantValue(difference);
    if (known !== undefined) return known >= 0 ? 'proved' : 'refuted';
    if (isNonNegativeFromZero(difference)) return 'proved';
    for (const fact of this.nonNegative) {
      if (isNonNegativeFromZero(subtract(difference, fact))) return 'proved';
    }
    // at most -1 whatever the dims are
    if (isNonNegativeFromZero(subtract(zero, add(difference, one)))) return 'refuted';
    return 'open';
  }

  private judgeDivisible(left: Int, right: Int): Verdict {
    const a = constantValue(left);
    const b = constantValue(right);
    if (b === 0) return 'refuted';
    if (a !== undefined && b !== undefined) return a % b === 0 ? 'proved' : 'refuted';
    if (isDivisible(left, right)) return 'proved';
    for (const fact of this.divisible) {
      if (fact.right !== right && !isDivisible(fact.right, right)) continue;
      const factor = divideExact(left, fact.left);
      if (factor !== undefined && isDivisible(left, fact.left)) return 'proved';
    }
    return 'open';
  }
}

/** `size >= min(1, count)`: for a count that may be 0 the same as `count * size >= count`. */
export function guardOfRead({ size, count, span }: IndexedRead): Guard {
  const needs = `reading at run-time indices needs ${print(size)} >= 1`;
  if (constantValue(count) !== undefined) {
    return { relation: 'at-least', left: size, right: one, message: needs, span };
  }
  const message = `${needs} unless ${print(count)} == 0`;
  return { relation: 'at-least', left: multiply(count, size), right: count, message, span };
}

/** a >= 0 for all dims >= 0 (`isNonNegative` takes dims to be at least 1). */
function isNonNegativeFromZero(a: Int): boolean {
  if (isPlainlyNonNegative(a)) return true;
  // dims that divide are at least 1: with the quotients multiplied out, the sign is that of a polynomial
  const divisors = new Set<string>();
  let whole = a;
  for (const { atom, exponent } of a.terms.flatMap((t) => t.powers)) {
    if (exponent > 0) continue;
    if (atom.kind !== 'variable') return false;
    divisors.add(atom.name);
  }
  for (const name of divisors) {
    const powers = whole.terms.flatMap((t) => t.powers).filter((p) => p.atom.key === name);
    const lowest = Math.min(0, ...powers.map((p) => p.exponent));
    for (let i = lowest; i < 0; i++) whole = multiply(whole, dimVariable(name));
  }
  return isNonNegative(
    substitute(whole, (v) =>
      v.extent === undefined && !divisors.has(v.name)
        ? subtract(dimVariable(v.name), one)
        : undefined,
    ),
  );
}

/** A sum of products of what is never negative. */
function isPlainlyNonNegative(a: Int): boolean {
  return a.terms.every((t) => t.numerator >= 0 && t.powers.every((p) => isAtomNonNegative(p.atom)));
}

function isAtomNonNegative(atom: Atom): boolean {
  switch (atom.kind) {
    case 'variable':
    case 'mod':
      return true;
    case 'floordiv':
      return isPlainlyNonNegative(atom.left);
    case 'min':
      return isPlainlyNonNegative(atom.left) && isPlainlyNonNegative(atom.right);
    case 'max':
      return isPlainlyNonNegative(atom.left) || isPlainlyNonNegative(atom.right);
  }
}

/** Two polynomials that differ are different sizes; only roundings and quotients can make them agree by chance. */
function isRefutedAsZero(difference: Int): boolean {
  return difference.terms.every(
    (t) =>
      t.denominator === 1 && t.powers.every((p) => p.exponent > 0 && p.atom.kind === 'variable'),
  );
}

/** The condition in the user's terms: `D % H == 0`. */
export function showCondition({
  relation,
  left,
  right,
}: Pick<Guard, 'relation' | 'left' | 'right'>): string {
  switch (relation) {
    case 'equal':
      return `${print(left)} == ${print(right)}`;
    case 'at-least':
      return `${print(left)} >= ${print(right)}`;
    case 'divisible':
      return `${print(left)} % ${print(right)} == 0`;
  }
}
