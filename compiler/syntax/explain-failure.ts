/**
 * Turns "the grammar expected this and found that" into what the user most likely got wrong. Looks only at the
 * few tokens around the failure.
 */
import type { IToken, TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import {
  assignmentAsCondition,
  assignmentToPart,
  externWithoutFunction,
  foreignKeyword,
  foreignWord,
  malformedNumber,
  noMut,
  rangeOutsideFor,
  strayBracket,
  structInCondition,
  unclosedBracket,
  unexpectedToken,
  unknownConstruct,
} from '../diagnostics/problems/syntax.ts';
import type { Span } from '../diagnostics/span.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
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
  /** The comment between `previous` and `token` that starts on the line of `previous`. */
  readonly comment: string | undefined;
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
  ['let', 'const'],
]);

/** Declarations of other languages that have no counterpart, and what to do instead. */
const unknownDeclarations: ReadonlyMap<string, string> = new Map([
  ['impl', 'write the methods as functions: `m.norm()` calls `norm(m)`'],
  ['trait', 'a generic names the class of its dtypes: `<T: float>`'],
  ['enum', 'take an `int` or `bool` parameter, or write several functions'],
  ['namespace', 'a file is a module'],
  ['module', 'a file is a module'],
  ['mod', 'a file is a module'],
  ['template', 'generics stand behind the name: `fn f<T: float>(x: T[N]) -> T[N]`'],
  ['async', 'calls of compiled functions are already asynchronous'],
  ['macro_rules', 'write a function'],
  ['if', 'statements stand in functions'],
  ['for', 'statements stand in functions'],
  ['while', 'statements stand in functions'],
]);

/** Statements of other languages, and what to do instead. */
export const unknownStatements: ReadonlyMap<string, string> = new Map([
  ['match', 'write `if … { … } else if … { … } else { … }`'],
  ['switch', 'write `if … { … } else if … { … } else { … }`'],
  ['case', 'write `if … { … } else if … { … } else { … }`'],
  ['loop', 'write `while c { … }`, or `for i in 0..n while c { … }`'],
  ['do', 'write `while c { … }`, or `for i in 0..n while c { … }`'],
  ['repeat', 'write `while c { … }`, or `for i in 0..n while c { … }`'],
  ['try', 'there are no exceptions: choose by a condition with `if` or `where`'],
  ['catch', 'there are no exceptions: choose by a condition with `if` or `where`'],
  ['throw', 'there are no exceptions: a `where` clause states what sizes must hold'],
  ['raise', 'there are no exceptions: a `where` clause states what sizes must hold'],
  ['with', 'functions have no effects; `stop_gradient(x)` stops derivatives'],
  ['global', 'functions have no state: take the value as a parameter and give the new one back'],
  ['nonlocal', 'functions have no state: take the value as a parameter and give the new one back'],
  ['yield', '`scan` gives a value for each step'],
  ['await', 'functions have no effects: leave it out'],
  ['pass', 'leave it out: a block may be empty'],
  ['del', 'leave it out: memory is planned by the compiler'],
  ['unsafe', 'leave it out'],
]);

const foreignWords: ReadonlyMap<string, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
  ['elif', 'else if'],
  ['elseif', 'else if'],
]);

const updates: ReadonlyMap<TokenType, string> = new Map([
  [T.PlusEqual, 'add'],
  [T.MinusEqual, 'subtract'],
  [T.StarEqual, 'multiply'],
  [T.SlashEqual, 'divide'],
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
  const isMissing = expected !== 'a statement' && expected !== 'a declaration';
  const span: Span =
    isAtEnd || (context.isOnNewLine && isMissing)
      ? { file, start: Math.max(0, afterPrevious - 1), end: afterPrevious }
      : { file, start: token.startOffset, end: endOf(token) };
  const particular = isAtEnd ? undefined : explainToken(context, spanOf(file, token));
  if (particular !== undefined) return particular;
  if (opening !== undefined && /`[)\]}>|]`$/.test(expected)) {
    const hint = hintFor(context);
    return unclosedBracket(span, expected, describe(token), spanOf(file, opening), hint);
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
      const update = updates.get(tokenType) ?? 'set';
      return assignmentToPart(here, `write \`x = x.at[i].${update}(v);\` for a new tensor`);
    }
    if (beforePrevious.tokenType === T.Dot) {
      return assignmentToPart(here, 'write `m = Name { ..m, field: v };` for a new struct');
    }
  }
  if (tokenType === T.DotDot && /operator|`,`/.test(expected)) return rangeOutsideFor(here);
  if (tokenType === T.As && next.tokenType === T.Identifier && expected !== 'a name') {
    const hint = `a conversion is a call: \`${next.image}(x)\``;
    return { ...foreignWord(here, `x as ${next.image}`, `${next.image}(x)`), hint };
  }
  if (tokenType === T.If && !context.isOnNewLine && /operator|`,`/.test(expected)) {
    const instead = 'if c { a } else { b }';
    return foreignWord(here, 'a if c else b', instead);
  }
  if (image === 'of' && expected === '`in`') return foreignWord(here, 'of', 'in');
  if (
    tokenType === T.Colon &&
    previous.tokenType === T.Identifier &&
    beforePrevious.tokenType === T.LeftBrace &&
    expected.includes('`;`')
  ) {
    return structInCondition(here);
  }
  if (expected === 'a declaration') {
    if (closers.has(tokenType)) return strayBracket(here, image);
    const cure = unknownDeclarations.get(image);
    if (cure !== undefined) return unknownConstruct(here, image, cure);
    if (image === 'extern') return externWithoutFunction(here);
    const word = foreignDeclarations.get(image);
    if (word !== undefined) return foreignKeyword(here, image, word);
    if (tokenType === T.At) {
      return unknownConstruct(
        here,
        '@',
        'there are no decorators: `grad(f)`, `vmap(f)` and the like are called where they are used',
      );
    }
  }
  const isStray = tokenType === T.RightParen || tokenType === T.RightBracket;
  if (isStray && expected.includes('`;`')) return strayBracket(here, image);
  if (
    tokenType === T.Not &&
    previous.tokenType === T.Identifier &&
    next.tokenType === T.LeftParen
  ) {
    return unknownConstruct(
      { ...here, start: previous.startOffset },
      `${previous.image}!`,
      'there are no macros, and functions have no effects',
    );
  }
  if (previous.image === 'new' && tokenType === T.Identifier) {
    const before = { file, start: previous.startOffset, end: endOf(previous) };
    return unknownConstruct(
      before,
      'new',
      `a struct value is written \`${image} { field: value }\``,
    );
  }
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
  const { token, expected, comment } = context;
  if (comment !== undefined && /^\/\/ ?[\w(]+[^a-z]*$/.test(comment)) {
    return '`//` starts a comment: floor division is `floor_divide(a, b)`';
  }
  if (expected === 'a declaration') return hintForDeclaration(context);
  return hintForToken(context) ?? hintForPlace(context, token.tokenType);
}

function hintForDeclaration({ token, next }: FailureContext): string {
  const near = didYouMean(token.image, ['fn', 'struct', 'const', 'import', 'export']);
  if (token.tokenType === T.Identifier && near !== undefined) return near;
  if (token.tokenType === T.StringLiteral) return 'a doc comment starts with `///`';
  if (token.image === 'default') return 'there are no default exports: leave `default` out';
  if (token.tokenType === T.Identifier && next.tokenType === T.Identifier) {
    return 'a function is written `fn name(x: f32[N]) -> f32[N] { … }`';
  }
  return 'a file holds `import`, `fn`, `struct` and `const`, each with or without `export`';
}

/** Pairs of neighbours that say what was meant. */
function hintForToken({ token, previous, next, expected }: FailureContext): string | undefined {
  const { tokenType, image } = token;
  const before = previous.tokenType;
  if (tokenType === T.Equal && next.tokenType === T.Greater && isAdjacent(token, next)) {
    return 'write a lambda as `|x| …`';
  }
  if (tokenType === T.Arrow && before === T.Or) return 'write a lambda as `|x| …`, without `->`';
  if (tokenType === T.Colon && next.tokenType === T.Colon) return 'write `f<4>(x)` without `::`';
  if (tokenType === T.Equal && before === T.Equal) return 'write `==`';
  if (tokenType === T.Equal && before === T.EqualEqual) return 'write `==`';
  if (tokenType === T.Equal && before === T.Colon) return 'write `=`';
  if (tokenType === T.Less && before === T.Equal) return 'write `<=`';
  if (tokenType === T.Greater && before === T.Equal) return 'write `>=`';
  if (tokenType === T.Xor && before === T.Xor) return '`^` is the exclusive or';
  if (tokenType === T.Semicolon && expected === '`=`') {
    return 'a name is bound together with its value: `let x = …;`';
  }
  if (tokenType === T.Identifier && isDType(previous.image) && expected.startsWith('`;`')) {
    return `write \`let ${image}: ${previous.image} = …;\``;
  }
  if (tokenType === T.Fn && expected.startsWith('a field')) {
    return 'functions stand outside: `fn norm(p: P)` is called as `p.norm()`';
  }
  if (expected.startsWith('a dim or')) {
    if (tokenType === T.Star) return 'any number of axes is written `...S`';
    if (tokenType === T.Colon) return 'every axis has a size, a number or a name: `f32[N]`';
  }
  if (tokenType === T.RightBracket && before === T.Ellipsis) return 'the axes have a name: `...S`';
  if (tokenType === T.Comma && expected.startsWith('`{` or')) {
    return 'several results are a tuple: `-> (f32, f32)`';
  }
  if (tokenType === T.Equal && before === T.DotDot) {
    return 'the end of a range is not part of it: write `0..n + 1`';
  }
  if (tokenType === T.EqualEqual && expected === '`=`') return 'write `=` to bind a name';
  if (tokenType === T.Plus && before === T.Plus) return 'write `x += 1;`';
  if (tokenType === T.Dot && next.tokenType === T.NumberLiteral) return `write \`0.${next.image}\``;
  if (tokenType === T.Slash && before === T.Slash) return 'write `floor_divide(a, b)`';
  if (previous.image === 'self')
    return 'a parameter has a type: `self: Net`; `m.f(x)` calls `f(m, x)`';
  if (/^(?:Fn|FnMut|FnOnce|Callable)$/.test(previous.image)) {
    return 'the type of a function is written `fn(f32[N]) -> f32`';
  }
  if (tokenType === T.LeftParen && isDType(previous.image) && expected.startsWith('`,`')) {
    return `dims stand in brackets: \`${previous.image}[…]\``;
  }
  if (tokenType === T.Dot && expected.startsWith('`,`') && /^[a-z]+$/.test(previous.image)) {
    return 'types and functions stand without a prefix: `import { Linear } from "std/nn";`';
  }
  if (image === 'extends') return 'the class of a generic stands behind `:`, as in `<T: float>`';
  if (tokenType === T.For && expected.startsWith('`,`')) {
    return 'there are no comprehensions: `vmap(|v| …)(x)` maps over an axis, `map` over a tree';
  }
  if ((tokenType === T.Star || tokenType === T.Ellipsis) && expected.startsWith('an argument')) {
    return 'there is no unpacking: give the items, `t.0, t.1`';
  }
  if (tokenType === T.In) return 'compare with `==`; `in` stands only in `for x in xs`';
  if (tokenType === T.Comma && before === T.NumberLiteral && /^\d{3}$/.test(next.image)) {
    return `digits are grouped by \`_\`: \`${previous.image}_${next.image}\``;
  }
  return undefined;
}

/** What the place takes. */
function hintForPlace(context: FailureContext, tokenType: TokenType): string | undefined {
  const { token, previous, expected } = context;
  const { image } = token;
  if (expected.includes('`->`') && tokenType === T.Colon)
    return 'the result type stands behind `->`';
  if (
    expected.includes('`{`') &&
    previous.tokenType === T.Identifier &&
    tokenType === T.LeftParen
  ) {
    return 'fields have names: `struct Name { x: f32, y: f32 }`';
  }
  if (previous.tokenType === T.Import) {
    return 'an import is written `import { a, b } from "std/nn";`';
  }
  if (expected.startsWith('`->`')) return 'the result type stands behind `->`';
  if (image === '..' && expected === '`{`') {
    return 'ranges count by 1: `for i in 0..ceildiv(n, 2)`, and `2 * i` in the body';
  }
  if (expected.includes('`{`')) return 'blocks stand between `{` and `}`';
  if (image === 'else') return '`else` follows the `}` of an `if`';
  if (expected === '`in`' && tokenType === T.Comma) {
    return 'a pattern of two names is `(a, b)`; `for i in 0..n` counts, and `x[i]` is the item';
  }
  if (expected === '`=`' && tokenType === T.Comma)
    return 'several names stand in parentheses: `let (a, b) = …`';
  if (expected === '`=`' && tokenType === T.LeftBrace) {
    return 'patterns take tuples and arrays apart; fields are read as `p.x`';
  }
  if (expected === 'a name' && tokenType === T.LeftBrace) {
    return 'patterns take tuples and arrays apart; fields are read as `p.x`';
  }
  if (
    expected === 'an expression' &&
    tokenType === T.RightBrace &&
    previous.tokenType === T.Equal
  ) {
    return 'write the value after `=`';
  }
  if ((expected === 'a name' || expected.startsWith('a parameter')) && isKeyword(tokenType)) {
    return `\`${image}\` is a keyword`;
  }
  if (expected === '`:`' && (tokenType === T.Comma || tokenType === T.RightParen)) {
    return 'every parameter and field has a type: `x: f32[N]`';
  }
  if (expected.startsWith('a comparison') && tokenType === T.Colon) {
    return 'the class of a generic stands in `<T: float>`; `where` compares sizes';
  }
  if (
    expected.startsWith('`,` or `)`') &&
    tokenType === T.Colon &&
    previous.tokenType === T.Identifier
  ) {
    return `an argument by name is written \`${previous.image} = …\``;
  }
  if (expected.startsWith('`;`')) {
    if (tokenType === T.Comma) {
      return 'end a statement with `;`; a tuple stands in parentheses: `(a, b)`';
    }
    if (tokenType === T.Colon && previous.tokenType === T.StringLiteral) {
      return 'there are no dictionaries: declare a `struct`, or use a tuple';
    }
    if (tokenType === T.Colon && previous.tokenType === T.NumberLiteral) {
      return 'a slice stands in brackets: `x[0:4]`';
    }
    if (tokenType === T.RightBrace || context.isOnNewLine || isOperand(tokenType)) {
      return 'end the statement with `;`';
    }
  }
  return undefined;
}

function isOperand(type: TokenType): boolean {
  return type === T.Identifier || type === T.NumberLiteral || isKeyword(type);
}

function isDType(word: string): boolean {
  return /^(?:bool|[iu](?:8|16|32|64)|f(?:16|32|64)|bf16|c64)$/.test(word);
}

function isKeyword(type: TokenType): boolean {
  return type.LONGER_ALT === T.Identifier;
}
