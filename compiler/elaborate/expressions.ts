/** The walk over expressions. */
import { unreachable } from '../diagnostics/internal-error.ts';
import { pipedIntoMaker } from '../diagnostics/problems/calls.ts';
import { rangeOutsideLoop } from '../diagnostics/problems/limits.ts';
import { notAValue, unknownField, unknownName } from '../diagnostics/problems/names.ts';
import { badLiteral, noTupleField } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { int } from '../symbolic/integer.ts';
import type { Expression, Name, StructDeclaration, TypeArgument } from '../syntax/ast.ts';
import { isElementType } from '../tensor-ir/dtype.ts';
import { elaborateBlock } from './blocks.ts';
import { type ArgumentSource, argumentSource, termSource } from './call-arguments.ts';
import { callTerm, guarded } from './call-function.ts';
import { elaborateIf } from './conditionals.ts';
import { evaluateConst } from './constants.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { fieldOf } from './fields.ts';
import { hintForValue } from './foreign-names.ts';
import { genericsOf } from './generics.ts';
import { elaborateIndex } from './indexing.ts';
import { fitsInteger } from './numbers.ts';
import { constant } from './operations.ts';
import { binaryOperation, unaryOperation } from './operators.ts';
import { requireDistinctNames } from './patterns.ts';
import type { Scope } from './scope.ts';
import { structLiteral } from './structs.ts';
import { errorTerm } from './terms.ts';
import { asDim, asType, evaluateArgument, isConstraintName } from './types.ts';
import { elaborateUpdate, isUpdate } from './update.ts';
import type { GenericArgument, Term, Type } from './value.ts';

/** Never throws for a mistake of the user: it is reported and the result is the error term. */
export function elaborateExpression(
  e: Elaborator,
  expression: Expression,
  scope: Scope,
  expected: Type | undefined,
): Term {
  switch (expression.kind) {
    case 'number':
      return number(e, expression, 1);
    case 'boolean':
      return { kind: 'boolean', value: expression.value };
    case 'string':
      return { kind: 'string', value: expression.value };
    case 'name':
      return elaborateName(e, expression, scope);
    case 'error':
      return errorTerm;
    case 'lambda':
      requireDistinctNames(e, expression.parameters);
      return {
        kind: 'function',
        form: 'lambda',
        parameters: expression.parameters,
        body: expression.body,
        scope,
        span: expression.span,
      };
    default:
      return e.nested(expression.span, () =>
        guarded(e, expression.span, () => compound(e, expression, scope, expected)),
      );
  }
}

type Compound = Exclude<
  Expression,
  { readonly kind: 'number' | 'boolean' | 'string' | 'name' | 'error' | 'lambda' }
>;

function compound(
  e: Elaborator,
  expression: Compound,
  scope: Scope,
  expected: Type | undefined,
): Term {
  switch (expression.kind) {
    case 'unary': {
      if (expression.operator === '-' && expression.operand.kind === 'number') {
        return number(e, expression.operand, -1);
      }
      const operand = elaborateExpression(e, expression.operand, scope, expected);
      return unaryOperation(e, expression.operator, operand, expression.span);
    }
    case 'binary':
      return binary(e, expression, scope, expected);
    case 'pipe':
      return pipe(e, expression, scope, expected);
    case 'call':
      return call(e, expression, scope, expected, []);
    case 'field': {
      const object = elaborateExpression(e, expression.object, scope, undefined);
      return fieldOf(e, object, expression.name) ?? unknown(e, object, expression, scope);
    }
    case 'tuple-field': {
      const object = elaborateExpression(e, expression.object, scope, undefined);
      if (object.kind === 'error') return errorTerm;
      const item = object.kind === 'tuple' ? object.items[expression.index] : undefined;
      return item ?? e.error(noTupleField(expression.index, describe(object), expression.span));
    }
    case 'index':
      return elaborateIndex(e, expression, scope);
    case 'tuple':
    case 'array': {
      const types =
        expected?.kind === expression.kind && expected.items.length === expression.items.length
          ? expected.items
          : [];
      const items = expression.items.map((item, i) =>
        elaborateExpression(e, item, scope, types[i]),
      );
      return items.some((t) => t.kind === 'error') ? errorTerm : { kind: expression.kind, items };
    }
    case 'struct':
      return structLiteral(e, expression, scope, expected);
    case 'block':
      return elaborateBlock(e, expression.block, scope, expected);
    case 'if':
      return elaborateIf(e, expression, scope, expected, false);
    case 'range':
      return e.error(rangeOutsideLoop(expression.span));
    default:
      return unreachable(expression);
  }
}

function number(
  e: Elaborator,
  { text, isFloat, span }: Expression & { kind: 'number' },
  sign: 1 | -1,
): Term {
  const value = sign * Number(text);
  if (isFloat) {
    return Number.isFinite(value) ? { kind: 'float', value } : e.error(badLiteral(text, span));
  }
  if (!Number.isSafeInteger(value)) {
    if (!/^(?:\d+|0[xX][\da-fA-F]+|0[bB][01]+)$/.test(text)) return e.error(badLiteral(text, span));
    return bigLiteral(e, BigInt(sign) * BigInt(text), span);
  }
  return { kind: 'int', value: int(value) };
}

function elaborateName(
  e: Elaborator,
  { name, span }: Expression & { kind: 'name' },
  scope: Scope,
): Term {
  const binding = scope.find(name.text);
  if (binding === undefined) {
    if (isElementType(name.text)) return { kind: 'dtype', dtype: name.text };
    return reportUnknownName(e, name, scope);
  }
  switch (binding.kind) {
    case 'term':
      return binding.term;
    case 'function': {
      const { declaration, scope: home } = binding;
      return { kind: 'function', form: 'declared', declaration, scope: home, typeArguments: [] };
    }
    case 'struct':
      return e.error({
        ...notAValue(name.text, 'a struct', span),
        hint: `a value of it is written \`${structExample(binding.declaration)}\``,
      });
    case 'const':
      return evaluateConst(e, binding);
    case 'generic': {
      const { argument } = binding;
      if (argument.kind === 'dim') return { kind: 'int', value: argument.dim };
      if (argument.kind === 'shape') {
        return { kind: 'tuple', items: argument.shape.map((value) => ({ kind: 'int', value })) };
      }
      const { type } = argument;
      if (type.kind === 'tensor' && type.shape.length === 0)
        return { kind: 'dtype', dtype: type.dtype };
      if (type.kind === 'complex' && type.shape.length === 0)
        return { kind: 'dtype', dtype: 'c64' };
      return e.error(notAValue(name.text, 'a type', span));
    }
    default:
      return unreachable(binding);
  }
}

function structExample({ name, fields }: StructDeclaration): string {
  const shown = fields.slice(0, 3).map((f) => `${f.name.text}: …`);
  return `${name.text} { ${shown.join(', ')}${fields.length > 3 ? ', …' : ''} }`;
}

/** A whole number that no double holds: it fits i64 or u64, or no dtype at all. */
function bigLiteral(e: Elaborator, literal: bigint, span: Span): Term {
  const dtype = (['i64', 'u64'] as const).find((d) => fitsInteger(literal, d));
  if (dtype === undefined) return e.error(badLiteral(`${literal}`, span));
  const value = constant(e.builder, dtype, [], literal);
  return { kind: 'tensor', value, form: 'plain', isWeak: true, literal };
}

/** Once for a function: what follows from it is no mistake of its own. */
export function reportUnknownName(e: Elaborator, { text, span }: Name, scope: Scope): Term {
  if (!e.isNewUnknown(text, span)) return errorTerm;
  const hint = hintForValue(text) ?? e.importHint(text);
  if (hint !== undefined) return e.error({ ...unknownName(text, span, undefined), hint });
  if (scope.hasEnded(text)) {
    const ended = `\`${text}\` ended with its block: write \`let ${text} = if c { a } else { b };\`, or a \`var\` before it`;
    return e.error({ ...unknownName(text, span, undefined), hint: ended });
  }
  const near = suggest(text, scope.allNames());
  const problem = unknownName(text, span, near);
  const isDim = near === undefined && /^[A-Z][A-Z0-9]?$/.test(text);
  return e.error(
    isDim ? { ...problem, hint: 'a dim is bound by the type of a parameter' } : problem,
  );
}

const passesExpected: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '**']);

/** A chain `a + b + c + ...` leans to the left: walked by a loop, so that long chains need no stack. */
function binary(
  e: Elaborator,
  expression: Expression & { readonly kind: 'binary' },
  scope: Scope,
  expected: Type | undefined,
): Term {
  const chain: (Expression & { readonly kind: 'binary' })[] = [];
  let first: Expression = expression;
  let type = expected;
  const types: (Type | undefined)[] = [];
  while (first.kind === 'binary') {
    type = passesExpected.has(first.operator) ? type : undefined;
    chain.push(first);
    types.push(type);
    first = first.left;
  }
  let left = elaborateExpression(e, first, scope, type);
  for (let i = chain.length - 1; i >= 0; i--) {
    const link = chain[i]!;
    // a known left side decides `&&` and `||`, but the right side is still checked
    const right = elaborateExpression(e, link.right, scope, types[i]);
    const places = { span: link.span, left: link.left.span, right: link.right.span };
    const before = left;
    e.quiet += link.isForeign === true ? 1 : 0;
    left = guarded(e, link.span, () => binaryOperation(e, link.operator, before, right, places));
    e.quiet -= link.isForeign === true ? 1 : 0;
  }
  return left;
}

/** `x |> f(y)` is `f(x, y)`, `x |> f` is `f(x)`. */
function pipe(
  e: Elaborator,
  expression: Expression & { readonly kind: 'pipe' },
  scope: Scope,
  expected: Type | undefined,
): Term {
  const chain: Expression[] = [];
  let first: Expression = expression;
  while (first.kind === 'pipe') {
    chain.push(first.right);
    first = first.left;
  }
  let value = elaborateExpression(e, first, scope, undefined);
  let span = first.span;
  for (let i = chain.length - 1; i >= 0; i--) {
    const right = chain[i]!;
    const type = i === 0 ? expected : undefined;
    const leading = [termSource(value, span)];
    const maker = functionMaker(right, scope);
    if (maker !== undefined && value.kind !== 'function' && value.kind !== 'error') {
      return e.error(pipedIntoMaker(maker, right.span));
    }
    if (right.kind === 'call') value = call(e, right, scope, type, leading);
    else {
      const callee = elaborateExpression(e, right, scope, undefined);
      const site = { typeArguments: [], expected: type, span: right.span, calleeSpan: right.span };
      value = callTerm(e, callee, leading, site);
    }
    span = { file: span.file, start: Math.min(span.start, right.span.start), end: right.span.end };
  }
  return value;
}

const makers: ReadonlySet<string> = new Set([
  'grad',
  'value_and_grad',
  'vmap',
  'jacfwd',
  'jacrev',
  'hessian',
  'checkpoint',
]);

/** `vmap` of `vmap(f)`: what it gives is a function, which a pipe does not call. */
function functionMaker(right: Expression, scope: Scope): string | undefined {
  if (right.kind !== 'call' || right.callee.kind !== 'name') return undefined;
  const { text } = right.callee.name;
  const binding = scope.find(text);
  const isOurs =
    binding?.kind === 'term' &&
    binding.term.kind === 'function' &&
    binding.term.form === 'intrinsic';
  return isOurs && makers.has(text) ? text : undefined;
}

function call(
  e: Elaborator,
  expression: Expression & { readonly kind: 'call' },
  scope: Scope,
  expected: Type | undefined,
  leading: readonly ArgumentSource[],
): Term {
  if (isUpdate(expression) && leading.length === 0) {
    const updated = elaborateUpdate(e, expression, scope);
    if (updated !== undefined) return updated;
  }
  const { callee, span } = expression;
  const sources = [...leading, ...expression.arguments.map((a) => argumentSource(a, scope))];
  let target: Term;
  if (callee.kind === 'field') {
    // a method: a field that holds a function, or a function in reach with the object as its first argument
    const object = elaborateExpression(e, callee.object, scope, undefined);
    const field = fieldOf(e, object, callee.name);
    if (field !== undefined) target = field;
    else {
      const { text, span: nameSpan } = callee.name;
      const name: Expression = { kind: 'name', name: callee.name, span: nameSpan };
      const isKnown = scope.find(text) !== undefined || isElementType(text);
      target = isKnown ? elaborateName(e, name, scope) : unknown(e, object, callee, scope, true);
      sources.unshift(termSource(object, callee.object.span));
    }
  } else target = elaborateExpression(e, callee, scope, undefined);
  const typeArguments = evaluateTypeArguments(e, expression.typeArguments, target, scope);
  if (typeArguments === undefined) return errorTerm;
  return callTerm(e, target, sources, { typeArguments, expected, span, calleeSpan: callee.span });
}

function unknown(
  e: Elaborator,
  object: Term,
  expression: Expression & { readonly kind: 'field' },
  scope: Scope,
  isMethod = false,
): Term {
  if (object.kind === 'error') return errorTerm;
  const fields =
    object.kind === 'struct' ? [...object.fields.keys()] : ['shape', 'dtype', 'ndim', 'size', 'T'];
  const { text, span } = expression.name;
  const candidates = isMethod ? [...fields, ...scope.allNames()] : fields;
  const binding = isMethod ? undefined : scope.find(text);
  const isFunction =
    binding?.kind === 'function' || (binding?.kind === 'term' && binding.term.kind === 'function');
  const problem = unknownField(describe(object), text, span, {
    suggestion: isFunction ? `${text}()` : suggest(text, candidates),
    fields: object.kind === 'struct' ? fields : [],
  });
  const hint =
    isFunction || object.kind === 'struct'
      ? undefined
      : (updateHint(object, text) ?? hintForValue(text));
  const cure = hint ?? (isMethod ? e.importHint(text) : undefined);
  return e.error(cure === undefined ? problem : { ...problem, hint: cure });
}

/** `x.at[0]` alone, `x.at(0)`, and `x[0].set(v)`. */
function updateHint(object: Term, name: string): string | undefined {
  if (object.kind !== 'tensor') return undefined;
  const isMethod = ['set', 'add', 'multiply', 'put'].includes(name);
  return name === 'at' || isMethod ? 'a changed copy is written `x.at[i].set(v)`' : undefined;
}

/** Arguments in `<...>` as the generics of the callee demand; an intrinsic takes dims and types as they look. */
function evaluateTypeArguments(
  e: Elaborator,
  given: readonly TypeArgument[],
  callee: Term,
  scope: Scope,
): readonly GenericArgument[] | undefined {
  if (given.length === 0 || callee.kind !== 'function') return [];
  const generics = callee.form === 'declared' ? genericsOf(callee.declaration, callee.scope) : [];
  const args: GenericArgument[] = [];
  for (let i = 0; i < given.length; i++) {
    const source = given[i]!;
    const generic = generics[i] ?? exampleGeneric(source, scope);
    const argument = evaluateArgument(e, generic, source, scope);
    if (argument === undefined) return undefined;
    args.push(argument);
  }
  return args;
}

function exampleGeneric(
  source: TypeArgument,
  scope: Scope,
): Parameters<typeof evaluateArgument>[1] {
  const type = asType(source);
  const dim = asDim(source);
  const name = { text: '_', span: type?.span ?? dim!.span };
  const binding = type?.kind === 'named' ? scope.find(type.name.text) : undefined;
  const isType =
    type !== undefined &&
    (type.kind !== 'named' ||
      isElementType(type.name.text) ||
      isConstraintName(type.name.text) ||
      binding?.kind === 'struct' ||
      (binding?.kind === 'generic' && binding.argument.kind === 'type'));
  const constraint = isType ? { text: 'any-type', span: name.span } : undefined;
  return { name, isShape: false, constraint };
}
