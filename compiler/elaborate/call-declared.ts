/** Calls of declared functions: arguments to parameters, generics bound, types compared, then the body. */

import type { Label } from '../diagnostics/diagnostic.ts';
import { recursion } from '../diagnostics/problems/calls.ts';
import {
  noSolution,
  unresolvedDims,
  wrongArgumentsOfType,
} from '../diagnostics/problems/shapes.ts';
import { typeMismatch } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { print } from '../symbolic/integer.ts';
import type { FunctionDeclaration, Parameter, TypeExpression } from '../syntax/ast.ts';
import { makeValue } from '../tensor-ir/builder.ts';
import { type ArgumentSource, assignArguments, elaborateSource } from './call-arguments.ts';
import type { CallSite } from './call-function.ts';
import { checkDeclared } from './check-declared.ts';
import { coerce } from './coerce.ts';
import { namesInDim, requireConstraint } from './constraints.ts';
import { describe } from './describe.ts';
import { evaluateDim } from './dims.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { genericsOf, namesIn } from './generics.ts';
import { Inference, strengthen } from './inference.ts';
import { enter } from './instances.ts';
import { parameterTerm } from './parameters.ts';
import type { Scope } from './scope.ts';
import { showArgument, showDim, showTypeExpression } from './show.ts';
import { containsError, errorTerm, typeOf } from './terms.ts';
import { trace } from './trace.ts';
import { evaluateType, isDimGeneric, satisfies } from './types.ts';
import type { FunctionTerm, Term } from './value.ts';

export function callDeclared(
  e: Elaborator,
  callee: FunctionTerm & { readonly form: 'declared' },
  sources: readonly ArgumentSource[],
  site: CallSite,
): Term {
  const { declaration, scope: home } = callee;
  const { parameters } = declaration;
  const name = declaration.name.text;
  const inference = new Inference(e, genericsOf(declaration, home), home);
  const given = site.typeArguments.length > 0 ? site.typeArguments : callee.typeArguments;
  if (!bindGiven(e, inference, given, name, site.calleeSpan)) return errorTerm;

  const shapes = parameters.map((p) => ({
    name: p.name.text,
    isOptional: p.default !== undefined,
    isRest: false,
  }));
  const slots = assignArguments(e, name, shapes, sources, site.span, declaration.name.span);
  if (slots === undefined) {
    for (const source of sources) elaborateSource(e, source, undefined);
    return errorTerm;
  }
  const found = slots.map((slot) => slot[0]);
  const terms = elaborateArguments(e, declaration, inference, found);
  if (terms === undefined) return errorTerm;

  inferFromFunctions(e, declaration, inference, terms);
  if (declaration.result !== undefined && site.expected !== undefined) {
    if (inference.isOpen(namesIn(declaration.result, new Set(inference.generics.keys())))) {
      inference.match(declaration.result, site.expected, site.span);
      inference.solve();
    }
  }
  settleNumbers(declaration, inference, terms, found, site.span);
  inference.applyDefaults(site.span);
  const used = new Set(usedGenerics(declaration, inference, terms));
  const open = inference.unbound().filter((g) => used.has(g.name.text));
  const misfit = open.length > 0 ? inference.unsolvable() : undefined;
  if (misfit !== undefined) {
    return e.error(noSolution(showDim(misfit.dim), print(misfit.actual), name, misfit.span));
  }
  if (open.length > 0 && site.expected?.kind === 'error') return errorTerm;
  if (open.length > 0) {
    const generics = [...inference.generics.values()];
    const example = generics.every(isDimGeneric)
      ? `\`${name}<${generics.map((g) => g.name.text).join(', ')}>(...)\` with numbers`
      : undefined;
    return e.error(
      unresolvedDims(
        name,
        open.map((g) => g.name.text),
        site.span,
        example,
      ),
    );
  }
  for (const [generic, { argument, span }] of inference.bound) {
    if (!satisfies(e, inference.generics.get(generic)!, argument, span)) return errorTerm;
  }
  const args = coerceArguments(e, declaration, inference, terms, found, site.span);
  if (args === undefined) return errorTerm;
  for (const constraint of declaration.constraints) {
    if (!requireConstraint(e, constraint, inference.scope, name, site.span)) return errorTerm;
  }
  switch (checkDeclared(e, declaration, home)) {
    case 'open':
      e.functions.state.set(declaration, 'broken');
      return e.error(recursion(name, site.calleeSpan, []));
    case 'broken':
      return errorTerm;
    default:
      return enter(e, {
        declaration,
        generics: inference.arguments(),
        scope: inference.scope,
        args,
        span: site.span,
      });
  }
}

/** `bias: T[O] = none` may be left out or given as `none`; it is then `none` in the body. */
function isLeftOut(parameter: Parameter, given: Term | undefined): boolean {
  const isOptional = parameter.default?.kind === 'name' && parameter.default.name.text === 'none';
  return isOptional && (given === undefined || given.kind === 'none');
}

/** The generics that must be known: all but those which only name the types of what was left out. */
function usedGenerics(
  declaration: FunctionDeclaration,
  inference: Inference,
  terms: readonly (Term | undefined)[],
): readonly string[] {
  const { parameters, result } = declaration;
  const generics = new Set(inference.generics.keys());
  const inTypes = (left: boolean): readonly string[] =>
    parameters
      .filter((p, i) => isLeftOut(p, terms[i]) === left)
      .flatMap((p) => namesIn(p.type, generics));
  const needed = new Set([...inTypes(false), ...(result ? namesIn(result, generics) : [])]);
  const dropped = inTypes(true);
  return [...generics].filter((name) => needed.has(name) || !dropped.includes(name));
}

/** `f<4, f32>(x)`: in the order of the generics. */
function bindGiven(
  e: Elaborator,
  inference: Inference,
  given: CallSite['typeArguments'],
  name: string,
  span: Span,
): boolean {
  if (given.length === 0) return true;
  const generics = [...inference.generics.values()];
  if (given.length > generics.length) {
    e.error(wrongArgumentsOfType(name, generics.length, given.length, span));
    return false;
  }
  given.forEach((argument, i) => {
    inference.bind(generics[i]!.name.text, argument, span);
  });
  return true;
}

/** Elaborates in order; a parameter whose type is already known says what to expect. */
function elaborateArguments(
  e: Elaborator,
  declaration: FunctionDeclaration,
  inference: Inference,
  found: readonly (ArgumentSource | undefined)[],
): (Term | undefined)[] | undefined {
  const generics = new Set(inference.generics.keys());
  const terms: (Term | undefined)[] = [];
  let failed = false;
  declaration.parameters.forEach((parameter, i) => {
    const source = found[i];
    if (source === undefined) {
      terms.push(undefined);
      return;
    }
    const expected =
      wantsType(source) && !inference.isOpen(namesIn(parameter.type, generics))
        ? evaluateType(e, parameter.type, inference.scope)
        : undefined;
    const term = elaborateSource(e, source, expected);
    terms.push(term);
    if (containsError(term)) failed = true;
    else if (isLeftOut(parameter, term)) return;
    else if (!inference.match(parameter.type, typeOf(term), source.span)) {
      // swapped arguments are one mistake; a dim in the place of a dtype is reported where it is declared
      const wasFailed = failed;
      failed = true;
      if (wasFailed || usesDimAsDType(parameter.type, inference)) return;
      const shown = showTypeExpression(parameter.type);
      const labels = [{ span: parameter.span, text: `the parameter \`${parameter.name.text}\`` }];
      const hint =
        structHint(parameter.type, inference.scope, term) ?? numberHint(parameter.type, term);
      const more = { labels, hint, ...dimReason(inference) };
      e.error(typeMismatch(shown, describe(term), source.span, more));
    }
    defineInt(inference, parameter, term);
    inference.solve();
  });
  return failed ? undefined : terms;
}

/** A count where the tensor is wanted. */
function numberHint(type: TypeExpression, term: Term): string | undefined {
  const isCount = type.kind === 'tensor' && term.kind === 'int';
  return isCount ? '`arange(n)` holds the numbers from 0 to n - 1' : undefined;
}

/** `T[N]` with `<T>`. */
function usesDimAsDType(type: TypeExpression, inference: Inference): boolean {
  if (type.kind !== 'tensor' || type.element.kind !== 'named') return false;
  const generic = inference.generics.get(type.element.name.text);
  return generic !== undefined && !generic.isShape && isDimGeneric(generic);
}

/** A tensor where a struct is wanted that would hold it: how one is written. */
function structHint(type: TypeExpression, scope: Scope, term: Term): string | undefined {
  if (type.kind !== 'named' || term.kind === 'struct') return undefined;
  const binding = scope.find(type.name.text);
  if (binding?.kind !== 'struct') return undefined;
  const fields = binding.declaration.fields.map((f) => `${f.name.text}: …`).join(', ');
  return `a value of it is written \`${type.name.text} { ${fields} }\``;
}

/** What the names in the shown parameter type stand for so far. */
function dimReason(inference: Inference): { readonly notes?: readonly string[] } {
  const known = [...inference.bound].map(([name, b]) => `${name} = ${showArgument(b.argument)}`);
  return known.length === 0 ? {} : { notes: [`with ${known.join(', ')}`] };
}

function wantsType({ source }: ArgumentSource): boolean {
  if (source.kind === 'term') return false;
  return !['name', 'number', 'lambda', 'field', 'string', 'boolean'].includes(
    source.expression.kind,
  );
}

/** `int` parameters may stand in the types that follow: `fn eye(n: int) -> f32[n, n]`. */
function defineInt(inference: Inference, parameter: Parameter, term: Term): void {
  const isInt = parameter.type.kind === 'named' && parameter.type.name.text === 'int';
  if (!isInt || term.kind !== 'int') return;
  const { text, span } = parameter.name;
  inference.scope.define(text, { kind: 'term', term, span, isVar: false });
}

/** `f: fn(A) -> B` binds B to what the function gives for an A, when nothing else says it. */
function inferFromFunctions(
  e: Elaborator,
  declaration: FunctionDeclaration,
  inference: Inference,
  terms: readonly (Term | undefined)[],
): void {
  const generics = new Set(inference.generics.keys());
  declaration.parameters.forEach((parameter, i) => {
    const { type } = parameter;
    const term = terms[i];
    if (type.kind !== 'function' || term?.kind !== 'function') return;
    if (!inference.isOpen(namesIn(type.result, generics))) return;
    const inputs = type.parameters.map((t) => exampleOf(e, t, inference, generics));
    if (!inputs.every((t) => t !== undefined)) return;
    e.quiet++;
    const before = e.errorCount;
    const traced = trace(e, term, inputs, parameter.span);
    e.quiet--;
    e.errorCount = before;
    if (traced === undefined) return;
    inference.match(type.result, typeOf(traced.result), parameter.span);
    inference.solve();
  });
}

function exampleOf(
  e: Elaborator,
  type: TypeExpression,
  inference: Inference,
  generics: ReadonlySet<string>,
): Term | undefined {
  if (inference.isOpen(namesIn(type, generics))) return undefined;
  const known = evaluateType(e, type, inference.scope);
  return known.kind === 'error' ? undefined : parameterTerm(known, '', (t) => makeValue(t));
}

/** A generic dtype that only literals carry takes their default. */
function settleNumbers(
  declaration: FunctionDeclaration,
  inference: Inference,
  terms: readonly (Term | undefined)[],
  found: readonly (ArgumentSource | undefined)[],
  span: Span,
): void {
  declaration.parameters.forEach((parameter, i) => {
    const term = terms[i];
    if (term === undefined) return;
    const type = parameter.type.kind === 'tensor' ? parameter.type.element : parameter.type;
    if (type.kind !== 'named') return;
    const generic = inference.generics.get(type.name.text);
    if (generic?.constraint === undefined || inference.bound.has(type.name.text)) return;
    let strong = strengthen(typeOf(term));
    if (strong.kind !== 'tensor' || strong.shape.length > 0) return;
    // a whole number given for a float is that float
    if (generic.constraint.text === 'float' && strong.dtype === 'i32')
      strong = { ...strong, dtype: 'f32' };
    inference.bind(type.name.text, { kind: 'type', type: strong }, found[i]?.span ?? span);
  });
}

function coerceArguments(
  e: Elaborator,
  declaration: FunctionDeclaration,
  inference: Inference,
  terms: readonly (Term | undefined)[],
  found: readonly (ArgumentSource | undefined)[],
  callSpan: Span,
): readonly Term[] | undefined {
  const args: Term[] = [];
  let failed = false;
  declaration.parameters.forEach((parameter, i) => {
    const source = found[i];
    if (isLeftOut(parameter, source && terms[i])) {
      args.push({ kind: 'none' });
      return;
    }
    const type = evaluateType(e, parameter.type, inference.scope);
    if (source === undefined) {
      const value = elaborateExpression(e, parameter.default!, inference.scope, type);
      defineInt(inference, parameter, value);
      args.push(coerce(e, value, type, { span: parameter.default!.span }));
      if (args.at(-1)!.kind === 'error') failed = true;
      return;
    }
    const demand = {
      span: source.span,
      axis: (axis: number) => explainAxis(declaration, parameter, inference, source.span, axis),
      labels: [{ span: parameter.span, text: `the parameter \`${parameter.name.text}\`` }],
    };
    e.builder.span = callSpan;
    const arg = coerce(e, terms[i]!, type, demand);
    if (arg.kind === 'error') failed = true;
    args.push(arg);
  });
  return failed ? undefined : args;
}

/** Why the parameter has that size along an axis: the dims in it, and where they were bound. */
function explainAxis(
  declaration: FunctionDeclaration,
  parameter: Parameter,
  inference: Inference,
  span: Span,
  axis: number,
): { readonly reason: string; readonly labels: readonly Label[] } | undefined {
  if (parameter.type.kind !== 'tensor') return undefined;
  const { dims } = parameter.type;
  const spread = dims.findIndex((d) => d.kind === 'shape');
  const item = spread < 0 || axis < spread ? dims[axis] : undefined;
  if (item?.kind !== 'dim') return undefined;
  const value = evaluateDim(inference.e, item.dim, inference.scope, undefined, true);
  const shown = value === undefined ? '' : print(value);
  const text = showDim(item.dim);
  const callee = `\`${declaration.name.text}\``;
  const reason = text === shown ? `${callee} needs ${shown}` : `${callee} needs ${text} = ${shown}`;
  const labels: Label[] = [];
  for (const name of namesInDim(item.dim)) {
    const bound = inference.bound.get(name);
    if (bound === undefined || (bound.span.start === span.start && bound.span.file === span.file))
      continue;
    labels.push({ span: bound.span, text: `${name} is ${showArgument(bound.argument)} here` });
  }
  return { reason, labels };
}
