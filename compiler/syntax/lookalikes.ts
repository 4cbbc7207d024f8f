/**
 * Characters that no token starts with, read as what their writer meant: `−` as `-`, `（` as `(`, `α` as a name. Each
 * is one problem, and the rest of the source is read as if it had been written well.
 */
import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { foreignName, lookalike, unknownCharacters } from '../diagnostics/problems/syntax.ts';
import * as T from './tokens.ts';
import { endOf, isAdjacent } from './tokens.ts';

type Meant = readonly (readonly [TokenType, string])[];

/** What a character stands for; the first item also stands in the message. */
const meanings: ReadonlyMap<string, Meant> = new Map<string, Meant>([
  ...one('−–—‒', T.Minus, '-'),
  ...one('×·∙•⋅∗', T.Star, '*'),
  ...one('÷', T.Slash, '/'),
  ...one('≤', T.LessEqual, '<='),
  ...one('≥', T.GreaterEqual, '>='),
  ...one('≠', T.NotEqual, '!='),
  ...one('→⟶', T.Arrow, '->'),
  ...one('…', T.Ellipsis, '...'),
  ...one('（', T.LeftParen, '('),
  ...one('）', T.RightParen, ')'),
  ...one('［【', T.LeftBracket, '['),
  ...one('］】', T.RightBracket, ']'),
  ...one('｛', T.LeftBrace, '{'),
  ...one('｝', T.RightBrace, '}'),
  ...one('，、', T.Comma, ','),
  ...one('；\u037e', T.Semicolon, ';'),
  ...one('：', T.Colon, ':'),
  ...one('＝', T.Equal, '='),
  ...one('＋', T.Plus, '+'),
  ...one('∧', T.AndAnd, '&&'),
  ...one('∨', T.OrOr, '||'),
  ...one('¬~', T.Not, '!'),
  ...one('π', T.Identifier, 'pi'),
  ...one('∞', T.Identifier, 'inf'),
  [
    '²',
    [
      [T.StarStar, '**'],
      [T.NumberLiteral, '2'],
    ],
  ],
  [
    '³',
    [
      [T.StarStar, '**'],
      [T.NumberLiteral, '3'],
    ],
  ],
]);

function one(characters: string, type: TokenType, text: string): [string, Meant][] {
  return [...characters].map((c) => [c, [[type, text]]]);
}

/** Between the parts of a name whose letters are not all ASCII. */
const letters = /^[\p{L}\p{N}\p{M}]+$/u;

/** A token at a place of the source, whatever stands there. */
export function tokenAt(type: TokenType, image: string, start: number): IToken {
  return createTokenInstance(type, image, start, start + image.length - 1, 1, 1, 1, 1);
}

/** Puts what the characters mean among the tokens; both lists are in the order of the source. */
export function readLookalikes(
  file: string,
  tokens: readonly IToken[],
  problems: readonly IToken[],
  report: (diagnostic: Diagnostic) => void,
): IToken[] {
  const result: IToken[] = [];
  const names = new Set<string>();
  let next = 0;
  let opened = 0;
  const upTo = (offset: number): void => {
    while (next < tokens.length && tokens[next]!.startOffset < offset) result.push(tokens[next++]!);
  };
  for (const problem of problems) {
    upTo(problem.startOffset);
    if (problem.tokenType !== T.Unknown) continue;
    const isName = letters.test(problem.image) && !meanings.has(problem.image);
    if (isName) {
      const name = wholeName(problem, result, tokens, next);
      if (name.takesNext) next += 1;
      result.push(name.token);
      const span = { file, start: name.token.startOffset, end: endOf(name.token) };
      if (!names.has(name.token.image)) report(foreignName(span, name.token.image));
      names.add(name.token.image);
      continue;
    }
    let rest = '';
    let start = problem.startOffset;
    let at = start;
    const flush = (): void => {
      const span = { file, start, end: start + rest.length };
      if (isPrime(rest, start, result.at(-1))) {
        const hint = 'the transpose of `x` is `x.T`';
        report({ ...unknownCharacters(span, rest), hint });
        result.push(tokenAt(T.Dot, '.', start), tokenAt(T.Identifier, 'T', start));
      } else if (rest !== '') report(unknownCharacters(span, rest));
      rest = '';
    };
    for (const character of problem.image) {
      const meant = meanings.get(character);
      if (meant === undefined) {
        if (rest === '') start = at;
        rest += character;
      } else {
        flush();
        const span = { file, start: at, end: at + character.length };
        if (/^[([{]$/.test(meant[0]![1])) opened += 1;
        // the second of a pair of brackets is not a second mistake
        if (/^[)\]}]$/.test(meant[0]![1]) && opened > 0) opened -= 1;
        else if (character === '~') report(unknownCharacters(span, character));
        else report(lookalike(span, character, meant.map(([, text]) => text).join(' ')));
        for (const [type, text] of meant) result.push(tokenAt(type, text, at));
      }
      at += character.length;
    }
    flush();
  }
  upTo(Number.POSITIVE_INFINITY);
  return result;
}

/** `x'` after an operand: the transpose, as mathematics writes it. */
function isPrime(text: string, start: number, before: IToken | undefined): boolean {
  return text === "'" && before !== undefined && endOf(before) === start;
}

/** The name around the characters: ASCII letters beside them belong to it. */
function wholeName(
  problem: IToken,
  result: IToken[],
  tokens: readonly IToken[],
  next: number,
): { readonly token: IToken; readonly takesNext: boolean } {
  const before = result.at(-1);
  const after = tokens[next];
  let { image, startOffset } = problem;
  if (before?.tokenType === T.Identifier && isAdjacent(before, problem)) {
    result.pop();
    image = before.image + image;
    startOffset = before.startOffset;
  }
  const takesNext = after !== undefined && isAdjacent(problem, after) && /^\w/.test(after.image);
  if (takesNext) image += after.image;
  return { token: tokenAt(T.Identifier, image, startOffset), takesNext };
}
