/** Names and modules: MLX20xx. */
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

function meant(suggestion: string | undefined): { readonly hint?: string } {
  return suggestion === undefined ? {} : { hint: `did you mean \`${suggestion}\`?` };
}

export function unknownName(name: string, span: Span, suggestion: string | undefined): Problem {
  return { code: 'MLX2001', message: `unknown name \`${name}\``, span, ...meant(suggestion) };
}

export function unknownType(name: string, span: Span, suggestion: string | undefined): Problem {
  return { code: 'MLX2002', message: `unknown type \`${name}\``, span, ...meant(suggestion) };
}

export function unknownDim(name: string, span: Span, suggestion: string | undefined): Problem {
  return {
    code: 'MLX2003',
    message: `unknown dim \`${name}\``,
    span,
    hint:
      suggestion !== undefined
        ? `did you mean \`${suggestion}\`?`
        : /^[a-z_]/.test(name)
          ? 'a dim is a capitalised name, such as `N`, or an `int` parameter'
          : 'dims come from the parameters of the function or the arguments of the struct',
  };
}

export function duplicateName(name: string, span: Span, first: Span): Problem {
  return {
    code: 'MLX2004',
    message: `\`${name}\` is defined twice`,
    span,
    labels: [{ span: first, text: 'first defined here' }],
  };
}

export function unknownModule(
  specifier: string,
  span: Span,
  suggestion: string | undefined,
): Problem {
  return {
    code: 'MLX2005',
    message: `cannot find the module "${specifier}"`,
    span,
    hint:
      suggestion === undefined
        ? 'library modules are written "std/nn", own files "./file.mlx"'
        : `did you mean "${suggestion}"?`,
  };
}

export function importCycle(files: readonly string[], span: Span): Problem {
  return {
    code: 'MLX2006',
    message: `modules import each other in a circle: ${files.join(' -> ')}`,
    span,
    hint: 'move what both need into a third module',
  };
}

export function notExported(
  name: string,
  from: string,
  span: Span,
  options: { readonly declared: Span | undefined; readonly suggestion: string | undefined },
): Problem {
  if (options.declared !== undefined) {
    return {
      code: 'MLX2007',
      message: `"${from}" does not export \`${name}\``,
      span,
      labels: [{ span: options.declared, text: 'declared here without `export`' }],
      hint: `write \`export\` before its declaration`,
    };
  }
  return {
    code: 'MLX2007',
    message: `"${from}" has no \`${name}\``,
    span,
    ...meant(options.suggestion),
  };
}

export function notAValue(name: string, what: string, span: Span): Problem {
  return { code: 'MLX2008', message: `\`${name}\` is ${what}, not a value`, span };
}

export function notAType(name: string, what: string, span: Span): Problem {
  return { code: 'MLX2009', message: `\`${name}\` is ${what}, not a type`, span };
}

export function unknownField(
  type: string,
  name: string,
  span: Span,
  options: { readonly suggestion: string | undefined; readonly fields: readonly string[] },
): Problem {
  const { suggestion, fields } = options;
  return {
    code: 'MLX2010',
    message: `\`${type}\` has no field \`${name}\``,
    span,
    ...(suggestion !== undefined
      ? meant(suggestion)
      : fields.length > 0
        ? { notes: [`its fields are ${fields.map((f) => `\`${f}\``).join(', ')}`] }
        : {}),
  };
}

export function missingFields(type: string, names: readonly string[], span: Span): Problem {
  return {
    code: 'MLX2011',
    message: `${names.map((n) => `\`${n}\``).join(', ')} of \`${type}\` ${names.length === 1 ? 'is' : 'are'} missing`,
    span,
    hint: 'give every field, or start from another value with `..other`',
  };
}

export function constCycle(name: string, span: Span): Problem {
  return { code: 'MLX2012', message: `the constant \`${name}\` depends on itself`, span };
}

export function notAnEntry(name: string, reason: string, span: Span): Problem {
  return {
    code: 'MLX2013',
    message: `\`${name}\` cannot be an entry point: ${reason}`,
    span,
    hint: 'export a function that calls it with concrete types',
  };
}

export function unknownEntry(name: string, span: Span, suggestion: string | undefined): Problem {
  return {
    code: 'MLX2014',
    message: `there is no exported function \`${name}\``,
    span,
    ...meant(suggestion),
  };
}

export function notAssignable(name: string, span: Span, defined: Span | undefined): Problem {
  return {
    code: 'MLX2015',
    message: `\`${name}\` cannot be assigned to`,
    span,
    ...(defined === undefined ? {} : { labels: [{ span: defined, text: 'defined here' }] }),
    hint: `declare it with \`var ${name} = ...\`, or bind a new name with \`let\``,
  };
}

export function assignmentInLambda(name: string, span: Span, defined: Span | undefined): Problem {
  return {
    code: 'MLX2016',
    message: `a lambda cannot assign to \`${name}\` of the function around it`,
    span,
    ...(defined === undefined ? {} : { labels: [{ span: defined, text: 'declared here' }] }),
    hint: 'functions have no side effects: return the new value instead',
  };
}

/** `<T: Float>` */
export function unknownClass(name: string, span: Span, suggestion: string | undefined): Problem {
  return {
    code: 'MLX2017',
    message: `unknown class of types \`${name}\``,
    span,
    hint:
      suggestion === undefined
        ? 'a generic is a `float`, `integer`, `number` or `any` dtype, a `tree`, or a dim without a class'
        : `did you mean \`${suggestion}\`?`,
  };
}

/** `--dim Q=4` */
export function unknownFixedDim(
  name: string,
  span: Span,
  suggestion: string | undefined,
  known: readonly string[],
): Problem {
  const list = known.map((k) => `\`${k}\``).join(', ');
  const fallback = known.length === 0 ? 'they have no dims' : `their dims: ${list}`;
  return {
    code: 'MLX2018',
    message: `no entry point has a dim \`${name}\``,
    span,
    hint: suggestion === undefined ? fallback : `did you mean \`${suggestion}\`?`,
  };
}
