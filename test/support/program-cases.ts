/** Calls of whole programs and what they give, as tools/goldens/programs.py writes them. */
import { type ElementType, isInteger, storageOf } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';

/** A tensor of a case: row-major; NaN, the infinities and integers of 64 bits are text. */
export interface CaseTensor {
  /** Of c64 `shape` does not count the pairs, which follow each other in `data`. */
  readonly $dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
}

/** Structs are objects, in the order of their fields; tuples and fixed arrays are arrays. */
export type CaseTree = CaseTensor | readonly CaseTree[] | { readonly [field: string]: CaseTree };

export interface ProgramCase {
  readonly file: string;
  readonly function: string;
  readonly arguments: readonly CaseTree[];
  readonly result: CaseTree;
  readonly tolerance?: number;
  readonly dims?: Readonly<Record<string, number>>;
}

/** The leaves of a tree, from left to right. */
export function leavesOf(tree: CaseTree): readonly NdArray[] {
  if (isTensor(tree)) return [toArray(tree)];
  return Object.values(tree).flatMap(leavesOf);
}

/** The tree with each of its tensors replaced. */
export function mapCase(
  tree: CaseTree,
  change: (x: NdArray, type: ElementType) => unknown,
): unknown {
  if (isTensor(tree)) return change(toArray(tree), tree.$dtype);
  if (Array.isArray(tree)) return tree.map((item: CaseTree) => mapCase(item, change));
  return Object.fromEntries(Object.entries(tree).map(([k, v]) => [k, mapCase(v, change)]));
}

function isTensor(tree: CaseTree): tree is CaseTensor {
  return '$dtype' in tree;
}

/** Complex numbers are pairs along a last axis, as in the tensor IR. */
function toArray({ $dtype, shape, data }: CaseTensor): NdArray {
  const { dtype, width } = storageOf($dtype);
  const is64 = isInteger(dtype) && dtype.endsWith('64');
  const values = data.map((v) => (is64 ? BigInt(v) : (named.get(v) ?? Number(v))));
  return arrayOf(dtype, width === 1 ? [...shape] : [...shape, width], values);
}

const named: ReadonlyMap<unknown, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
]);
