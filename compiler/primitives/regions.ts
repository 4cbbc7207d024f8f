/** What the records of primitives with regions share: checks, and word on the rules that live in transforms/regions. */
import type { Absent } from '../tensor-ir/primitive.ts';
import type { Func, TensorType } from '../tensor-ir/program.ts';
import { isSameType, require, showType } from './checks.ts';

/** For the plain rules of a primitive that has `regional` ones. */
export const byRegion: Absent = { absent: 'its rules are those of its regions' };

/** For the operations that `transforms/expand.ts` takes away, innermost first. */
export const byExpansion: Absent = { absent: 'it is expanded before anything around it' };

export function typesOf(values: readonly { readonly type: TensorType }[]): readonly TensorType[] {
  return values.map((v) => v.type);
}

export function requireRegions(name: string, regions: readonly Func[], count: number): void {
  require(regions.length === count, () =>
    `${name} needs ${count} region${count === 1 ? '' : 's'}, found ${regions.length}`);
}

/** Two lists of types that have to be the same. */
export function requireTypes(
  what: string,
  expected: readonly TensorType[],
  found: readonly TensorType[],
): void {
  const show = (types: readonly TensorType[]): string => `(${types.map(showType).join(', ')})`;
  const fits =
    expected.length === found.length && expected.every((type, i) => isSameType(type, found[i]!));
  require(fits, () => `${what}: expected ${show(expected)}, found ${show(found)}`);
}
