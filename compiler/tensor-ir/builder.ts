/**
 * Builds a function operation by operation: infers result types, keeps source spans, and looks through the
 * identities that every rule would otherwise test for (x + 0 and the like stay in passes/simplify.ts).
 */
import type { Span } from '../diagnostics/span.ts';
import { add } from '../primitives/arithmetic.ts';
import { broadcast } from '../primitives/broadcast.ts';
import { constant } from '../primitives/constant.ts';
import type { Int } from '../symbolic/integer.ts';
import { isBig } from './nd-array.ts';
import type { Primitive } from './primitive.ts';
import type { Attrs, Func, Operation, TensorType, Value } from './program.ts';

let nextId = 0;

/** A fresh value. Ids only serve printing, and printing renumbers. */
export function makeValue(type: TensorType, name?: string): Value {
  return { id: nextId++, type, name };
}

export class Builder {
  readonly operations: Operation[] = [];
  /** The source place given to operations that follow; a pass sets it to that of the operation it replaces. */
  span: Span | undefined;

  constructor(span?: Span) {
    this.span = span;
  }

  /** Applies a primitive and returns all its results. Throws ShapeProblem when the operands do not fit. */
  applyAll<A extends Attrs>(
    primitive: Primitive<A>,
    operands: readonly Value[],
    attrs: NoInfer<A>,
    regions: readonly Func[] = [],
    name?: string,
  ): readonly Value[] {
    const types = primitive.inferType(
      operands.map((v) => v.type),
      attrs,
      regions,
    );
    const results = types.map((type) => makeValue(type, name));
    this.operations.push({
      primitive: primitive as unknown as Primitive,
      operands,
      attrs,
      regions,
      results,
      span: this.span,
    });
    return results;
  }

  /** Applies a primitive with one result. */
  apply<A extends Attrs>(
    primitive: Primitive<A>,
    operands: readonly Value[],
    attrs: NoInfer<A>,
    regions: readonly Func[] = [],
    name?: string,
  ): Value {
    return this.applyAll(primitive, operands, attrs, regions, name)[0]!;
  }

  /** A tensor of the given type filled with a number. */
  filled(type: TensorType, value: number): Value {
    const { dtype, shape } = type;
    const element = dtype === 'bool' ? value !== 0 : isBig(dtype) ? BigInt(value) : value;
    return this.apply(constant, [], { dtype, shape, value: element });
  }

  /** x + y, element by element. */
  sum(x: Value, y: Value): Value {
    return this.apply(add, [x, y], {});
  }

  /** `x` repeated along a new leading axis. */
  repeat(x: Value, size: Int): Value {
    const shape = [size, ...x.type.shape];
    return this.apply(broadcast, [x], { shape, axes: x.type.shape.map((_, axis) => axis + 1) });
  }

  /** Copies the operations of `func` with its parameters replaced; returns the values of its results. */
  inline(func: Func, args: readonly Value[]): readonly Value[] {
    const values = new Map<Value, Value>();
    func.parameters.forEach((p, i) => values.set(p, args[i]!));
    const read = (v: Value): Value => values.get(v)!;
    for (const op of func.body) {
      const results = op.results.map((r) => makeValue(r.type, r.name));
      op.results.forEach((r, i) => values.set(r, results[i]!));
      this.operations.push({ ...op, operands: op.operands.map(read), results });
    }
    return func.results.map(read);
  }

  /** Ends the function. */
  finish(name: string, parameters: readonly Value[], results: readonly Value[]): Func {
    return { name, parameters, body: this.operations, results };
  }
}
