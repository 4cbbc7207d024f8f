/**
 * Reads the text that `print` writes, back into an `Int`.
 *
 *   Sum     ::= '-'? Product (('+' | '-') Product)*
 *   Product ::= Factor (('*' | '/') Factor)*          '/' is exact division
 *   Factor  ::= digits | name | ('floordiv' | 'ceildiv' | 'mod' | 'min' | 'max') '(' Sum ',' Sum ')'
 *
 * The text may come from a bundle that somebody else wrote: its length, nesting and numbers are bounded.
 */
import {
  add,
  ceildiv,
  constantValue,
  dimVariable,
  divideExact,
  floordiv,
  type Int,
  int,
  max,
  min,
  mod,
  multiply,
  negate,
  zero,
} from './integer.ts';

const maxLength = 20_000;
const maxDepth = 32;
const maxFactors = 64;

const operations: ReadonlyMap<string, (left: Int, right: Int) => Int> = new Map([
  ['floordiv', floordiv],
  ['ceildiv', ceildiv],
  ['mod', mod],
  ['min', min],
  ['max', max],
]);
const divisions: ReadonlySet<string> = new Set(['floordiv', 'ceildiv', 'mod']);

/**
 * The integer that `text` stands for: `parseInteger(print(a)) === a` for every `a` over dims. `variable` makes
 * the variables, dims unless told otherwise. Throws RangeError, with the place, on any other text.
 */
export function parseInteger(text: string, variable: (name: string) => Int = dimVariable): Int {
  if (text.length > maxLength) {
    throw new RangeError(`a size expression is longer than ${maxLength} characters`);
  }
  return new Reader(text, variable).readAll();
}

class Reader {
  private readonly text: string;
  private readonly variable: (name: string) => Int;
  private at = 0;
  private depth = 0;

  constructor(text: string, variable: (name: string) => Int) {
    this.text = text;
    this.variable = variable;
  }

  readAll(): Int {
    const value = this.sum();
    if (this.at < this.text.length) this.fail('expected an operator');
    return value;
  }

  private fail(problem: string, at = this.at): never {
    const shown = this.text.length > 60 ? `${this.text.slice(0, 60)}…` : this.text;
    throw new RangeError(`${problem} at character ${at + 1} of "${shown}"`);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.at += found.length;
    return found.trim();
  }

  private sum(): Int {
    this.depth += 1;
    if (this.depth > maxDepth) this.fail(`nested more than ${maxDepth} levels`);
    const terms: Int[] = [];
    let sign = this.match(/ *-/y);
    do {
      const product = this.product();
      terms.push(sign === '-' ? negate(product) : product);
      sign = this.match(/ *[+-]/y);
    } while (sign !== undefined);
    this.match(/ +/y);
    this.depth -= 1;
    return addAll(terms, 0, terms.length);
  }

  private product(): Int {
    let value = this.factor();
    for (let count = 1; ; count++) {
      const start = this.at;
      const operator = this.match(/ *[*/]/y);
      if (operator === undefined) return value;
      if (count === maxFactors) this.fail(`more than ${maxFactors} factors`);
      const factor = this.factor();
      if (operator === '*') value = multiply(value, factor);
      else value = divideExact(value, factor) ?? this.fail('cannot divide exactly', start);
      for (const { numerator, denominator } of value.terms) {
        if (!Number.isSafeInteger(numerator) || !Number.isSafeInteger(denominator)) {
          this.fail('a number beyond 2^53', start);
        }
      }
    }
  }

  private factor(): Int {
    const start = this.at;
    const digits = this.match(/ *\d+/y);
    if (digits !== undefined) {
      const value = Number(digits);
      return Number.isSafeInteger(value) ? int(value) : this.fail('a number beyond 2^53', start);
    }
    const name = this.match(/ *[A-Za-z_$][\w$.]*/y);
    if (name === undefined) this.fail('expected a number, a name or a call');
    if (this.match(/ *\(/y) === undefined) return this.variable(name);
    const apply = operations.get(name) ?? this.fail(`unknown function ${name}`, start);
    const left = this.sum();
    if (this.match(/ *,/y) === undefined) this.fail('expected `,`');
    const right = this.sum();
    if (this.match(/ *\)/y) === undefined) this.fail('expected `)`');
    const divisor = constantValue(right);
    if (divisions.has(name) && divisor !== undefined && divisor <= 0) {
      this.fail('a divisor that is not positive', start);
    }
    return apply(left, right);
  }
}

/** By halves: a long sum costs n log n, not n². */
function addAll(terms: readonly Int[], from: number, to: number): Int {
  if (to - from === 1) return terms[from] ?? zero;
  const middle = (from + to) >> 1;
  return add(addAll(terms, from, middle), addAll(terms, middle, to));
}
