/**
 * Gives names to scalars that are used more than once, so that printers neither repeat work nor text.
 *
 *   y[i] = sigmoid(x[i] * 2) * (x[i] * 2)   with one shared node x[i] * 2
 * becomes
 *   let t1 = x[i] * 2
 *   y[i] = sigmoid(t1) * t1
 *
 * A shared node gets its `let` right before the first statement of a block that evaluates it whatever happens; a node
 * that only blocks inside use is bound there. Never moved: a node that reads a buffer out of the guard (`select` with
 * `isGuard`) that protects it; a value across a statement that changes what it depends on. A guarded side with sharing
 * of its own becomes an `if` that assigns an accumulator.
 */
import { forEachVariable } from '../symbolic/integer.ts';
import type { Kernel, KernelScalar, Statement } from './program.ts';
import {
  forEachScalar,
  forEachStatement,
  nestedBlocks,
  operands,
  ownScalars,
  scalarIntegers,
  writtenBuffers,
} from './statements.ts';

export function bindShared(kernel: Kernel): Kernel {
  const binder = new Binder(kernel);
  return { ...kernel, body: binder.bindBlock(kernel.body, new Map()) };
}

/** Names of the scalars that are bound where we are. */
type Bound = ReadonlyMap<KernelScalar, string>;

class Binder {
  private readonly taken = new Set<string>();
  private counter = 0;
  private readonly dependencies = new Map<KernelScalar, ReadonlySet<unknown>>();
  private readonly writes = new Map<Statement, ReadonlySet<unknown>>();
  /** Buffers that some statement of the kernel writes: other threads may have done so at a barrier. */
  private readonly written = new Set<unknown>();

  constructor(kernel: Kernel) {
    const takeInteger = (v: { readonly name: string }): unknown => this.taken.add(v.name);
    for (const parameter of kernel.parameters) this.taken.add(parameter.buffer.name);
    for (const integer of kernel.integers) this.taken.add(integer.name);
    forEachStatement(kernel.body, (statement) => {
      for (const buffer of writtenBuffers(statement)) this.written.add(buffer);
      if ('name' in statement) this.taken.add(statement.name);
      if ('variable' in statement) this.taken.add(statement.variable);
      if (statement.kind === 'allocate') this.taken.add(statement.buffer.name);
      forEachScalar(ownScalars(statement), (s) => {
        for (const value of scalarIntegers(s)) forEachVariable(value, takeInteger);
      });
    });
  }

  bindBlock(block: readonly Statement[], outer: Bound): readonly Statement[] {
    const bound = new Map(outer);
    const uses = countUses(block);
    const result: Statement[] = [];
    for (const statement of block) {
      const roots = ownScalars(statement);
      if (roots.length > 0) this.bindRoots(roots, uses, bound, result);
      const rewritten = this.rewriteStatement(statement, bound, result);
      // inside a loop, what its own body changes is not known any more
      const written = this.writesOf(statement);
      const inside = new Map(bound);
      if (statement.kind === 'loop') this.forget(inside, written);
      result.push(replaceBlocks(rewritten, (b) => this.bindBlock(b, inside)));
      this.forget(bound, written);
    }
    return result;
  }

  /** Adds a `let` for each shared node that `roots` evaluate for certain, operands first. */
  private bindRoots(
    roots: readonly KernelScalar[],
    uses: ReadonlyMap<KernelScalar, number>,
    bound: Map<KernelScalar, string>,
    result: Statement[],
  ): void {
    const seen = new Set<KernelScalar>();
    const visit = (scalar: KernelScalar): void => {
      if (seen.has(scalar) || bound.has(scalar)) return;
      seen.add(scalar);
      for (const operand of certainOperands(scalar)) visit(operand);
      if (isTrivial(scalar) || (uses.get(scalar) ?? 0) < 2) return;
      const value = this.rewrite(scalar, bound, result);
      const name = this.freshName();
      result.push({ kind: 'let', name, value });
      bound.set(scalar, name);
    };
    roots.forEach(visit);
  }

  /** The scalar with bound nodes replaced by their names; a guarded side with sharing is computed before it. */
  private rewrite(scalar: KernelScalar, bound: Bound, before: Statement[]): KernelScalar {
    const name = bound.get(scalar);
    if (name !== undefined) return { kind: 'variable', dtype: scalar.dtype, name };
    const again = (s: KernelScalar): KernelScalar => this.rewrite(s, bound, before);
    switch (scalar.kind) {
      case 'call':
        return { ...scalar, args: scalar.args.map(again) };
      case 'convert':
      case 'bitcast':
        return { ...scalar, value: again(scalar.value) };
      case 'select': {
        const condition = again(scalar.condition);
        const otherwise = again(scalar.otherwise);
        if (!scalar.isGuard || !this.hasSharing(scalar.then, bound)) {
          return { ...scalar, condition, then: again(scalar.then), otherwise };
        }
        const result = this.freshName();
        before.push({
          kind: 'accumulator',
          name: result,
          dtype: scalar.dtype,
          initial: otherwise,
        });
        const assign: Statement = { kind: 'assign', name: result, value: scalar.then };
        const then = this.bindBlock([assign], bound);
        before.push({ kind: 'if', condition, then, otherwise: [] });
        return { kind: 'variable', dtype: scalar.dtype, name: result };
      }
      default:
        return scalar;
    }
  }

  private rewriteStatement(statement: Statement, bound: Bound, before: Statement[]): Statement {
    switch (statement.kind) {
      case 'let':
      case 'let-index':
      case 'assign':
      case 'store':
        return { ...statement, value: this.rewrite(statement.value, bound, before) };
      case 'accumulator':
        return { ...statement, initial: this.rewrite(statement.initial, bound, before) };
      case 'if':
        return { ...statement, condition: this.rewrite(statement.condition, bound, before) };
      default:
        return statement;
    }
  }

  private hasSharing(root: KernelScalar, bound: Bound): boolean {
    const seen = new Set<KernelScalar>();
    const visit = (scalar: KernelScalar): boolean => {
      if (isTrivial(scalar) || bound.has(scalar)) return false;
      if (seen.has(scalar)) return true;
      seen.add(scalar);
      return operands(scalar).some(visit);
    };
    return visit(root);
  }

  private forget(bound: Map<KernelScalar, string>, written: ReadonlySet<unknown>): void {
    if (written.size === 0) return;
    for (const scalar of bound.keys()) {
      for (const dependency of this.dependenciesOf(scalar)) {
        if (!written.has(dependency)) continue;
        bound.delete(scalar);
        break;
      }
    }
  }

  /** Names of variables and buffers that the value depends on. */
  private dependenciesOf(scalar: KernelScalar): ReadonlySet<unknown> {
    let found = this.dependencies.get(scalar);
    if (found === undefined) {
      const all = new Set<unknown>();
      if (scalar.kind === 'variable') all.add(scalar.name);
      if (scalar.kind === 'load') all.add(scalar.buffer.buffer);
      for (const o of operands(scalar)) for (const d of this.dependenciesOf(o)) all.add(d);
      found = all;
      this.dependencies.set(scalar, found);
    }
    return found;
  }

  /** What a statement and its blocks may change: accumulators by name, buffers, and at a barrier all shared memory. */
  private writesOf(statement: Statement): ReadonlySet<unknown> {
    let found = this.writes.get(statement);
    if (found === undefined) {
      const all = new Set<unknown>(writtenBuffers(statement));
      if (statement.kind === 'assign' || statement.kind === 'simd-reduce') all.add(statement.name);
      if (statement.kind === 'barrier') for (const buffer of this.written) all.add(buffer);
      for (const block of nestedBlocks(statement)) {
        for (const inner of block) for (const w of this.writesOf(inner)) all.add(w);
      }
      found = all;
      this.writes.set(statement, found);
    }
    return found;
  }

  private freshName(): string {
    for (;;) {
      const name = `t${++this.counter}`;
      if (!this.taken.has(name)) return name;
    }
  }
}

/** Operands that are evaluated whenever the scalar is. */
function certainOperands(scalar: KernelScalar): readonly KernelScalar[] {
  return scalar.kind === 'select' && scalar.isGuard
    ? [scalar.condition, scalar.otherwise]
    : operands(scalar);
}

function isTrivial(scalar: KernelScalar): boolean {
  return scalar.kind === 'constant' || scalar.kind === 'variable' || scalar.kind === 'index';
}

/** How many places in a block use each scalar; a place inside a shared scalar counts once. */
function countUses(block: readonly Statement[]): Map<KernelScalar, number> {
  const uses = new Map<KernelScalar, number>();
  const use = (scalar: KernelScalar): void => {
    const before = uses.get(scalar) ?? 0;
    uses.set(scalar, before + 1);
    if (before === 0) operands(scalar).forEach(use);
  };
  forEachStatement(block, (statement) => ownScalars(statement).forEach(use));
  return uses;
}

function replaceBlocks(
  statement: Statement,
  replace: (block: readonly Statement[]) => readonly Statement[],
): Statement {
  switch (statement.kind) {
    case 'loop':
      return { ...statement, body: replace(statement.body) };
    case 'if':
      return {
        ...statement,
        then: replace(statement.then),
        otherwise: replace(statement.otherwise),
      };
    default:
      return statement;
  }
}
