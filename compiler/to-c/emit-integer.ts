/**
 * Symbolic integers as int64_t arithmetic.
 *
 *   i*N + j            ->  i * N + j
 *   D/H (exact)        ->  D / H
 *   N^2/2 + N/2        ->  (N * N + N) / 2        one division: the terms need not be whole on their own
 *   floordiv(i, 3)     ->  i / 3                  when i >= 0 is proved, floor_div_i64(i, 3) otherwise
 */
import type { Atom, Int, Power, Term } from '../symbolic/integer.ts';
import { constantValue, isNonNegative } from '../symbolic/integer.ts';
import { call, infix, level, type Text, within } from './precedence.ts';

/** Gives the C name of a variable. */
export type NameOf = (name: string) => string;

export function emitInteger(value: Int, nameOf: NameOf): Text {
  const whole: Term[] = [];
  const fractional: Term[] = [];
  for (const term of value.terms) (isWhole(term) ? whole : fractional).push(term);
  const parts: SignedText[] = [];
  if (fractional.length > 0) parts.push(emitQuotient(fractional, nameOf));
  // strides first, then plain indices, then the constant: row * N + i + 1
  const rank = (term: Term): number =>
    term.powers.length === 0 ? 2 : term.powers.length > 1 || term.numerator !== 1 ? 0 : 1;
  for (const wanted of [0, 1, 2]) {
    for (const term of whole) if (rank(term) === wanted) parts.push(emitTerm(term, nameOf));
  }
  return joinSum(parts);
}

interface SignedText {
  readonly isNegative: boolean;
  readonly magnitude: Text;
}

function isWhole(term: Term): boolean {
  return term.denominator === 1 && term.powers.every((p) => p.exponent > 0);
}

function joinSum(parts: readonly SignedText[]): Text {
  if (parts.length === 0) return { text: '0', precedence: level.atom };
  // a positive part first saves a minus sign
  const first = Math.max(
    0,
    parts.findIndex((p) => !p.isNegative),
  );
  const ordered = [parts[first]!, ...parts.filter((_, i) => i !== first)];
  const head = ordered[0]!;
  let result: Text = head.isNegative
    ? { text: `-${within(head.magnitude, level.unary)}`, precedence: level.unary }
    : head.magnitude;
  for (const part of ordered.slice(1)) {
    result = infix(result, part.isNegative ? '-' : '+', part.magnitude, level.sum);
  }
  return result;
}

function emitTerm(term: Term, nameOf: NameOf): SignedText {
  const factors = emitPowers(term.powers, nameOf);
  const size = Math.abs(term.numerator);
  if (size !== 1 || factors.length === 0) {
    const constant = { text: `${size}`, precedence: level.atom };
    if (factors.length === 0) factors.push(constant);
    else factors.unshift(constant);
  }
  return { isNegative: term.numerator < 0, magnitude: multiply(factors) };
}

function multiply(factors: readonly Text[]): Text {
  return factors.reduce((left, right) => infix(left, '*', right, level.product));
}

function emitPowers(powers: readonly Power[], nameOf: NameOf): Text[] {
  // dims first, then loop variables: `N*i` reads as an offset; repeated factors for powers
  const factors: Text[] = [];
  for (const { atom, exponent } of powers) {
    for (let i = 0; i < exponent; i++) factors.push(emitAtom(atom, nameOf));
  }
  return factors;
}

/** Terms over their common denominator, divided once: exact as a whole even where single terms are not. */
function emitQuotient(terms: readonly Term[], nameOf: NameOf): SignedText {
  let constant = 1;
  const below = new Map<string, Power>();
  for (const term of terms) {
    constant = leastCommonMultiple(constant, term.denominator);
    for (const power of term.powers) {
      const before = below.get(power.atom.key)?.exponent ?? 0;
      if (-power.exponent > before) {
        below.set(power.atom.key, { atom: power.atom, exponent: -power.exponent });
      }
    }
  }
  const numerators = terms.map((term): SignedText => {
    const raised = new Map(below);
    for (const power of term.powers) {
      const exponent = (below.get(power.atom.key)?.exponent ?? 0) + power.exponent;
      if (exponent === 0) raised.delete(power.atom.key);
      else raised.set(power.atom.key, { atom: power.atom, exponent });
    }
    const numerator = term.numerator * (constant / term.denominator);
    return emitTerm(
      { numerator, denominator: 1, powers: [...raised.values()], monomial: '' },
      nameOf,
    );
  });
  const divisors = emitPowers([...below.values()], nameOf);
  if (constant !== 1) divisors.unshift({ text: `${constant}`, precedence: level.atom });
  // a single negative term: the sign goes in front of the quotient
  const only = numerators.length === 1 ? numerators[0]! : undefined;
  const dividend = only === undefined ? joinSum(numerators) : only.magnitude;
  const magnitude = infix(dividend, '/', multiply(divisors), level.product);
  return { isNegative: only?.isNegative ?? false, magnitude };
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

function emitAtom(atom: Atom, nameOf: NameOf): Text {
  if (atom.kind === 'variable') return { text: nameOf(atom.name), precedence: level.atom };
  const left = emitInteger(atom.left, nameOf);
  const right = emitInteger(atom.right, nameOf);
  switch (atom.kind) {
    case 'floordiv':
      return isNonNegative(atom.left)
        ? parenthesised(infix(left, '/', right, level.product))
        : (shifted(left, '>>', powerOfTwo(atom.right)) ?? call('floor_div_i64', [left, right]));
    case 'mod':
      return isNonNegative(atom.left)
        ? parenthesised(infix(left, '%', right, level.product))
        : (shifted(left, '&', powerOfTwo(atom.right)) ?? call('rem_i64', [left, right]));
    case 'min':
      return call('min_i64', [left, right]);
    case 'max':
      return call('max_i64', [left, right]);
  }
}

/** k where the divisor is 2^k. */
function powerOfTwo(divisor: Int): number | undefined {
  const value = constantValue(divisor);
  const exponent = value === undefined ? Number.NaN : Math.log2(value);
  return Number.isInteger(exponent) ? exponent : undefined;
}

/** Rounding to minus infinity without a branch: compilers move it out of loops. */
function shifted(left: Text, operator: '>>' | '&', exponent: number | undefined): Text | undefined {
  if (exponent === undefined) return undefined;
  const right = operator === '>>' ? exponent : 2 ** exponent - 1;
  return { text: `((${left.text}) ${operator} ${right})`, precedence: level.atom };
}

/** A rounding division inside a product must keep its parentheses: 4 * (i / 4) is not 4 * i / 4. */
function parenthesised(value: Text): Text {
  return { text: `(${value.text})`, precedence: level.atom };
}
