/**
 * What every intrinsic is written with: named arguments with typed getters, and operations on the function
 * being built. A getter that finds the wrong thing reports it and unwinds to the boundary of the intrinsic (`intrinsic`,
 * `native`), which gives the error term. Operands that do not fit a primitive are reported by the caller of intrinsics.
 */
import type { Span } from '../../diagnostics/span.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Builder } from '../../tensor-ir/builder.ts';
import { type DType, type ElementType, isFloat } from '../../tensor-ir/dtype.ts';
import type { Attrs, Func, TensorType, Value } from '../../tensor-ir/program.ts';
import type {
  ElaborationContext,
  Intrinsic,
  IntrinsicCall,
  IntrinsicParameter,
} from '../intrinsic.ts';
import * as operations from '../operations.ts';
import { showTensor as show } from '../show.ts';
import type { FunctionTerm, Term, Type } from '../value.ts';

/** The problem is reported already. */
class Reported extends Error {
  override readonly name: string = 'Reported';
}

export type IntrinsicCode = `MLX${number}`;

export const none: Term = { kind: 'none' };

export function required(name: string): IntrinsicParameter {
  return { name };
}

export function optional(name: string, value: Term = none): IntrinsicParameter {
  return { name, default: value };
}

/** All remaining positional arguments. */
export function rest(name: string): IntrinsicParameter {
  return { name, isRest: true };
}

/** Operations on the function being built, and ways to report; what intrinsics and native functions share. */
export class Emitter {
  readonly context: ElaborationContext;
  readonly span: Span;

  constructor(context: ElaborationContext, span: Span) {
    this.context = context;
    this.span = span;
  }

  get builder(): Builder {
    return this.context.builder;
  }

  /** Applies the primitive of that name and returns its only result. */
  apply(
    name: string,
    operands: readonly Value[],
    attrs: Attrs = {},
    regions: readonly Func[] = [],
  ): Value {
    return this.applyAll(name, operands, attrs, regions)[0]!;
  }

  applyAll(
    name: string,
    operands: readonly Value[],
    attrs: Attrs,
    regions: readonly Func[] = [],
  ): readonly Value[] {
    return operations.applyAll(this.builder, name, operands, attrs, regions);
  }

  /** A tensor with `value` everywhere. */
  fill(value: number | boolean, dtype: DType, shape: readonly Int[] = []): Value {
    return operations.constant(
      this.builder,
      dtype,
      shape,
      dtype === 'bool' ? Boolean(value) : Number(value),
    );
  }

  convert(x: Value, dtype: DType): Value {
    return operations.convert(this.builder, x, dtype);
  }

  reshape(x: Value, shape: readonly Int[]): Value {
    return operations.reshape(this.builder, x, shape);
  }

  permute(x: Value, permutation: readonly number[]): Value {
    return operations.permute(this.builder, x, permutation);
  }

  /** Axis i of x becomes axis `axes[i]` of the result. */
  broadcast(x: Value, shape: readonly Int[], axes: readonly number[]): Value {
    return operations.broadcast(this.builder, x, shape, axes);
  }

  iota(dtype: DType, shape: readonly Int[], axis: number): Value {
    return operations.iota(this.builder, dtype, shape, axis);
  }

  /** An Int as a scalar: a constant where its value is known. */
  dim(dim: Int, dtype: DType): Value {
    return operations.dimValue(this.builder, dim, dtype);
  }

  tensor(value: Value): Term {
    return this.context.tensor(value);
  }

  fail(code: IntrinsicCode, message: string, options: { span?: Span; hint?: string } = {}): never {
    this.context.error({
      code,
      message,
      span: options.span ?? this.span,
      ...(options.hint === undefined ? {} : { hint: options.hint }),
    });
    throw new Reported();
  }

  /** The value, or unwinds: `undefined` means that the problem is reported. */
  need<T>(value: T | undefined): T {
    if (value === undefined) throw new Reported();
    return value;
  }

  /** x with the size of an axis demanded; where only a guard makes them equal, x takes that size. */
  withSize(x: Value, axis: number, size: Int, what: string, span: Span = this.span): Value {
    const { shape } = x.type;
    if (shape[axis] === size) return x;
    this.requireEqual(shape[axis]!, size, what, span);
    return this.reshape(
      x,
      shape.map((dim, i) => (i === axis ? size : dim)),
    );
  }

  /** Demands an element to read along an axis that is read at `count` run-time indices. */
  requireElements(size: Int, count: Int, span: Span = this.span): void {
    if (!this.context.requireElements(size, count, span)) throw new Reported();
  }

  /** Demands left == right: proved, guarded in the plan, or reported. */
  requireEqual(left: Int, right: Int, what: string, span: Span = this.span): void {
    if (!this.context.requireEqual(left, right, span, what)) throw new Reported();
  }
}

/** The arguments of one call of an intrinsic, by name. */
export class Arguments extends Emitter {
  readonly call: IntrinsicCall;
  private readonly parameters: readonly IntrinsicParameter[];
  private readonly terms: readonly Term[];

  constructor(
    context: ElaborationContext,
    parameters: readonly IntrinsicParameter[],
    terms: readonly Term[],
    call: IntrinsicCall,
  ) {
    super(context, call.span);
    this.call = call;
    this.parameters = parameters;
    this.terms = terms;
  }

  term(name: string): Term {
    const term = this.terms[this.position(name)] ?? none;
    if (term.kind === 'error') throw new Reported();
    return term;
  }

  /** Those of a rest parameter. */
  restOf(name: string): readonly Term[] {
    const term = this.term(name);
    return term.kind === 'tuple' ? term.items : [];
  }

  spanOf(name: string): Span {
    return this.call.argumentSpans[this.position(name)] ?? this.span;
  }

  isNone(name: string): boolean {
    return this.term(name).kind === 'none';
  }

  /** A tensor; numbers become tensors of `dtype`, or else what the surroundings expect, or else f32, i32, bool. */
  value(name: string, dtype?: DType): Value {
    return this.need(this.context.toTensor(this.term(name), this.spanOf(name), dtype));
  }

  /** Several tensors of one dtype and, by broadcasting, one shape. */
  values(...names: readonly string[]): readonly Value[] {
    const spans = names.map((n) => this.spanOf(n));
    const terms = names.map((n) => this.term(n));
    const values = this.need(this.context.toTensors(terms, spans));
    return this.need(this.context.broadcastTogether(values, spans));
  }

  int(name: string): Int {
    return this.need(this.context.asInt(this.term(name), this.spanOf(name)));
  }

  constantInt(name: string): number {
    return this.need(this.context.asConstantInt(this.term(name), this.spanOf(name)));
  }

  boolean(name: string): boolean {
    return this.need(this.context.asBoolean(this.term(name), this.spanOf(name)));
  }

  string(name: string): string {
    return this.need(this.context.asString(this.term(name), this.spanOf(name)));
  }

  dtype(name: string): DType {
    return this.need(this.context.asDType(this.term(name), this.spanOf(name)));
  }

  /** A dtype of the language: c64 too. */
  elementType(name: string): ElementType {
    const term = this.term(name);
    return term.kind === 'dtype' ? term.dtype : this.dtype(name);
  }

  shape(name: string): readonly Int[] {
    return this.need(this.context.asShape(this.term(name), this.spanOf(name)));
  }

  axis(name: string, rank: number): number {
    return this.need(this.context.asAxis(this.term(name), rank, this.spanOf(name)));
  }

  axes(name: string, rank: number): readonly number[] {
    return this.need(this.context.asAxes(this.term(name), rank, this.spanOf(name)));
  }

  func(name: string): FunctionTerm {
    return this.need(this.context.asFunction(this.term(name), this.spanOf(name)));
  }

  /** The dtype that the surroundings expect of the result, when they say. */
  get expectedDType(): DType | undefined {
    return this.call.expected?.kind === 'tensor' ? this.call.expected.dtype : undefined;
  }

  private position(name: string): number {
    return this.parameters.findIndex((p) => p.name === name);
  }
}

/** Defines an intrinsic; `apply` may unwind after reporting. */
export function intrinsic(
  name: string,
  parameters: readonly IntrinsicParameter[],
  doc: string,
  apply: (a: Arguments) => Term,
): Intrinsic {
  return {
    name,
    parameters,
    doc,
    apply: (context, args, call) =>
      atBoundary(() => apply(new Arguments(context, parameters, args, call))),
  };
}

/** A function value made by a transformation. */
export function native(
  name: string,
  call: (e: Emitter, args: readonly Term[], expected: Type | undefined) => Term,
): FunctionTerm {
  return {
    kind: 'function',
    form: 'native',
    name,
    call: (context, args, expected, span) =>
      atBoundary(() => call(new Emitter(context, span), args, expected)),
  };
}

function atBoundary(run: () => Term): Term {
  try {
    return run();
  } catch (problem) {
    if (problem instanceof Reported) return { kind: 'error' };
    throw problem;
  }
}

/** For what works on the last two axes of `x`. */
export function failWithoutMatrix(a: Arguments, name: string): never {
  return a.fail('MLX2414', `\`${name}\` needs a matrix`, { span: a.spanOf('x') });
}

/** `f32[B, 64]` */
export function showTensor(type: TensorType): string {
  return show(type.dtype, type.shape);
}

/** 0, 1, ..., n - 1 */
export function range(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => i);
}

export function isFloatValue(value: Value): boolean {
  return isFloat(value.type.dtype);
}

export { sameShape } from '../operations.ts';
export { intTerm } from '../terms.ts';
