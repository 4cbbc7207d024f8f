/** Types of values: MLX21xx. */
import type { Label } from '../diagnostic.ts';
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

export function typeMismatch(
  expected: string,
  found: string,
  span: Span,
  more: {
    readonly reason?: string | undefined;
    readonly labels?: readonly Label[];
    readonly hint?: string | undefined;
    readonly notes?: readonly string[];
  } = {},
): Problem {
  return {
    code: 'MLX2101',
    message: `expected ${expected}, found ${found}${more.reason === undefined ? '' : `: ${more.reason}`}`,
    span,
    ...(more.labels === undefined || more.labels.length === 0 ? {} : { labels: more.labels }),
    ...(more.notes === undefined || more.notes.length === 0 ? {} : { notes: more.notes }),
    ...(more.hint === undefined ? {} : { hint: more.hint }),
  };
}

export function mixedDTypes(
  operation: string,
  left: string,
  right: string,
  span: Span,
  labels: readonly Label[],
  hint: string,
): Problem {
  return {
    code: 'MLX2102',
    message: `${operation} mixes ${left} and ${right}`,
    span,
    labels,
    hint,
  };
}

export function literalDoesNotFit(
  literal: string,
  dtype: string,
  span: Span,
  reason: string,
  hint?: string,
): Problem {
  return {
    code: 'MLX2103',
    message: `${literal} does not fit ${dtype}: ${reason}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function operatorOperand(
  operator: string,
  needs: string,
  found: string,
  span: Span,
  hint?: string,
): Problem {
  return {
    code: 'MLX2104',
    message: `\`${operator}\` needs ${needs}, found ${found}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function integerDivision(dtype: string, span: Span): Problem {
  return {
    code: 'MLX2105',
    message: `\`/\` divides floats, found ${dtype}`,
    span,
    hint: '`floor_divide(x, y)` rounds down; `f32(x) / f32(y)` gives the quotient as floats',
  };
}

export function notANumberTree(
  operator: string,
  found: string,
  span: Span,
  hint?: string,
): Problem {
  return {
    code: 'MLX2106',
    message: `\`${operator}\` is not defined for ${found}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function treesDiffer(left: string, right: string, span: Span, hint?: string): Problem {
  return {
    code: 'MLX2107',
    message: `the trees differ in structure: ${left} against ${right}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function notATensor(found: string, span: Span): Problem {
  return { code: 'MLX2108', message: `expected a tensor, found ${found}`, span };
}

export function notCompileTime(what: string, found: string, span: Span, hint?: string): Problem {
  return {
    code: 'MLX2109',
    message: `expected ${what} known when compiling, found ${found}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function notAFunction(found: string, span: Span, hint?: string): Problem {
  return {
    code: 'MLX2110',
    message: `expected a function, found ${found}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function patternMismatch(names: number, found: string, span: Span): Problem {
  return {
    code: 'MLX2111',
    message: `the pattern takes ${names} values apart, found ${found}`,
    span,
    ...(found.startsWith('Key[') ? { hint: `\`split(key, ${names})\` makes so many keys` } : {}),
  };
}

export function noTupleField(index: number, found: string, span: Span): Problem {
  return { code: 'MLX2112', message: `${found} has no item \`.${index}\``, span };
}

export function genericConstraint(
  name: string,
  constraint: string,
  found: string,
  span: Span,
): Problem {
  return {
    code: 'MLX2113',
    message: `\`${name}\` stands for ${constraintWords(constraint)}, found ${found}`,
    span,
  };
}

function constraintWords(constraint: string): string {
  switch (constraint) {
    case 'float':
      return 'a float dtype';
    case 'integer':
      return 'an integer dtype';
    case 'number':
      return 'a number dtype';
    case 'tree':
      return 'a tree of tensors';
    default:
      return `a type of class ${constraint}`;
  }
}

export function branchesDiffer(
  left: string,
  right: string,
  span: Span,
  labels: readonly Label[],
): Problem {
  return {
    code: 'MLX2114',
    message: `the sides of the conditional differ: ${left} and ${right}`,
    span,
    labels,
  };
}

export function conditionNotBool(found: string, span: Span): Problem {
  return {
    code: 'MLX2115',
    message: `a condition is one bool, found ${found}`,
    span,
    hint: '`where(c, a, b)` selects by element; `any(c)` and `all(c)` make one bool of many',
  };
}

/** `last` is the kind of the statement that the body ends in. */
export function emptyResult(
  name: string,
  expected: string,
  span: Span,
  last: string | undefined,
): Problem {
  const hint =
    last === 'for' || last === 'while'
      ? 'a loop gives no value: end with a `var` that it changes; `vmap(|v| …)(x)` and `scan` collect'
      : last === 'expression'
        ? 'leave out the `;` after the last expression'
        : 'end the block with an expression, without `;`';
  return {
    code: 'MLX2116',
    message: `\`${name}\` should give ${expected}, but its block has no value`,
    span,
    hint,
  };
}

export function carryChanges(
  name: string,
  before: string,
  after: string,
  span: Span,
  declared: Span | undefined,
): Problem {
  return {
    code: 'MLX2117',
    message: `\`${name}\` is ${before} before the loop and ${after} after one round`,
    span,
    ...(declared === undefined ? {} : { labels: [{ span: declared, text: `${before} here` }] }),
    hint: 'a variable keeps its type through a loop',
  };
}

export function notIterable(found: string, span: Span): Problem {
  return {
    code: 'MLX2118',
    message: `cannot loop over ${found}`,
    span,
    hint: 'loops run over ranges `0..n`, the leading axis of a tensor, arrays and tuples',
  };
}

/** A function or operation that complex numbers have not. */
export function realNumbersOnly(name: string, found: string, span: Span): Problem {
  return {
    code: 'MLX2125',
    message: `\`${name}\` needs real numbers, found ${found}`,
    span,
    hint: '`real(x)`, `imag(x)`, `abs(x)` and `angle(x)` are real',
  };
}

export function badConversion(dtype: string, found: string, span: Span): Problem {
  return { code: 'MLX2119', message: `cannot convert ${found} to ${dtype}`, span };
}

export function unresolvedConstant(reason: string, span: Span): Problem {
  return { code: 'MLX2120', message: reason, span };
}

export function badLiteral(text: string, span: Span): Problem {
  return { code: 'MLX2121', message: `\`${text}\` is not a number that can be held exactly`, span };
}

export function notATreeType(what: string, found: string, span: Span): Problem {
  return {
    code: 'MLX2122',
    message: `${what} holds tensors, found ${found}, which is known when compiling`,
    span,
    hint: 'write a dtype such as `f32` or `i32`, or make it a parameter of its own',
  };
}

/** `let y = if c { x };` */
export function ifWithoutElse(span: Span): Problem {
  return {
    code: 'MLX2123',
    message: 'an `if` that gives a value needs an `else`',
    span,
    hint: 'add `else { … }`, or assign to a `var` inside it',
  };
}

/** `x.at[0].set(1.0);`, whose result nobody takes. */
export function unusedValue(found: string, span: Span, hint: string): Problem {
  return {
    code: 'MLX2124',
    message: `this ${found} is not used: an expression has no other effect than its value`,
    span,
    hint,
  };
}
