/**
 * Functions of the prelude that are written in the compiler: the thin layer between the language and the primitives
 * (`sum`, `reshape`, `grad`, `vmap`, ...). All that can be said in the language is in stdlib/*.mlx instead.
 *
 * One file in intrinsics/ holds one family; `intrinsics/index.ts` lists them all.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/span.ts';
import type { Int } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import type { Guard, Value } from '../tensor-ir/program.ts';
import type { FunctionTerm, GenericArgument, Term, Type } from './value.ts';

export interface IntrinsicParameter {
  readonly name: string;
  /** What to take when the argument is left out; absent when it is required. */
  readonly default?: Term;
  /** Takes all remaining positional arguments as a tuple (`zeros(2, 3)` has none; `map(f, a, b)` has). */
  readonly isRest?: boolean;
}

export interface Intrinsic {
  readonly name: string;
  readonly parameters: readonly IntrinsicParameter[];
  /** One line, then optionally more: shown by hovers and in the reference. */
  readonly doc: string;
  /** `args` has one term per parameter, in order, defaults filled in. */
  readonly apply: (context: ElaborationContext, args: readonly Term[], call: IntrinsicCall) => Term;
}

export interface IntrinsicCall {
  readonly span: Span;
  /** The place of each argument, or the call's where a default was taken. */
  readonly argumentSpans: readonly Span[];
  /** The type that the surroundings expect of the result, when they say. */
  readonly expected: Type | undefined;
  readonly typeArguments: readonly GenericArgument[];
}

/** What the elaborator offers to intrinsics. */
export interface ElaborationContext {
  /** Of the function being built right now. */
  readonly builder: Builder;
  /** Reports a problem. Returns the error term, so that rules can `return context.error(...)`. */
  error(diagnostic: Omit<Diagnostic, 'severity'>): Term;
  /** Records a condition on dims for the plan, or reports it when it is plainly false. */
  guard(guard: Guard): void;
  /**
   * Demands an element to read along an axis that is read at `count` run-time indices, if there are any: a guard unless
   * proved, reported and false when it cannot hold.
   */
  requireElements(size: Int, count: Int, span: Span): boolean;
  /** Elaborates what runs `trips` times. */
  repeated<T>(trips: Int, body: () => T): T;
  /** Gives the condition left == right: nothing if proved, a guard if open between known dims, an error if refuted. */
  requireEqual(left: Int, right: Int, span: Span, what: string): boolean;

  /** The type of a term. */
  typeOf(term: Term): Type;
  /** `f32[B, 64]` as a person would write it. */
  showType(type: Type): string;
  /** A term as a tensor: literals and dims become constants of `dtype` (or f32 / i32 / bool). Reports and returns undefined on failure. */
  toTensor(term: Term, span: Span, dtype?: DType): Value | undefined;
  /** Brings several terms to one dtype (weak literals follow the tensors) without broadcasting. */
  toTensors(terms: readonly Term[], spans: readonly Span[]): readonly Value[] | undefined;
  /** NumPy broadcasting of values to one shape. */
  broadcastTogether(values: readonly Value[], spans: readonly Span[]): readonly Value[] | undefined;
  /** Broadcast to a given shape (NumPy rules). */
  broadcastTo(value: Value, shape: readonly Int[]): Value;
  tensor(value: Value): Term;

  /** Compile-time arguments. Each reports what it found instead when it does not fit. */
  asInt(term: Term, span: Span): Int | undefined;
  asConstantInt(term: Term, span: Span): number | undefined;
  /** `axis = -1`, `axis = (0, 1)`, `axis = none` (all): normalised, checked against the rank, without repetition. */
  asAxes(term: Term, rank: number, span: Span): readonly number[] | undefined;
  asAxis(term: Term, rank: number, span: Span): number | undefined;
  asBoolean(term: Term, span: Span): boolean | undefined;
  asString(term: Term, span: Span): string | undefined;
  asDType(term: Term, span: Span): DType | undefined;
  /** A shape: a tuple (or array) of ints, or one int. */
  asShape(term: Term, span: Span): readonly Int[] | undefined;
  asFunction(term: Term, span: Span): FunctionTerm | undefined;

  /** Calls a function value. */
  call(callee: FunctionTerm, args: readonly Term[], expected: Type | undefined, span: Span): Term;

  /** The tensors of a tree in order (ints and floats become tensors). */
  leaves(term: Term, span: Span): readonly Value[] | undefined;
  /** The same tree with other tensors at its leaves; `undefined` leaves become `()`. */
  rebuild(term: Term, leaves: readonly (Value | undefined)[]): Term;
  /**
   * Elaborates `callee` on fresh parameters shaped like `args` (with `types` for their leaves if given) into a closed
   * region: values it captures from outside are appended to `captured` and become further parameters of the region. `expected`
   * is the type that the surroundings expect of the region's result.
   */
  trace(
    callee: FunctionTerm,
    args: readonly Term[],
    span: Span,
    options?: {
      readonly types?: readonly import('../tensor-ir/program.ts').TensorType[];
      readonly expected?: Type;
    },
  ): TracedFunction | undefined;
}

export interface TracedFunction {
  /** Parameters: the leaves of the arguments, then one for each captured value. */
  readonly func: import('../tensor-ir/program.ts').Func;
  readonly captured: readonly Value[];
  /** The result as a tree whose leaves are `func.results`. */
  readonly result: Term;
}
