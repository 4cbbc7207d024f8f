/** Dims, shapes and indexing: MLX22xx. */
import type { Label } from '../diagnostic.ts';
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

export function dimsDiffer(
  what: string,
  left: string,
  right: string,
  span: Span,
  hint: string | undefined,
): Problem {
  return {
    code: 'MLX2201',
    message: `${what}: ${left} is not ${right}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function cannotBroadcast(
  left: string,
  right: string,
  reason: string,
  span: Span,
  more: { readonly labels: readonly Label[]; readonly hint: string | undefined },
): Problem {
  return {
    code: 'MLX2202',
    message: `cannot broadcast ${left} with ${right}: ${reason}`,
    span,
    ...(more.labels.length === 0 ? {} : { labels: more.labels }),
    ...(more.hint === undefined ? {} : { hint: more.hint }),
  };
}

export function notDivisible(left: string, right: string, span: Span): Problem {
  return {
    code: 'MLX2203',
    message: `${left} is not divisible by ${right}`,
    span,
    hint: 'dims divide exactly; `floordiv(a, b)` and `ceildiv(a, b)` round',
  };
}

export function conditionRefuted(
  condition: string,
  values: string,
  span: Span,
  labels: readonly Label[],
): Problem {
  return {
    code: 'MLX2204',
    message: `the condition \`${condition}\` does not hold here: ${values}`,
    span,
    ...(labels.length === 0 ? {} : { labels }),
  };
}

export function unresolvedDims(
  callee: string,
  names: readonly string[],
  span: Span,
  example: string | undefined,
): Problem {
  const list = names.map((n) => `\`${n}\``).join(', ');
  return {
    code: 'MLX2205',
    message: `cannot tell ${list} of \`${callee}\`: no argument carries ${names.length === 1 ? 'it' : 'them'}`,
    span,
    hint:
      example === undefined
        ? `annotate what the result is bound to, as in \`let x: f32[3] = ${callee}(…);\``
        : `annotate what the result is bound to, or write ${example}`,
  };
}

export function shapeProblem(reason: string, span: Span): Problem {
  return { code: 'MLX2206', message: reason, span };
}

export function matmulMismatch(
  left: string,
  right: string,
  reason: string,
  span: Span,
  labels: readonly Label[],
): Problem {
  return {
    code: 'MLX2207',
    message: `cannot multiply ${left} @ ${right}: ${reason}`,
    span,
    labels,
  };
}

export function axisOutOfRange(axis: number, rank: number, span: Span): Problem {
  return {
    code: 'MLX2208',
    message: `axis ${axis} is out of range: there ${rank === 1 ? 'is 1 axis' : `are ${rank} axes`}`,
    span,
    ...(rank > 0 ? { hint: `axes run from 0 to ${rank - 1}, or from -1 down to -${rank}` } : {}),
  };
}

export function repeatedAxis(axis: number, span: Span): Problem {
  return { code: 'MLX2209', message: `axis ${axis} is named twice`, span };
}

export function tooManyIndices(count: number, rank: number, type: string, span: Span): Problem {
  return {
    code: 'MLX2210',
    message: `${count === 1 ? '1 index' : `${count} indices`} into ${type}, which has ${rank === 1 ? '1 axis' : `${rank} axes`}`,
    span,
  };
}

export function indexOutOfRange(index: string, size: string, axis: number, span: Span): Problem {
  return {
    code: 'MLX2211',
    message: `index ${index} is out of range: axis ${axis} has size ${size}`,
    span,
  };
}

export function sliceOutOfRange(
  start: string,
  stop: string,
  size: string,
  axis: number,
  span: Span,
): Problem {
  return {
    code: 'MLX2212',
    message: `slice ${start}:${stop} does not fit axis ${axis} of size ${size}`,
    span,
    hint: 'slices are never clamped: 0 <= start <= stop <= size',
  };
}

export function badIndex(found: string, span: Span, hint?: string): Problem {
  return {
    code: 'MLX2213',
    message: `cannot index by ${found}`,
    span,
    ...(hint === undefined ? {} : { hint }),
  };
}

export function badSlice(reason: string, span: Span): Problem {
  return { code: 'MLX2214', message: reason, span };
}

export function notIndexable(found: string, span: Span): Problem {
  return { code: 'MLX2215', message: `cannot index ${found}`, span };
}

export function twoEllipses(span: Span): Problem {
  return { code: 'MLX2216', message: 'an index takes one `...` at most', span };
}

export function negativeSize(size: string, span: Span): Problem {
  return { code: 'MLX2217', message: `a size is at least 0, found ${size}`, span };
}

export function symbolicLength(length: string, span: Span): Problem {
  return {
    code: 'MLX2218',
    message: `the length of a fixed array must be a number, found ${length}`,
    span,
    hint: 'bind it where the type is used, as in `Gpt<12, 768>`; `S[N]` holds a symbolic count along a leading axis',
  };
}

export function badAtMethod(found: string, span: Span): Problem {
  return {
    code: 'MLX2219',
    message: `\`.at[...]\` has no method \`${found}\``,
    span,
    hint: 'it has `.set`, `.add`, `.subtract`, `.mul`, `.divide`, `.min` and `.max`',
  };
}

export function wrongArgumentsOfType(
  name: string,
  expected: number,
  found: number,
  span: Span,
): Problem {
  return {
    code: 'MLX2220',
    message: `\`${name}\` takes ${expected === 1 ? '1 argument' : `${expected} arguments`} in \`<...>\`, found ${found}`,
    span,
  };
}

export function typeArgumentKind(name: string, expected: string, span: Span): Problem {
  return { code: 'MLX2221', message: `\`${name}\` takes ${expected} here`, span };
}

export function noSolution(dim: string, size: string, callee: string, span: Span): Problem {
  return {
    code: 'MLX2222',
    message: `\`${callee}\` needs a size of the form ${dim} here, found ${size}`,
    span,
  };
}
