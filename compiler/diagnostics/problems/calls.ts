/** Calls: MLX23xx. */
import type { Label } from '../diagnostic.ts';
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

export function tooManyArguments(
  callee: string,
  takes: number,
  found: number,
  span: Span,
  declared: Span | undefined,
): Problem {
  return {
    code: 'MLX2301',
    message: `\`${callee}\` takes ${takes === 1 ? '1 argument' : `${takes} arguments`}, found ${found}`,
    span,
    ...(declared === undefined ? {} : { labels: [{ span: declared, text: 'declared here' }] }),
  };
}

export function missingArguments(
  callee: string,
  names: readonly string[],
  span: Span,
  declared: Span | undefined,
): Problem {
  return {
    code: 'MLX2302',
    message: `the call of \`${callee}\` lacks ${names.map((n) => `\`${n}\``).join(', ')}`,
    span,
    ...(declared === undefined ? {} : { labels: [{ span: declared, text: 'declared here' }] }),
  };
}

export function unknownArgument(
  callee: string,
  name: string,
  span: Span,
  suggestion: string | undefined,
  parameters: readonly string[],
): Problem {
  return {
    code: 'MLX2303',
    message: `\`${callee}\` has no parameter \`${name}\``,
    span,
    ...(suggestion !== undefined
      ? { hint: `did you mean \`${suggestion}\`?` }
      : parameters.length > 0
        ? { notes: [`its parameters are ${parameters.map((p) => `\`${p}\``).join(', ')}`] }
        : {}),
  };
}

export function repeatedArgument(name: string, span: Span): Problem {
  return { code: 'MLX2304', message: `\`${name}\` is given twice`, span };
}

export function keywordNotAllowed(callee: string, name: string, span: Span): Problem {
  return {
    code: 'MLX2305',
    message: `\`${callee}\` takes its arguments by position, found \`${name} = ...\``,
    span,
  };
}

export function positionalAfterKeyword(span: Span): Problem {
  return {
    code: 'MLX2306',
    message: 'arguments by position come before those by name',
    span,
  };
}

export function recursion(name: string, span: Span, labels: readonly Label[]): Problem {
  return {
    code: 'MLX2307',
    message: `\`${name}\` calls itself: functions are not recursive`,
    span,
    ...(labels.length === 0 ? {} : { labels }),
    hint: 'write a loop: `for`, `while` or `scan`',
  };
}

export function functionInSignature(where: string, span: Span): Problem {
  return {
    code: 'MLX2308',
    message: `${where} holds a function, which is known only when compiling`,
    span,
  };
}
