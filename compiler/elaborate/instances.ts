/**
 * Bodies of declared functions. A function called with arguments of the same types (and the same known numbers) has
 * the same body, so it is elaborated once into a function of its own and copied into each caller.
 */

import { functionInSignature, recursion } from '../diagnostics/problems/calls.ts';
import { emptyResult } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import type { FunctionDeclaration } from '../syntax/ast.ts';
import type { Func, Guard, Value } from '../tensor-ir/program.ts';
import { elaborateBlock } from './blocks.ts';
import { coerce } from './coerce.ts';
import { Conditions, type IndexedRead } from './conditions.ts';
import type { Elaborator } from './elaborator.ts';
import { applyKernel, checkKernel } from './kernels.ts';
import { keyOfArgument, keyOfInstance, keyOfShape } from './keys.ts';
import { Region } from './regions.ts';
import { Scope } from './scope.ts';
import { showType } from './show.ts';
import { containsFunction, errorTerm, forEachLeaf, mapLeaves } from './terms.ts';
import { evaluateType } from './types.ts';
import type { GenericArgument, Term, Type } from './value.ts';

export interface Instance {
  readonly func: Func;
  /** The result as a tree: its tensors are `func.results`, in order. */
  readonly result: Term;
  readonly guards: readonly Guard[];
  readonly reads: readonly IndexedRead[];
}

/** `open` while the declared signature is being checked, `broken` once problems were reported in the body. */
export type CheckState = 'open' | 'fine' | 'broken';

export class FunctionTable {
  /** By declaration, generics and argument types; undefined for an instance with problems. */
  readonly instances: Map<string, Instance | undefined> = new Map();
  /** Instances whose result holds a function: they are elaborated in place at each call. */
  readonly inPlace: Set<string> = new Set();
  readonly state: Map<FunctionDeclaration, CheckState> = new Map();
  /** Files whose functions are checked by their own tests. */
  readonly library: Set<string> = new Set();
  /** Functions whose body was elaborated at some type. */
  readonly entered: Set<FunctionDeclaration> = new Set();
}

/** A function with its generics bound and its arguments brought to the types of the parameters. */
export interface BoundCall {
  readonly declaration: FunctionDeclaration;
  readonly generics: readonly GenericArgument[];
  /** The generics on top of the module. */
  readonly scope: Scope;
  readonly args: readonly Term[];
  readonly span: Span;
  /** The function at its own signature: nothing called it. */
  readonly isSignature?: boolean;
}

/** Calls nested in this way in one function before they count as a recursion through function values. */
const nestingLimit = 16;

/** Elaborates or copies the body. */
export function enter(e: Elaborator, call: BoundCall): Term {
  e.functions.entered.add(call.declaration);
  if (isRecursive(e, call)) return errorTerm;
  if (!checkKernel(e, call.declaration, call.scope)) {
    e.functions.state.set(call.declaration, 'broken');
    return errorTerm;
  }
  const key = keyOfCall(e, call);
  if (key === undefined || e.functions.inPlace.has(key)) return elaborateBody(e, call);
  const { instances } = e.functions;
  if (!instances.has(key)) {
    const before = e.errorCount;
    const instance = makeInstance(e, call);
    if (instance === 'in place') {
      e.functions.inPlace.add(key);
      return elaborateBody(e, call);
    }
    // a failed attempt under `quiet` has reported nothing: it must be able to report later
    if (instance === undefined && e.quiet > 0) return errorTerm;
    // a mistake in a body of ours is one mistake, however many types it is called at
    const isOwn = !e.functions.library.has(call.declaration.span.file);
    if (instance === undefined && e.errorCount > before && isOwn) {
      e.functions.state.set(call.declaration, 'broken');
    }
    instances.set(key, instance);
  }
  const instance = instances.get(key);
  if (instance === undefined) return errorTerm;
  for (const guard of instance.guards) e.conditions.record(guard);
  for (const read of instance.reads) e.requireElements(read.size, read.count, read.span);
  if (!e.spend(instance.func.body.length, call.span)) return errorTerm;
  const leaves: Value[] = [];
  for (const arg of call.args) leaves.push(...tensorsOf(arg));
  const { declaration, scope } = call;
  const results =
    declaration.kernel === undefined
      ? e.builder.inline(instance.func, leaves)
      : applyKernel(e, declaration, scope, instance.func, leaves);
  if (results === undefined) return errorTerm;
  let next = 0;
  return mapLeaves(instance.result, (leaf) =>
    leaf.kind === 'tensor' ? { ...leaf, value: results[next++]! } : leaf,
  );
}

function isRecursive(e: Elaborator, { declaration, span }: BoundCall): boolean {
  let direct = true;
  let count = 0;
  for (let i = e.calls.length - 1; i >= 0; i--) {
    const frame = e.calls[i]!;
    if (frame.declaration === undefined) direct = false;
    else if (frame.declaration === declaration) {
      count++;
      if (direct || count > nestingLimit) {
        e.error(recursion(declaration.name.text, span, []));
        e.functions.state.set(declaration, 'broken');
        return true;
      }
    }
  }
  return false;
}

function tensorsOf(term: Term): readonly Value[] {
  const values: Value[] = [];
  forEachLeaf(term, (leaf) => {
    if (leaf.kind === 'tensor') values.push(leaf.value);
  });
  return values;
}

/** Makes the body as a function of its own; `in place` when its result is known only inside the caller. */
function makeInstance(e: Elaborator, call: BoundCall): Instance | undefined | 'in place' {
  const region = new Region(e);
  const { parameters } = call.declaration;
  const args = call.args.map((arg, i) => {
    const name = parameters[i]!.name.text;
    return parametersFor(arg, name, (value, path) => region.parameter(value.type, path));
  });
  const outer = e.conditions;
  e.conditions = new Conditions(outer);
  const before = e.errorCount;
  try {
    return region.run(() => {
      const result = elaborateBody(e, { ...call, args });
      if (e.errorCount > before || result.kind === 'error') return undefined;
      if (containsFunction(result)) return 'in place';
      const values = tensorsOf(result).map((v) => region.builder.adopt(v));
      // a body reads its parameters only; anything else would be a value of another function
      if (region.builder.captured.size > 0) return 'in place';
      const func = region.builder.finish(call.declaration.name.text, region.parameters, values);
      return { func, result, guards: e.conditions.guards, reads: e.conditions.reads };
    });
  } finally {
    e.conditions = outer;
  }
}

/** The same tree with fresh parameters for its tensors, named by their path. */
function parametersFor(
  term: Term,
  name: string,
  make: (value: Value, path: string) => Value,
): Term {
  switch (term.kind) {
    case 'tensor':
      return { ...term, value: make(term.value, name) };
    case 'struct': {
      const fields = new Map<string, Term>();
      for (const [field, inner] of term.fields) {
        fields.set(field, parametersFor(inner, `${name}_${field}`, make));
      }
      return { kind: 'struct', type: term.type, fields };
    }
    case 'tuple':
    case 'array':
      return {
        kind: term.kind,
        items: term.items.map((item, i) => parametersFor(item, `${name}_${i}`, make)),
      };
    default:
      return term;
  }
}

/** Elaborates the body in the function being built. */
function elaborateBody(e: Elaborator, call: BoundCall): Term {
  const { declaration, span } = call;
  const scope = new Scope(call.scope);
  declaration.parameters.forEach((parameter, i) => {
    const { text, span: place } = parameter.name;
    scope.define(text, { kind: 'term', term: call.args[i]!, span: place, isVar: false });
  });
  e.calls.push({ declaration, span, isSignature: call.isSignature === true });
  try {
    return e.nested(span, () => {
      const type = declaration.result && evaluateType(e, declaration.result, scope);
      // sizes that this call makes impossible: what the body does with them says nothing more
      if (type?.kind === 'error' && call.isSignature !== true) return errorTerm;
      const value = elaborateBlock(e, declaration.body, scope, type);
      return type === undefined ? value : coerceResult(e, declaration, value, type);
    });
  } finally {
    e.calls.pop();
  }
}

function coerceResult(
  e: Elaborator,
  declaration: FunctionDeclaration,
  value: Term,
  type: Type,
): Term {
  const { body, result, name } = declaration;
  const isUnitType = type.kind === 'tuple' && type.items.length === 0;
  if (body.result === undefined && !isUnitType && type.kind !== 'error') {
    return e.error(
      emptyResult(name.text, showType(type), result!.span, body.statements.at(-1)?.kind),
    );
  }
  if (type.kind === 'error') return errorTerm;
  const labels = [{ span: result!.span, text: `the result of \`${name.text}\`` }];
  const written = body.result;
  return coerce(e, value, type, { span: written?.span ?? body.span, labels, written });
}

// ---------------------------------------------------------------------------------------------------------
// Keys

function keyOfCall(e: Elaborator, call: BoundCall): string | undefined {
  const args: string[] = [];
  for (const arg of call.args) {
    const key = keyOfTerm(e, arg);
    if (key === undefined) return undefined;
    args.push(key);
  }
  const generics = call.generics.map((g) => keyOfArgument(e, g)).join(';');
  return `${e.idOf(call.declaration)}<${generics}>(${args.join(';')})${e.conditions.key}`;
}

/** Undefined for a lambda or a native function: it may hold values of the caller. */
function keyOfTerm(e: Elaborator, term: Term): string | undefined {
  switch (term.kind) {
    case 'tensor': {
      const { dtype, shape } = term.value.type;
      const mark = `${term.form === 'plain' ? '' : term.form}${term.isWeak === true ? 'w' : ''}${term.literal ?? ''}`;
      return `${mark}${dtype}[${keyOfShape(shape)}]`;
    }
    case 'int':
      return `i${term.value.key}`;
    case 'float':
      return `f${Object.is(term.value, -0) ? '-0' : term.value}`;
    case 'boolean':
      return `b${term.value}`;
    case 'string':
      return JSON.stringify(term.value);
    case 'none':
      return 'none';
    case 'dtype':
      return `d${term.dtype}`;
    case 'tuple':
    case 'array':
      return keyOfItems(e, term.kind === 'tuple' ? '(' : '[', term.items);
    case 'struct':
      return keyOfItems(e, keyOfInstance(e, term.type), [...term.fields.values()]);
    case 'function':
      if (term.form === 'declared') {
        const args = term.typeArguments.map((a) => keyOfArgument(e, a)).join(';');
        return `F${e.idOf(term.declaration)}<${args}>`;
      }
      return term.form === 'intrinsic' ? `I${term.intrinsic.name}` : undefined;
    case 'error':
      return undefined;
  }
}

function keyOfItems(e: Elaborator, open: string, items: readonly Term[]): string | undefined {
  const keys: string[] = [];
  for (const item of items) {
    const key = keyOfTerm(e, item);
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return `${open}{${keys.join(' ')}}`;
}

/** Reports a function in a tree that must hold tensors only. */
export function refuseFunctions(e: Elaborator, term: Term, where: string, span: Span): boolean {
  if (!containsFunction(term)) return false;
  e.error(functionInSignature(where, span));
  return true;
}
