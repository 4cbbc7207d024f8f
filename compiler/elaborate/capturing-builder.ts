/**
 * A builder of nested functions. Regions are closed, but the source is not: a lambda or a loop body reads values of
 * the function around it. Every operand that the function does not own becomes a further parameter ("captured"),
 * and the operation that holds the region passes the outer value along, which may capture it once more.
 */
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import type { Primitive } from '../tensor-ir/primitive.ts';
import type { Attrs, Func, TensorType, Value } from '../tensor-ir/program.ts';

export class CapturingBuilder extends Builder {
  private readonly own = new Set<Value>();
  /** Outer value to the parameter that stands for it here, in order of first use. */
  readonly captured: Map<Value, Value> = new Map();

  /** A fresh parameter of the function. The caller lists it when it finishes the function. */
  parameter(type: TensorType, name?: string): Value {
    const value = makeValue(type, name);
    this.own.add(value);
    return value;
  }

  /** The value under which `value` is known in this function. */
  adopt(value: Value): Value {
    if (this.own.has(value)) return value;
    let inner = this.captured.get(value);
    if (inner === undefined) {
      inner = this.parameter(value.type, value.name);
      this.captured.set(value, inner);
    }
    return inner;
  }

  override applyAll<A extends Attrs>(
    primitive: Primitive<A>,
    operands: readonly Value[],
    attrs: A,
    regions: readonly Func[] = [],
    name?: string,
  ): readonly Value[] {
    const adopted = operands.map((v) => this.adopt(v));
    const results = super.applyAll(primitive, adopted, attrs, regions, name);
    for (const result of results) this.own.add(result);
    return results;
  }

  /** As in the base class, written out: a model of many layers copies thousands of operations here. */
  override inline(func: Func, args: readonly Value[]): readonly Value[] {
    const values = new Map<Value, Value>();
    func.parameters.forEach((p, i) => {
      values.set(p, this.adopt(args[i]!));
    });
    for (const { primitive, operands, attrs, regions, results, span } of func.body) {
      const read = new Array<Value>(operands.length);
      for (let i = 0; i < operands.length; i++) read[i] = values.get(operands[i]!)!;
      const made = new Array<Value>(results.length);
      for (let i = 0; i < results.length; i++) {
        const old = results[i]!;
        const fresh = makeValue(old.type, old.name);
        values.set(old, fresh);
        made[i] = fresh;
      }
      this.operations.push({ primitive, operands: read, attrs, regions, results: made, span });
    }
    const out = func.results.map((v) => values.get(v)!);
    for (const value of out) this.own.add(value);
    return out;
  }
}
