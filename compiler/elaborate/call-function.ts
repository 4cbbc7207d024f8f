/** Calls of all forms of functions. */

import { InternalError } from '../diagnostics/internal-error.ts';
import { givenWithFunction, tooManyArguments } from '../diagnostics/problems/calls.ts';
import { shapeProblem } from '../diagnostics/problems/shapes.ts';
import { badConversion, notAFunction, notCompileTime } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import type { ElementType } from '../tensor-ir/dtype.ts';
import { ShapeProblem } from '../tensor-ir/primitive.ts';
import { elaborateBlock } from './blocks.ts';
import {
  type ArgumentSource,
  assignArguments,
  elaborateSource,
  positionalOnly,
  termSource,
} from './call-arguments.ts';
import { callDeclared } from './call-declared.ts';
import { coerce } from './coerce.ts';
import { callWithComplex, toComplex, toRealProblem, truthOf } from './complex-calls.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { holdsPair, movedElements, onParts } from './element-parts.ts';
import { elaborateExpression } from './expressions.ts';
import { genericsOfTypes } from './generics.ts';
import { Inference } from './inference.ts';
import { intrinsics } from './intrinsics/index.ts';
import { isWeak, weakToTensor } from './numbers.ts';
import { constant, convert } from './operations.ts';
import { bindPattern } from './patterns.ts';
import { Scope } from './scope.ts';
import { errorTerm, forEachLeaf, mapLeaves, tensorTerm, typeOf } from './terms.ts';
import { evaluateType } from './types.ts';
import type { FunctionTerm, GenericArgument, Term, Type } from './value.ts';

export interface CallSite {
  readonly typeArguments: readonly GenericArgument[];
  readonly expected: Type | undefined;
  readonly span: Span;
  /** The callee as written. */
  readonly calleeSpan: Span;
}

/** Calls with finished terms: what transformations and loops do. */
export function callFunction(
  e: Elaborator,
  callee: FunctionTerm,
  args: readonly Term[],
  expected: Type | undefined,
  span: Span,
): Term {
  const sources = args.map((term) => termSource(term, span));
  return callTerm(e, callee, sources, { typeArguments: [], expected, span, calleeSpan: span });
}

/** Calls whatever the callee is: a function, or a dtype as a conversion. */
export function callTerm(
  e: Elaborator,
  callee: Term,
  sources: readonly ArgumentSource[],
  site: CallSite,
): Term {
  if (callee.kind === 'function') {
    return e.nested(site.span, () =>
      guarded(e, site.span, () => dispatch(e, callee, sources, site)),
    );
  }
  if (callee.kind === 'dtype') return callConversion(e, callee.dtype, sources, site);
  for (const source of sources) elaborateSource(e, source, undefined);
  if (callee.kind === 'error') return errorTerm;
  const problem = notAFunction(describe(callee), site.calleeSpan);
  const isTensor = callee.kind === 'tensor' && callee.value.type.shape.length > 0;
  if (isTensor || callee.kind === 'tuple' || callee.kind === 'array') {
    return e.error({ ...problem, hint: 'an index stands in brackets: `x[0]`' });
  }
  const isSize = callee.kind === 'int' && site.calleeSpan.end > site.calleeSpan.start;
  return e.error(
    isSize ? { ...problem, hint: 'a size is an item of the shape: `x.shape[0]`' } : problem,
  );
}

/** Operands that do not fit a primitive are the user's mistake, told by the primitive itself. */
export function guarded(e: Elaborator, span: Span, body: () => Term): Term {
  try {
    return body();
  } catch (problem) {
    if (!(problem instanceof ShapeProblem)) throw problem;
    const isForFloats = / takes floats, found [iu]\d/.test(problem.message);
    const reported = shapeProblem(problem.message, span);
    return e.error(isForFloats ? { ...reported, hint: '`f32(x)` converts' } : reported);
  }
}

function dispatch(
  e: Elaborator,
  callee: FunctionTerm,
  sources: readonly ArgumentSource[],
  site: CallSite,
): Term {
  switch (callee.form) {
    case 'declared':
      return callDeclared(e, callee, sources, site);
    case 'lambda':
      return callLambda(e, callee, sources, site);
    case 'intrinsic':
      return callIntrinsic(e, callee, sources, site);
    case 'native': {
      const args = positionalOnly(e, callee.name, sources);
      if (args === undefined) return errorTerm;
      e.builder.span = site.span;
      e.calls.push({ declaration: undefined, span: site.span });
      try {
        return callee.call(e, args, site.expected, site.span);
      } finally {
        e.calls.pop();
      }
    }
  }
}

function callLambda(
  e: Elaborator,
  callee: FunctionTerm & { readonly form: 'lambda' },
  sources: readonly ArgumentSource[],
  site: CallSite,
): Term {
  const args = positionalOnly(e, 'a lambda', sources);
  if (args === undefined) return errorTerm;
  const { parameters, body } = callee;
  if (args.length !== parameters.length) {
    return e.error(
      tooManyArguments('the lambda', parameters.length, args.length, site.span, callee.span),
    );
  }
  const generics = genericsOfTypes(
    parameters.map((p) => p.type),
    callee.scope,
  );
  const inference = new Inference(e, generics, callee.scope);
  parameters.forEach(({ type }, i) => {
    if (type !== undefined) inference.match(type, typeOf(args[i]!), sources[i]?.span ?? site.span);
  });
  inference.solve();
  const scope = new Scope(inference.scope, true);
  parameters.forEach((parameter, i) => {
    let term = args[i]!;
    if (parameter.type !== undefined) {
      const type = evaluateType(e, parameter.type, inference.scope);
      const labels = [{ span: parameter.type.span, text: 'the parameter' }];
      term = coerce(e, term, type, { span: sources[i]?.span ?? site.span, labels });
    }
    bindPattern(e, parameter.pattern, term, scope);
  });
  e.calls.push({ declaration: undefined, span: site.span });
  try {
    return 'statements' in body
      ? elaborateBlock(e, body, scope, site.expected)
      : elaborateExpression(e, body, scope, site.expected);
  } finally {
    e.calls.pop();
  }
}

function callIntrinsic(
  e: Elaborator,
  { intrinsic }: FunctionTerm & { readonly form: 'intrinsic' },
  sources: readonly ArgumentSource[],
  site: CallSite,
): Term {
  const { parameters, name } = intrinsic;
  const shapes = parameters.map((p) => ({
    name: p.name,
    isOptional: p.default !== undefined,
    isRest: p.isRest === true,
  }));
  const slots = assignArguments(e, name, shapes, sources, site.span, undefined);
  if (slots === undefined) {
    for (const source of sources) elaborateSource(e, source, undefined);
    return errorTerm;
  }
  const spans: Span[] = [];
  const args = slots.map((slot, i): Term => {
    spans.push(slot[0]?.span ?? site.span);
    const terms = slot.map((source) => elaborateSource(e, source, undefined));
    if (parameters[i]!.isRest === true && !isNamedTuple(slot)) {
      return terms.some((t) => t.kind === 'error') ? errorTerm : { kind: 'tuple', items: terms };
    }
    return terms[0] ?? parameters[i]!.default ?? errorTerm;
  });
  if (args.some((t) => t.kind === 'error')) return errorTerm;
  e.builder.span = site.span;
  const { expected, typeArguments } = site;
  const apply = (given: readonly Term[]): Term =>
    intrinsic.apply(e, given, { span: site.span, argumentSpans: spans, expected, typeArguments });
  const moved = movedElements(name);
  if (moved !== undefined && args.some((arg) => holdsPair(arg, 'key'))) {
    return onParts(e, 'key', args, moved, apply);
  }
  const complex = callWithComplex(e, {
    name,
    args,
    parameters: parameters.map((p) => p.name),
    spans,
    span: site.span,
    expected,
    apply: (given, type) =>
      intrinsic.apply(e, given, {
        span: site.span,
        argumentSpans: spans,
        expected: type,
        typeArguments,
      }),
    call: (other, given) => callPrelude(e, other, given, site.span),
  });
  if (complex !== undefined) return complex;
  if ((name === 'max' || name === 'min') && isNumberNotAxis(args[1])) {
    const hint = `\`${name}imum(x, y)\` compares two; \`${name}(x, axis)\` reduces one`;
    const problem = notCompileTime('an axis', describe(args[1]!), spans[1]!);
    return e.error({ ...problem, hint });
  }
  const misuse = calledAtOnce(name, args);
  if (misuse !== undefined) return e.error(givenWithFunction(name, describe(misuse), site.span));
  return apply(args);
}

/** An intrinsic by its name, whatever the file has of that name; arguments left out take their defaults. */
function callPrelude(e: Elaborator, name: string, args: readonly Term[], span: Span): Term {
  const intrinsic = intrinsics.get(name);
  if (intrinsic === undefined) throw new InternalError(`no intrinsic is called ${name}`);
  return callFunction(e, { kind: 'function', form: 'intrinsic', intrinsic }, args, undefined, span);
}

function isNumberNotAxis(term: Term | undefined): boolean {
  return term?.kind === 'tensor' || term?.kind === 'float';
}

const transformations: ReadonlySet<string> = new Set([
  'grad',
  'value_and_grad',
  'vmap',
  'jacfwd',
  'jacrev',
  'hessian',
  'checkpoint',
]);

/** `grad(f, x)`: a tensor where an option stands, which was meant for the function that `grad(f)` gives. */
function calledAtOnce(name: string, args: readonly Term[]): Term | undefined {
  if (!transformations.has(name)) return undefined;
  return args.slice(1).find((arg) => arg.kind === 'tensor' || arg.kind === 'struct');
}

/** `f(rest = (a, b))` hands over the tuple itself. */
function isNamedTuple(slot: readonly ArgumentSource[]): boolean {
  return slot.length === 1 && slot[0]!.name !== undefined;
}

/** `f32(x)`: one number, tensor, or a tree of them. */
function callConversion(
  e: Elaborator,
  dtype: ElementType,
  sources: readonly ArgumentSource[],
  site: CallSite,
): Term {
  const args = positionalOnly(e, dtype, sources);
  if (args === undefined) return errorTerm;
  const [arg] = args;
  const source = sources[0];
  if (arg === undefined || source === undefined || args.length !== 1) {
    return e.error(tooManyArguments(dtype, 1, args.length, site.span, undefined));
  }
  let leaves = 0;
  forEachLeaf(arg, () => {
    leaves++;
  });
  if (leaves === 0) return e.error(badConversion(dtype, describe(arg), source.span));
  e.builder.span = site.span;
  let failed = false;
  const result = mapLeaves(arg, (leaf) => {
    const converted = convertLeaf(e, leaf, dtype, source.span);
    if (converted.kind === 'error') failed = true;
    return converted;
  });
  return failed ? errorTerm : result;
}

function convertLeaf(e: Elaborator, leaf: Term, dtype: ElementType, span: Span): Term {
  if (dtype === 'c64') return toComplex(e, leaf, span);
  if (leaf.kind === 'tensor') {
    if (leaf.form === 'key') return e.error(badConversion(dtype, 'a `Key`', span));
    if (leaf.form === 'complex') {
      return dtype === 'bool' ? truthOf(e, leaf) : e.error(toRealProblem(dtype, leaf, span));
    }
    return tensorTerm(convert(e.builder, leaf.value, dtype));
  }
  // an explicit conversion truncates as the primitive does
  if (
    leaf.kind === 'float' &&
    dtype !== 'bool' &&
    !dtype.includes('f') &&
    Number.isFinite(leaf.value)
  ) {
    return convertLeaf(e, tensorTerm(constant(e.builder, 'f32', [], leaf.value)), dtype, span);
  }
  if (leaf.kind === 'boolean' && dtype !== 'bool') {
    return tensorTerm(constant(e.builder, dtype, [], leaf.value ? 1 : 0));
  }
  if (!isWeak(leaf)) return e.error(badConversion(dtype, describe(leaf), span));
  if (dtype === 'bool' && leaf.kind !== 'boolean') {
    return e.error(badConversion(dtype, describe(leaf), span));
  }
  const value = weakToTensor(e, leaf, dtype, [], span);
  return value === undefined ? errorTerm : tensorTerm(value);
}
