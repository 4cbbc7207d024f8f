/** What every walk over kernel IR needs: the blocks, scalars and integers of a statement. */
import type { Int } from '../symbolic/integer.ts';
import type { Buffer, KernelScalar, Statement } from './program.ts';

/** The statement lists inside a statement. */
export function nestedBlocks(statement: Statement): readonly (readonly Statement[])[] {
  switch (statement.kind) {
    case 'loop':
      return [statement.body];
    case 'if':
      return [statement.then, statement.otherwise];
    default:
      return [];
  }
}

/** The scalars that a statement evaluates itself, not those in its blocks. */
export function ownScalars(statement: Statement): readonly KernelScalar[] {
  switch (statement.kind) {
    case 'let':
    case 'let-index':
    case 'assign':
    case 'store':
      return [statement.value];
    case 'accumulator':
      return [statement.initial];
    case 'if':
      return [statement.condition];
    default:
      return [];
  }
}

/** The integers that a statement evaluates itself, not those in its scalars and blocks. */
export function ownIntegers(statement: Statement): readonly Int[] {
  switch (statement.kind) {
    case 'loop':
      return [statement.extent];
    case 'let-integer':
      return [statement.value];
    case 'store':
      return [statement.index];
    case 'locate-segment':
      return [statement.task];
    case 'sort-pairs':
      return [statement.count];
    case 'micro-kernel':
      return [
        statement.aOffset,
        statement.aRowStride,
        statement.aDepthStride,
        statement.bOffset,
        statement.cOffset,
        statement.cStride,
        statement.depth,
      ];
    case 'matrix-load':
    case 'matrix-store':
      return [statement.offset, statement.stride];
    default:
      return [];
  }
}

/** The operands of a scalar. */
export function operands(scalar: KernelScalar): readonly KernelScalar[] {
  switch (scalar.kind) {
    case 'call':
      return scalar.args;
    case 'select':
      return [scalar.condition, scalar.then, scalar.otherwise];
    case 'convert':
    case 'bitcast':
      return [scalar.value];
    default:
      return [];
  }
}

/** The integers of one scalar node. */
export function scalarIntegers(scalar: KernelScalar): readonly Int[] {
  switch (scalar.kind) {
    case 'load':
      return [scalar.index];
    case 'index':
      return [scalar.value];
    case 'in-range':
      return scalar.conditions.flatMap((c) => [c.value, c.extent]);
    default:
      return [];
  }
}

/** Calls `visit` once for every scalar node under `roots`, operands first. */
export function forEachScalar(
  roots: readonly KernelScalar[],
  visit: (scalar: KernelScalar) => void,
  seen: Set<KernelScalar> = new Set(),
): void {
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    forEachScalar(operands(root), visit, seen);
    visit(root);
  }
}

/** Calls `visit` for every statement, outer ones first. */
export function forEachStatement(
  statements: readonly Statement[],
  visit: (statement: Statement) => void,
): void {
  for (const statement of statements) {
    visit(statement);
    for (const block of nestedBlocks(statement)) forEachStatement(block, visit);
  }
}

/** The buffers that a statement writes itself. */
export function writtenBuffers(statement: Statement): readonly Buffer[] {
  switch (statement.kind) {
    case 'store':
    case 'matrix-store':
      return [statement.buffer];
    case 'micro-kernel':
      return [statement.c];
    case 'sort-pairs':
      return [statement.keys, statement.values, statement.spareKeys, statement.spareValues];
    default:
      return [];
  }
}
