/**
 * What an expression is while a function is elaborated: compile-time data (dims, numbers, functions, trees) or a
 * tensor, which is a value of the function being built. See decisions/0001-elaborate-by-instantiation.md.
 */

import type { Span } from '../diagnostics/span.ts';
import type { Int } from '../symbolic/integer.ts';
import type {
  Block,
  Expression,
  FunctionDeclaration,
  LambdaParameter,
  StructDeclaration,
} from '../syntax/ast.ts';
import type { DType, ElementType } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import type { Intrinsic } from './intrinsic.ts';
import type { Scope } from './scope.ts';

export type Term =
  | TensorTerm
  /** A compile-time whole number: an integer literal, an `int` parameter, a dim used as a value. Weakly typed. */
  | { readonly kind: 'int'; readonly value: Int }
  /** A compile-time real number: a float literal, `pi`, `inf`, arithmetic on them. Weakly typed. */
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  /** `none`: an absent argument or an unmapped axis. */
  | { readonly kind: 'none' }
  | { readonly kind: 'dtype'; readonly dtype: ElementType }
  | { readonly kind: 'tuple'; readonly items: readonly Term[] }
  | { readonly kind: 'array'; readonly items: readonly Term[] }
  | StructTerm
  | FunctionTerm
  /** Stands where an error was reported; whatever it meets becomes an error too, silently. */
  | { readonly kind: 'error' };

/**
 * What one element of a tensor is: a number, or a pair of them along a last axis that the language does not show: a
 * random key is u32[..., 2] underneath, a c64 is f32[..., 2], the real part first.
 */
export type ElementForm = 'plain' | 'key' | 'complex';

export interface TensorTerm {
  readonly kind: 'tensor';
  readonly value: Value;
  readonly form: ElementForm;
  /** Made of compile-time numbers alone (`1.0 / N`): takes the dtype of what it meets, as literals do. */
  readonly isWeak?: boolean;
  /** A whole number beyond 2^53, exactly; weak, and too great for a dim. */
  readonly literal?: bigint;
}

export interface StructTerm {
  readonly kind: 'struct';
  readonly type: StructInstance;
  readonly fields: ReadonlyMap<string, Term>;
}

/** `Linear<64, 128, f32>`; `leading` are the axes of `S[B]`, outermost first. */
export interface StructInstance {
  readonly declaration: StructDeclaration;
  readonly scope: Scope;
  readonly arguments: readonly GenericArgument[];
  readonly leading: readonly Int[];
}

export type GenericArgument =
  | { readonly kind: 'dim'; readonly dim: Int }
  | { readonly kind: 'shape'; readonly shape: readonly Int[] }
  | { readonly kind: 'type'; readonly type: Type };

/** The type of a term, and what an annotation or parameter demands. */
export type Type =
  | { readonly kind: 'tensor'; readonly dtype: DType; readonly shape: readonly Int[] }
  | { readonly kind: 'key'; readonly shape: readonly Int[] }
  | { readonly kind: 'complex'; readonly shape: readonly Int[] }
  | { readonly kind: 'int' }
  | { readonly kind: 'float' }
  | { readonly kind: 'bool-constant' }
  | { readonly kind: 'string' }
  | { readonly kind: 'none' }
  | { readonly kind: 'dtype' }
  /** A parameter that takes `none`, an axis, or a tuple of axes. */
  | { readonly kind: 'axes' }
  /** A parameter that takes whatever its function can use: checked with the body. */
  | { readonly kind: 'any' }
  | { readonly kind: 'tuple'; readonly items: readonly Type[] }
  | { readonly kind: 'array'; readonly items: readonly Type[] }
  | {
      readonly kind: 'struct';
      readonly type: StructInstance;
      readonly fields: readonly { readonly name: string; readonly type: Type }[];
    }
  | { readonly kind: 'function'; readonly parameters: readonly Type[]; readonly result: Type }
  | { readonly kind: 'error' };

/** Function values are known when compiling. */
export type FunctionTerm =
  | {
      readonly kind: 'function';
      readonly form: 'declared';
      readonly declaration: FunctionDeclaration;
      readonly scope: Scope;
      readonly typeArguments: readonly GenericArgument[];
    }
  | {
      readonly kind: 'function';
      readonly form: 'lambda';
      readonly parameters: readonly LambdaParameter[];
      readonly body: Expression | Block;
      readonly scope: Scope;
      readonly span: Span;
    }
  | { readonly kind: 'function'; readonly form: 'intrinsic'; readonly intrinsic: Intrinsic }
  /** What a transformation gives back: `grad(f)`, a pullback, ... */
  | {
      readonly kind: 'function';
      readonly form: 'native';
      readonly name: string;
      readonly call: NativeCall;
    };

export type NativeCall = (
  context: import('./intrinsic.ts').ElaborationContext,
  args: readonly Term[],
  expected: Type | undefined,
  span: Span,
) => Term;
