/**
 * Binds the generics of one call or struct literal from the types of what is given. Nothing is reported here:
 * matching binds what it can, and `coerce` says afterwards what does not fit.
 *
 *   fn f(x: T[...S, 2*N], k: Linear<N, M>)   against   f32[B, 8, 6], Linear<3, 5>   binds   T, S, N, M
 *
 * A dim that is a bare variable binds at once; an equation such as `2*N = 6` or `N - K + 1 = 28` waits until one
 * unknown is left and it is linear in that one.
 */
import type { Span } from '../diagnostics/span.ts';
import {
  dimVariable,
  divideExact,
  forEachVariable,
  type Int,
  linearIn,
  subtract,
  variableNames,
} from '../symbolic/integer.ts';
import type { DimExpression, Generic, TypeArgument, TypeExpression } from '../syntax/ast.ts';
import { evaluateDim } from './dims.ts';
import type { Elaborator } from './elaborator.ts';
import { Scope } from './scope.ts';
import { errorType, leadingAxes, scalarType, withoutLeading } from './terms.ts';
import { asDim, asType, evaluateType, isDimGeneric } from './types.ts';
import type { GenericArgument, Type } from './value.ts';

export interface Bound {
  readonly argument: GenericArgument;
  /** Where it was bound: the argument, or the annotation. */
  readonly span: Span;
  /** Bound by the size of a tensor: the arguments of a struct have the last word. */
  readonly isTentative?: boolean;
}

/** An unknown dim in an equation; no name of the source starts with `?`. */
function unknown(name: string): Int {
  return dimVariable(`?${name}`);
}

export class Inference {
  readonly generics: ReadonlyMap<string, Generic>;
  readonly bound: Map<string, Bound> = new Map();
  /** The home of the declaration, with the bound generics (and `int` parameters) on top. */
  readonly scope: Scope;
  readonly e: Elaborator;
  private readonly equations: {
    readonly dim: DimExpression;
    readonly actual: Int;
    readonly span: Span;
  }[] = [];

  constructor(e: Elaborator, generics: readonly Generic[], home: Scope) {
    this.e = e;
    this.generics = new Map(generics.map((g) => [g.name.text, g]));
    this.scope = new Scope(home);
  }

  bind(name: string, argument: GenericArgument, span: Span): void {
    this.bound.set(name, { argument, span });
    this.scope.define(name, { kind: 'generic', argument, span });
  }

  /** The generics that nothing has bound. */
  unbound(): readonly Generic[] {
    return [...this.generics.values()].filter((g) => !this.bound.has(g.name.text));
  }

  /** True while `type` names a generic that is not bound yet. */
  isOpen(names: readonly string[]): boolean {
    return names.some((name) => this.generics.has(name) && !this.bound.has(name));
  }

  /** Binds what `pattern` says about `type`; false when they do not have the same structure. */
  match(pattern: TypeExpression, type: Type, span: Span): boolean {
    switch (pattern.kind) {
      case 'named':
        return this.matchNamed(pattern, type, span);
      case 'tensor':
        return this.matchTensor(pattern, type, span);
      case 'tuple':
        return (
          type.kind === 'tuple' &&
          type.items.length === pattern.items.length &&
          pattern.items.every((p, i) => this.match(p, type.items[i]!, span))
        );
      case 'array': {
        if (type.kind !== 'array') return false;
        const length = evaluateDim(
          this.e,
          { kind: 'number', value: type.items.length, span },
          this.scope,
        );
        if (length !== undefined) this.equate(pattern.length, length, span);
        return type.items.every((item) => this.match(pattern.element, item, span));
      }
      case 'function':
      case 'error':
        return true;
    }
  }

  private matchNamed(pattern: TypeExpression & { kind: 'named' }, type: Type, span: Span): boolean {
    const name = pattern.name.text;
    const generic = this.generics.get(name);
    if (generic !== undefined) {
      if (generic.isShape || isDimGeneric(generic)) return false;
      if (this.bound.has(name)) return true;
      const strong = withoutWeakNumbers(type);
      if (strong === undefined) return true;
      this.bind(name, { kind: 'type', type: strong }, span);
      return true;
    }
    const binding = this.scope.find(name);
    if (binding?.kind !== 'struct') return true;
    if (type.kind !== 'struct' || type.type.declaration !== binding.declaration) return false;
    binding.declaration.generics.forEach((parameter, i) => {
      const argument = type.type.arguments[i];
      const source = pattern.arguments[i];
      if (argument !== undefined && source !== undefined) {
        this.matchArgument(parameter, source, argument, span);
      }
    });
    return true;
  }

  private matchArgument(
    parameter: Generic,
    source: TypeArgument,
    argument: GenericArgument,
    span: Span,
  ): void {
    if (argument.kind === 'dim') {
      const dim = asDim(source);
      if (dim !== undefined && isDimGeneric(parameter)) this.equate(dim, argument.dim, span);
    } else if (argument.kind === 'type') {
      const type = asType(source);
      if (type !== undefined) this.match(type, argument.type, span);
    } else if (source.kind === 'type' && source.type.kind === 'named') {
      this.bindShape(source.type.name.text, argument.shape, span);
    }
  }

  private matchTensor(
    pattern: TypeExpression & { kind: 'tensor' },
    type: Type,
    span: Span,
  ): boolean {
    const { dims, element } = pattern;
    // a number fits a scalar; its dtype is settled when all tensors have been seen
    if (isWeakType(type)) {
      if (dims.length === 1 && dims[0]!.kind === 'shape')
        this.bindShape(dims[0]!.name.text, [], span);
      return dims.every((d) => d.kind === 'shape');
    }
    const spread = dims.findIndex((d) => d.kind === 'shape');
    const isLeaf = type.kind === 'tensor' || type.kind === 'key' || type.kind === 'complex';
    // a struct or tree element keeps its own axes: the pattern's are the first ones
    const isTensorElement = isLeaf && this.isScalarElement(element);
    const own = isTensorElement ? type.shape : this.leadingOf(type, dims.length, spread >= 0);
    if (own === undefined) return false;
    if (spread < 0 ? own.length !== dims.length : own.length < dims.length - 1) return false;
    const extra = own.length - dims.length + 1;
    let axis = 0;
    for (const item of dims) {
      if (item.kind === 'dim') this.equate(item.dim, own[axis++]!, span, true);
      else {
        this.bindShape(item.name.text, own.slice(axis, axis + extra), span);
        axis += extra;
      }
    }
    if (isTensorElement) {
      const bare: Type =
        type.kind === 'tensor' ? scalarType(type.dtype) : { kind: type.kind, shape: [] };
      return this.match(element, bare, span);
    }
    const rest = withoutLeading(type, own.length);
    return rest !== undefined && this.match(element, rest, span);
  }

  private isScalarElement(element: TypeExpression): boolean {
    if (element.kind !== 'named') return false;
    const generic = this.generics.get(element.name.text);
    return (
      generic?.constraint?.text !== 'tree' && this.scope.find(element.name.text)?.kind !== 'struct'
    );
  }

  private leadingOf(type: Type, count: number, hasSpread: boolean): readonly Int[] | undefined {
    if (type.kind === 'struct' && hasSpread) return type.type.leading;
    return leadingAxes(type, count);
  }

  private bindShape(name: string, shape: readonly Int[], span: Span): void {
    const generic = this.generics.get(name);
    if (generic?.isShape === true && !this.bound.has(name)) {
      this.bind(name, { kind: 'shape', shape }, span);
    }
  }

  /** Takes `dim = actual`: binds a bare variable, keeps anything else for `solve`. */
  private equate(dim: DimExpression, actual: Int, span: Span, isTentative = false): void {
    if (dim.kind === 'name') {
      const { text } = dim.name;
      const generic = this.generics.get(text);
      if (generic === undefined || !isDimGeneric(generic)) return;
      const before = this.bound.get(text);
      if (before !== undefined && (isTentative || before.isTentative !== true)) return;
      this.bind(text, { kind: 'dim', dim: actual }, span);
      this.bound.set(text, { argument: { kind: 'dim', dim: actual }, span, isTentative });
    } else if (dim.kind !== 'number') this.equations.push({ dim, actual, span });
  }

  /** Solves the equations that have one unknown left, until nothing more follows. */
  solve(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const { dim, actual, span } of this.equations) {
        const value = evaluateDim(this.e, dim, this.scope, (n) => this.tentative(n), true);
        if (value === undefined) continue;
        const unknowns = new Set<string>();
        forEachVariable(value, (v) => {
          if (v.name.startsWith('?')) unknowns.add(v.name);
        });
        const [name] = unknowns;
        if (name === undefined || unknowns.size !== 1) continue;
        const linear = linearIn(value, name);
        if (linear === undefined) continue;
        const solution = divideExact(subtract(actual, linear.rest), linear.coefficient);
        if (solution === undefined || !isWhole(solution)) continue;
        this.bind(name.slice(1), { kind: 'dim', dim: solution }, span);
        changed = true;
      }
    }
  }

  /** An equation that no whole number solves: `2*N = 7`. */
  unsolvable():
    | { readonly dim: DimExpression; readonly actual: Int; readonly span: Span }
    | undefined {
    return this.equations.find(({ dim, actual }) => {
      const value = evaluateDim(this.e, dim, this.scope, (n) => this.tentative(n), true);
      if (value === undefined) return false;
      const unknowns = variableNames(value).filter((n) => n.startsWith('?'));
      const linear = unknowns.length === 1 ? linearIn(value, unknowns[0]!) : undefined;
      const solution = linear && divideExact(subtract(actual, linear.rest), linear.coefficient);
      return solution !== undefined && !isWhole(solution);
    });
  }

  private tentative(name: string): Int | undefined {
    const generic = this.generics.get(name);
    if (generic === undefined || !isDimGeneric(generic) || this.bound.has(name)) return undefined;
    return unknown(name);
  }

  /** Binds what is left to the defaults that the generics have. */
  applyDefaults(span: Span): void {
    for (const generic of this.unbound()) {
      const { default: fallback, name } = generic;
      if (fallback === undefined) continue;
      if (isDimGeneric(generic)) {
        const dim = asDim(fallback);
        const value = dim && evaluateDim(this.e, dim, this.scope);
        if (value !== undefined) this.bind(name.text, { kind: 'dim', dim: value }, span);
      } else {
        const written = asType(fallback);
        const type = written === undefined ? errorType : evaluateType(this.e, written, this.scope);
        if (type.kind !== 'error') this.bind(name.text, { kind: 'type', type }, span);
      }
    }
  }

  /** The arguments in the order of the generics. */
  arguments(): readonly GenericArgument[] {
    return [...this.generics.keys()].flatMap((name) => this.bound.get(name)?.argument ?? []);
  }
}

/** Solving 2*N = 5 gives 5/2, which is no size: `coerce` then reports the mismatch. */
function isWhole(a: Int): boolean {
  return a.terms.every((t) => t.denominator === 1 || t.powers.length > 0);
}

/** Literals carry no dtype: a generic type binds to the tensors; undefined when there are literals only. */
function withoutWeakNumbers(type: Type): Type | undefined {
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'bool-constant':
      return undefined;
    case 'tuple':
    case 'array':
      return { kind: type.kind, items: type.items.map(strengthen) };
    case 'struct':
      return {
        ...type,
        fields: type.fields.map((f) => ({ name: f.name, type: strengthen(f.type) })),
      };
    default:
      return type;
  }
}

function isWeakType(type: Type): boolean {
  return type.kind === 'int' || type.kind === 'float' || type.kind === 'bool-constant';
}

/** The type that a number has when it meets nothing. */
export function strengthen(type: Type): Type {
  switch (type.kind) {
    case 'int':
      return scalarType('i32');
    case 'float':
      return scalarType('f32');
    case 'bool-constant':
      return scalarType('bool');
    case 'tuple':
    case 'array':
      return { kind: type.kind, items: type.items.map(strengthen) };
    default:
      return withoutWeakNumbers(type) ?? type;
  }
}
