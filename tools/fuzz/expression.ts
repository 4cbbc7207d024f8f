/**
 * Programs of the language as trees of text: what the generator makes and the reducer takes apart.
 *
 *   Expression ::= text and expressions, side by side      `(`, x, ` + `, y, `)`
 *                | { Statement* Expression }
 *   Statement  ::= text and expressions, side by side      `let a = `, x, `;`
 *
 * Expressions know their tensor type where they have one, so that one may stand in for another; whether the names in it
 * are in scope and everything else is left to the compiler.
 */
import { print as printInt } from '../../compiler/symbolic/integer.ts';
import { isFloat, isInteger } from '../../compiler/tensor-ir/dtype.ts';
import type { TensorType } from '../../compiler/tensor-ir/program.ts';

export interface Variable {
  readonly name: string;
  readonly type: TensorType;
}

export type Part = string | Expression;

export interface Template {
  readonly kind: 'template';
  /** Absent for functions, tuples and structs. */
  readonly type?: TensorType | undefined;
  readonly parts: readonly Part[];
}

export interface Block {
  readonly kind: 'block';
  readonly type?: TensorType | undefined;
  readonly statements: readonly Statement[];
  /** Absent in the body of a loop. */
  readonly result?: Expression | undefined;
}

export type Expression = Template | Block;

export interface Statement {
  readonly parts: readonly Part[];
}

/** `typed(type)\`sum(${x}, axis = 0)\`` */
export function typed(
  type: TensorType | undefined,
): (texts: TemplateStringsArray, ...values: readonly (Part | number)[]) => Template {
  return (texts, ...values) => ({ kind: 'template', type, parts: weave(texts, values) });
}

/** An expression that is no tensor: a function, a tuple, a struct. */
export const untyped: ReturnType<typeof typed> = typed(undefined);

/** `statement\`let a = ${x};\`` */
export function statement(
  texts: TemplateStringsArray,
  ...values: readonly (Part | number)[]
): Statement {
  return { parts: weave(texts, values) };
}

function weave(texts: readonly string[], values: readonly (Part | number)[]): readonly Part[] {
  const parts: Part[] = [];
  const push = (part: Part): void => {
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else if (part !== '') parts.push(part);
  };
  texts.forEach((text, i) => {
    push(text);
    const value = values[i];
    if (value !== undefined) push(typeof value === 'number' ? String(value) : value);
  });
  return parts;
}

/** The statements, then the value; the value alone when there are none. */
export function block(
  statements: readonly Statement[],
  result: Expression | undefined,
  type: TensorType | undefined = result?.type,
): Expression {
  if (statements.length === 0 && result !== undefined) return result;
  return { kind: 'block', type, statements, result };
}

/** Expressions with separators between them. */
export function list(items: readonly Expression[], separator = ', '): Template {
  return untyped`${{ kind: 'template', parts: items.flatMap((e, i) => (i === 0 ? [e] : [separator, e])) }}`;
}

/** As source text, on as many lines as it has statements. */
export function printExpression(expression: Expression, indent = ''): string {
  if (expression.kind === 'template') return printParts(expression.parts, indent);
  const inner = `${indent}  `;
  const lines = expression.statements.map((s) => inner + printParts(s.parts, inner));
  if (expression.result !== undefined)
    lines.push(inner + printExpression(expression.result, inner));
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function printParts(parts: readonly Part[], indent: string): string {
  return parts
    .map((part, i) => {
      if (typeof part === 'string') return part;
      const text = printExpression(part, indent);
      // a block that begins a statement would be one
      return i === 0 && parts.length > 1 && part.kind === 'block' ? `(${text})` : text;
    })
    .join('');
}

/** `f32[2*N, 3]` */
export function printType({ dtype, shape }: TensorType): string {
  return shape.length === 0 ? dtype : `${dtype}[${shape.map(printInt).join(', ')}]`;
}

/** `(2*N, 3)`, `(N,)`, `()` */
export function printShape(shape: TensorType['shape']): string {
  return `(${shape.map(printInt).join(', ')}${shape.length === 1 ? ',' : ''})`;
}

export function isSameShape(a: TensorType['shape'], b: TensorType['shape']): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

export function isSameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && isSameShape(a.shape, b.shape);
}

/** The expressions directly inside. */
export function childrenOf(expression: Expression): readonly Expression[] {
  const inside = (parts: readonly Part[]): readonly Expression[] =>
    parts.filter((part) => typeof part !== 'string');
  if (expression.kind === 'template') return inside(expression.parts);
  const result = expression.result === undefined ? [] : [expression.result];
  return [...expression.statements.flatMap((s) => inside(s.parts)), ...result];
}

/** The expression itself and all inside, outermost first. */
export function descendants(expression: Expression): readonly Expression[] {
  return [expression, ...childrenOf(expression).flatMap(descendants)];
}

/** The same tree with every expression that `change` gives something else for replaced, outermost first. */
export function replaceInside(
  expression: Expression,
  change: (inner: Expression) => Expression | undefined,
): Expression {
  const changed = change(expression);
  if (changed !== undefined) return changed;
  const parts = (list: readonly Part[]): readonly Part[] =>
    list.map((part) => (typeof part === 'string' ? part : replaceInside(part, change)));
  if (expression.kind === 'template') return { ...expression, parts: parts(expression.parts) };
  return {
    ...expression,
    statements: expression.statements.map((s) => ({ parts: parts(s.parts) })),
    result: expression.result === undefined ? undefined : replaceInside(expression.result, change),
  };
}

export function reference({ name, type }: Variable): Expression {
  return typed(type)`${name}`;
}

export function isNumber({ dtype }: TensorType): boolean {
  return isFloat(dtype) || isInteger(dtype);
}
