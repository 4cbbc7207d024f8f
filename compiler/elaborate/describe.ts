/** What a term is, in a message: its type, and the value when the compiler knows it. */
import { constantValue, print } from '../symbolic/integer.ts';
import { showType } from './show.ts';
import { typeOf } from './terms.ts';
import type { FunctionTerm, Term } from './value.ts';

export function describe(term: Term): string {
  switch (term.kind) {
    case 'int':
      return constantValue(term.value) === undefined
        ? `the dim ${print(term.value)}`
        : `the number ${print(term.value)}`;
    case 'float':
      return `the number ${showNumber(term.value)}`;
    case 'boolean':
      return `\`${term.value}\``;
    case 'string':
      return `the string ${JSON.stringify(term.value)}`;
    case 'none':
      return '`none`';
    case 'dtype':
      return `the dtype ${term.dtype}`;
    case 'function':
      switch (term.form) {
        case 'declared':
          return `the function \`${term.declaration.name.text}\``;
        case 'intrinsic':
          return `the function \`${term.intrinsic.name}\``;
        case 'native':
          return `the function \`${term.name}\``;
        default:
          return 'a lambda';
      }
    default:
      return showType(typeOf(term));
  }
}

/** `inf`, `1e-3`, `0.5`: as the source writes numbers. */
export function showNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Number.isInteger(value) ? value.toFixed(1) : `${value}`;
}

/** A name for the region that a function becomes. */
export function nameOfFunction(term: FunctionTerm): string {
  switch (term.form) {
    case 'declared':
      return term.declaration.name.text;
    case 'intrinsic':
      return term.intrinsic.name;
    case 'native':
      return term.name;
    case 'lambda':
      return 'lambda';
  }
}
