/**
 * Symbolic integers: the one algebra behind tensor dims, index maps and buffer sizes.
 *
 * An `Int` is a polynomial in normal form: a sum of terms, each a rational coefficient times powers of atoms.
 *
 *   Int   ::= Term + ... + Term                      (no term: the integer 0)
 *   Term  ::= numerator/denominator * atom^n * ...
 *   Atom  ::= variable | floordiv(Int, Int) | mod(Int, Int) | min(Int, Int) | max(Int, Int)
 *
 * Denominators and negative exponents come from exact division only (`D/H` where `D % H == 0` is stated or
 * guarded), so `B*H*(D/H)` is `B*D` without any rewriting. Values are interned: equal polynomials are the same
 * object and `===` decides equality.
 *
 * A variable is a dim (fixed for one call, at least 1 inside a loop that runs) or an index with a known extent
 * (0 <= i < extent). The simplifier uses these ranges to resolve divisions: see `floordiv`.
 */

export interface Variable {
  readonly kind: 'variable';
  readonly name: string;
  /** Present on loop indices: the value is in [0, extent). Absent on dims. */
  readonly extent?: Int;
  readonly key: string;
}

export interface BinaryAtom {
  readonly kind: 'floordiv' | 'mod' | 'min' | 'max';
  readonly left: Int;
  readonly right: Int;
  readonly key: string;
}

export type Atom = Variable | BinaryAtom;

export interface Power {
  readonly atom: Atom;
  readonly exponent: number;
}

export interface Term {
  readonly numerator: number;
  readonly denominator: number;
  readonly powers: readonly Power[];
  /** The key of the powers alone: terms with the same monomial add up. */
  readonly monomial: string;
}

export interface Int {
  readonly terms: readonly Term[];
  readonly key: string;
}

// ---------------------------------------------------------------------------------------------------------
// Construction and interning

const interned = new Map<string, Int>();
const smallConstants: Int[] = [];

function gcd(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

function termKey(term: Term): string {
  const fraction =
    term.denominator === 1 ? `${term.numerator}` : `${term.numerator}/${term.denominator}`;
  return term.monomial === '' ? fraction : `${fraction}*${term.monomial}`;
}

function makeTerm(numerator: number, denominator: number, powers: readonly Power[]): Term {
  const divisor = gcd(numerator, denominator) || 1;
  const sign = denominator < 0 ? -1 : 1;
  return {
    numerator: (sign * numerator) / divisor,
    denominator: (sign * denominator) / divisor,
    powers,
    monomial: powers
      .map((p) => (p.exponent === 1 ? p.atom.key : `${p.atom.key}^${p.exponent}`))
      .join('*'),
  };
}

/** Sums terms with equal monomials, drops zeros, sorts by monomial and interns. */
function fromTerms(terms: readonly Term[]): Int {
  let list: Term[];
  if (terms.length <= 1) {
    list = terms.filter((t) => t.numerator !== 0);
  } else {
    const byMonomial = new Map<string, Term>();
    for (const term of terms) {
      const before = byMonomial.get(term.monomial);
      if (before === undefined) byMonomial.set(term.monomial, term);
      else {
        const numerator = before.numerator * term.denominator + term.numerator * before.denominator;
        byMonomial.set(
          term.monomial,
          makeTerm(numerator, before.denominator * term.denominator, term.powers),
        );
      }
    }
    list = [...byMonomial.values()].filter((t) => t.numerator !== 0);
    list.sort((a, b) => (a.monomial < b.monomial ? -1 : a.monomial > b.monomial ? 1 : 0));
  }
  return internTerms(list);
}

function internTerms(list: readonly Term[]): Int {
  const key = list.length === 0 ? '0' : list.map(termKey).join(' + ');
  let value = interned.get(key);
  if (value === undefined) {
    value = { terms: list, key };
    interned.set(key, value);
  }
  return value;
}

/** The integer `value`. */
export function int(value: number): Int {
  if (value >= 0 && value < 4096) {
    let small = smallConstants[value];
    if (small === undefined) {
      small = internTerms(value === 0 ? [] : [makeTerm(value, 1, [])]);
      smallConstants[value] = small;
    }
    return small;
  }
  return internTerms([makeTerm(value, 1, [])]);
}

export const zero: Int = int(0);
export const one: Int = int(1);

function fromAtom(atom: Atom): Int {
  return internTerms([makeTerm(1, 1, [{ atom, exponent: 1 }])]);
}

/** A dim variable: one unknown size, the same everywhere in a program. */
export function dimVariable(name: string): Int {
  return fromAtom({ kind: 'variable', name, key: name });
}

/** A loop index or a run-time index, known to satisfy 0 <= name < extent. Names are unique in a kernel. */
export function indexVariable(name: string, extent: Int): Int {
  return fromAtom({ kind: 'variable', name, extent, key: `$${name}<${extent.key}>` });
}

/** The constant value, or undefined when the integer is symbolic. */
export function constantValue(a: Int): number | undefined {
  if (a.terms.length === 0) return 0;
  const term = a.terms[0]!;
  if (a.terms.length > 1 || term.powers.length > 0 || term.denominator !== 1) return undefined;
  return term.numerator;
}

/** The variable that this integer is, or undefined when it is anything else. */
export function asVariable(a: Int): Variable | undefined {
  if (a.terms.length !== 1) return undefined;
  const { numerator, denominator, powers } = a.terms[0]!;
  if (numerator !== 1 || denominator !== 1 || powers.length !== 1) return undefined;
  const { atom, exponent } = powers[0]!;
  return exponent === 1 && atom.kind === 'variable' ? atom : undefined;
}

// ---------------------------------------------------------------------------------------------------------
// Arithmetic

/** Results by operands: index arithmetic asks for the same sums and products over and over. */
type Memo = Map<Int, Map<Int, Int>>;
const sums: Memo = new Map();
const products: Memo = new Map();

function memoized(memo: Memo, a: Int, b: Int, compute: (a: Int, b: Int) => Int): Int {
  let row = memo.get(a);
  if (row === undefined) {
    row = new Map();
    memo.set(a, row);
  }
  let result = row.get(b);
  if (result === undefined) {
    result = compute(a, b);
    row.set(b, result);
  }
  return result;
}

export function add(a: Int, b: Int): Int {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  return memoized(sums, a, b, computeSum);
}

function computeSum(a: Int, b: Int): Int {
  return rejoinRemainders(fromTerms([...a.terms, ...b.terms]));
}

export function negate(a: Int): Int {
  return internTerms(a.terms.map((t) => makeTerm(-t.numerator, t.denominator, t.powers)));
}

export function subtract(a: Int, b: Int): Int {
  return a === b ? zero : add(a, negate(b));
}

function multiplyPowers(a: readonly Power[], b: readonly Power[]): readonly Power[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const byAtom = new Map<string, Power>();
  for (const power of [...a, ...b]) {
    const before = byAtom.get(power.atom.key);
    const exponent = (before?.exponent ?? 0) + power.exponent;
    byAtom.set(power.atom.key, { atom: power.atom, exponent });
  }
  return [...byAtom.values()]
    .filter((p) => p.exponent !== 0)
    .sort((x, y) => (x.atom.key < y.atom.key ? -1 : 1));
}

function multiplyTerms(a: Term, b: Term): Term {
  return makeTerm(
    a.numerator * b.numerator,
    a.denominator * b.denominator,
    multiplyPowers(a.powers, b.powers),
  );
}

export function multiply(a: Int, b: Int): Int {
  if (a === one) return b;
  if (b === one) return a;
  if (a === zero || b === zero) return zero;
  return memoized(products, a, b, computeProduct);
}

function computeProduct(a: Int, b: Int): Int {
  const terms: Term[] = [];
  for (const x of a.terms) for (const y of b.terms) terms.push(multiplyTerms(x, y));
  return rejoinRemainders(fromTerms(terms));
}

export function sum(values: readonly Int[]): Int {
  return values.reduce(add, zero);
}

export function product(values: readonly Int[]): Int {
  return values.reduce(multiply, one);
}

function inverseTerm(term: Term): Term {
  return makeTerm(
    term.denominator,
    term.numerator,
    term.powers.map((p) => ({ atom: p.atom, exponent: -p.exponent })),
  );
}

/**
 * a / b for callers that know (or guard) that the division is exact. Undefined when `b` has several terms and
 * does not divide `a` as a polynomial; the caller then falls back to `floordiv` under a guard.
 */
export function divideExact(a: Int, b: Int): Int | undefined {
  if (a === zero) return zero;
  if (a === b) return one;
  if (b.terms.length === 0) return undefined;
  if (b.terms.length === 1) {
    const inverse = inverseTerm(b.terms[0]!);
    return fromTerms(a.terms.map((t) => multiplyTerms(t, inverse)));
  }
  return dividePolynomial(a, b);
}

/** Long division by the leading term; succeeds only without remainder. */
function dividePolynomial(a: Int, b: Int): Int | undefined {
  const lead = inverseTerm(b.terms[b.terms.length - 1]!);
  let rest = a;
  let quotient = zero;
  for (let step = 0; step < 32; step++) {
    if (rest === zero) return quotient;
    const term = multiplyTerms(rest.terms[rest.terms.length - 1]!, lead);
    if (!isWholeTerm(term)) return undefined;
    const partial = fromTerms([term]);
    quotient = add(quotient, partial);
    rest = subtract(rest, multiply(partial, b));
  }
  return undefined;
}

function isWholeTerm(term: Term): boolean {
  return term.denominator === 1 && term.powers.every((p) => p.exponent > 0);
}

/** True when `a / b` is an integer polynomial whatever the variables are. */
export function isDivisible(a: Int, b: Int): boolean {
  const quotient = divideExact(a, b);
  return quotient?.terms.every(isWholeTerm) ?? false;
}

function binaryAtom(kind: BinaryAtom['kind'], left: Int, right: Int): Int {
  return fromAtom({ kind, left, right, key: `${kind}(${left.key}, ${right.key})` });
}

/** Splits `a` into (quotient, rest) with a = quotient*b + rest, taking every term that b divides as it stands. */
function splitDivisible(a: Int, b: Int): { quotient: Int; rest: Int } {
  if (b.terms.length !== 1) {
    const quotient = dividePolynomial(a, b);
    return quotient === undefined ? { quotient: zero, rest: a } : { quotient, rest: zero };
  }
  const inverse = inverseTerm(b.terms[0]!);
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const term of a.terms) {
    const divided = multiplyTerms(term, inverse);
    if (isWholeTerm(divided)) whole.push(divided);
    else if (term.powers.length === 0 && b.terms[0]!.powers.length === 0) {
      // a constant part: 37 = 4*8 + 5
      const divisor = b.terms[0]!.numerator;
      const q = Math.floor(term.numerator / divisor);
      if (q !== 0) whole.push(makeTerm(q, 1, []));
      rest.push(makeTerm(term.numerator - q * divisor, 1, []));
    } else rest.push(term);
  }
  return { quotient: fromTerms(whole), rest: fromTerms(rest) };
}

/** The greatest monomial that divides every term of both: a common factor to cancel. */
function commonFactor(a: Int, b: Int): Int {
  const terms = [...a.terms, ...b.terms];
  if (terms.length === 0 || terms.some((t) => !isWholeTerm(t))) return one;
  let coefficient = 0;
  for (const t of terms) coefficient = gcd(coefficient, t.numerator);
  let powers = terms[0]!.powers;
  for (const t of terms) {
    powers = powers.flatMap((p) => {
      const other = t.powers.find((q) => q.atom.key === p.atom.key);
      if (other === undefined) return [];
      return [{ atom: p.atom, exponent: Math.min(p.exponent, other.exponent) }];
    });
  }
  return fromTerms([makeTerm(coefficient || 1, 1, powers)]);
}

/**
 * floor(a / b) for b > 0. Resolved where the ranges allow: (i*N + j) / N is i when 0 <= j < N; nested
 * divisions merge; common factors cancel, also past a remainder that cannot reach the factor:
 * (c*x + y) / (c*b) is x / b when 0 <= y < c. Division by 0 occurs only under a loop over nothing and gives 0.
 */
export function floordiv(a: Int, b: Int): Int {
  if (b === one) return a;
  if (a === zero || b === zero) return zero;
  const divisor = constantValue(b);
  const dividend = constantValue(a);
  if (divisor !== undefined && dividend !== undefined && divisor !== 0) {
    return int(Math.floor(dividend / divisor));
  }
  const { quotient, rest } = splitDivisible(a, b);
  if (rest === zero || isInRange(rest, b)) return quotient;
  return add(quotient, floordivAtom(rest, b));
}

function floordivAtom(a: Int, b: Int): Int {
  const inner = singleAtom(a);
  if (inner?.kind === 'floordiv') return floordiv(inner.left, multiply(inner.right, b));
  if (b.terms.length === 1) {
    for (const factor of candidateFactors(b)) {
      const { quotient, rest } = splitDivisible(a, factor);
      if (quotient !== zero && (rest === zero || isInRange(rest, factor))) {
        return floordiv(quotient, divideExact(b, factor)!);
      }
    }
  }
  const common = commonFactor(a, b);
  if (common !== one) return floordiv(divideExact(a, common)!, divideExact(b, common)!);
  return binaryAtom('floordiv', a, b);
}

/** Factors of a monomial divisor worth trying, largest first. */
function candidateFactors(b: Int): readonly Int[] {
  const term = b.terms[0]!;
  if (!isWholeTerm(term)) return [];
  const factors: Int[] = [];
  for (const p of term.powers) {
    if (term.powers.length > 1 || term.numerator !== 1) {
      factors.push(fromTerms([makeTerm(1, 1, [{ atom: p.atom, exponent: p.exponent }])]));
      factors.push(
        fromTerms([
          makeTerm(
            term.numerator,
            1,
            term.powers.filter((q) => q !== p),
          ),
        ]),
      );
    }
  }
  const n = term.numerator;
  for (let f = 2; f * f <= n && f < 4096; f++) {
    if (n % f === 0) {
      factors.push(int(n / f));
      factors.push(int(f));
    }
  }
  if (term.powers.length > 0 && n > 1) factors.push(int(n));
  return factors.filter((f) => f !== one && f !== b);
}

function singleAtom(a: Int): Atom | undefined {
  const term = a.terms[0];
  if (a.terms.length !== 1 || term!.powers.length !== 1) return undefined;
  if (term!.numerator !== 1 || term!.denominator !== 1) return undefined;
  const power = term!.powers[0]!;
  return power.exponent === 1 ? power.atom : undefined;
}

/** a - b*floor(a / b) for b > 0; the sign of the result is that of the divisor. */
export function mod(a: Int, b: Int): Int {
  if (b === one || b === zero) return zero;
  const divisor = constantValue(b);
  const dividend = constantValue(a);
  if (divisor !== undefined && dividend !== undefined && divisor !== 0) {
    return int(dividend - divisor * Math.floor(dividend / divisor));
  }
  const { rest } = splitDivisible(a, b);
  if (rest === zero) return zero;
  if (isInRange(rest, b)) return rest;
  const inner = singleAtom(rest);
  if (inner?.kind === 'mod' && isDivisible(inner.right, b)) return mod(inner.left, b);
  const common = commonFactor(rest, b);
  if (common !== one) {
    return multiply(common, mod(divideExact(rest, common)!, divideExact(b, common)!));
  }
  return binaryAtom('mod', rest, b);
}

/** ceil(a / b) for b > 0. */
export function ceildiv(a: Int, b: Int): Int {
  return isDivisible(a, b) ? divideExact(a, b)! : floordiv(add(a, subtract(b, one)), b);
}

export function min(a: Int, b: Int): Int {
  if (a === b || isNonNegative(subtract(b, a))) return a;
  if (isNonNegative(subtract(a, b))) return b;
  return a.key < b.key ? binaryAtom('min', a, b) : binaryAtom('min', b, a);
}

export function max(a: Int, b: Int): Int {
  if (a === b || isNonNegative(subtract(a, b))) return a;
  if (isNonNegative(subtract(b, a))) return b;
  return a.key < b.key ? binaryAtom('max', a, b) : binaryAtom('max', b, a);
}

/** b*floordiv(r, b) + mod(r, b) is r again. */
function rejoinRemainders(a: Int): Int {
  let here: Map<string, string> | undefined;
  for (const term of a.terms) {
    const index = term.powers.findIndex((p) => p.atom.kind === 'mod' && p.exponent === 1);
    if (index < 0) continue;
    const remainder = term.powers[index]!.atom as BinaryAtom;
    const scale = fromTerms([
      makeTerm(
        term.numerator,
        term.denominator,
        term.powers.filter((_, i) => i !== index),
      ),
    ]);
    const quotient = floordiv(remainder.left, remainder.right);
    const partner = multiplyPlain(multiplyPlain(scale, remainder.right), quotient);
    here ??= new Map(a.terms.map((t) => [t.monomial, termKey(t)]));
    if (!partner.terms.every((t) => here!.get(t.monomial) === termKey(t))) continue;
    const drop = new Set([term.monomial, ...partner.terms.map((t) => t.monomial)]);
    const kept = fromTerms(a.terms.filter((t) => !drop.has(t.monomial)));
    return add(kept, multiply(scale, remainder.left));
  }
  return a;
}

function multiplyPlain(a: Int, b: Int): Int {
  return fromTerms(a.terms.flatMap((x) => b.terms.map((y) => multiplyTerms(x, y))));
}

// ---------------------------------------------------------------------------------------------------------
// Ranges

/** True when 0 <= a < b is proved from the extents of the indices; false means "not known". */
export function isInRange(a: Int, b: Int): boolean {
  return isNonNegative(a) && isNonNegative(subtract(subtract(b, one), a));
}

/**
 * True when a >= 0 is proved for all indices in their extents and all dims >= 1.
 * Linear occurrences of an index go to the end of the range that makes `a` smallest; then, with every dim d
 * written as d' + 1, all coefficients must be >= 0.
 */
export function isNonNegative(a: Int): boolean {
  const constant = constantValue(a);
  if (constant !== undefined) return constant >= 0;
  let proved = provedNonNegative.get(a);
  if (proved === undefined) {
    proved = proveNonNegative(a, 8, { steps: maxProofSteps });
    provedNonNegative.set(a, proved);
  }
  return proved;
}

/** Answers by interned polynomial: the same question comes up again and again. */
const provedNonNegative = new WeakMap<Int, boolean>();
/** Choices of which atom to bound multiply; past so many steps the answer is "not known". */
const maxProofSteps = 200;

function proveNonNegative(a: Int, depth: number, budget: { steps: number }): boolean {
  if (allCoefficientsNonNegative(a)) return true;
  budget.steps -= 1;
  if (depth === 0 || budget.steps < 0) return false;
  // Replace one bounded atom that occurs negatively by its upper bound.
  for (const term of a.terms) {
    if (term.numerator >= 0) continue;
    for (const power of term.powers) {
      if (power.exponent !== 1) continue;
      if (budget.steps < 0) return false;
      const upper = upperBound(power.atom);
      if (upper === undefined) continue;
      const bounded = replaceWhereLinear(a, power.atom, upper);
      if (bounded !== undefined && proveNonNegative(bounded, depth - 1, budget)) return true;
    }
  }
  return allCoefficientsNonNegative(shiftDims(a));
}

/** a with `atom` replaced by its upper bound, when every coefficient of the atom is <= 0; positive ones drop to 0. */
function replaceWhereLinear(a: Int, atom: Atom, upper: Int): Int | undefined {
  let coefficient = zero;
  const rest: Term[] = [];
  for (const term of a.terms) {
    const index = term.powers.findIndex((p) => p.atom.key === atom.key);
    if (index < 0) {
      rest.push(term);
      continue;
    }
    if (term.powers[index]!.exponent !== 1) return undefined;
    const others = term.powers.filter((_, i) => i !== index);
    coefficient = add(coefficient, fromTerms([makeTerm(term.numerator, term.denominator, others)]));
  }
  if (!isNonNegative(negate(coefficient))) return undefined;
  return add(fromTerms(rest), multiply(coefficient, upper));
}

function isAtomNonNegative(atom: Atom): boolean {
  switch (atom.kind) {
    case 'variable':
    case 'mod':
      return true;
    case 'floordiv':
      return isNonNegative(atom.left);
    case 'min':
      return isNonNegative(atom.left) && isNonNegative(atom.right);
    case 'max':
      return isNonNegative(atom.left) || isNonNegative(atom.right);
  }
}

/** The greatest value an atom can take, as an Int without that atom; undefined when unbounded. */
function upperBound(atom: Atom): Int | undefined {
  switch (atom.kind) {
    case 'variable':
      return atom.extent === undefined ? undefined : subtract(atom.extent, one);
    case 'mod':
      return subtract(atom.right, one);
    case 'floordiv': {
      const left = upperBoundOf(atom.left);
      if (left === undefined || left === atom.left) return undefined;
      const bound = floordiv(left, atom.right);
      return bound.terms.some((t) => t.powers.some((p) => p.atom.key === atom.key))
        ? undefined
        : bound;
    }
    case 'min':
      return atom.left;
    case 'max':
      return undefined;
  }
}

/** An upper bound in which loop indices no longer occur, or undefined. */
export function upperBoundOf(a: Int): Int | undefined {
  let bound = a;
  for (let round = 0; round < 16; round++) {
    const found = findBounded(bound);
    if (found === undefined) return namesIndex(bound) ? undefined : bound;
    const { atom, upper } = found;
    const raised = replaceWhereLinear(negate(bound), atom, upper);
    if (raised !== undefined) bound = negate(raised);
    else {
      const lowered = dropNegative(bound, atom);
      if (lowered === undefined) return undefined;
      bound = lowered;
    }
  }
  return undefined;
}

/** Does a loop index occur, if only inside a division? */
function namesIndex(a: Int): boolean {
  let found = false;
  forEachVariable(a, (v) => {
    found ||= v.extent !== undefined;
  });
  return found;
}

function findBounded(a: Int): { atom: Atom; upper: Int } | undefined {
  for (const term of a.terms) {
    for (const { atom } of term.powers) {
      if (atom.kind === 'variable' && atom.extent === undefined) continue;
      const upper = upperBound(atom);
      if (upper !== undefined) return { atom, upper };
    }
  }
  return undefined;
}

function dropNegative(a: Int, atom: Atom): Int | undefined {
  const rest: Term[] = [];
  for (const term of a.terms) {
    if (!term.powers.some((p) => p.atom.key === atom.key)) rest.push(term);
    else if (term.numerator > 0 || !term.powers.every((p) => isAtomNonNegative(p.atom))) {
      return undefined;
    }
  }
  return fromTerms(rest);
}

function allCoefficientsNonNegative(a: Int): boolean {
  return a.terms.every((t) => t.numerator >= 0 && t.powers.every((p) => isAtomNonNegative(p.atom)));
}

/** Past so many terms a shifted polynomial is not worth looking at. */
const maxShiftedTerms = 512;

/**
 * Every dim d becomes d' + 1, d' >= 0 (a dim inside a running loop is at least 1). Only where it stands as a
 * factor: what is inside a division keeps its d, and d' has a name of its own, because every simplification
 * takes a dim to be at least 1.
 */
function shiftDims(a: Int): Int {
  const shifted: Term[] = [];
  for (const term of a.terms) {
    let product = fromTerms([makeTerm(term.numerator, term.denominator, [])]);
    for (const power of term.powers) {
      const { atom, exponent } = power;
      const isDim = atom.kind === 'variable' && atom.extent === undefined;
      if (!isDim || exponent < 0) {
        product = multiplyPlain(product, fromTerms([makeTerm(1, 1, [power])]));
        continue;
      }
      const next = fromTerms([
        makeTerm(1, 1, [
          { atom: { ...atom, name: `${atom.name}'`, key: `${atom.key}'` }, exponent: 1 },
        ]),
        makeTerm(1, 1, []),
      ]);
      for (let i = 0; i < exponent; i++) {
        if (product.terms.length + shifted.length > maxShiftedTerms) return a;
        product = multiplyPlain(product, next);
      }
    }
    shifted.push(...product.terms);
  }
  return fromTerms(shifted);
}

// ---------------------------------------------------------------------------------------------------------
// Substitution, evaluation, traversal

/** Replaces variables; `replace` returns undefined for those that stay. */
export function substitute(a: Int, replace: (variable: Variable) => Int | undefined): Int {
  if (a.terms.every((t) => t.powers.length === 0)) return a;
  let changed = false;
  let result = zero;
  const untouched: Term[] = [];
  for (const term of a.terms) {
    let factor: Int | undefined;
    const kept: Power[] = [];
    for (const power of term.powers) {
      const replaced = substituteAtom(power.atom, replace);
      if (replaced === undefined) kept.push(power);
      else {
        const raised = raise(replaced, power.exponent);
        factor = factor === undefined ? raised : multiply(factor, raised);
      }
    }
    if (factor === undefined) untouched.push(term);
    else {
      changed = true;
      const rest = fromTerms([makeTerm(term.numerator, term.denominator, kept)]);
      result = add(result, multiply(rest, factor));
    }
  }
  return changed ? add(result, fromTerms(untouched)) : a;
}

function substituteAtom(atom: Atom, replace: (v: Variable) => Int | undefined): Int | undefined {
  if (atom.kind === 'variable') return replace(atom);
  const left = substitute(atom.left, replace);
  const right = substitute(atom.right, replace);
  if (left === atom.left && right === atom.right) return undefined;
  return applyBinary(atom.kind, left, right);
}

export function applyBinary(kind: BinaryAtom['kind'], left: Int, right: Int): Int {
  switch (kind) {
    case 'floordiv':
      return floordiv(left, right);
    case 'mod':
      return mod(left, right);
    case 'min':
      return min(left, right);
    case 'max':
      return max(left, right);
  }
}

function raise(a: Int, exponent: number): Int {
  if (exponent < 0) return divideExact(one, raise(a, -exponent)) ?? fail(a);
  let result = one;
  for (let i = 0; i < exponent; i++) result = multiply(result, a);
  return result;
}

function fail(a: Int): never {
  throw new RangeError(`cannot divide exactly by ${print(a)}`);
}

/**
 * The value under an assignment of all variables. Throws RangeError on an unknown variable, on an exact division by
 * zero and when an exact division turns out not to be exact.
 */
export function evaluate(a: Int, lookUp: (name: string) => number | undefined): number {
  let total = 0;
  let fraction = 0;
  for (const term of a.terms) {
    let numerator = term.numerator;
    let denominator = term.denominator;
    for (const { atom, exponent } of term.powers) {
      const value = evaluateAtom(atom, lookUp);
      for (let i = 0; i < exponent; i++) numerator *= value;
      for (let i = 0; i > exponent; i--) denominator *= value;
    }
    if (denominator === 0) throw new RangeError(`division by zero in ${print(a)}`);
    if (numerator % denominator === 0) total += numerator / denominator;
    else fraction += numerator / denominator;
  }
  const rounded = Math.round(fraction);
  if (Math.abs(rounded - fraction) > 1e-9) {
    throw new RangeError(`${print(a)} is not an integer here: a division leaves a remainder`);
  }
  return total + rounded;
}

function evaluateAtom(atom: Atom, lookUp: (name: string) => number | undefined): number {
  if (atom.kind === 'variable') {
    const value = lookUp(atom.name);
    if (value === undefined) throw new RangeError(`no value for ${atom.name}`);
    return value;
  }
  const left = evaluate(atom.left, lookUp);
  const right = evaluate(atom.right, lookUp);
  switch (atom.kind) {
    case 'floordiv':
    case 'mod': {
      // as where the divisor is written as 0: what is divided into nothing has no elements
      if (right === 0) return 0;
      const quotient = Math.floor(left / right);
      return atom.kind === 'floordiv' ? quotient : left - right * quotient;
    }
    case 'min':
      return Math.min(left, right);
    case 'max':
      return Math.max(left, right);
  }
}

/** Calls `visit` for every variable, also inside divisions. */
export function forEachVariable(a: Int, visit: (variable: Variable) => void): void {
  for (const term of a.terms) {
    for (const { atom } of term.powers) {
      if (atom.kind === 'variable') visit(atom);
      else {
        forEachVariable(atom.left, visit);
        forEachVariable(atom.right, visit);
      }
    }
  }
}

/** The names of all variables, in order of first occurrence. */
export function variableNames(a: Int): readonly string[] {
  const names = new Set<string>();
  forEachVariable(a, (v) => names.add(v.name));
  return [...names];
}

/** a = coefficient*variable + rest with neither containing the variable; undefined when not linear in it. */
export function linearIn(a: Int, name: string): { coefficient: Int; rest: Int } | undefined {
  const coefficient: Term[] = [];
  const rest: Term[] = [];
  for (const term of a.terms) {
    let found = -1;
    for (let i = 0; i < term.powers.length; i++) {
      const { atom, exponent } = term.powers[i]!;
      if (atom.kind === 'variable') {
        if (atom.name !== name) continue;
        if (exponent !== 1) return undefined;
        found = i;
      } else if (
        variableNames(atom.left).includes(name) ||
        variableNames(atom.right).includes(name)
      ) {
        return undefined;
      }
    }
    if (found < 0) rest.push(term);
    else {
      const others = term.powers.filter((_, i) => i !== found);
      coefficient.push(makeTerm(term.numerator, term.denominator, others));
    }
  }
  return { coefficient: fromTerms(coefficient), rest: fromTerms(rest) };
}

// ---------------------------------------------------------------------------------------------------------
// Printing

/** Reads as in the language: `2*N + K - 1`, `D/H`, `floordiv(N, 2)`; `parseInteger` reads it back. */
export function print(a: Int): string {
  if (a.terms.length === 0) return '0';
  // the constant, whose monomial sorts first, reads better at the end
  const ordered = [
    ...a.terms.filter((t) => t.powers.length > 0),
    ...a.terms.filter((t) => t.powers.length === 0),
  ];
  let text = '';
  ordered.forEach((term, i) => {
    const negative = term.numerator < 0;
    if (i > 0) text += negative ? ' - ' : ' + ';
    else if (negative) text += '-';
    text += printTerm(Math.abs(term.numerator), term.denominator, term.powers);
  });
  return text;
}

function printTerm(numerator: number, denominator: number, powers: readonly Power[]): string {
  const above: string[] = [];
  const below: string[] = [];
  for (const { atom, exponent } of powers) {
    const list = exponent > 0 ? above : below;
    for (let i = 0; i < Math.abs(exponent); i++) list.push(printAtom(atom));
  }
  if (numerator !== 1 || above.length === 0) above.unshift(`${numerator}`);
  if (denominator !== 1) below.unshift(`${denominator}`);
  return [above.join('*'), ...below].join('/');
}

function printAtom(atom: Atom): string {
  if (atom.kind === 'variable') return atom.name;
  return `${atom.kind}(${print(atom.left)}, ${print(atom.right)})`;
}
