/**
 * Bounds how deep the tree of a source can get, from its tokens alone and in one pass, before anything recurses
 * over it: the grammar, and every later stage that walks the tree.
 *
 * For each open bracket it counts what can nest to the right without a bracket (prefix operators, `**`, lambdas,
 * `->`, `<` of type arguments, `if` in a condition, `else`), and, as the height of a left-leaning chain, all
 * operators of one item. An item ends at `,`, `;`, and where a statement starts.
 */
import type { IToken, TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { expressionTooLong, nestedTooDeeply } from '../diagnostics/problems/syntax.ts';
import * as T from './tokens.ts';
import { endOf } from './tokens.ts';

/** Brackets and prefixes inside each other. */
export const maxNesting = 200;
/** Operators in a row, added up over the brackets around them. */
const maxOperators = 1000;

interface Frame {
  /** Right-nesting constructs of the current item. */
  prefixes: number;
  /** The `-` and `!` before the current operand. */
  run: number;
  /** Operators of the current item. */
  operators: number;
  /** The greatest height of a bracket inside the current item. */
  inner: number;
  /** The greatest height of the items so far. */
  height: number;
  isInLambdaBars: boolean;
}

const openers: ReadonlySet<TokenType> = new Set<TokenType>([
  T.LeftParen,
  T.LeftBracket,
  T.LeftBrace,
]);
const closers: ReadonlySet<TokenType> = new Set<TokenType>([
  T.RightParen,
  T.RightBracket,
  T.RightBrace,
]);
const operands: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Identifier,
  T.NumberLiteral,
  T.StringLiteral,
  T.True,
  T.False,
  ...closers,
]);
const rightNesting: ReadonlySet<TokenType> = new Set<TokenType>([
  T.StarStar,
  T.Arrow,
  T.Less,
  T.If,
  T.Else,
]);
const itemStarts: ReadonlySet<TokenType> = new Set<TokenType>([
  T.If,
  T.For,
  T.While,
  T.Let,
  T.Fn,
  T.Struct,
  T.Const,
  T.Export,
  T.Import,
]);
const itemEnds: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Semicolon,
  T.LeftBrace,
  T.RightBrace,
]);

function newFrame(): Frame {
  return { prefixes: 0, run: 0, operators: 0, inner: 0, height: 0, isInLambdaBars: false };
}

function endItem(frame: Frame): void {
  frame.height = Math.max(frame.height, frame.operators + frame.inner);
  frame.prefixes = 0;
  frame.run = 0;
  frame.operators = 0;
  frame.inner = 0;
  frame.isInLambdaBars = false;
}

/** The first place that is too deep or too long, or undefined when the source is fit to be parsed. */
export function findDeepNesting(file: string, tokens: readonly IToken[]): Diagnostic | undefined {
  let frame = newFrame();
  const outer: Frame[] = [];
  let outerDepth = 0;
  let previous: TokenType | undefined;
  for (const token of tokens) {
    const type = token.tokenType;
    const isAfterOperand = previous !== undefined && operands.has(previous);
    if (openers.has(type)) {
      frame.operators += 1;
      outerDepth += 1 + frame.prefixes + frame.run;
      outer.push(frame);
      frame = newFrame();
    } else if (closers.has(type)) {
      endItem(frame);
      const { height } = frame;
      const parent = outer.pop();
      frame = parent ?? newFrame();
      if (parent !== undefined) {
        outerDepth -= 1 + parent.prefixes + parent.run;
        parent.inner = Math.max(parent.inner, height + 1);
      }
    } else if (type === T.Semicolon || (type === T.Comma && !frame.isInLambdaBars)) {
      endItem(frame);
    } else if (itemStarts.has(type) && (previous === undefined || itemEnds.has(previous))) {
      endItem(frame);
      frame.prefixes = 1;
    } else if ((type === T.Or || type === T.OrOr) && !isAfterOperand) {
      if (!frame.isInLambdaBars) frame.prefixes += 1;
      frame.isInLambdaBars = type === T.Or && !frame.isInLambdaBars;
    } else if (type === T.Or && frame.isInLambdaBars) {
      frame.isInLambdaBars = false;
    } else if ((type === T.Minus || type === T.Not) && !isAfterOperand) {
      // a run of prefixes nests; it ends with its operand, unless `**` takes it further right
      frame.run += 1;
    } else if (rightNesting.has(type)) {
      frame.prefixes += 1 + (type === T.StarStar ? frame.run : 0);
      frame.run = 0;
      frame.operators += 1;
    } else if (!operands.has(type)) {
      frame.run = 0;
      frame.operators += 1;
    }
    const depth = outerDepth + frame.prefixes + frame.run;
    const span = { file, start: token.startOffset, end: endOf(token) };
    if (depth > maxNesting) return nestedTooDeeply(span, maxNesting);
    if (frame.operators + frame.inner > maxOperators) return expressionTooLong(span, maxOperators);
    previous = type;
  }
  return undefined;
}
