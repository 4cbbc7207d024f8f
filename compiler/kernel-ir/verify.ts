/**
 * Checks what printers and devices rely on; a failure is a bug of ours and names the kernel.
 *
 *   names        defined before use, once a kernel; accumulators only are assigned
 *   indices      over variables that are in scope
 *   dtypes       of operands, results, stores; registers hold compute types
 *   placements   grid loops outermost and as many as the grid; the loops and statements of one device only
 *   budgets      constant sizes on chip; threadgroup memory and local arrays within their limits
 */
import { InternalError, unreachable } from '../diagnostics/internal-error.ts';
import { constantValue, forEachVariable, type Int, print } from '../symbolic/integer.ts';
import { byteSize, computeType, type DType, isInteger } from '../tensor-ir/dtype.ts';
import { printKernel } from './print.ts';
import type { Buffer, Kernel, KernelScalar, Loop, Statement } from './program.ts';
import { isInOperandClass, scalarFunctions } from './scalar-functions.ts';
import { forEachScalar, scalarIntegers } from './statements.ts';

/** Metal's threadgroup memory on every Apple GPU. */
const maxThreadgroupBytes = 32 * 1024;
/** Arrays of one thread: more would spill on a GPU and thrash the first-level cache of a CPU. */
const maxThreadBytes = 64 * 1024;

export type KernelTarget = 'cpu' | 'metal';

/** Throws InternalError with the kernel's text when an invariant does not hold. */
export function verifyKernel(kernel: Kernel, target: KernelTarget): void {
  new Verifier(kernel, target).verify();
}

interface Scope {
  readonly integers: Set<string>;
  readonly values: Map<string, DType>;
  readonly accumulators: Set<string>;
  readonly matrices: Set<string>;
  readonly buffers: Set<Buffer>;
}

class Verifier {
  private readonly kernel: Kernel;
  private readonly target: KernelTarget;
  private readonly defined = new Set<string>();
  private readonly checked = new Set<KernelScalar>();
  private readonly bytes = { threadgroup: 0, thread: 0 };

  constructor(kernel: Kernel, target: KernelTarget) {
    this.kernel = kernel;
    this.target = target;
  }

  verify(): void {
    const { kernel } = this;
    const scope: Scope = {
      integers: new Set(kernel.integers.map((integer) => integer.name)),
      values: new Map(),
      accumulators: new Set(),
      matrices: new Set(),
      buffers: new Set(kernel.parameters.map((p) => p.buffer)),
    };
    if (scope.integers.size !== kernel.integers.length) this.fail('two integers of one name');
    for (const { buffer } of kernel.parameters) {
      if (buffer.space !== 'device')
        this.fail(`parameter ${buffer.name} is in ${buffer.space} memory`);
    }
    if (kernel.external !== undefined) {
      if (kernel.body.length > 0) this.fail('a kernel of the user has a body');
      if (this.target !== 'metal') this.fail('a kernel of the user off Metal');
      return;
    }
    for (const extent of kernel.grid) this.integer(extent, scope);
    this.block(kernel.body, scope, true);
  }

  private fail(problem: string): never {
    const { kernel } = this;
    throw new InternalError(`kernel ${kernel.name}: ${problem}`, printKernel(kernel));
  }

  private define(name: string): void {
    if (this.defined.has(name)) this.fail(`${name} is defined twice`);
    this.defined.add(name);
  }

  private integer(value: Int, scope: Scope): void {
    forEachVariable(value, ({ name }) => {
      if (!scope.integers.has(name))
        this.fail(`${print(value)} uses ${name}, which is not defined`);
    });
  }

  private block(statements: readonly Statement[], outer: Scope, isOutermost: boolean): void {
    const scope: Scope = {
      integers: new Set(outer.integers),
      values: new Map(outer.values),
      accumulators: new Set(outer.accumulators),
      matrices: new Set(outer.matrices),
      buffers: new Set(outer.buffers),
    };
    for (const statement of statements) this.statement(statement, scope, isOutermost);
  }

  private statement(statement: Statement, scope: Scope, isOutermost: boolean): void {
    switch (statement.kind) {
      case 'loop':
        this.loop(statement, scope, isOutermost);
        return;
      case 'let':
        this.scalar(statement.value, scope);
        this.define(statement.name);
        scope.values.set(statement.name, statement.value.dtype);
        return;
      case 'let-index':
        this.scalar(statement.value, scope);
        this.integer(statement.extent, scope);
        if (!isInteger(statement.value.dtype)) this.fail(`index ${statement.name} is no integer`);
        this.define(statement.name);
        scope.integers.add(statement.name);
        return;
      case 'let-integer':
        this.integer(statement.value, scope);
        this.define(statement.name);
        scope.integers.add(statement.name);
        return;
      case 'accumulator':
        this.scalar(statement.initial, scope);
        this.same(statement.initial.dtype, statement.dtype, `the start of ${statement.name}`);
        this.define(statement.name);
        scope.values.set(statement.name, statement.dtype);
        scope.accumulators.add(statement.name);
        return;
      case 'assign':
        this.scalar(statement.value, scope);
        this.accumulator(statement.name, scope);
        this.same(statement.value.dtype, scope.values.get(statement.name)!, statement.name);
        return;
      case 'allocate':
        this.allocate(statement.buffer, scope);
        return;
      case 'store':
        this.store(statement, scope);
        return;
      case 'if':
        this.scalar(statement.condition, scope);
        this.same(statement.condition.dtype, 'bool', 'a condition');
        this.block(statement.then, scope, false);
        this.block(statement.otherwise, scope, false);
        return;
      case 'locate-segment': {
        this.integer(statement.task, scope);
        for (const name of [...statement.starts, ...statement.lengths]) {
          if (!scope.integers.has(name)) this.fail(`segments use ${name}, which is not defined`);
        }
        for (const name of [statement.segment, statement.local, statement.length]) {
          this.define(name);
          scope.integers.add(name);
        }
        return;
      }
      case 'micro-kernel':
        this.only('cpu', statement.kind);
        this.microKernel(statement, scope);
        return;
      case 'sort-pairs':
        this.only('cpu', statement.kind);
        this.sortPairs(statement, scope);
        return;
      case 'barrier':
        return;
      case 'simd-reduce':
        this.only('metal', statement.kind);
        this.accumulator(statement.name, scope);
        return;
      case 'matrix-declare':
        this.only('metal', statement.kind);
        this.define(statement.name);
        scope.matrices.add(statement.name);
        return;
      case 'matrix-load':
      case 'matrix-store':
        this.matrix(statement.name, scope);
        this.buffer(statement.buffer, scope);
        this.integer(statement.offset, scope);
        this.integer(statement.stride, scope);
        return;
      case 'matrix-multiply-accumulate':
        for (const name of [statement.d, statement.a, statement.b]) this.matrix(name, scope);
        return;
      default:
        unreachable(statement);
    }
  }

  private loop(loop: Loop, scope: Scope, isOutermost: boolean): void {
    this.integer(loop.extent, scope);
    this.define(loop.variable);
    const isGrid = loop.placement === 'grid';
    if (isGrid && !isOutermost) this.fail(`grid loop ${loop.variable} is not outermost`);
    if (loop.placement === 'vector') this.only('cpu', 'a vector loop');
    if (['threads', 'simdgroups', 'lanes'].includes(loop.placement)) {
      this.only('metal', `a loop over ${loop.placement}`);
    }
    if (loop.placement === 'unroll' && constantValue(loop.extent) === undefined) {
      this.fail(`unrolled loop ${loop.variable} has no constant extent`);
    }
    for (const { name, index } of loop.reduces ?? []) {
      this.accumulator(name, scope);
      if (index !== undefined) this.accumulator(index, scope);
    }
    const inner = { ...scope, integers: new Set(scope.integers).add(loop.variable) };
    this.block(loop.body, inner, isGrid);
  }

  private allocate(buffer: Buffer, scope: Scope): void {
    this.integer(buffer.size, scope);
    if (scope.buffers.has(buffer)) this.fail(`${buffer.name} is allocated twice`);
    scope.buffers.add(buffer);
    const { space } = buffer;
    if (space === 'device') this.fail(`${buffer.name} is allocated in device memory`);
    if (space === 'scratch') {
      this.only('cpu', 'scratch memory');
      return;
    }
    if (space === 'threadgroup') this.only('metal', 'threadgroup memory');
    const size = constantValue(buffer.size);
    if (size === undefined) this.fail(`${buffer.name} has no constant size`);
    this.bytes[space] += size * byteSize(buffer.dtype);
    const limit = space === 'threadgroup' ? maxThreadgroupBytes : maxThreadBytes;
    if (this.bytes[space] > limit) {
      this.fail(`${this.bytes[space]} bytes of ${space} memory, more than ${limit}`);
    }
  }

  private store(statement: Extract<Statement, { kind: 'store' }>, scope: Scope): void {
    const { buffer, index, value } = statement;
    this.scalar(value, scope);
    this.integer(index, scope);
    this.buffer(buffer, scope);
    this.same(value.dtype, computeType(buffer.dtype), `a store to ${buffer.name}`);
    const parameter = this.kernel.parameters.find((p) => p.buffer === buffer);
    if (parameter?.access === 'read') this.fail(`a store to ${buffer.name}, which is for reading`);
  }

  private microKernel(statement: Extract<Statement, { kind: 'micro-kernel' }>, scope: Scope): void {
    const { a, b, c } = statement;
    for (const buffer of [a, b, c]) {
      this.buffer(buffer, scope);
      this.same(buffer.dtype, c.dtype, `micro-kernel operand ${buffer.name}`);
    }
    if (c.dtype !== 'f32' && c.dtype !== 'f64') this.fail(`a micro-kernel over ${c.dtype}`);
    const { aOffset, aRowStride, aDepthStride, bOffset, cOffset, cStride, depth } = statement;
    for (const value of [aOffset, aRowStride, aDepthStride, bOffset, cOffset, cStride, depth]) {
      this.integer(value, scope);
    }
  }

  private sortPairs(statement: Extract<Statement, { kind: 'sort-pairs' }>, scope: Scope): void {
    const { keys, values, spareKeys, spareValues, count } = statement;
    for (const buffer of [keys, values, spareKeys, spareValues]) this.buffer(buffer, scope);
    if (keys.dtype !== 'u32' && keys.dtype !== 'u64') this.fail(`sort-pairs by ${keys.dtype}`);
    this.same(spareKeys.dtype, keys.dtype, 'the spare keys of sort-pairs');
    for (const { name, dtype } of [values, spareValues]) this.same(dtype, 'i32', name);
    this.integer(count, scope);
  }

  /** Names are checked wherever a node is used: it may have left the scope of what it mentions. */
  private scalar(root: KernelScalar, scope: Scope): void {
    forEachScalar([root], (scalar) => {
      for (const value of scalarIntegers(scalar)) this.integer(value, scope);
      if (scalar.kind === 'load') this.buffer(scalar.buffer.buffer, scope);
      if (scalar.kind === 'variable') {
        const dtype = scope.values.get(scalar.name);
        if (dtype === undefined) this.fail(`${scalar.name} is used but not defined`);
        this.same(scalar.dtype, dtype, scalar.name);
      }
      if (this.checked.has(scalar)) return;
      this.checked.add(scalar);
      this.dtypes(scalar);
    });
  }

  private dtypes(scalar: KernelScalar): void {
    switch (scalar.kind) {
      case 'load':
        this.same(
          scalar.dtype,
          computeType(scalar.buffer.buffer.dtype),
          `a load of ${scalar.buffer.buffer.name}`,
        );
        return;
      case 'call': {
        const called = scalarFunctions.get(scalar.name);
        if (called === undefined) this.fail(`no scalar function ${scalar.name}`);
        const [first] = scalar.args;
        if (first === undefined || scalar.args.length !== called.arity) {
          this.fail(`${scalar.name} with ${scalar.args.length} arguments`);
        }
        for (const arg of scalar.args)
          this.same(arg.dtype, first.dtype, `an argument of ${scalar.name}`);
        if (!isInOperandClass(first.dtype, called.operands)) {
          this.fail(`${scalar.name} of ${first.dtype}`);
        }
        const result = called.result === 'bool' ? 'bool' : first.dtype;
        this.same(scalar.dtype, result, `the result of ${scalar.name}`);
        return;
      }
      case 'select':
        this.same(scalar.condition.dtype, 'bool', 'the condition of a select');
        this.same(scalar.then.dtype, scalar.dtype, 'a side of a select');
        this.same(scalar.otherwise.dtype, scalar.dtype, 'a side of a select');
        return;
      case 'bitcast':
        if (byteSize(scalar.dtype) !== byteSize(scalar.value.dtype)) {
          this.fail(`a bitcast from ${scalar.value.dtype} to ${scalar.dtype}`);
        }
        return;
      default:
        return;
    }
  }

  private same(found: DType, expected: DType, what: string): void {
    if (found !== expected) this.fail(`${what} is ${found}, not ${expected}`);
  }

  private buffer(buffer: Buffer, scope: Scope): void {
    if (!scope.buffers.has(buffer)) this.fail(`buffer ${buffer.name} is used but not defined`);
  }

  private accumulator(name: string, scope: Scope): void {
    if (!scope.accumulators.has(name)) this.fail(`${name} is assigned but no accumulator in scope`);
  }

  private matrix(name: string, scope: Scope): void {
    this.only('metal', 'a matrix');
    if (!scope.matrices.has(name)) this.fail(`matrix ${name} is used but not defined`);
  }

  private only(target: KernelTarget, what: string): void {
    if (this.target !== target) this.fail(`${what} on ${this.target}`);
  }
}
