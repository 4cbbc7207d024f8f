/** Walks a kernel's statements. */
import { dimVariable, forEachVariable, type Int, type Variable } from '../symbolic/integer.ts';
import type { KernelInteger, KernelScalar, Statement } from './program.ts';

/** Calls back for every scalar (each once a statement, operands included) and every Int of the statements. */
export function walkStatements(
  statements: readonly Statement[],
  visit: {
    scalar?: (scalar: KernelScalar) => void;
    integer?: (value: Int) => void;
    statement?: (statement: Statement) => void;
  },
): void {
  for (const statement of statements) {
    visit.statement?.(statement);
    const seen = new Set<KernelScalar>();
    const scalar = (s: KernelScalar): void => {
      if (seen.has(s)) return;
      seen.add(s);
      visit.scalar?.(s);
      switch (s.kind) {
        case 'load':
          visit.integer?.(s.index);
          break;
        case 'index':
          visit.integer?.(s.value);
          break;
        case 'call':
          s.args.forEach(scalar);
          break;
        case 'select':
          scalar(s.condition);
          scalar(s.then);
          scalar(s.otherwise);
          break;
        case 'convert':
        case 'bitcast':
          scalar(s.value);
          break;
        case 'in-range':
          for (const c of s.conditions) {
            visit.integer?.(c.value);
            visit.integer?.(c.extent);
          }
          break;
        case 'constant':
        case 'variable':
          break;
      }
    };
    switch (statement.kind) {
      case 'loop':
        visit.integer?.(statement.extent);
        walkStatements(statement.body, visit);
        break;
      case 'let':
      case 'assign':
        scalar(statement.value);
        break;
      case 'let-index':
        scalar(statement.value);
        visit.integer?.(statement.extent);
        break;
      case 'let-integer':
        visit.integer?.(statement.value);
        break;
      case 'accumulator':
        scalar(statement.initial);
        break;
      case 'allocate':
        visit.integer?.(statement.buffer.size);
        break;
      case 'store':
        visit.integer?.(statement.index);
        scalar(statement.value);
        break;
      case 'if':
        scalar(statement.condition);
        walkStatements(statement.then, visit);
        walkStatements(statement.otherwise, visit);
        break;
      case 'locate-segment':
        visit.integer?.(statement.task);
        break;
      case 'sort-pairs':
        visit.integer?.(statement.count);
        break;
      case 'micro-kernel':
        for (const i of [
          statement.aOffset,
          statement.aRowStride,
          statement.aDepthStride,
          statement.bOffset,
          statement.cOffset,
          statement.cStride,
          statement.depth,
        ])
          visit.integer?.(i);
        break;
      case 'matrix-load':
      case 'matrix-store':
        visit.integer?.(statement.offset);
        visit.integer?.(statement.stride);
        break;
      case 'barrier':
      case 'simd-reduce':
      case 'matrix-declare':
      case 'matrix-multiply-accumulate':
        break;
    }
  }
}

/** The dims that the statements mention and that are not given as integers already. */
export function dimIntegers(
  statements: readonly Statement[],
  given: readonly KernelInteger[],
): readonly KernelInteger[] {
  const names = new Set(given.map((i) => i.name));
  const found: KernelInteger[] = [];
  const bound = new Set<string>();
  const note = (v: Variable): void => {
    if (v.extent !== undefined) forEachVariable(v.extent, note);
    else if (!names.has(v.name) && !bound.has(v.name)) {
      names.add(v.name);
      found.push({ name: v.name, value: dimVariable(v.name) });
    }
  };
  walkStatements(statements, { integer: (value) => forEachVariable(value, note) });
  return found;
}
