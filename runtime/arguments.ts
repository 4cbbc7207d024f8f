/** Arguments of a call to the leaves of a signature, with every mismatch reported. */
import type { PlanLeaf, PlanParameter, PlanTree } from '../compiler/plan/plan.ts';
import { storageOf } from '../compiler/tensor-ir/dtype.ts';
import type { Problem } from './errors.ts';
import { MlxcError } from './errors.ts';
import { leafPlaces, showLeaf, showTree, showType } from './signature.ts';
import { type NestedArray, Tensor, tensor } from './tensor.ts';
import { holds, isTypedArray, type TypedArray } from './typed-array.ts';

/**
 * What a parameter takes: a tensor, a typed array (in row-major order), a number, boolean, bigint or nested arrays (copied);
 * for a struct an object with its fields, for tuples and arrays an array. `ArrayLike` trees nest freely.
 */
export type Argument =
  | Tensor
  | TypedArray
  | NestedArray
  | { readonly [field: string]: Argument }
  | readonly Argument[];

export interface LeafArgument {
  readonly data: TypedArray;
  /** Unknown for a typed array: its length alone is known. */
  readonly shape: readonly number[] | undefined;
  /** The tensor it came from, if any: what donation takes. */
  readonly tensor: Tensor | undefined;
  /** Whether code outside the runtime can reach the memory. */
  readonly isExposed: boolean;
  /** The device whose memory it is; undefined for memory that came from outside. */
  readonly owner: string | undefined;
}

export class ArgumentReader {
  readonly leaves: LeafArgument[] = [];
  readonly problems: Problem[] = [];

  /** Appends the leaves of one argument, in the order of the tree. */
  read(parameter: PlanParameter, value: Argument | undefined): void {
    if (value === undefined) {
      this.problem(parameter.name, 'is missing', showTree(parameter.tree), undefined);
      return;
    }
    this.readTree(parameter.tree, value, parameter.name);
  }

  private readTree(tree: PlanTree, value: Argument, path: string): void {
    switch (tree.kind) {
      case 'leaf':
        this.readLeaf(tree.leaf, value, path);
        return;
      case 'struct': {
        if (typeof value !== 'object' || Array.isArray(value) || isLeafValue(value)) {
          this.problem(path, 'must be an object', describeStruct(tree), value);
          return;
        }
        const fields = value as Readonly<Record<string, Argument>>;
        for (const { name, tree: inner } of tree.fields) {
          if (!Object.hasOwn(fields, name)) {
            this.problem(`${path}.${name}`, 'is missing', showTree(inner), undefined);
          } else this.readTree(inner, fields[name]!, `${path}.${name}`);
        }
        const known = new Set(tree.fields.map((field) => field.name));
        for (const name of Object.keys(fields)) {
          if (!known.has(name)) {
            this.problem(
              `${path}.${name}`,
              `is no field of ${tree.name}`,
              describeStruct(tree),
              undefined,
            );
          }
        }
        return;
      }
      case 'tuple':
      case 'array': {
        if (!Array.isArray(value) || value.length !== tree.items.length) {
          const what = `must be an array of ${tree.items.length}`;
          this.problem(path, what, showTree(tree), value);
          return;
        }
        for (const [i, item] of tree.items.entries()) {
          this.readTree(item, (value as readonly Argument[])[i]!, `${path}.${i}`);
        }
      }
    }
  }

  private readLeaf(leaf: PlanLeaf, value: Argument, path: string): void {
    if (value instanceof Tensor) {
      if (value.isDisposed) {
        this.problem(path, 'was disposed or donated', showLeaf(leaf), value);
      } else if (value.dtype !== leaf.dtype) {
        this.problem(path, 'has the wrong dtype', showLeaf(leaf), value);
      } else if (value.shape.length !== leaf.shape.length) {
        this.problem(path, 'has the wrong number of axes', showLeaf(leaf), value);
      } else this.leaves.push(value.lend());
      return;
    }
    if (isTypedArray(value)) {
      const { dtype, width } = storageOf(leaf.dtype);
      if (!holds(dtype, value) || value.length % width !== 0) {
        this.problem(path, 'has the wrong element type', showLeaf(leaf), value);
      } else
        this.leaves.push({
          data: value,
          shape: undefined,
          tensor: undefined,
          isExposed: true,
          owner: undefined,
        });
      return;
    }
    if (typeof value === 'object' && !Array.isArray(value)) {
      this.problem(path, 'must be a tensor', showLeaf(leaf), value);
      return;
    }
    try {
      const made = tensor(value as NestedArray, undefined, leaf.dtype);
      if (made.shape.length !== leaf.shape.length) {
        this.problem(path, 'has the wrong number of axes', showLeaf(leaf), made);
      } else {
        const { data, shape } = made.lend();
        this.leaves.push({ data, shape, tensor: undefined, isExposed: false, owner: undefined });
      }
    } catch (error) {
      if (!(error instanceof MlxcError)) throw error;
      this.problem(path, error.message.replace(/^MLX\d+: /, ''), showLeaf(leaf), value);
    }
  }

  private problem(place: string, message: string, expected: string, found: unknown): void {
    const problem = { place, message, expected };
    this.problems.push(found === undefined ? problem : { ...problem, found: describe(found) });
  }
}

function isLeafValue(value: Argument): boolean {
  return value === null || value instanceof Tensor || isTypedArray(value);
}

function describeStruct(tree: Extract<PlanTree, { kind: 'struct' }>): string {
  const leaves = leafPlaces(tree, '');
  if (leaves.length > 8) return tree.name;
  return `${tree.name} { ${tree.fields.map((f) => `${f.name}: ${showTree(f.tree)}`).join(', ')} }`;
}

/** A value for messages. */
function describe(value: unknown): string {
  if (value instanceof Tensor) return showType(value.dtype, value.shape);
  if (isTypedArray(value)) return `${value.constructor.name}(${value.length})`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null) return 'null';
  if (typeof value === 'object')
    return `an object with ${Object.keys(value).join(', ') || 'no fields'}`;
  return `${typeof value} ${String(value).slice(0, 40)}`;
}
