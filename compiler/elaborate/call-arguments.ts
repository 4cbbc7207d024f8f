/** Which argument goes to which parameter: by position, by name, with defaults and a rest parameter. */
import {
  keywordNotAllowed,
  missingArguments,
  positionalAfterKeyword,
  repeatedArgument,
  tooManyArguments,
  unknownArgument,
} from '../diagnostics/problems/calls.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Argument, Expression, Name } from '../syntax/ast.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { hintForCall, meantArgument } from './foreign-names.ts';
import type { Scope } from './scope.ts';
import type { Term, Type } from './value.ts';

/** An argument before it is elaborated (its parameter may say what type to expect), or a finished term. */
export interface ArgumentSource {
  readonly name: Name | undefined;
  readonly span: Span;
  readonly source:
    | { readonly kind: 'term'; readonly term: Term }
    | { readonly kind: 'expression'; readonly expression: Expression; readonly scope: Scope };
}

export function termSource(term: Term, span: Span): ArgumentSource {
  return { name: undefined, span, source: { kind: 'term', term } };
}

export function argumentSource(argument: Argument, scope: Scope): ArgumentSource {
  return {
    name: argument.name,
    span: argument.value.span,
    source: { kind: 'expression', expression: argument.value, scope },
  };
}

export function elaborateSource(
  e: Elaborator,
  { source }: ArgumentSource,
  expected: Type | undefined,
): Term {
  return source.kind === 'term'
    ? source.term
    : elaborateExpression(e, source.expression, source.scope, expected);
}

export interface ParameterShape {
  readonly name: string;
  readonly isOptional: boolean;
  readonly isRest: boolean;
}

/** For each parameter its arguments: one, none, or several for a rest parameter. Undefined after a report. */
export function assignArguments(
  e: Elaborator,
  callee: string,
  parameters: readonly ParameterShape[],
  sources: readonly ArgumentSource[],
  span: Span,
  declared: Span | undefined,
): readonly (readonly ArgumentSource[])[] | undefined {
  const slots: ArgumentSource[][] = parameters.map(() => []);
  const before = e.errorCount;
  let next = 0;
  let sawKeyword = false;
  let extra: ArgumentSource | undefined;
  for (const source of sources) {
    if (source.name !== undefined) {
      sawKeyword = true;
      assignByName(e, callee, parameters, slots, source.name, source);
      continue;
    }
    if (sawKeyword) e.error(positionalAfterKeyword(source.span));
    if (next >= parameters.length) extra ??= source;
    else if (parameters[next]!.isRest) slots[next]!.push(source);
    else slots[next++]!.push(source);
  }
  if (extra !== undefined) {
    const hint = hintForCall(callee);
    e.error(
      tooManyArguments(callee, parameters.length, sources.length, extra.span, declared, hint),
    );
  }
  const missing = parameters.filter((p, i) => slots[i]!.length === 0 && !p.isOptional && !p.isRest);
  if (missing.length > 0 && e.errorCount === before) {
    e.error(
      missingArguments(
        callee,
        missing.map((p) => p.name),
        span,
        declared,
      ),
    );
  }
  return e.errorCount === before ? slots : undefined;
}

/** What other libraries call the argument that our functions of random numbers and of shapes do not take by name. */
const isOfShape: ReadonlySet<string> = new Set(['shape', 'size', 'dtype']);

function assignByName(
  e: Elaborator,
  callee: string,
  parameters: readonly ParameterShape[],
  slots: ArgumentSource[][],
  name: Name,
  source: ArgumentSource,
): void {
  const index = parameters.findIndex((p) => p.name === name.text);
  if (index < 0) {
    const names = parameters.map((p) => p.name);
    const near = meantArgument(name.text, names) ?? suggest(name.text, names);
    const hint = isOfShape.has(name.text) ? hintForCall(callee) : undefined;
    e.error(unknownArgument(callee, name.text, name.span, near, names, hint));
  } else if (slots[index]!.length > 0) e.error(repeatedArgument(name.text, name.span));
  else slots[index]!.push(source);
}

/** Lambdas and what transformations give have no parameter names. */
export function positionalOnly(
  e: Elaborator,
  callee: string,
  sources: readonly ArgumentSource[],
): readonly Term[] | undefined {
  const before = e.errorCount;
  for (const { name } of sources) {
    if (name !== undefined) e.error(keywordNotAllowed(callee, name.text, name.span));
  }
  const terms = sources.map((s) => elaborateSource(e, s, undefined));
  return e.errorCount > before || terms.some((t) => t.kind === 'error') ? undefined : terms;
}
