/** `object.name`: fields of structs, and what every tensor knows of itself. */
import { int, product } from '../symbolic/integer.ts';
import type { Name } from '../syntax/ast.ts';
import type { Elaborator } from './elaborator.ts';
import { permute } from './operations.ts';
import { errorTerm, intTerm, tensorTerm, typeOf } from './terms.ts';
import type { Term } from './value.ts';

/** Undefined when there is no such field: a method, perhaps. */
export function fieldOf(e: Elaborator, object: Term, name: Name): Term | undefined {
  if (object.kind === 'error') return errorTerm;
  if (object.kind === 'struct') return object.fields.get(name.text);
  if (object.kind !== 'tensor') return undefined;
  const type = typeOf(object);
  if (type.kind !== 'tensor' && type.kind !== 'key' && type.kind !== 'complex') return undefined;
  const { shape } = type;
  switch (name.text) {
    case 'shape':
      return { kind: 'tuple', items: shape.map((d) => intTerm(d)) };
    case 'ndim':
      return intTerm(shape.length);
    case 'size':
      return { kind: 'int', value: shape.length === 0 ? int(1) : product(shape) };
    case 'dtype':
      if (type.kind === 'key') return undefined;
      return { kind: 'dtype', dtype: type.kind === 'complex' ? 'c64' : type.dtype };
    case 'T': {
      if (object.form === 'key') return undefined;
      e.builder.span = name.span;
      const order = shape.map((_, i) => shape.length - 1 - i);
      const pair = object.form === 'plain' ? [] : [shape.length];
      return tensorTerm(permute(e.builder, object.value, [...order, ...pair]), object.form);
    }
    default:
      return undefined;
  }
}
