/**
 * The names that a statement or declaration was about to bind when it failed to parse. They are defined all the same,
 * so that each use of them is not one more error.
 *
 *   let x, y = …;      x, y            import numpy as np      numpy, np
 *   float y = x;       y               def f(x):               f
 */
import type { IToken, TokenType } from 'chevrotain';
import * as T from './tokens.ts';

const binders: ReadonlySet<TokenType> = new Set<TokenType>([T.Let, T.Const]);
const patternEnds: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Equal,
  T.Colon,
  T.Semicolon,
  T.In,
]);
/** `float y = …`, `x, y = …`: the names of a left side that is no expression. */
const leftSide: ReadonlySet<TokenType> = new Set<TokenType>([T.Identifier, T.Comma]);
/** The longest left side or import that is looked at. */
const limit = 200;

/** The tokens of the names; `first` is where the statement starts. */
export function boundNames(tokens: readonly IToken[], first: number): readonly IToken[] {
  let at = first;
  if (tokens[at]?.tokenType === T.Export) at += 1;
  const token = tokens[at];
  if (token === undefined) return [];
  const { tokenType, image } = token;
  if (tokenType === T.Fn || tokenType === T.Struct) return identifiers(tokens, at + 1, at + 2);
  if (tokenType === T.Import || image === 'from' || image === 'use')
    return importNames(tokens, at + 1);
  if (binders.has(tokenType) || image === 'var') {
    let end = at + 1;
    while (end < at + limit && tokens[end] && !patternEnds.has(tokens[end]!.tokenType)) end += 1;
    return identifiers(tokens, at + 1, end).filter(
      (name) => name.image !== 'mut' && !opensStruct(tokens, name),
    );
  }
  if (tokenType !== T.Identifier) return [];
  let end = at;
  while (end < at + limit && tokens[end] && leftSide.has(tokens[end]!.tokenType)) end += 1;
  const stop = tokens[end]?.tokenType;
  if (stop === T.Equal || stop === T.Colon) return identifiers(tokens, at, end);
  // `def f(`, `class A {`
  const second = tokens[at + 1];
  return second?.tokenType === T.Identifier ? [second] : [];
}

function identifiers(tokens: readonly IToken[], from: number, to: number): readonly IToken[] {
  return tokens.slice(from, to).filter((token) => token.tokenType === T.Identifier);
}

/** `P` of `let P { x } = p`. */
function opensStruct(tokens: readonly IToken[], name: IToken): boolean {
  const next = tokens[tokens.indexOf(name) + 1]?.tokenType;
  return next === T.LeftBrace || next === T.LeftParen;
}

function importNames(tokens: readonly IToken[], from: number): readonly IToken[] {
  let end = from;
  const isPart = (token: IToken | undefined): boolean =>
    token !== undefined &&
    ![T.Semicolon, T.Fn, T.Struct, T.Const, T.Export].includes(token.tokenType);
  while (end < from + limit && isPart(tokens[end])) end += 1;
  return identifiers(tokens, from, end).filter((token) => token.image !== 'from');
}
