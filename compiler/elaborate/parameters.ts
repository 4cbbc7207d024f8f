/** Fresh values of a type: parameters of entries, and stand-ins when only the type of a result is wanted. */
import { int } from '../symbolic/integer.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { errorTerm } from './terms.ts';
import type { Term, Type } from './value.ts';

export function parameterTerm(
  type: Type,
  name: string,
  make: (type: TensorType, name: string) => Value,
): Term {
  switch (type.kind) {
    case 'tensor':
      return {
        kind: 'tensor',
        form: 'plain',
        value: make({ dtype: type.dtype, shape: type.shape }, name),
      };
    case 'key':
      return {
        kind: 'tensor',
        form: 'key',
        value: make({ dtype: 'u32', shape: [...type.shape, int(2)] }, name),
      };
    case 'complex':
      return {
        kind: 'tensor',
        form: 'complex',
        value: make({ dtype: 'f32', shape: [...type.shape, int(2)] }, name),
      };
    case 'tuple':
    case 'array':
      return {
        kind: type.kind,
        items: type.items.map((item, i) => parameterTerm(item, `${name}_${i}`, make)),
      };
    case 'struct': {
      const fields = new Map<string, Term>();
      for (const field of type.fields) {
        fields.set(field.name, parameterTerm(field.type, `${name}_${field.name}`, make));
      }
      return { kind: 'struct', type: type.type, fields };
    }
    case 'function': {
      // known by its type alone: what it gives is a fresh value each time
      const { result } = type;
      return {
        kind: 'function',
        form: 'native',
        name: name === '' ? 'function' : name,
        call: () => parameterTerm(result, '', make),
      };
    }
    default:
      return errorTerm;
  }
}
