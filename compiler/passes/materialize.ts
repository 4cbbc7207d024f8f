/**
 * Chooses which element-wise values get memory before groups are formed. All others are inlined where they are read.
 *
 *   h = x @ w + b; y = gelu(h) @ v      gelu(h) is stored (as epilogue of the first product): a product reads it many times
 *   z = a + b; return (exp(z), z * 2)   z is not: adding again is cheaper than memory
 *
 * A value is stored when it is a result, when a contraction or control flow reads it (looking through views and
 * conversions), or when recomputing it in several readers costs more than a round trip through memory.
 */

import { scalarFunctions } from '../kernel-ir/scalar-functions.ts';
import { constantValue, type Int, one, product, zero } from '../symbolic/integer.ts';
import type { Func, Operation, Value } from '../tensor-ir/program.ts';

/** Views that pick their source element by element. */
const choosingViews: ReadonlySet<string> = new Set([
  'concatenate',
  'pad',
  'dynamic_update_slice',
  'gather',
]);

export function definitionsOf(func: Func): Map<Value, Operation> {
  const definitions = new Map<Value, Operation>();
  for (const op of func.body) for (const result of op.results) definitions.set(result, op);
  return definitions;
}

export function isInlined(op: Operation): boolean {
  return op.primitive.lower.kind === 'element';
}

/** Views and conversions: reading through them costs what reading their source costs. */
export function isTransparent(op: Operation): boolean {
  const { lower, name } = op.primitive;
  return lower.kind === 'element' && (lower.isView || name === 'convert' || name === 'constant');
}

/** Work (flops, transcendental functions weighted) and leaves of the expression behind one element, both capped. */
interface Expression {
  readonly work: number;
  readonly leaves: number;
}

const recomputeLimit = 24;
const leafLimit = 6;

export function chooseMaterialized(
  func: Func,
  definitions: ReadonlyMap<Value, Operation>,
): Set<Value> {
  const stored = new Set<Value>();
  const isParameter = new Set(func.parameters);
  const uses = new Map<Value, number>();
  for (const op of func.body) {
    for (const operand of op.operands) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  }

  const storeSource = (value: Value): void => {
    let source = value;
    // each element is read by several windows
    let isWindowed = false;
    for (;;) {
      const op = definitions.get(source);
      if (op === undefined || !isInlined(op)) return;
      if (!isTransparent(op)) break;
      // a test for each element read, by several products: cheaper to lay out once
      if (choosingViews.has(op.primitive.name) && (uses.get(source) ?? 0) > 1) break;
      if (isWindowed && op.primitive.name === 'pad' && isDearToTest(op)) break;
      isWindowed ||= op.primitive.name === 'window_slice';
      if (op.operands.length !== 1) {
        if (op.operands.length === 0) return;
        for (const operand of op.operands) storeSource(operand);
        return;
      }
      source = op.operands[0]!;
    }
    stored.add(source);
  };

  const storeOperands = (op: Operation): void => {
    for (const operand of op.operands) {
      const source = definitions.get(operand);
      if (source !== undefined && isInlined(source)) stored.add(operand);
    }
  };

  for (const result of func.results) {
    if (!isParameter.has(result)) {
      const op = definitions.get(result);
      if (op !== undefined && isInlined(op)) stored.add(result);
    }
  }
  for (const op of func.body) {
    switch (op.primitive.lower.kind) {
      case 'contraction':
        op.operands.forEach(storeSource);
        break;
      case 'control':
        storeOperands(op);
        break;
      default:
        // a kernel that the user wrote takes buffers
        if (op.primitive.name === 'extern') storeOperands(op);
        break;
    }
  }
  storeExpensive(func, stored);
  return stored;
}

/** Runs of fewer elements are not worth a test each. */
const shortRun = 16;

/** Padding between elements, or around so few neighbours that testing costs as much as reading. */
function isDearToTest(pad: Operation): boolean {
  const { interior } = pad.attrs as { readonly interior: readonly Int[] };
  const last = pad.results[0]!.type.shape.at(-1);
  return interior.some((n) => n !== zero) || (constantValue(last ?? one) ?? shortRun) < shortRun;
}

/** Values worth a round trip through memory: dear to recompute and read in several ways. */
function storeExpensive(func: Func, stored: Set<Value>): void {
  const consumers = new Map<Value, Operation[]>();
  for (const op of func.body) {
    for (const operand of op.operands) {
      const list = consumers.get(operand);
      if (list === undefined) consumers.set(operand, [op]);
      else list.push(op);
    }
  }
  const consumersOf = (value: Value): readonly Operation[] => consumers.get(value) ?? [];
  const expressions = new Map<Value, Expression>();
  const leaf: Expression = { work: 0, leaves: 1 };
  for (const op of func.body) {
    if (!isInlined(op)) continue;
    for (const result of op.results) {
      let work = workOf(op);
      let leaves = 0;
      for (const operand of new Set(op.operands)) {
        const inner = stored.has(operand) ? leaf : (expressions.get(operand) ?? leaf);
        // a scalar is computed once and kept
        if (operand.type.shape.length > 0) work += inner.work;
        leaves += inner.leaves;
      }
      expressions.set(result, { work: Math.min(work, 1e6), leaves: Math.min(leaves, 1e6) });
      if (
        !stored.has(result) &&
        isWorthStoring(op, result, consumersOf, expressions.get(result)!)
      ) {
        stored.add(result);
      }
    }
  }
}

function isWorthStoring(
  definition: Operation,
  value: Value,
  consumersOf: (value: Value) => readonly Operation[],
  expression: Expression,
): boolean {
  const consumers = consumersOf(value);
  if (value.type.shape.length === 0) return expression.leaves > 8 && consumers.length > 1;
  const views = consumers.filter(
    (c) => c.primitive.lower.kind === 'element' && c.primitive.lower.isView,
  );
  // read at several places at once (a stencil), or by a reader that repeats it
  if (views.length > 1 && expression.work + 4 * expression.leaves > recomputeLimit) return true;
  if (expression.work > recomputeLimit && views.some((v) => repeats(v, value, 8))) return true;
  if (turnsLastAxis(definition)) {
    // windows show other elements along the axes that they add
    const plain = views.filter(
      (v) => !consumersOf(v.results[0]!).some((c) => c.primitive.name === 'window_slice'),
    );
    if (plain.some((v) => repeats(v, value, 64))) return true;
  }
  return consumers.length > 1 && expression.leaves > leafLimit;
}

/** Neighbours in the result are not neighbours in the operand. */
function turnsLastAxis({ primitive, attrs, operands }: Operation): boolean {
  if (primitive.name !== 'permute') return false;
  const { permutation } = attrs as { readonly permutation: readonly number[] };
  // axes of size 1 lie anywhere
  const real = permutation.filter((axis) => operands[0]!.type.shape[axis] !== one);
  return real.length > 0 && real.at(-1) !== Math.max(...real);
}

/** True when a view shows each element of its operand so many times or more. */
function repeats(view: Operation, operand: Value, times: number): boolean {
  const before = operand.type.shape;
  const after = view.results[0]!.type.shape;
  return (
    view.primitive.name === 'broadcast' &&
    estimateSize(product(after)) >= times * estimateSize(product(before))
  );
}

function workOf(op: Operation): number {
  if (isTransparent(op)) return 0;
  return scalarFunctions.get(op.primitive.name)?.flops ?? op.primitive.cost.flops;
}

/** A guess at a size whose dims are not known: decisions that depend on it are about speed only. */
export function estimateSize(size: Int, dim = 256): number {
  const constant = constantValue(size);
  if (constant !== undefined) return constant;
  let total = 0;
  for (const term of size.terms) {
    let value = term.numerator / term.denominator;
    for (const { atom, exponent } of term.powers) {
      let factor = dim;
      if (atom.kind === 'floordiv')
        factor = estimateSize(atom.left, dim) / estimateSize(atom.right, dim);
      else if (atom.kind === 'mod') factor = estimateSize(atom.right, dim) / 2;
      else if (atom.kind === 'min')
        factor = Math.min(estimateSize(atom.left, dim), estimateSize(atom.right, dim));
      else if (atom.kind === 'max')
        factor = Math.max(estimateSize(atom.left, dim), estimateSize(atom.right, dim));
      value *= factor ** exponent;
    }
    total += value;
  }
  return Math.max(total, 1);
}
