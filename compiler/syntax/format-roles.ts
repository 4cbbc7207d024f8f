/**
 * What the formatter needs to know about tokens that the tokens alone do not tell: which `-` is binary, which `{`
 * opens a block, where statements start. Read off the tree.
 */
import type { Block, Module } from './ast.ts';
import { type InfixOperator, precedence } from './operators.ts';

export interface Roles {
  /** Binary operators of expressions by offset, with their precedence. */
  readonly infix: ReadonlyMap<number, number>;
  /** Offsets of `{` that open blocks. */
  readonly blocks: ReadonlySet<number>;
  /** Offsets at which statements, results of blocks, declarations and imports start. */
  readonly starts: ReadonlySet<number>;
  /** Offsets at which the kernels of `extern` functions are named. */
  readonly kernels: ReadonlySet<number>;
}

/** `**` binds tighter than all in the table. */
const powerPrecedence = 11;

export function findRoles(module: Module, text: string): Roles {
  const infix = new Map<number, number>();
  const blocks = new Set<number>();
  const starts = new Set<number>();
  const kernels = new Set<number>();
  for (const { span } of [...module.imports, ...module.declarations]) starts.add(span.start);
  for (const declaration of module.declarations) {
    if (declaration.kind === 'fn' && declaration.kernel !== undefined)
      kernels.add(declaration.kernel.span.start);
  }
  // a stack of its own: the tree of a long expression is deep
  const waiting: unknown[] = [...module.declarations];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    if (isBlock(node)) {
      // `else if` is a block without braces of its own
      if (text[node.span.start] === '{') {
        blocks.add(node.span.start);
        for (const statement of node.statements) starts.add(statement.span.start);
        if (node.result !== undefined) starts.add(node.result.span.start);
      }
    } else if ('operatorSpan' in node) {
      const { operator, operatorSpan } = node as {
        operator: InfixOperator | '**';
        operatorSpan: { start: number };
      };
      const level = operator === '**' ? powerPrecedence : precedence[operator];
      infix.set(operatorSpan.start, level);
    }
    for (const child of Object.values(node)) if (typeof child === 'object') waiting.push(child);
  }
  return { infix, blocks, starts, kernels };
}

function isBlock(node: object): node is Block {
  return 'statements' in node && 'result' in node;
}
