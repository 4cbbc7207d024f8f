/** Text keys that are equal exactly when types or generic arguments are. */
import { unreachable } from '../diagnostics/internal-error.ts';
import type { Int } from '../symbolic/integer.ts';
import type { Elaborator } from './elaborator.ts';
import type { GenericArgument, StructInstance, Type } from './value.ts';

/** Keys of nested types would grow with every level: a long one stands as its number. */
function short(e: Elaborator, key: string): string {
  if (key.length < 200) return key;
  const numbers = e.keyNumbers;
  let number = numbers.get(key);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(key, number);
  }
  return `#${number}`;
}

export function keyOfShape(shape: readonly Int[]): string {
  return shape.map((d) => d.key).join(',');
}

export function keyOfArgument(e: Elaborator, argument: GenericArgument): string {
  switch (argument.kind) {
    case 'dim':
      return argument.dim.key;
    case 'shape':
      return `[${keyOfShape(argument.shape)}]`;
    case 'type':
      return keyOfType(e, argument.type);
    default:
      return unreachable(argument);
  }
}

export function keyOfInstance(e: Elaborator, instance: StructInstance): string {
  const args = instance.arguments.map((a) => keyOfArgument(e, a)).join(';');
  return `S${e.idOf(instance.declaration)}<${args}>[${keyOfShape(instance.leading)}]`;
}

export function keyOfType(e: Elaborator, type: Type): string {
  let key = e.typeKeys.get(type);
  if (key === undefined) {
    key = makeKey(e, type);
    e.typeKeys.set(type, key);
  }
  return key;
}

function makeKey(e: Elaborator, type: Type): string {
  switch (type.kind) {
    case 'tensor':
      return `${type.dtype}[${keyOfShape(type.shape)}]`;
    case 'key':
      return `Key[${keyOfShape(type.shape)}]`;
    case 'complex':
      return `c64[${keyOfShape(type.shape)}]`;
    case 'tuple':
      return short(e, `(${type.items.map((t) => keyOfType(e, t)).join(' ')})`);
    case 'array':
      return short(e, `{${type.items.map((t) => keyOfType(e, t)).join(' ')}}`);
    case 'struct': {
      const fields = type.fields.map((f) => keyOfType(e, f.type)).join(' ');
      return short(e, `${keyOfInstance(e, type.type)}{${fields}}`);
    }
    case 'function':
      return `fn(${type.parameters.map((t) => keyOfType(e, t)).join(' ')})${keyOfType(e, type.result)}`;
    default:
      return type.kind;
  }
}
