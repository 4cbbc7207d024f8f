/** What a kernel uses: the names that it reads, and a kernel without bindings that nothing reads. */
import type { Buffer, Kernel, KernelScalar, Statement } from '../kernel-ir/program.ts';
import {
  forEachScalar,
  forEachStatement,
  nestedBlocks,
  ownIntegers,
  ownScalars,
  scalarIntegers,
} from '../kernel-ir/statements.ts';
import { forEachVariable, type Int } from '../symbolic/integer.ts';

/** Names of variables, indices and integers that some statement reads. */
export function namesRead(body: readonly Statement[]): Set<string> {
  const read = new Set<string>();
  const integer = (value: Int): void => forEachVariable(value, (v) => read.add(v.name));
  const scalar = (s: KernelScalar): void => {
    if (s.kind === 'variable') read.add(s.name);
    scalarIntegers(s).forEach(integer);
  };
  const seen = new Set<KernelScalar>();
  forEachStatement(body, (s) => {
    ownIntegers(s).forEach(integer);
    forEachScalar(ownScalars(s), scalar, seen);
    if (s.kind === 'let-index') integer(s.extent);
    if (s.kind === 'simd-reduce') {
      read.add(s.name);
      if (s.index !== undefined) read.add(s.index);
    }
    if (s.kind === 'matrix-load' || s.kind === 'matrix-store') integer(s.element);
    if (s.kind === 'matrix-multiply-accumulate') {
      for (const element of [s.dElement, s.aElement, s.bElement]) integer(element);
    }
  });
  return read;
}

/** The kernel without `let`s that nothing reads (a schedule may bind more than the printer needs). */
export function withoutUnread(kernel: Kernel): Kernel {
  let { body } = kernel;
  for (;;) {
    const read = namesRead(body);
    let removed = false;
    const keep = (block: readonly Statement[]): readonly Statement[] =>
      block.flatMap((s): readonly Statement[] => {
        const isBinding = s.kind === 'let' || s.kind === 'let-integer' || s.kind === 'let-index';
        if (isBinding && !read.has(s.name)) {
          removed = true;
          return [];
        }
        if (nestedBlocks(s).length === 0) return [s];
        if (s.kind === 'loop') return [{ ...s, body: keep(s.body) }];
        if (s.kind === 'if') return [{ ...s, then: keep(s.then), otherwise: keep(s.otherwise) }];
        return [s];
      });
    body = keep(body);
    if (!removed) return { ...kernel, body };
  }
}

/** Buffers that live in threadgroup memory, in order of allocation. */
export function threadgroupBuffers(body: readonly Statement[]): readonly Buffer[] {
  const buffers: Buffer[] = [];
  forEachStatement(body, (s) => {
    if (s.kind === 'allocate' && s.buffer.space === 'threadgroup') buffers.push(s.buffer);
  });
  return buffers;
}
