/** Splits Metal source into tokens, for the rules that need no syntax tree and for the translation to OpenCL C++. */

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'punctuation' | 'directive';
  readonly text: string;
  /** Offset in the source. */
  readonly start: number;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

// Longest first: `[[` and `]]` are no tokens of C++ (`a[b[i]]`), so attributes are recognised from two brackets.
const punctuation =
  /(?:::|->|<<=|>>=|&&|\|\||==|!=|<=|>=|\+\+|--|[-+*/%&|^]=|<<|[{}()[\];,<>=+\-*/%&|^!~?:.])/y;
const word = /[A-Za-z_]\w*/y;
const number = /\.?\d(?:[\w.]|[eEpP][+-])*/y;
const string = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;
const skipped = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const directive = /#(?:[^\n\\]|\\[\s\S])*/y;

const kinds: readonly (readonly [Token['kind'], RegExp])[] = [
  ['directive', directive],
  ['word', word],
  ['number', number],
  ['string', string],
  ['punctuation', punctuation],
];

/** The tokens without white space and comments. Characters that Metal does not know are left out; clang names them. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const count = (text: string): void => {
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
      line++;
      lineStart = at + i + 1;
    }
  };
  outer: while (at < source.length) {
    skipped.lastIndex = at;
    const space = skipped.exec(source);
    if (space) {
      count(space[0]);
      at += space[0].length;
      continue;
    }
    for (const [kind, pattern] of kinds) {
      pattern.lastIndex = at;
      const match = pattern.exec(source);
      if (!match) continue;
      tokens.push({ kind, text: match[0], start: at, line, column: at - lineStart + 1 });
      count(match[0]);
      at += match[0].length;
      continue outer;
    }
    at++;
  }
  return tokens;
}
