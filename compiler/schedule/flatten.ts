/**
 * Several loop axes as one: `flat` runs over all their points in row-major order. Where every access is contiguous over the
 * axes the symbolic integers reassemble (N*(flat / N) + flat % N is flat), and no division is left.
 */

import type { Statement } from '../kernel-ir/program.ts';
import { walkStatements } from '../kernel-ir/walk.ts';
import { floordiv, forEachVariable, type Int, mod, multiply, one } from '../symbolic/integer.ts';

/** Index of each axis at position `flat` of their row-major product. */
export function delinearize(flat: Int, extents: readonly Int[]): readonly Int[] {
  const indices: Int[] = [];
  let rest = flat;
  let stride = one;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const quotient = floordiv(rest, stride);
    indices.unshift(axis === 0 ? quotient : mod(quotient, extents[axis]!));
    stride = multiply(stride, extents[axis]!);
    rest = flat;
  }
  return indices;
}

/** True when an index expression divides something that depends on the variable. */
export function dividesVariable(statements: readonly Statement[], variable: string): boolean {
  let found = false;
  walkStatements(statements, {
    integer: (value) => {
      found ||= hasDivisionOf(value, variable);
    },
  });
  return found;
}

export function hasDivisionOf(value: Int, variable: string): boolean {
  for (const term of value.terms) {
    for (const { atom } of term.powers) {
      if (atom.kind === 'variable' || atom.kind === 'min' || atom.kind === 'max') continue;
      let mentions = false;
      forEachVariable(atom.left, (v) => {
        mentions ||= v.name === variable;
      });
      if (mentions) return true;
    }
  }
  return false;
}
