/** Walks a kernel's statements: what it computes and which dims it needs. */
import {
  add,
  dimVariable,
  forEachVariable,
  type Int,
  int,
  multiply,
  one,
  substitute,
  type Variable,
  zero,
} from '../symbolic/integer.ts';
import type { KernelInteger, KernelScalar, Statement } from './program.ts';
import { scalarFunctions } from './scalar-functions.ts';

/** Calls back for every scalar (each once a statement, operands included) and every Int of the statements. */
export function walkStatements(
  statements: readonly Statement[],
  visit: {
    scalar?: (scalar: KernelScalar, times: Int) => void;
    integer?: (value: Int) => void;
    statement?: (statement: Statement, times: Int) => void;
  },
  times: Int = one,
): void {
  for (const statement of statements) {
    visit.statement?.(statement, times);
    const seen = new Set<KernelScalar>();
    const scalar = (s: KernelScalar): void => {
      if (seen.has(s)) return;
      seen.add(s);
      visit.scalar?.(s, times);
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
        walkStatements(statement.body, visit, multiply(times, statement.extent));
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
        walkStatements(statement.then, visit, times);
        walkStatements(statement.otherwise, visit, times);
        break;
      case 'locate-segment':
        visit.integer?.(statement.task);
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

/** Floating-point operations of one run, loop extents multiplied out (all iterations counted, guards ignored). */
export function countFlops(statements: readonly Statement[]): Int {
  let flops = zero;
  const count = (n: Int, times: Int): void => {
    flops = add(flops, multiply(n, withoutIndices(times)));
  };
  walkStatements(statements, {
    scalar: (s, times) => {
      if (s.kind === 'call') count(int(scalarFunctions.get(s.name)?.flops ?? 1), times);
    },
    statement: (s, times) => {
      if (s.kind === 'micro-kernel')
        count(multiply(int(2 * s.rows * s.columns), withoutIndices(s.depth)), times);
      if (s.kind === 'matrix-multiply-accumulate') count(int(2 * 512), times);
    },
  });
  return flops;
}

/** Loop extents may depend on outer indices at the tails; for a count the first, full iteration stands for all. */
function withoutIndices(value: Int): Int {
  let hasIndex = false;
  forEachVariable(value, (v) => {
    hasIndex ||= v.extent !== undefined;
  });
  return hasIndex ? substitute(value, (v) => (v.extent === undefined ? undefined : zero)) : value;
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
