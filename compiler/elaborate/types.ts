/** Type expressions of the source as types. */
import { unreachable } from '../diagnostics/internal-error.ts';
import { tooManyLeaves } from '../diagnostics/problems/limits.ts';
import { notAType, unknownType } from '../diagnostics/problems/names.ts';
import {
  negativeSize,
  symbolicLength,
  typeArgumentKind,
  wrongArgumentsOfType,
} from '../diagnostics/problems/shapes.ts';
import {
  genericConstraint,
  notATreeType,
  unresolvedConstant,
} from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { constantValue, type Int, print, zero } from '../symbolic/integer.ts';
import type { DimExpression, Generic, TypeArgument, TypeExpression } from '../syntax/ast.ts';
import { dtypes, isInClass } from '../tensor-ir/dtype.ts';
import { evaluateDim } from './dims.ts';
import type { Elaborator } from './elaborator.ts';
import { hintForType } from './foreign-names.ts';
import { keyOfArgument } from './keys.ts';
import { type Binding, Scope } from './scope.ts';
import { showType } from './show.ts';
import { errorType, scalarType, withLeading } from './terms.ts';
import type { GenericArgument, StructInstance, Type } from './value.ts';

const builtinTypes: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['int', { kind: 'int' }],
  ['float', { kind: 'float' }],
  ['string', { kind: 'string' }],
  ['dtype', { kind: 'dtype' }],
  ['axes', { kind: 'axes' }],
  ['any', { kind: 'any' }],
  ['Key', { kind: 'key', shape: [] }],
  ['c64', { kind: 'complex', shape: [] }],
  ...dtypes.map((d): [string, Type] => [d, scalarType(d)]),
]);

/** Types of what is known when compiling, by name: no tensor goes there at run time. */
const compileTimeTypes: ReadonlySet<string> = new Set([
  'int',
  'float',
  'string',
  'dtype',
  'axes',
  'any',
]);

/** A parameter type whose argument must be known when compiling. */
export function isCompileTime(type: TypeExpression): boolean {
  return type.kind === 'named' && compileTimeTypes.has(type.name.text);
}

/** The longest fixed array: loops over one unroll. */
const arrayLimit = 4096;

export function isBuiltinType(name: string): boolean {
  return builtinTypes.has(name);
}

/** Reports what is wrong with the expression and gives the error type. */
export function evaluateType(e: Elaborator, type: TypeExpression, scope: Scope): Type {
  switch (type.kind) {
    case 'named':
      return namedType(e, type, scope);
    case 'tensor': {
      const element = evaluateType(e, type.element, scope);
      // what stands in the brackets of an unknown type is not known to be dims
      if (element.kind === 'error') return errorType;
      const axes: Int[] = [];
      let isWhole = true;
      for (const item of type.dims) {
        if (item.kind === 'dim') {
          const dim = evaluateDim(e, item.dim, scope);
          if (dim === undefined || !requireSize(e, dim, item.dim.span)) isWhole = false;
          else axes.push(dim);
          continue;
        }
        const binding = scope.find(item.name.text);
        if (binding?.kind === 'generic' && binding.argument.kind === 'shape') {
          axes.push(...binding.argument.shape);
        } else {
          e.error(unknownType(`...${item.name.text}`, item.span, undefined));
          isWhole = false;
        }
      }
      if (!isWhole) return errorType;
      if (!isTreeType(element)) {
        e.error(
          typeArgumentKind(showType(element), 'no axes: it is known when compiling', type.span),
        );
        return errorType;
      }
      return withLeading(element, axes);
    }
    case 'tuple': {
      const items = type.items.map((t) => evaluateType(e, t, scope));
      const isFine = items.every((t) => t.kind !== 'error');
      return isFine ? limited(e, { kind: 'tuple', items }, type.span) : errorType;
    }
    case 'array': {
      const length = evaluateDim(e, type.length, scope);
      const element = evaluateType(e, type.element, scope);
      if (length === undefined || element.kind === 'error') return errorType;
      const count = constantValue(length);
      if (count === undefined || count < 0 || count > arrayLimit) {
        e.error(symbolicLength(print(length), type.length.span));
        return errorType;
      }
      const items = Array.from({ length: count }, () => element);
      return limited(e, { kind: 'array', items }, type.span);
    }
    case 'function': {
      const parameters = type.parameters.map((t) => evaluateType(e, t, scope));
      return { kind: 'function', parameters, result: evaluateType(e, type.result, scope) };
    }
    case 'error':
      return errorType;
    default:
      return unreachable(type);
  }
}

/** Sizes are at least 0: proved, or a guard. */
function requireSize(e: Elaborator, size: Int, span: Span): boolean {
  const condition = { relation: 'at-least', left: size, right: zero } as const;
  const verdict = e.conditions.judge(condition);
  if (verdict === 'refuted') e.error(negativeSize(print(size), span));
  if (verdict === 'open') {
    const message = `the size ${print(size)} must be at least 0`;
    e.conditions.record({ ...condition, message, span });
  }
  return verdict !== 'refuted';
}

/** The most tensors that one value may hold: every one is a parameter of its own. */
const leafLimit = 20_000;
const leafCounts = new WeakMap<Type, number>();

function countLeaves(type: Type): number {
  let count = leafCounts.get(type);
  if (count === undefined) {
    const parts =
      type.kind === 'tuple' || type.kind === 'array'
        ? type.items
        : type.kind === 'struct'
          ? type.fields.map((f) => f.type)
          : undefined;
    count = parts === undefined ? 1 : parts.reduce((sum, part) => sum + countLeaves(part), 0);
    leafCounts.set(type, count);
  }
  return count;
}

/** The type, unless it holds too many tensors. */
function limited(e: Elaborator, type: Type, span: Span): Type {
  if (countLeaves(type) <= leafLimit) return type;
  e.error(tooManyLeaves(leafLimit, span));
  return errorType;
}

export function isTreeType(type: Type): boolean {
  switch (type.kind) {
    case 'tensor':
    case 'key':
    case 'complex':
    case 'struct':
      return true;
    case 'tuple':
    case 'array':
      return type.items.every(isTreeType);
    default:
      return false;
  }
}

function namedType(e: Elaborator, type: TypeExpression & { kind: 'named' }, scope: Scope): Type {
  const name = type.name.text;
  const binding = scope.find(name);
  if (binding?.kind === 'struct') {
    const { declaration } = binding;
    const args = structArguments(e, declaration.generics, type.arguments, scope, binding.scope, {
      name,
      span: type.span,
    });
    if (args === undefined) return errorType;
    return structType(e, { declaration, scope: binding.scope, arguments: args, leading: [] });
  }
  if (type.arguments.length > 0 && (binding !== undefined || builtinTypes.has(name))) {
    const problem = wrongArgumentsOfType(name, 0, type.arguments.length, type.span);
    const hint = `dims stand in brackets: \`${name}[…]\``;
    e.error(builtinTypes.get(name)?.kind === 'tensor' ? { ...problem, hint } : problem);
    return errorType;
  }
  if (binding?.kind === 'generic') {
    if (binding.argument.kind === 'type') return binding.argument.type;
    const isDim = binding.argument.kind === 'dim';
    const problem = notAType(name, isDim ? 'a dim' : 'a shape', type.span);
    const hint = `a dtype is declared \`<${name}: float>\` or \`<${name}: number>\`, a tree \`<${name}: tree>\``;
    if (e.isNewUnknown(`type ${name}`, type.span)) e.error(isDim ? { ...problem, hint } : problem);
    return errorType;
  }
  const builtin = builtinTypes.get(name);
  if (builtin !== undefined) return builtin;
  if (isErrorBinding(binding)) return errorType;
  if (binding === undefined) {
    const types = [...scope.allNames()].filter((n) => scope.find(n)?.kind === 'struct');
    const hint = hintForType(name) ?? e.importHint(name);
    const near = hint === undefined ? suggest(name, [...types, ...builtinTypes.keys()]) : undefined;
    const problem = unknownType(name, type.name.span, near);
    if (e.isNewUnknown(name, type.span))
      e.error(hint === undefined ? problem : { ...problem, hint });
  } else e.error(notAType(name, binding.kind === 'function' ? 'a function' : 'a value', type.span));
  return errorType;
}

/** The name of something that could not be read or imported: said already. */
export function isErrorBinding(binding: Binding | undefined): boolean {
  return binding?.kind === 'term' && binding.term.kind === 'error';
}

/** Arguments in `<...>`, with defaults for those left out; undefined after a report. */
export function structArguments(
  e: Elaborator,
  generics: readonly Generic[],
  given: readonly TypeArgument[],
  scope: Scope,
  home: Scope,
  place: { readonly name: string; readonly span: Span },
): readonly GenericArgument[] | undefined {
  const required = generics.filter((g) => g.default === undefined).length;
  if (given.length > generics.length || given.length < required) {
    const expected = given.length > generics.length ? generics.length : required;
    const problem = wrongArgumentsOfType(place.name, expected, given.length, place.span);
    const list = generics.map((g) => g.name.text).join(', ');
    e.error(list === '' ? problem : { ...problem, hint: `write \`${place.name}<${list}>\`` });
    return undefined;
  }
  const inner = new Scope(home);
  const args: GenericArgument[] = [];
  for (let i = 0; i < generics.length; i++) {
    const generic = generics[i]!;
    const source = given[i];
    const argument =
      source !== undefined
        ? evaluateArgument(e, generic, source, scope)
        : evaluateArgument(e, generic, generic.default!, inner);
    if (argument === undefined) return undefined;
    if (!satisfies(e, generic, argument, source === undefined ? place.span : spanOf(source))) {
      return undefined;
    }
    inner.define(generic.name.text, { kind: 'generic', argument, span: generic.span });
    args.push(argument);
  }
  return args;
}

function spanOf(argument: TypeArgument): Span {
  return argument.kind === 'type' ? argument.type.span : argument.dim.span;
}

/** One argument as the kind of generic demands: a plain name parses as either. */
export function evaluateArgument(
  e: Elaborator,
  generic: Pick<Generic, 'name' | 'isShape' | 'constraint'>,
  source: TypeArgument,
  scope: Scope,
): GenericArgument | undefined {
  if (generic.isShape) {
    const name =
      source.kind === 'type' && source.type.kind === 'named' ? source.type.name.text : '';
    const binding = scope.find(name);
    if (binding?.kind === 'generic' && binding.argument.kind === 'shape') return binding.argument;
    e.error(typeArgumentKind(generic.name.text, 'a shape variable', spanOf(source)));
    return undefined;
  }
  if (isDimGeneric(generic)) {
    const dim = asDim(source);
    if (dim === undefined || (dim.kind === 'name' && builtinTypes.has(dim.name.text))) {
      e.error(typeArgumentKind(generic.name.text, 'a dim', spanOf(source)));
      return undefined;
    }
    const value = evaluateDim(e, dim, scope);
    return value && { kind: 'dim', dim: value };
  }
  const type = asType(source);
  if (type === undefined) {
    e.error(typeArgumentKind(generic.name.text, 'a type', spanOf(source)));
    return undefined;
  }
  const value = evaluateType(e, type, scope);
  return value.kind === 'error' ? undefined : { kind: 'type', type: value };
}

/** `N`, `N: int`: a number; otherwise the generic stands for a type. */
export function isDimGeneric(generic: Pick<Generic, 'isShape' | 'constraint'>): boolean {
  return (
    !generic.isShape && (generic.constraint === undefined || generic.constraint.text === 'int')
  );
}

export function asDim(argument: TypeArgument): DimExpression | undefined {
  if (argument.kind === 'dim') return argument.dim;
  const { type } = argument;
  if (type.kind !== 'named' || type.arguments.length > 0) return undefined;
  return { kind: 'name', name: type.name, span: type.span };
}

export function asType(argument: TypeArgument): TypeExpression | undefined {
  if (argument.kind === 'type') return argument.type;
  const { dim } = argument;
  if (dim.kind !== 'name') return undefined;
  return { kind: 'named', name: dim.name, arguments: [], span: dim.span };
}

/** Whether an argument is of the class that the generic demands; reports when it is not. */
export function satisfies(
  e: Elaborator,
  generic: Pick<Generic, 'name' | 'constraint' | 'isShape'>,
  argument: GenericArgument,
  span: Span,
): boolean {
  const constraint = generic.constraint?.text;
  if (constraint === undefined || argument.kind !== 'type') return true;
  const { type } = argument;
  const isFine =
    constraint === 'tree'
      ? isTreeType(type)
      : type.kind === 'complex'
        ? type.shape.length === 0 && (constraint === 'number' || constraint === 'any')
        : type.kind === 'tensor' && type.shape.length === 0 && isOfClass(type.dtype, constraint);
  if (!isFine) e.error(genericConstraint(generic.name.text, constraint, showType(type), span));
  return isFine;
}

function isOfClass(dtype: (typeof dtypes)[number], constraint: string): boolean {
  switch (constraint) {
    case 'float':
    case 'integer':
    case 'number':
    case 'any':
      return isInClass(dtype, constraint);
    default:
      return false;
  }
}

/** What `<T: …>` may say. */
export const genericClasses: readonly string[] = [
  'float',
  'integer',
  'number',
  'any',
  'tree',
  'int',
];

export function isConstraintName(name: string): boolean {
  return genericClasses.includes(name);
}

interface StructMemo {
  readonly fields: Map<string, readonly { readonly name: string; readonly type: Type }[]>;
  readonly open: Set<number>;
  /** Structs in a circle, which has been reported. */
  readonly cyclic: Set<number>;
}

const memos = new WeakMap<Elaborator, StructMemo>();

/** The struct with the types of its fields, leading axes included. */
export function structType(e: Elaborator, instance: StructInstance): Type {
  let memo = memos.get(e);
  if (memo === undefined) {
    memo = { fields: new Map(), open: new Set(), cyclic: new Set() };
    memos.set(e, memo);
  }
  const { declaration, leading } = instance;
  const id = e.idOf(declaration);
  const key = `${id}<${instance.arguments.map((a) => keyOfArgument(e, a)).join(';')}>`;
  let fields = memo.fields.get(key);
  if (fields === undefined) {
    if (memo.cyclic.has(id)) return errorType;
    if (memo.open.has(id)) {
      const reason = `the struct \`${declaration.name.text}\` holds itself`;
      e.error(unresolvedConstant(reason, declaration.name.span));
      for (const other of memo.open) memo.cyclic.add(other);
      return errorType;
    }
    memo.open.add(id);
    const scope = instanceScope(instance);
    fields = declaration.fields.map((f) => ({
      name: f.name.text,
      type: evaluateType(e, f.type, scope),
    }));
    memo.open.delete(id);
    fields = fields.map((field, i) => {
      if (field.type.kind === 'error' || isTreeType(field.type)) return field;
      const what = `a field of \`${declaration.name.text}\``;
      e.error(notATreeType(what, showType(field.type), declaration.fields[i]!.type.span));
      return { name: field.name, type: errorType };
    });
    if (fields.some((f) => f.type.kind === 'error')) return errorType;
    const whole: Type = { kind: 'struct', type: instance, fields };
    if (limited(e, whole, declaration.name.span).kind === 'error') return errorType;
    memo.fields.set(key, fields);
  }
  const bare: Type = { kind: 'struct', type: { ...instance, leading: [] }, fields };
  return withLeading(bare, leading);
}

/** The scope of a struct's fields: its generics bound to the arguments. */
function instanceScope(instance: StructInstance): Scope {
  const scope = new Scope(instance.scope);
  instance.declaration.generics.forEach((generic, i) => {
    const argument = instance.arguments[i];
    if (argument !== undefined) {
      scope.define(generic.name.text, { kind: 'generic', argument, span: generic.span });
    }
  });
  return scope;
}
