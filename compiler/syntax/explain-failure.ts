/**
 * Turns "the grammar expected this and found that" into what the user most likely got wrong. Looks only at the
 * few tokens around the failure.
 */
import type { IToken, TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import {
  assignmentAsCondition,
  assignmentToPart,
  foreignKeyword,
  foreignWord,
  malformedNumber,
  noMut,
  rangeOutsideFor,
  strayBracket,
  structInCondition,
  unclosedBracket,
  unexpectedToken,
} from '../diagnostics/problems/syntax.ts';
import type { Span } from '../diagnostics/span.ts';
import * as T from './tokens.ts';
import { endOf, isAdjacent } from './tokens.ts';

export interface FailureContext {
  readonly file: string;
  /** In the user's words. */
  readonly expected: string;
  readonly token: IToken;
  readonly next: IToken;
  readonly previous: IToken;
  readonly beforePrevious: IToken;
  readonly isOnNewLine: boolean;
  readonly opening: IToken | undefined;
}

/** The words with which other languages start a declaration. */
export const foreignDeclarations: ReadonlyMap<string, string> = new Map([
  ['def', 'fn'],
  ['function', 'fn'],
  ['func', 'fn'],
  ['fun', 'fn'],
  ['class', 'struct'],
  ['type', 'struct'],
  ['interface', 'struct'],
  ['pub', 'export'],
  ['public', 'export'],
  ['from', 'import { … } from "…";'],
  ['use', 'import { … } from "…";'],
  ['static', 'const'],
  ['var', 'const'],
]);

const foreignWords: ReadonlyMap<string, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
  ['elif', 'else if'],
  ['elseif', 'else if'],
]);

const closers: ReadonlySet<TokenType> = new Set<TokenType>([
  T.RightParen,
  T.RightBracket,
  T.RightBrace,
]);

/** How a message names the token that was found. */
function describe(token: IToken): string {
  if (!(token.startOffset >= 0)) return 'the end of the file';
  if (token.tokenType === T.StringLiteral) return 'a string';
  const text = token.image.length > 40 ? `${token.image.slice(0, 40)}…` : token.image;
  return `\`${text}\``;
}

export function explainFailure(context: FailureContext): Diagnostic {
  const { file, token, previous, expected, opening } = context;
  const isAtEnd = !(token.startOffset >= 0);
  const afterPrevious = previous.startOffset >= 0 ? endOf(previous) : 0;
  // what is missing at the end of a line is shown there, not on the next line
  const span: Span =
    isAtEnd || context.isOnNewLine
      ? { file, start: Math.max(0, afterPrevious - 1), end: afterPrevious }
      : { file, start: token.startOffset, end: endOf(token) };
  const particular = isAtEnd ? undefined : explainToken(context, spanOf(file, token));
  if (particular !== undefined) return particular;
  if (opening !== undefined && /`[)\]}>|]`$/.test(expected)) {
    return unclosedBracket(span, expected, describe(token), spanOf(file, opening));
  }
  return unexpectedToken(span, expected, describe(token), hintFor(context));
}

function spanOf(file: string, token: IToken): Span {
  return { file, start: token.startOffset, end: endOf(token) };
}

/** Mistakes that have a problem of their own. */
function explainToken(context: FailureContext, here: Span): Diagnostic | undefined {
  const { token, previous, next, beforePrevious, expected, file } = context;
  const { image, tokenType } = token;
  const isAfterNumber = previous.tokenType === T.NumberLiteral && isAdjacent(previous, token);
  if (isAfterNumber && (tokenType === T.Identifier || tokenType === T.NumberLiteral)) {
    const span = { file, start: previous.startOffset, end: here.end };
    return malformedNumber(span, previous.image + image);
  }
  if (tokenType === T.Identifier) {
    const word = foreignWords.get(image);
    if (word !== undefined && expected !== 'a name') return foreignWord(here, image, word);
    if (image === 'mut') return noMut(here);
  }
  if (previous.tokenType === T.Identifier && !context.isOnNewLine) {
    // `not x`, `def f`: the odd word is the one before
    const before = { file, start: previous.startOffset, end: endOf(previous) };
    if (previous.image === 'not') return foreignWord(before, 'not', '!');
    const declaration = foreignDeclarations.get(previous.image);
    if (
      declaration === 'fn' &&
      beforePrevious.tokenType !== T.Dot &&
      tokenType === T.Identifier &&
      (next.tokenType === T.LeftParen || next.tokenType === T.Less)
    ) {
      return foreignKeyword(before, previous.image, declaration);
    }
  }
  if (tokenType === T.Equal && expected.includes('`{`')) return assignmentAsCondition(here);
  if (isAssignment(tokenType) && expected.includes('`;`')) {
    if (previous.tokenType === T.RightBracket) {
      const update = tokenType === T.PlusEqual ? 'add' : tokenType === T.StarEqual ? 'mul' : 'set';
      return assignmentToPart(here, `write \`x = x.at[i].${update}(v);\` for a new tensor`);
    }
    if (beforePrevious.tokenType === T.Dot) {
      return assignmentToPart(here, 'write `m = Name { ..m, field: v };` for a new struct');
    }
  }
  if (tokenType === T.DotDot && expected.includes('operator')) return rangeOutsideFor(here);
  if (
    tokenType === T.Colon &&
    previous.tokenType === T.Identifier &&
    beforePrevious.tokenType === T.LeftBrace &&
    expected.includes('`;`')
  ) {
    return structInCondition(here);
  }
  if (expected === 'a declaration' && closers.has(tokenType)) return strayBracket(here, image);
  return undefined;
}

function isAssignment(type: TokenType): boolean {
  return (
    type === T.Equal ||
    type === T.PlusEqual ||
    type === T.MinusEqual ||
    type === T.StarEqual ||
    type === T.SlashEqual
  );
}

function hintFor(context: FailureContext): string | undefined {
  const { token, previous, next, expected } = context;
  const { tokenType, image } = token;
  if (expected === 'a declaration') {
    const word = foreignDeclarations.get(image);
    if (word !== undefined) return `write \`${word}\``;
    return 'a file holds `import`, `fn`, `struct` and `const`, each with or without `export`';
  }
  if (tokenType === T.Equal && next.tokenType === T.Greater && isAdjacent(token, next)) {
    return 'write a lambda as `|x| …`';
  }
  if (tokenType === T.Colon && next.tokenType === T.Colon) return 'write `f<4>(x)` without `::`';
  if (tokenType === T.Equal && previous.tokenType === T.Equal) return 'write `==`';
  if (tokenType === T.Equal && previous.tokenType === T.EqualEqual) return 'write `==`';
  if (tokenType === T.Equal && previous.tokenType === T.Colon) return 'write `=`';
  if (tokenType === T.Plus && previous.tokenType === T.Plus) return 'write `x += 1;`';
  if (tokenType === T.Dot && next.tokenType === T.NumberLiteral) return `write \`0.${next.image}\``;
  if (tokenType === T.Star && previous.tokenType === T.StarStar) return undefined;
  if (tokenType === T.Slash && previous.tokenType === T.Slash) return 'write `floor_divide(a, b)`';
  if (expected.includes('`{`') && tokenType === T.Colon) return 'blocks stand between `{` and `}`';
  if (
    expected === 'an expression' &&
    tokenType === T.RightBrace &&
    previous.tokenType === T.Equal
  ) {
    return 'write the value after `=`';
  }
  if (expected === 'a name' && isKeyword(tokenType)) return `\`${image}\` is a keyword`;
  if (expected === '`:`' && (tokenType === T.Comma || tokenType === T.RightParen)) {
    return 'every parameter and field has a type: `x: f32[N]`';
  }
  if (expected.startsWith('`;`') && (context.isOnNewLine || tokenType === T.RightBrace))
    return 'end the statement with `;`';
  return undefined;
}

function isKeyword(type: TokenType): boolean {
  return type.LONGER_ALT === T.Identifier;
}
