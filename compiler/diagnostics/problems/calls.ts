/** Calls: MLX23xx. */
import type { Label } from '../diagnostic.ts';
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

/** Names stand in backticks, words such as "the lambda" do not. */
function quoted(callee: string): string {
  return callee.includes(' ') ? callee : `\`${callee}\``;
}

export function tooManyArguments(
  callee: string,
  takes: number,
  found: number,
  span: Span,
  declared: Span | undefined,
  hint?: string,
): Problem {
  return {
    code: 'MLX2301',
    message: `${quoted(callee)} takes ${takes === 1 ? '1 argument' : `${takes} arguments`}, found ${found}`,
    span,
    ...(declared === undefined ? {} : { labels: [{ span: declared, text: 'declared here' }] }),
    ...(hint === undefined ? {} : { hint }),
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
  hint?: string,
): Problem {
  return {
    code: 'MLX2303',
    message: `\`${callee}\` has no parameter \`${name}\``,
    span,
    ...(suggestion !== undefined
      ? { hint: `did you mean \`${suggestion}\`?` }
      : hint !== undefined
        ? { hint }
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
    message: `${quoted(callee)} takes its arguments by position, found \`${name} = ...\``,
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

/** `grad(f, x)` */
export function givenWithFunction(name: string, found: string, span: Span): Problem {
  return {
    code: 'MLX2309',
    message: `\`${name}\` takes a function and gives a function, found ${found} beside it`,
    span,
    hint: `call what it gives: \`${name}(f)(x)\``,
  };
}

/** `x |> vmap(f)` */
export function pipedIntoMaker(name: string, span: Span): Problem {
  return {
    code: 'MLX2310',
    message: `\`|>\` puts its left side in front of the arguments: \`${name}\` takes a function there`,
    span,
    hint: `write \`${name}(f)(x)\`, or bind it: \`let g = ${name}(f);\` and \`x |> g\``,
  };
}

/** `twice(g, x)` where `twice` calls its function with one argument and `g` takes two. */
export function wrongArity(
  callee: string,
  takes: string,
  given: number,
  span: Span,
  declared: Span | undefined,
): Problem {
  return {
    code: 'MLX2311',
    message: `${callee} takes ${takes}, and is called here with ${given}`,
    span,
    ...(declared === undefined ? {} : { labels: [{ span: declared, text: 'declared here' }] }),
    hint: 'a lambda adapts it: `|x| f(x, 1.0)`',
  };
}
