/**
 * A function at its declared signature: dims are rigid variables, two of which never unify, and `where` clauses are
 * facts. Functions whose generics are dims only are checked so before their first call, which is also when recursion
 * shows; entries are built from the same elaboration.
 */

import { conditionRefuted } from '../diagnostics/problems/shapes.ts';
import { notATreeType } from '../diagnostics/problems/types.ts';
import {
  asVariable,
  dimVariable,
  type Int,
  int,
  substitute,
  variableNames,
} from '../symbolic/integer.ts';
import type { FunctionDeclaration, Generic, StructDeclaration } from '../syntax/ast.ts';
import type { Guard } from '../tensor-ir/program.ts';
import { guarded } from './call-function.ts';
import { coerce } from './coerce.ts';
import { Conditions } from './conditions.ts';
import { conditionOf, showValues } from './constraints.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { genericsOf } from './generics.ts';
import { type CheckState, enter } from './instances.ts';
import { parameterTerm } from './parameters.ts';
import { Region } from './regions.ts';
import { Scope } from './scope.ts';
import { showType } from './show.ts';
import { staticDimsOf, staticDimsOfStruct } from './static-dims.ts';
import { errorTerm, scalarType } from './terms.ts';
import { evaluateType, isCompileTime, isDimGeneric, isTreeType, structType } from './types.ts';
import type { GenericArgument, Term, Type } from './value.ts';

/** A function elaborated at a signature of its own. */
export interface Elaborated {
  readonly region: Region;
  /** The parameters that stay at run time, with their types; others took their defaults. */
  readonly parameters: readonly { readonly name: string; readonly type: Type }[];
  readonly result: Term;
  readonly guards: readonly Guard[];
  readonly failed: boolean;
}

/** Why a function has no signature of its own, in the user's terms. */
export function genericReason(
  e: Elaborator,
  declaration: FunctionDeclaration,
  home: Scope,
): string | undefined {
  for (const generic of genericsOf(declaration, home)) {
    const { text } = generic.name;
    if (generic.isShape) return `its shape \`...${text}\` is open`;
    if (!isDimGeneric(generic)) {
      return `it is generic in the ${generic.constraint?.text === 'tree' ? 'tree' : 'dtype'} \`${text}\``;
    }
  }
  for (const name of staticDimsOf(declaration, home)) {
    if (
      !e.dimsOf(declaration).has(name) &&
      genericsOf(declaration, home).some((g) => g.name.text === name)
    ) {
      return `the array length \`${name}\` is open (\`--dim ${name}=...\` sets it)`;
    }
  }
  for (const { type, name, default: fallback } of declaration.parameters) {
    if (type.kind === 'function') return `its parameter \`${name.text}\` is a function`;
    if (isCompileTime(type) && fallback === undefined) {
      return `its parameter \`${name.text}\` must be known when compiling`;
    }
  }
  return undefined;
}

/** Checks a function with dims-only generics once; library functions are taken to be right. */
export function checkDeclared(
  e: Elaborator,
  declaration: FunctionDeclaration,
  home: Scope,
): CheckState {
  const { state } = e.functions;
  const before = state.get(declaration);
  if (before !== undefined) return before;
  if (e.functions.library.has(declaration.span.file)) return 'fine';
  if (e.quiet > 0 || genericReason(e, declaration, home) !== undefined) return 'fine';
  elaborateDeclared(e, declaration, home, 'declared');
  return state.get(declaration) ?? 'fine';
}

/**
 * Elaborates the function on fresh parameters, away from what is being built. `canonical` takes an example for each
 * generic that is not a dim: f32 for a dtype, two dims for a shape, a vector for a tree, length 2 for an array.
 */
export function elaborateDeclared(
  e: Elaborator,
  declaration: FunctionDeclaration,
  home: Scope,
  mode: 'declared' | 'canonical',
): Elaborated {
  const { builder, conditions, calls, dimSpans } = e;
  const { state } = e.functions;
  e.conditions = new Conditions();
  e.calls = [];
  e.dimSpans = new Map(genericsOf(declaration, home).map((g) => [g.name.text, g.name.span]));
  if (mode === 'declared') state.set(declaration, 'open');
  const before = e.errorCount;
  try {
    const region = new Region(e);
    const { scope, guards } = bindSignature(e, declaration, home, mode);
    const parameters: { readonly name: string; readonly type: Type }[] = [];
    const args = region.run(() =>
      declaration.parameters.map((parameter): Term => {
        const { text } = parameter.name;
        const type = evaluateType(e, parameter.type, scope);
        // as an example, a truth is the one that the body was written for
        const isFlag = mode === 'canonical' && isScalarBool(type);
        if ((isFlag || isCompileTime(parameter.type)) && parameter.default !== undefined) {
          const value = elaborateExpression(e, parameter.default, scope, type);
          if (value.kind === 'none') return value;
          return coerce(e, value, type, { span: parameter.default.span });
        }
        if (type.kind !== 'error' && type.kind !== 'function' && !isTreeType(type)) {
          return e.error(
            notATreeType(`the parameter \`${text}\``, showType(type), parameter.type.span),
          );
        }
        parameters.push({ name: text, type });
        return parameterTerm(type, text, (t, name) => region.parameter(t, name));
      }),
    );
    const span = declaration.name.span;
    // the body is entered even if a condition failed, but not with broken types
    const isSound = args.every((a) => a.kind !== 'error') && e.errorCount === before;
    const generics = genericsOf(declaration, home).flatMap((g) => argumentOf(scope, g));
    if (mode === 'declared') state.set(declaration, 'open');
    const result = isSound
      ? region.run(() =>
          guarded(e, span, () =>
            enter(e, { declaration, generics, scope, args, span, isSignature: true }),
          ),
        )
      : errorTerm;
    checkDefaults(e, declaration, scope);
    const failed = e.errorCount > before;
    state.set(declaration, failed ? 'broken' : 'fine');
    return { region, parameters, result, guards: [...guards, ...e.conditions.forPlan], failed };
  } finally {
    e.builder = builder;
    e.conditions = conditions;
    e.calls = calls;
    e.dimSpans = dimSpans;
  }
}

/** `int` parameters with a default may stand in constraints and types. */
function defineInts(e: Elaborator, { parameters }: FunctionDeclaration, scope: Scope): void {
  for (const { name, type, default: fallback } of parameters) {
    if (type.kind !== 'named' || type.name.text !== 'int' || fallback?.kind !== 'number') continue;
    const term = elaborateExpression(e, fallback, scope, { kind: 'int' });
    scope.define(name.text, { kind: 'term', term, span: name.span, isVar: false });
  }
}

function isScalarBool(type: Type): boolean {
  return type.kind === 'tensor' && type.dtype === 'bool' && type.shape.length === 0;
}

/** Default values at the signature; a call elaborates them anew for its own types. */
function checkDefaults(e: Elaborator, declaration: FunctionDeclaration, scope: Scope): void {
  if (e.functions.library.has(declaration.span.file)) return;
  for (const { default: fallback, type } of declaration.parameters) {
    if (fallback === undefined || isCompileTime(type)) continue;
    new Region(e).run(() => {
      const before = e.errorCount;
      const wanted = evaluateType(e, type, scope);
      const value = elaborateExpression(e, fallback, scope, wanted);
      if (e.errorCount > before || value.kind === 'none' || wanted.kind === 'function') return;
      coerce(e, value, wanted, { span: fallback.span });
    });
  }
}

function argumentOf(scope: Scope, generic: Generic): readonly GenericArgument[] {
  const binding = scope.find(generic.name.text);
  return binding?.kind === 'generic' ? [binding.argument] : [];
}

/** Binds each generic to itself, or to what `where M == N` says; the other constraints become facts and guards. */
function bindSignature(
  e: Elaborator,
  declaration: FunctionDeclaration,
  home: Scope,
  mode: 'declared' | 'canonical',
): { readonly scope: Scope; readonly guards: readonly Guard[] } {
  const generics = genericsOf(declaration, home);
  const fixed = mode === 'canonical' ? staticDimsOf(declaration, home) : new Set<string>();
  const rigid = new Map<string, Int>();
  for (const generic of generics) {
    const { text } = generic.name;
    if (!isDimGeneric(generic)) continue;
    const known = e.dimsOf(declaration).get(text);
    rigid.set(
      text,
      known !== undefined ? int(known) : fixed.has(text) ? int(2) : dimVariable(text),
    );
  }
  const axes = generics.find((g) => g.isShape)?.name.text ?? '';
  const bind = (): Scope => {
    const scope = new Scope(home);
    for (const generic of generics) {
      const argument = exampleArgument(generic, rigid, axes);
      scope.define(generic.name.text, { kind: 'generic', argument, span: generic.span });
    }
    defineInts(e, declaration, scope);
    return scope;
  };
  let scope = bind();
  for (const constraint of declaration.constraints) {
    if (constraint.relation !== '==') continue;
    const condition = conditionOf(e, constraint, scope);
    if (condition?.relation !== 'equal') continue;
    substituteEqual(condition.left, condition.right, rigid);
    scope = bind();
  }
  const guards: Guard[] = [];
  for (const constraint of declaration.constraints) {
    const condition = conditionOf(e, constraint, scope);
    if (condition === undefined) continue;
    const verdict = e.conditions.judge(condition);
    if (verdict === 'refuted') {
      const values = showValues(e, constraint, scope);
      e.error(conditionRefuted(condition.message, values, constraint.span, []));
    } else if (verdict === 'open') {
      e.conditions.assume(condition);
      guards.push(condition);
    }
  }
  return { scope, guards };
}

/** `M == N` replaces M by N everywhere, so that both are one size in every type. */
function substituteEqual(left: Int, right: Int, rigid: Map<string, Int>): void {
  const [name, value] = pickVariable(left, right) ?? pickVariable(right, left) ?? [];
  if (name === undefined || value === undefined) return;
  for (const [other, dim] of rigid) {
    rigid.set(
      other,
      substitute(dim, (v) => (v.name === name ? value : undefined)),
    );
  }
}

function pickVariable(a: Int, b: Int): [string, Int] | undefined {
  const variable = asVariable(a);
  if (variable === undefined || variableNames(b).includes(variable.name)) return undefined;
  return [variable.name, b];
}

/** Shape variables all stand for the same two dims, named after `axes`: what broadcasts together then fits. */
function exampleArgument(
  generic: Generic,
  rigid: ReadonlyMap<string, Int>,
  axes: string,
): GenericArgument {
  const { text } = generic.name;
  const dim = rigid.get(text);
  if (dim !== undefined) return { kind: 'dim', dim };
  if (generic.isShape) {
    return { kind: 'shape', shape: [dimVariable(`${axes}0`), dimVariable(`${axes}1`)] };
  }
  switch (generic.constraint?.text) {
    case 'integer':
      return { kind: 'type', type: scalarType('i32') };
    case 'tree':
      return {
        kind: 'type',
        type: { kind: 'tensor', dtype: 'f32', shape: [dimVariable(`${text}0`)] },
      };
    default:
      return { kind: 'type', type: scalarType('f32') };
  }
}

/** The types of the fields, with an example for each generic. */
export function checkStruct(e: Elaborator, declaration: StructDeclaration, scope: Scope): void {
  const fixed = staticDimsOfStruct(declaration, scope);
  const rigid = new Map<string, Int>();
  for (const { name, isShape, constraint } of declaration.generics) {
    const { text } = name;
    if (!isDimGeneric({ isShape, constraint })) continue;
    rigid.set(text, fixed.has(text) ? int(2) : dimVariable(text));
  }
  const args = declaration.generics.map((g) => exampleArgument(g, rigid, g.name.text));
  structType(e, { declaration, scope, arguments: args, leading: [] });
}
