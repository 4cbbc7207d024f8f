/**
 * The tokens of `.mlx` and the lexer. `var`, `where`, `newaxis` and `_` are plain identifiers to the lexer; the
 * grammar reads them by their place. Comments and characters that no token starts with leave the token stream and
 * come back in groups of their own.
 */
import { createToken, type IToken, Lexer, type TokenType } from 'chevrotain';

const all: TokenType[] = [];

function token(
  name: string,
  pattern: RegExp | string,
  more: { group?: string; start_chars_hint?: number[] } = {},
): TokenType {
  // every pattern here is one line: chevrotain need not look into them
  const type = createToken({ name, pattern, line_breaks: false, ...more });
  all.push(type);
  return type;
}

export const Identifier: TokenType = createToken({ name: 'Identifier', pattern: /[A-Za-z_]\w*/ });

function keyword(word: string): TokenType {
  const type = createToken({ name: word, pattern: word, longer_alt: Identifier });
  all.push(type);
  return type;
}

export const Blank: TokenType = createToken({
  name: 'Blank',
  pattern: /[ \t\r\n\f\v\u00a0\ufeff]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
all.push(Blank);

/** From `//` to the end of the line; `///` documents the declaration or field that follows. */
token('Comment', /\/\/[^\n\r]*/, { group: 'comments' });
/** Only to tell people that there are none. */
export const BlockComment: TokenType = createToken({
  name: 'BlockComment',
  pattern: /\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?/,
  group: 'problems',
  line_breaks: true,
});
all.push(BlockComment);

/**
 * The closing quote is optional in the pattern, so that a forgotten one is one problem on one line. A string in single
 * quotes is one, too: the wrong quotes are its only problem.
 */
export const StringLiteral: TokenType = token(
  'StringLiteral',
  /"(?:[^"\\\n\r]|\\[^\n\r])*(?:"|\\?)|'(?:[^'\\\n\r]|\\[^\n\r])*'|`[^`\n\r]*`|[“”„][^“”„"\n\r]*[“”]/,
  { start_chars_hint: ['"', "'", '`', '“', '”', '„'].map((c) => c.charCodeAt(0)) },
);
/** `1`, `1_000`, `0xff`, `1.5`, `1.`, `1e-3`; the point of `0..n` and of `t.0.w` is not part of it. */
export const NumberLiteral: TokenType = token(
  'NumberLiteral',
  /0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*|\.(?:(?=[eE][+-]?\d)|(?![.\w])))?(?:[eE][+-]?\d+)?/,
);

export const Import: TokenType = keyword('import');
export const Export: TokenType = keyword('export');
export const Struct: TokenType = keyword('struct');
export const Fn: TokenType = keyword('fn');
export const Const: TokenType = keyword('const');
export const Let: TokenType = keyword('let');
export const For: TokenType = keyword('for');
export const While: TokenType = keyword('while');
export const In: TokenType = keyword('in');
export const If: TokenType = keyword('if');
export const Else: TokenType = keyword('else');
export const True: TokenType = keyword('true');
export const False: TokenType = keyword('false');
export const As: TokenType = keyword('as');
all.push(Identifier);

// longer spellings first
export const Ellipsis: TokenType = token('Ellipsis', '...');
export const DotDot: TokenType = token('DotDot', '..');
export const Dot: TokenType = token('Dot', '.');
export const Arrow: TokenType = token('Arrow', '->');
export const Pipe: TokenType = token('Pipe', '|>');
export const OrOr: TokenType = token('OrOr', '||');
export const Or: TokenType = token('Or', '|');
export const AndAnd: TokenType = token('AndAnd', '&&');
export const And: TokenType = token('And', '&');
export const Xor: TokenType = token('Xor', '^');
export const ShiftLeft: TokenType = token('ShiftLeft', '<<');
export const LessEqual: TokenType = token('LessEqual', '<=');
export const Less: TokenType = token('Less', '<');
export const GreaterEqual: TokenType = token('GreaterEqual', '>=');
/** `>>` is two of these side by side, so that `A<B<4>>` closes twice. */
export const Greater: TokenType = token('Greater', '>');
export const EqualEqual: TokenType = token('EqualEqual', '==');
export const NotEqual: TokenType = token('NotEqual', '!=');
export const Equal: TokenType = token('Equal', '=');
export const Not: TokenType = token('Not', '!');
export const PlusEqual: TokenType = token('PlusEqual', '+=');
export const MinusEqual: TokenType = token('MinusEqual', '-=');
export const StarEqual: TokenType = token('StarEqual', '*=');
export const SlashEqual: TokenType = token('SlashEqual', '/=');
export const StarStar: TokenType = token('StarStar', '**');
export const Star: TokenType = token('Star', '*');
export const Plus: TokenType = token('Plus', '+');
export const Minus: TokenType = token('Minus', '-');
export const Slash: TokenType = token('Slash', '/');
export const Percent: TokenType = token('Percent', '%');
export const At: TokenType = token('At', '@');
export const LeftParen: TokenType = token('LeftParen', '(');
export const RightParen: TokenType = token('RightParen', ')');
export const LeftBracket: TokenType = token('LeftBracket', '[');
export const RightBracket: TokenType = token('RightBracket', ']');
export const LeftBrace: TokenType = token('LeftBrace', '{');
export const RightBrace: TokenType = token('RightBrace', '}');
export const Comma: TokenType = token('Comma', ',');
export const Semicolon: TokenType = token('Semicolon', ';');
export const Colon: TokenType = token('Colon', ':');
/** A comment of other languages, to the end of the line: one problem, whatever it says. */
export const HashComment: TokenType = token('HashComment', /#[^\n\r]*/, { group: 'problems' });
/** A run of characters that start nothing: quotes of other languages, `#`, `?`, letters beyond ASCII, bytes. */
export const Unknown: TokenType = token('Unknown', /[^\s\w"/.\-|&^<>=!+*%@()[\]{},;:]+/, {
  group: 'problems',
  start_chars_hint: charactersOfNoToken(),
});

/**
 * chevrotain tries only the tokens that can start with the next character, but cannot tell from a negated class:
 * here are its characters, beyond Latin-1 a few of each block of 255 that chevrotain keeps together.
 */
function charactersOfNoToken(): number[] {
  const codes: number[] = [];
  for (let code = 0; code < 256; code++) {
    if (/[^\s\w"/.\-|&^<>=!+*%@()[\]{},;:]/.test(String.fromCharCode(code))) codes.push(code);
  }
  for (let code = 256; code < 0x10000; code += 100) codes.push(code);
  return codes;
}

export const allTokens: readonly TokenType[] = all;

let lexer: Lexer | undefined;

export interface Lexed {
  readonly tokens: IToken[];
  /** `//` and `///` comments, in order. */
  readonly comments: readonly IToken[];
  /** `Unknown` and `BlockComment` tokens, in order. */
  readonly problems: readonly IToken[];
}

/** Cuts a source into tokens. Never fails: what is no token comes back as a problem. */
export function lex(text: string): Lexed {
  lexer ??= new Lexer([...all], {
    positionTracking: 'onlyOffset',
    ensureOptimizations: true,
    skipValidations: true,
  });
  const { tokens, groups } = lexer.tokenize(text);
  return { tokens, comments: groups['comments'] ?? [], problems: groups['problems'] ?? [] };
}

/** The offset after the last character; `onlyOffset` tracking keeps only the start. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

/** True when `second` starts where `first` ends: `>` `>` is then a shift. */
export function isAdjacent(first: IToken, second: IToken): boolean {
  return endOf(first) === second.startOffset;
}
