/**
 * Symbolic integers as Metal expressions of type int (or long, for buffers of 2^31 elements and more).
 *
 *   i*N + j            ->  i * params.N + j
 *   D/H (exact)        ->  params.D / params.H
 *   N^2/2 + N/2        ->  (params.N * params.N + params.N) / 2      one division: the terms need not be whole alone
 *   floordiv(i, 2)     ->  i / 2                                     when i >= 0 is proved, mlxc::floor_div(i, 2) otherwise
 */
import type { Atom, Int, Power, Term } from '../symbolic/integer.ts';
import { isNonNegative } from '../symbolic/integer.ts';
import { atom, call, infix, level, type Text, within } from '../to-c/precedence.ts';

export interface IntegerContext {
  /** The Metal name of a variable: a local, or a field of the params. */
  readonly integerName: (name: string) => string;
  /** Told each helper in use. */
  readonly need: (helper: string) => void;
  /** Indices are long. */
  readonly isLong: boolean;
}

interface SignedText {
  readonly isNegative: boolean;
  readonly magnitude: Text;
}

export function emitInteger(value: Int, context: IntegerContext): Text {
  const fractional = value.terms.filter((t) => !isWhole(t));
  const whole = value.terms.filter(isWhole);
  const parts: SignedText[] = [];
  if (fractional.length > 0) parts.push(emitQuotient(fractional, context));
  // the constant comes last, as people write it
  for (const term of whole) if (term.powers.length > 0) parts.push(emitTerm(term, context));
  for (const term of whole) if (term.powers.length === 0) parts.push(emitTerm(term, context));
  return joinSum(parts, context);
}

function constant(value: number, context: IntegerContext): Text {
  return atom(context.isLong ? `${value}l` : `${value}`);
}

function isWhole(term: Term): boolean {
  return term.denominator === 1 && term.powers.every((p) => p.exponent > 0);
}

function joinSum(parts: readonly SignedText[], context: IntegerContext): Text {
  // a positive part first saves a minus sign
  const first = Math.max(
    0,
    parts.findIndex((p) => !p.isNegative),
  );
  const head = parts[first];
  if (head === undefined) return constant(0, context);
  let result: Text = head.isNegative
    ? { text: `-${within(head.magnitude, level.unary)}`, precedence: level.unary }
    : head.magnitude;
  for (const part of parts.filter((p) => p !== head)) {
    result = infix(result, part.isNegative ? '-' : '+', part.magnitude, level.sum);
  }
  return result;
}

function emitTerm(term: Term, context: IntegerContext): SignedText {
  const factors = emitPowers(term.powers, context);
  const size = Math.abs(term.numerator);
  if (factors.length === 0 || size !== 1) factors.push(constant(size, context));
  return { isNegative: term.numerator < 0, magnitude: multiply(factors) };
}

function multiply(factors: readonly Text[]): Text {
  return factors.reduce((left, right) => infix(left, '*', right, level.product));
}

function emitPowers(powers: readonly Power[], context: IntegerContext): Text[] {
  return powers.flatMap(({ atom: base, exponent }) =>
    Array.from({ length: Math.max(0, exponent) }, () => emitAtom(base, context)),
  );
}

/** Terms over their common denominator, divided once: exact as a whole even where single terms are not. */
function emitQuotient(terms: readonly Term[], context: IntegerContext): SignedText {
  let denominator = 1;
  const below = new Map<string, Power>();
  for (const term of terms) {
    denominator = leastCommonMultiple(denominator, term.denominator);
    for (const { atom: base, exponent } of term.powers) {
      const before = below.get(base.key)?.exponent ?? 0;
      if (-exponent > before) below.set(base.key, { atom: base, exponent: -exponent });
    }
  }
  const numerators = terms.map((term) => {
    const raised = new Map(below);
    for (const { atom: base, exponent } of term.powers) {
      const total = (below.get(base.key)?.exponent ?? 0) + exponent;
      if (total === 0) raised.delete(base.key);
      else raised.set(base.key, { atom: base, exponent: total });
    }
    const numerator = term.numerator * (denominator / term.denominator);
    const powers = [...raised.values()];
    return emitTerm({ numerator, denominator: 1, powers, monomial: '' }, context);
  });
  const divisors = emitPowers([...below.values()], context);
  if (denominator !== 1) divisors.push(constant(denominator, context));
  const only = numerators.length === 1 ? numerators[0] : undefined;
  const dividend = only === undefined ? joinSum(numerators, context) : only.magnitude;
  // the quotient is exact, so its parts may be multiplied in any order outside it, but not inside
  const magnitude = infix(dividend, '/', multiply(divisors), level.product);
  return { isNegative: only?.isNegative ?? false, magnitude };
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

function emitAtom(value: Atom, context: IntegerContext): Text {
  if (value.kind === 'variable') return atom(context.integerName(value.name));
  const left = emitInteger(value.left, context);
  const right = emitInteger(value.right, context);
  switch (value.kind) {
    case 'floordiv':
      // parentheses stay inside products: 4 * (i / 4) is not 4 * i / 4
      if (isNonNegative(value.left))
        return atom(`(${infix(left, '/', right, level.product).text})`);
      context.need('floor_div');
      return call('mlxc::floor_div', [left, right]);
    case 'mod':
      if (isNonNegative(value.left))
        return atom(`(${infix(left, '%', right, level.product).text})`);
      context.need('rem');
      return call('mlxc::rem', [left, right]);
    case 'min':
      return call('metal::min', [left, right]);
    case 'max':
      return call('metal::max', [left, right]);
  }
}
