/** Struct literals: `Linear { w, b }`, `Mlp { ..m, out: o }`. */
import {
  duplicateName,
  missingFields,
  notAType,
  unknownField,
  unknownType,
} from '../diagnostics/problems/names.ts';
import { unresolvedDims } from '../diagnostics/problems/shapes.ts';
import { typeMismatch } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Expression } from '../syntax/ast.ts';
import { coerce } from './coerce.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { namesIn } from './generics.ts';
import { Inference, strengthen } from './inference.ts';
import type { Binding, Scope } from './scope.ts';
import { containsError, errorTerm, typeOf, withLeading } from './terms.ts';
import { evaluateType, isErrorBinding, structArguments, structType } from './types.ts';
import type { StructInstance, StructTerm, Term, Type } from './value.ts';

type Literal = Expression & { readonly kind: 'struct' };

export function structLiteral(
  e: Elaborator,
  expression: Literal,
  scope: Scope,
  expected: Type | undefined,
): Term {
  const { name } = expression;
  const binding = scope.find(name.text);
  if (binding?.kind !== 'struct') {
    for (const field of expression.fields) elaborateExpression(e, field.value, scope, undefined);
    if (isErrorBinding(binding)) return errorTerm;
    if (binding !== undefined) return e.error(notAType(name.text, 'no struct', name.span));
    const structs = [...scope.allNames()].filter((n) => scope.find(n)?.kind === 'struct');
    if (!e.isNewUnknown(name.text, name.span)) return errorTerm;
    const hint = e.importHint(name.text);
    const problem = unknownType(name.text, name.span, suggest(name.text, structs));
    return e.error(hint === undefined ? problem : { ...problem, hint });
  }
  const base =
    expression.base === undefined
      ? undefined
      : elaborateExpression(e, expression.base, scope, expected);
  if (
    base !== undefined &&
    !(base.kind === 'struct' && base.type.declaration === binding.declaration)
  ) {
    for (const field of expression.fields) elaborateExpression(e, field.value, scope, undefined);
    if (base.kind === 'error') return errorTerm;
    return e.error(typeMismatch(name.text, describe(base), expression.base!.span));
  }
  if (!checkFieldNames(e, expression, binding, base !== undefined)) {
    for (const field of expression.fields) elaborateExpression(e, field.value, scope, undefined);
    return errorTerm;
  }
  return base?.kind === 'struct'
    ? updateStruct(e, expression, scope, base)
    : makeStruct(e, expression, scope, binding, expected);
}

function checkFieldNames(
  e: Elaborator,
  expression: Literal,
  { declaration }: Binding & { readonly kind: 'struct' },
  hasBase: boolean,
): boolean {
  const names = declaration.fields.map((f) => f.name.text);
  const given = new Map<string, Span>();
  const before = e.errorCount;
  for (const { name } of expression.fields) {
    const first = given.get(name.text);
    if (first !== undefined) e.error(duplicateName(name.text, name.span, first));
    given.set(name.text, name.span);
    if (!names.includes(name.text)) {
      const options = { suggestion: suggest(name.text, names), fields: names };
      e.error(unknownField(declaration.name.text, name.text, name.span, options));
    }
  }
  const missing = hasBase ? [] : names.filter((n) => !given.has(n));
  if (missing.length > 0 && e.errorCount === before) {
    e.error(missingFields(declaration.name.text, missing, expression.name.span));
  }
  return e.errorCount === before;
}

/** The type stays that of the base. */
function updateStruct(e: Elaborator, expression: Literal, scope: Scope, base: StructTerm): Term {
  const type = structType(e, base.type);
  if (type.kind !== 'struct') return errorTerm;
  const fields = new Map(base.fields);
  let failed = false;
  for (const { name, value } of expression.fields) {
    const wanted = type.fields.find((f) => f.name === name.text)!.type;
    const term = elaborateExpression(e, value, scope, wanted);
    const labels = fieldLabels(base.type, name.text);
    const field = coerce(e, term, wanted, { span: value.span, labels });
    if (field.kind === 'error') failed = true;
    fields.set(name.text, field);
  }
  return failed ? errorTerm : { kind: 'struct', type: base.type, fields };
}

function fieldLabels(instance: StructInstance, name: string): { span: Span; text: string }[] {
  const field = instance.declaration.fields.find((f) => f.name.text === name);
  return field === undefined ? [] : [{ span: field.type.span, text: `the field \`${name}\`` }];
}

function makeStruct(
  e: Elaborator,
  expression: Literal,
  scope: Scope,
  { declaration, scope: home }: Binding & { readonly kind: 'struct' },
  expected: Type | undefined,
): Term {
  const inference = new Inference(e, declaration.generics, home);
  const { name, typeArguments } = expression;
  const isExpected = expected?.kind === 'struct' && expected.type.declaration === declaration;
  const leading = isExpected ? expected.type.leading : [];
  if (typeArguments.length > 0) {
    const place = { name: name.text, span: name.span };
    const args = structArguments(e, declaration.generics, typeArguments, scope, home, place);
    if (args === undefined) return errorTerm;
    declaration.generics.forEach((g, i) => {
      inference.bind(g.name.text, args[i]!, name.span);
    });
  } else if (isExpected) {
    declaration.generics.forEach((g, i) => {
      const argument = expected.type.arguments[i];
      if (argument !== undefined) inference.bind(g.name.text, argument, name.span);
    });
  }
  const generics = new Set(inference.generics.keys());
  const values = new Map<string, { readonly term: Term; readonly span: Span }>();
  let failed = false;
  for (const { name: field, value } of expression.fields) {
    const declared = declaration.fields.find((f) => f.name.text === field.text)!;
    const wanted = inference.isOpen(namesIn(declared.type, generics))
      ? undefined
      : withLeading(evaluateType(e, declared.type, inference.scope), leading);
    const term = elaborateExpression(e, value, scope, wanted);
    if (containsError(term)) failed = true;
    else if (wanted === undefined) inference.match(declared.type, typeOf(term), value.span);
    inference.solve();
    values.set(field.text, { term, span: value.span });
  }
  if (failed) return errorTerm;
  for (const { name: field, type } of declaration.fields) {
    const generic = type.kind === 'named' ? inference.generics.get(type.name.text) : undefined;
    const given = values.get(field.text);
    if (generic?.constraint === undefined || given === undefined) continue;
    if (inference.bound.has(generic.name.text)) continue;
    // a literal for a generic dtype or tree takes its own dtype
    const own = strengthen(typeOf(given.term));
    inference.bind(generic.name.text, { kind: 'type', type: own }, given.span);
  }
  inference.applyDefaults(name.span);
  const open = inference.unbound();
  if (open.length > 0) {
    const example = `\`${name.text}<${[...generics].join(', ')}> { ... }\``;
    return e.error(
      unresolvedDims(
        name.text,
        open.map((g) => g.name.text),
        name.span,
        example,
      ),
    );
  }
  const instance: StructInstance = {
    declaration,
    scope: home,
    arguments: inference.arguments(),
    leading,
  };
  const type = structType(e, instance);
  if (type.kind !== 'struct') return errorTerm;
  const fields = new Map<string, Term>();
  e.builder.span = expression.span;
  for (const { name: field, type: wanted } of type.fields) {
    const { term, span } = values.get(field)!;
    const value = coerce(e, term, wanted, { span, labels: fieldLabels(instance, field) });
    if (value.kind === 'error') failed = true;
    fields.set(field, value);
  }
  return failed ? errorTerm : { kind: 'struct', type: instance, fields };
}
