/** Text keys that are equal exactly when types or generic arguments are. */
import { unreachable } from '../diagnostics/internal-error.ts';
import type { Int } from '../symbolic/integer.ts';
import type { Elaborator } from './elaborator.ts';
import type { GenericArgument, StructInstance, Type } from './value.ts';

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
  switch (type.kind) {
    case 'tensor':
      return `${type.dtype}[${keyOfShape(type.shape)}]`;
    case 'key':
      return `Key[${keyOfShape(type.shape)}]`;
    case 'tuple':
      return `(${type.items.map((t) => keyOfType(e, t)).join(' ')})`;
    case 'array':
      return `{${type.items.map((t) => keyOfType(e, t)).join(' ')}}`;
    case 'struct': {
      const fields = type.fields.map((f) => keyOfType(e, f.type)).join(' ');
      return `${keyOfInstance(e, type.type)}{${fields}}`;
    }
    case 'function':
      return `fn(${type.parameters.map((t) => keyOfType(e, t)).join(' ')})${keyOfType(e, type.result)}`;
    default:
      return type.kind;
  }
}
