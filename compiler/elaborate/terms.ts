/** Walks over terms: their types, their tensors, and the same tree with other tensors. */
import { unreachable } from '../diagnostics/internal-error.ts';
import { type Int, int } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { sameShape } from './operations.ts';
import type { ElementForm, StructTerm, Term, Type } from './value.ts';

export const errorTerm: Term = { kind: 'error' };
export const errorType: Type = { kind: 'error' };
/** `()`: the value of a block without one, and what stands for the gradient of an integer. */
export const unit: Term = { kind: 'tuple', items: [] };

export function tensorTerm(value: Value, form: ElementForm = 'plain'): Term {
  return { kind: 'tensor', value, form };
}

/** What an element of the term is; a number known when compiling is plain. */
export function formOf(term: Term): ElementForm {
  return term.kind === 'tensor' ? term.form : 'plain';
}

export function intTerm(value: number | Int): Term {
  return { kind: 'int', value: typeof value === 'number' ? int(value) : value };
}

export function scalarType(dtype: DType): Type {
  return { kind: 'tensor', dtype, shape: [] };
}

export function isUnit(term: Term): boolean {
  return term.kind === 'tuple' && term.items.length === 0;
}

const structTypes = new WeakMap<StructTerm, Type>();

/** The type of a term. */
export function typeOf(term: Term): Type {
  switch (term.kind) {
    case 'tensor': {
      const { dtype, shape } = term.value.type;
      return term.form === 'plain'
        ? { kind: 'tensor', dtype, shape }
        : { kind: term.form, shape: shape.slice(0, -1) };
    }
    case 'int':
    case 'float':
    case 'string':
    case 'none':
    case 'dtype':
    case 'error':
      return { kind: term.kind };
    case 'boolean':
      return { kind: 'bool-constant' };
    case 'tuple':
    case 'array':
      return { kind: term.kind, items: term.items.map(typeOf) };
    case 'struct': {
      let type = structTypes.get(term);
      if (type === undefined) {
        const fields = [...term.fields].map(([name, field]) => ({ name, type: typeOf(field) }));
        type = { kind: 'struct', type: term.type, fields };
        structTypes.set(term, type);
      }
      return type;
    }
    case 'function':
      return { kind: 'function', parameters: [], result: errorType };
    default:
      return unreachable(term);
  }
}

/** Calls `visit` for every number in the tree, in order: tensors, and compile-time numbers that could be tensors. */
export function forEachLeaf(term: Term, visit: (leaf: Term) => void): void {
  switch (term.kind) {
    case 'tensor':
    case 'int':
    case 'float':
    case 'boolean':
      visit(term);
      break;
    case 'tuple':
    case 'array':
      for (const item of term.items) forEachLeaf(item, visit);
      break;
    case 'struct':
      for (const field of term.fields.values()) forEachLeaf(field, visit);
      break;
    case 'string':
    case 'none':
    case 'dtype':
    case 'function':
    case 'error':
      break;
    default:
      unreachable(term);
  }
}

/** The same tree with every number replaced; struct types stay as they are. */
export function mapLeaves(term: Term, change: (leaf: Term) => Term): Term {
  switch (term.kind) {
    case 'tensor':
    case 'int':
    case 'float':
    case 'boolean':
      return change(term);
    case 'tuple':
    case 'array':
      return { kind: term.kind, items: term.items.map((item) => mapLeaves(item, change)) };
    case 'struct': {
      const fields = new Map<string, Term>();
      for (const [name, field] of term.fields) fields.set(name, mapLeaves(field, change));
      return { kind: 'struct', type: term.type, fields };
    }
    case 'string':
    case 'none':
    case 'dtype':
    case 'function':
    case 'error':
      return term;
    default:
      return unreachable(term);
  }
}

export function containsFunction(term: Term): boolean {
  switch (term.kind) {
    case 'function':
      return true;
    case 'tuple':
    case 'array':
      return term.items.some(containsFunction);
    case 'struct':
      return [...term.fields.values()].some(containsFunction);
    default:
      return false;
  }
}

export function containsError(term: Term): boolean {
  switch (term.kind) {
    case 'error':
      return true;
    case 'tuple':
    case 'array':
      return term.items.some(containsError);
    case 'struct':
      return [...term.fields.values()].some(containsError);
    default:
      return false;
  }
}

/**
 * The same tree with other tensors at its leaves, in order; an undefined leaf becomes `()`. A struct whose leaves
 * all gained or lost leading axes is an `S[B]` with those axes gained or lost.
 */
export function rebuild(term: Term, leaves: readonly (Value | undefined)[]): Term {
  let next = 0;
  const leading = leadingChange(term, leaves);
  const walk = (t: Term): Term => {
    switch (t.kind) {
      case 'tensor':
      case 'int':
      case 'float':
      case 'boolean': {
        const leaf = leaves[next++];
        return leaf === undefined ? unit : tensorTerm(leaf, formOf(t));
      }
      case 'tuple':
      case 'array':
        return { kind: t.kind, items: t.items.map(walk) };
      case 'struct': {
        const fields = new Map<string, Term>();
        const start = next;
        for (const [name, field] of t.fields) fields.set(name, walk(field));
        const first = leaves.slice(start, next).find((leaf) => leaf !== undefined);
        const type = { ...t.type, leading: leading(t.type.leading, first) };
        return { kind: 'struct', type, fields };
      }
      default:
        return t;
    }
  };
  return walk(term);
}

function leadingChange(
  term: Term,
  leaves: readonly (Value | undefined)[],
): (leading: readonly Int[], first: Value | undefined) => readonly Int[] {
  const keep = (leading: readonly Int[]): readonly Int[] => leading;
  let next = 0;
  let gained: number | undefined;
  let axes: readonly Int[] = [];
  let isUniform = true;
  forEachLeaf(term, (leaf) => {
    const value = leaves[next++];
    if (value === undefined) return;
    const before = leaf.kind === 'tensor' ? leaf.value.type.shape : [];
    const after = value.type.shape;
    const gain = after.length - before.length;
    if (gained === undefined) {
      gained = gain;
      axes = after.slice(0, Math.max(gain, 0));
    }
    if (gain !== gained || !sameShape(axes, after.slice(0, axes.length))) isUniform = false;
  });
  if (gained === undefined || !isUniform) return keep;
  if (gained > 0) return (leading) => [...axes, ...leading];
  if (gained < 0) return (leading) => leading.slice(-gained!);
  // as many as before, but a struct within the tree has axes of its own
  return (leading, first) => first?.type.shape.slice(0, leading.length) ?? leading;
}

/** A type with further leading axes on every leaf. */
export function withLeading(type: Type, axes: readonly Int[]): Type {
  if (axes.length === 0) return type;
  switch (type.kind) {
    case 'tensor':
      return { ...type, shape: [...axes, ...type.shape] };
    case 'key':
    case 'complex':
      return { kind: type.kind, shape: [...axes, ...type.shape] };
    case 'tuple':
    case 'array':
      return { kind: type.kind, items: type.items.map((t) => withLeading(t, axes)) };
    case 'struct':
      return {
        kind: 'struct',
        type: { ...type.type, leading: [...axes, ...type.type.leading] },
        fields: type.fields.map((f) => ({ name: f.name, type: withLeading(f.type, axes) })),
      };
    default:
      return type;
  }
}

/** A type without the first `count` axes of every leaf; undefined where a leaf has fewer. */
export function withoutLeading(type: Type, count: number): Type | undefined {
  if (count === 0) return type;
  switch (type.kind) {
    case 'tensor':
    case 'key':
    case 'complex':
      return type.shape.length < count ? undefined : { ...type, shape: type.shape.slice(count) };
    case 'tuple':
    case 'array': {
      const items = type.items.map((t) => withoutLeading(t, count));
      return items.every((t) => t !== undefined) ? { kind: type.kind, items } : undefined;
    }
    case 'struct': {
      const fields: { readonly name: string; readonly type: Type }[] = [];
      for (const field of type.fields) {
        const inner = withoutLeading(field.type, count);
        if (inner === undefined) return undefined;
        fields.push({ name: field.name, type: inner });
      }
      const leading = type.type.leading.slice(count);
      return { kind: 'struct', type: { ...type.type, leading }, fields };
    }
    default:
      return undefined;
  }
}

/** The axes that every leaf of the type starts with, at most `count`; undefined when there are fewer. */
export function leadingAxes(type: Type, count: number): readonly Int[] | undefined {
  switch (type.kind) {
    case 'tensor':
    case 'key':
    case 'complex':
      return type.shape.length < count ? undefined : type.shape.slice(0, count);
    case 'tuple':
    case 'array':
      for (const item of type.items) {
        const axes = leadingAxes(item, count);
        if (axes !== undefined) return axes;
      }
      return undefined;
    case 'struct':
      for (const field of type.fields) {
        const axes = leadingAxes(field.type, count);
        if (axes !== undefined) return axes;
      }
      return undefined;
    default:
      return undefined;
  }
}
