/**
 * A builder that tries rewrite rules on each operation before it is added. What a rule builds goes through the rules too,
 * so one walk over a function reaches the fixed point of rules that look at definitions of operands.
 */
import { InternalError, invariant } from '../diagnostics/internal-error.ts';
import { isSameType } from '../primitives/checks.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import type { Primitive } from '../tensor-ir/primitive.ts';
import type { Attrs, Func, Operation, Value } from '../tensor-ir/program.ts';

/** A local rewrite of one operation. */
export interface Rule {
  readonly name: string;
  /** The primitives it looks at. */
  readonly on: readonly string[];
  /** Values for the results of `op`, of the same types, or undefined when the rule does not apply. */
  readonly rewrite: (r: Rewriter, op: Operation) => Value | readonly Value[] | undefined;
}

/** Deeper than any chain of rules that makes an operation smaller each time. */
const maxDepth = 64;

export class Rewriter extends Builder {
  readonly #rules: ReadonlyMap<string, readonly Rule[]>;
  readonly #definitions = new Map<Value, Operation>();
  readonly #uses: Map<Value, number>;
  #depth = 0;

  constructor(rules: ReadonlyMap<string, readonly Rule[]>, uses: Map<Value, number>) {
    super();
    this.#rules = rules;
    this.#uses = uses;
  }

  /** The operation that defines a value; undefined for parameters. */
  definition(value: Value): Operation | undefined {
    return this.#definitions.get(value);
  }

  /** The defining operation when it is of the given primitive. */
  definedBy(value: Value, primitive: string): Operation | undefined {
    const op = this.#definitions.get(value);
    return op?.primitive.name === primitive ? op : undefined;
  }

  /** The element that all of a `constant` has. */
  splat(value: Value): number | bigint | boolean | undefined {
    const op = this.definedBy(value, 'constant');
    return op === undefined ? undefined : (op.attrs['value'] as number | bigint | boolean);
  }

  /** True when the value is surely read once: counted before the pass, and passed on to what replaces a value. */
  isUsedOnce(value: Value): boolean {
    return this.#uses.get(value) === 1;
  }

  override applyAll<A extends Attrs>(
    primitive: Primitive<A>,
    operands: readonly Value[],
    attrs: A,
    regions: readonly Func[] = [],
    name?: string,
  ): readonly Value[] {
    const types = primitive.inferType(
      operands.map((v) => v.type),
      attrs,
      regions,
    );
    const results = types.map((type) => makeValue(type, name));
    return this.emit({
      primitive: primitive as unknown as Primitive,
      operands,
      attrs,
      regions,
      results,
      span: this.span,
    });
  }

  /** Adds an operation, or what the rules make of it; returns the values of its results. */
  emit(op: Operation): readonly Value[] {
    for (const rule of this.#rules.get(op.primitive.name) ?? []) {
      const values = this.#tryRule(rule, op);
      if (values !== undefined) return values;
    }
    this.operations.push(op);
    for (const result of op.results) this.#definitions.set(result, op);
    return op.results;
  }

  /**
   * A nameless value that the last operation has just defined (at `before` or later: nobody else has it yet) takes the name
   * of the one it replaces.
   */
  #inheritName(
    values: readonly Value[],
    { results: [replaced] }: Operation,
    before: number,
  ): readonly Value[] {
    const [value] = values;
    const last = this.operations.length - 1;
    const op = this.operations[last];
    if (last < before) return values;
    if (values.length !== 1 || replaced?.name === undefined || value!.name !== undefined) {
      return values;
    }
    if (op?.results.length !== 1 || op.results[0] !== value) return values;
    const named = makeValue(value!.type, replaced.name);
    const renamed = { ...op, results: [named] };
    this.operations[last] = renamed;
    this.#definitions.delete(value!);
    this.#definitions.set(named, renamed);
    const uses = this.#uses.get(value!);
    if (uses !== undefined) this.#uses.set(named, uses);
    return [named];
  }

  #tryRule(rule: Rule, op: Operation): readonly Value[] | undefined {
    if (++this.#depth > maxDepth) {
      throw new InternalError(`the rule ${rule.name} of simplify does not come to an end`);
    }
    const before = this.operations.length;
    const rewritten = rule.rewrite(this, op);
    this.#depth--;
    if (rewritten === undefined) return undefined;
    const replacements = Array.isArray(rewritten)
      ? (rewritten as readonly Value[])
      : [rewritten as Value];
    const values = this.#inheritName(replacements, op, before);
    invariant(
      values.length === op.results.length &&
        values.every((v, i) => isSameType(v.type, op.results[i]!.type)),
      `the rule ${rule.name} of simplify changes a type`,
    );
    op.results.forEach((r, i) => {
      const uses = this.#uses.get(r);
      const value = values[i]!;
      if (uses !== undefined) this.#uses.set(value, (this.#uses.get(value) ?? 0) + uses);
    });
    return values;
  }
}

/** The function with every operation passed through the rules, after its regions. */
export function rewriteFunction(func: Func, rules: ReadonlyMap<string, readonly Rule[]>): Func {
  const rewriter = new Rewriter(rules, countUses(func));
  const replaced = new Map<Value, Value>();
  const read = (v: Value): Value => replaced.get(v) ?? v;
  for (const op of func.body) {
    rewriter.span = op.span;
    const operands = op.operands.some((v) => replaced.has(v)) ? op.operands.map(read) : op.operands;
    const regions =
      op.regions.length === 0 ? op.regions : op.regions.map((f) => rewriteFunction(f, rules));
    const isSame = operands === op.operands && regions.every((f, i) => f === op.regions[i]);
    const results = rewriter.emit(isSame ? op : { ...op, operands, regions });
    op.results.forEach((r, i) => {
      if (results[i] !== r) replaced.set(r, results[i]!);
    });
  }
  const { operations } = rewriter;
  const isSame =
    operations.length === func.body.length && operations.every((op, i) => op === func.body[i]);
  if (isSame && replaced.size === 0) return func;
  return { ...func, body: operations, results: func.results.map(read) };
}

function countUses(func: Func): Map<Value, number> {
  const uses = new Map<Value, number>();
  const count = (v: Value): void => {
    uses.set(v, (uses.get(v) ?? 0) + 1);
  };
  for (const op of func.body) op.operands.forEach(count);
  func.results.forEach(count);
  return uses;
}
