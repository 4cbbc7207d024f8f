/** Types and terms as a person would write them. */
import { unreachable } from '../diagnostics/internal-error.ts';
import { type Int, print } from '../symbolic/integer.ts';
import type { DimExpression, TypeArgument, TypeExpression } from '../syntax/ast.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import { showShape, showType as showTensorType } from '../tensor-ir/show.ts';
import type { GenericArgument, StructInstance, Type } from './value.ts';

export function showTensor(dtype: DType, shape: readonly Int[]): string {
  return showTensorType({ dtype, shape });
}

/** `f32[B, 64]`, `Linear<64, 128>`, `(Mlp, f32)`, `[Block<64>; 12]`. */
export function showType(type: Type): string {
  switch (type.kind) {
    case 'tensor':
      return showTensor(type.dtype, type.shape);
    case 'key':
      return type.shape.length === 0 ? 'Key' : `Key${showShape(type.shape)}`;
    case 'complex':
      return type.shape.length === 0 ? 'c64' : `c64${showShape(type.shape)}`;
    case 'int':
    case 'float':
    case 'string':
    case 'none':
    case 'dtype':
    case 'axes':
    case 'any':
      return type.kind;
    case 'bool-constant':
      return 'bool';
    case 'tuple':
      return `(${type.items.map(showType).join(', ')}${type.items.length === 1 ? ',' : ''})`;
    case 'array': {
      const items = type.items.map(showType);
      const first = items[0];
      if (first !== undefined && items.every((i) => i === first))
        return `[${first}; ${items.length}]`;
      return `[${items.join(', ')}]`;
    }
    case 'struct':
      return showInstance(type.type);
    case 'function':
      return `fn(${type.parameters.map(showType).join(', ')}) -> ${showType(type.result)}`;
    case 'error':
      return '?';
    default:
      return unreachable(type);
  }
}

/** Trailing arguments that were left to their defaults stay out. */
export function showInstance(instance: StructInstance): string {
  const { declaration, leading } = instance;
  const args = instance.arguments.map(showArgument);
  while (args.length > 0) {
    const fallback = declaration.generics[args.length - 1]?.default;
    if (fallback === undefined || showDefault(fallback) !== args.at(-1)) break;
    args.pop();
  }
  const generics = args.length === 0 ? '' : `<${args.join(', ')}>`;
  return `${declaration.name.text}${generics}${leading.length === 0 ? '' : showShape(leading)}`;
}

function showDefault(fallback: TypeArgument): string {
  return fallback.kind === 'type' ? showTypeExpression(fallback.type) : showDim(fallback.dim);
}

export function showArgument(argument: GenericArgument): string {
  switch (argument.kind) {
    case 'dim':
      return print(argument.dim);
    case 'shape':
      return showShape(argument.shape);
    case 'type':
      return showType(argument.type);
    default:
      return unreachable(argument);
  }
}

// Types as they stand in the source.

export function showTypeExpression(type: TypeExpression): string {
  switch (type.kind) {
    case 'named':
      return type.arguments.length === 0
        ? type.name.text
        : `${type.name.text}<${type.arguments.map(showTypeArgument).join(', ')}>`;
    case 'tensor': {
      const dims = type.dims.map((d) => (d.kind === 'dim' ? showDim(d.dim) : `...${d.name.text}`));
      return `${showTypeExpression(type.element)}[${dims.join(', ')}]`;
    }
    case 'tuple':
      return `(${type.items.map(showTypeExpression).join(', ')}${type.items.length === 1 ? ',' : ''})`;
    case 'array':
      return `[${showTypeExpression(type.element)}; ${showDim(type.length)}]`;
    case 'function':
      return `fn(${type.parameters.map(showTypeExpression).join(', ')}) -> ${showTypeExpression(type.result)}`;
    case 'error':
      return '?';
    default:
      return unreachable(type);
  }
}

function showTypeArgument(argument: TypeArgument): string {
  return argument.kind === 'type' ? showTypeExpression(argument.type) : showDim(argument.dim);
}

const precedence: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2 };

export function showDim(dim: DimExpression, outer = 0): string {
  switch (dim.kind) {
    case 'number':
      return `${dim.value}`;
    case 'name':
      return dim.name.text;
    case 'negate':
      return `-${showDim(dim.operand, 3)}`;
    case 'call':
      return `${dim.name.text}(${dim.arguments.map((a) => showDim(a)).join(', ')})`;
    case 'binary': {
      const level = precedence[dim.operator] ?? 1;
      const gap = level === 1 || dim.operator === '%' ? ' ' : '';
      const text = `${showDim(dim.left, level)}${gap}${dim.operator}${gap}${showDim(dim.right, level + 1)}`;
      return level < outer ? `(${text})` : text;
    }
    case 'error':
      return '?';
    default:
      return unreachable(dim);
  }
}
