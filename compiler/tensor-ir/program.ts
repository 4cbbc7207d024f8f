/**
 * The tensor IR: A-normal form over tensors with symbolic shapes. Data only; building, printing, parsing,
 * verifying and evaluating are functions in their own files.
 *
 *   Program   ::= Entry*                                  one per exported function
 *   Func      ::= parameters, Operation*, results         a straight list, each value defined before use
 *   Operation ::= results = primitive(operands) attrs regions
 *
 * Two stages share these types. `Program<'traced'>` may hold the transformation operations (`vmap`, `jvp`, `vjp`)
 * and `custom_vjp`/`custom_jvp`/`checkpoint`; in `Program<'plain'>` passes have removed them.
 *
 * A value is an object and the key of every map; its id serves printing only. Passes build new functions.
 */
import type { Span } from '../diagnostics/span.ts';
import type { Int } from '../symbolic/integer.ts';
import type { DType } from './dtype.ts';
import type { Primitive } from './primitive.ts';

export type Stage = 'traced' | 'plain';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Int[];
}

export interface Value {
  readonly id: number;
  readonly type: TensorType;
  /** The name in the source that this value was bound to, for people who read IR and kernels. */
  readonly name?: string | undefined;
}

/** Typed data of a `constant`: row-major; f16 and bf16 as rounded numbers in a Float32Array, bool as 0 and 1. */
export type ConstantData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export type Attr =
  | number
  | bigint
  | string
  | boolean
  | Int
  | ConstantData
  | readonly Attr[]
  | { readonly [name: string]: Attr };

export type Attrs = { readonly [name: string]: Attr };

export interface Operation<A extends Attrs = Attrs> {
  readonly primitive: Primitive<A>;
  readonly operands: readonly Value[];
  readonly attrs: A;
  /** Nested functions of control flow and transformations. They are closed: all they read are parameters. */
  readonly regions: readonly Func[];
  readonly results: readonly Value[];
  readonly span?: Span | undefined;
}

export interface Func {
  readonly name: string;
  readonly parameters: readonly Value[];
  readonly body: readonly Operation[];
  readonly results: readonly Value[];
}

/** A tree of tensors as the user sees it; leaves in order are the parameters or results of the function. */
export type Tree<Leaf> =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | {
      readonly kind: 'struct';
      readonly name: string;
      readonly fields: readonly { readonly name: string; readonly tree: Tree<Leaf> }[];
    }
  | { readonly kind: 'tuple'; readonly items: readonly Tree<Leaf>[] }
  | { readonly kind: 'array'; readonly items: readonly Tree<Leaf>[] };

/** A leaf of an entry's signature. A `key` is `u32[2]` outside the language. */
export interface LeafType {
  readonly type: TensorType;
  readonly isKey?: boolean;
  /** A complex number: f32[..., 2] here, c64[...] outside. */
  readonly isComplex?: boolean;
}

export interface EntryParameter {
  readonly name: string;
  readonly tree: Tree<LeafType>;
  readonly doc?: string;
}

/** A condition on dims that could not be decided when compiling; the plan checks it before the first kernel. */
export interface Guard {
  /** `left == right`, `left >= right`, or `left % right == 0`. */
  readonly relation: 'equal' | 'at-least' | 'divisible';
  readonly left: Int;
  readonly right: Int;
  /** In the user's terms: names the dims; the runtime appends their values. */
  readonly message: string;
  readonly span?: Span | undefined;
}

/** An exported function whose type is concrete but for dims. */
export interface Entry {
  readonly name: string;
  readonly doc: string;
  readonly parameters: readonly EntryParameter[];
  readonly result: Tree<LeafType>;
  readonly func: Func;
  /** Every dim variable that occurs, in order of first appearance in the signature. */
  readonly dims: readonly string[];
  readonly guards: readonly Guard[];
  readonly span?: Span | undefined;
}

export interface Program<S extends Stage = Stage> {
  readonly stage: S;
  readonly entries: readonly Entry[];
}
