/**
 * Spellings of other languages that can be told from the tokens around them, such as `a and b`, `x |> lambda`, `y := 1`:
 * each is one problem, and the grammar then reads what it stands for, so that nothing else is said about its place
 * and the rest of the statement is still checked.
 *
 *   if a and not b { … } elif c { … }      becomes      if a && !b { … } else if c { … }
 */
import type { IToken, TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import {
  fieldSeparator,
  foreignKeyword,
  foreignWord,
  nestedDeclaration,
  noReferences,
  stringPrefix,
  unknownConstruct,
} from '../diagnostics/problems/syntax.ts';
import type { Span } from '../diagnostics/span.ts';
import { tokenAt } from './lookalikes.ts';
import * as T from './tokens.ts';
import { endOf, isAdjacent } from './tokens.ts';

const operandEnds: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Identifier,
  T.NumberLiteral,
  T.StringLiteral,
  T.True,
  T.False,
  T.RightParen,
  T.RightBracket,
  T.RightBrace,
]);

const operandStarts: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Identifier,
  T.NumberLiteral,
  T.StringLiteral,
  T.True,
  T.False,
  T.LeftParen,
  T.Not,
  T.Minus,
]);

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

/** Marks an operator whose operands may be those of another language, too: `and` between tensors. */
export const foreignOperator = 'foreign';

export interface Mended {
  readonly tokens: IToken[];
  /** Where something was read as what it stands for. */
  readonly places: readonly IToken[];
}

/** One walk from left to right over the tokens. */
export function readForeignTokens(
  source: { readonly name: string; readonly text: string },
  tokens: readonly IToken[],
  report: (diagnostic: Diagnostic) => void,
): Mended {
  return new Reader(source, tokens, report).read();
}

const dtypeName = /^(?:bool|[iu](?:8|16|32|64)|b?f(?:16|32|64))$/;

class Reader {
  private readonly source: { readonly name: string; readonly text: string };
  private readonly tokens: readonly IToken[];
  private readonly report: (diagnostic: Diagnostic) => void;
  private readonly result: IToken[] = [];
  private readonly places: IToken[] = [];
  /** Open brackets around the place. */
  private readonly open: TokenType[] = [];
  /** How many brackets are open inside the fields of a struct; infinite outside of one. */
  private struct = Number.POSITIVE_INFINITY;
  /** Where wrong separators of fields have been reported: once a struct. */
  private looseStruct = -1;
  /** Lambdas of Python whose `:` is still to come, with the brackets open at their start. */
  private readonly lambdas: number[] = [];

  constructor(
    source: { readonly name: string; readonly text: string },
    tokens: readonly IToken[],
    report: (diagnostic: Diagnostic) => void,
  ) {
    this.source = source;
    this.tokens = tokens;
    this.report = report;
  }

  read(): Mended {
    for (let i = 0; i < this.tokens.length; ) {
      const taken = this.word(i) || this.symbol(i);
      if (taken > 0) {
        this.places.push(this.tokens[i]!);
        i += taken;
        continue;
      }
      const token = this.tokens[i]!;
      if (openers.has(token.tokenType)) this.open.push(token.tokenType);
      else if (closers.has(token.tokenType)) this.open.pop();
      this.result.push(token);
      i += 1;
      if (token.tokenType === T.LeftBrace && this.opensStruct()) this.struct = this.open.length;
      else if (this.open.length < this.struct) this.struct = Number.POSITIVE_INFINITY;
    }
    return { tokens: this.result, places: this.places };
  }

  /** `struct Name<…> {` */
  private opensStruct(): boolean {
    for (let i = this.result.length - 2; i >= 0 && i > this.result.length - 60; i--) {
      const { tokenType } = this.result[i]!;
      if (tokenType === T.Struct) return true;
      if (openers.has(tokenType) || closers.has(tokenType) || tokenType === T.Semicolon)
        return false;
    }
    return false;
  }

  /** Fields that end in `;`, or in nothing at the end of a line. */
  private fieldEnd(i: number, token: IToken): number {
    const before = this.result.at(-1);
    if (
      before === undefined ||
      !(operandEnds.has(before.tokenType) || before.tokenType === T.Greater)
    )
      return 0;
    const isSemicolon = token.tokenType === T.Semicolon;
    const between = this.source.text.slice(endOf(before), token.startOffset);
    const isField =
      token.tokenType === T.Identifier && this.isAt(i + 1, T.Colon) && /[\r\n]/.test(between);
    if (!isSemicolon && !isField) return 0;
    const span = isSemicolon
      ? this.span(token)
      : { file: this.source.name, start: endOf(before) - 1, end: endOf(before) };
    const opening = this.result.findLast((t) => t.tokenType === T.Struct)?.startOffset ?? 0;
    if (this.looseStruct !== opening) this.report(fieldSeparator(span));
    this.looseStruct = opening;
    this.put(T.Comma, ',', isSemicolon ? token : before);
    if (isField) this.result.push(token);
    return 1;
  }

  private put(type: TokenType, image: string, at: IToken): void {
    this.result.push(tokenAt(type, image, at.startOffset));
  }

  private span(first: IToken, last: IToken = first): Span {
    return { file: this.source.name, start: first.startOffset, end: endOf(last) };
  }

  private isAt(i: number, type: TokenType): boolean {
    return this.tokens[i]?.tokenType === type;
  }

  private isOperandBefore(): boolean {
    const before = this.result.at(-1);
    return before !== undefined && operandEnds.has(before.tokenType);
  }

  private isOperandAt(i: number): boolean {
    const token = this.tokens[i];
    return token !== undefined && operandStarts.has(token.tokenType);
  }

  private isLineStart(token: IToken): boolean {
    const before = this.source.text.charCodeAt(token.startOffset - 1);
    return token.startOffset === 0 || before === 10 || before === 13;
  }

  /** Reads a foreign word at `i`; gives how many tokens it took. */
  private word(i: number): number {
    const token = this.tokens[i]!;
    if (this.open.length === this.struct) {
      const taken = this.fieldEnd(i, token);
      if (taken > 0) return taken;
    }
    if (token.tokenType === T.Const) return this.constInFunction(token);
    if (token.tokenType !== T.Identifier) return 0;
    switch (token.image) {
      case 'and':
      case 'or': {
        if (!this.isOperandBefore() || !this.isOperandAt(i + 1)) return 0;
        const instead = token.image === 'and' ? '&&' : '||';
        const each = instead[0]!;
        const hint = `\`${instead}\` joins two bools, \`${each}\` bools element by element`;
        this.report({ ...foreignWord(this.span(token), token.image, instead), hint });
        this.put(instead === '&&' ? T.AndAnd : T.OrOr, instead, token);
        this.result.at(-1)!.payload = foreignOperator;
        return 1;
      }
      case 'not': {
        const next = this.tokens[i + 1];
        if (next === undefined || this.isOperandBefore()) return 0;
        const isWord = operandStarts.has(next.tokenType) && next.tokenType !== T.Minus;
        if (!isWord || (next.tokenType === T.LeftParen && isAdjacent(token, next))) return 0;
        this.report(foreignWord(this.span(token), 'not', '!'));
        this.put(T.Not, '!', token);
        return 1;
      }
      case 'is': {
        if (!this.isOperandBefore() || !this.isOperandAt(i + 1)) return 0;
        const isNot = this.tokens[i + 1]!.image === 'not' && this.isOperandAt(i + 2);
        const [word, instead] = isNot ? ['is not', '!='] : ['is', '=='];
        this.report(foreignWord(this.span(token), word!, instead!));
        this.put(isNot ? T.NotEqual : T.EqualEqual, instead!, token);
        return isNot ? 2 : 1;
      }
      case 'elif':
      case 'elsif':
      case 'elseif':
        if (this.result.at(-1)?.tokenType !== T.RightBrace) return 0;
        this.report(foreignWord(this.span(token), token.image, 'else if'));
        this.put(T.Else, 'else', token);
        this.put(T.If, 'if', token);
        return 1;
      case 'lambda':
        return this.lambda(i, token);
      case 'f':
      case 'r':
      case 'b':
      case 'F': {
        const next = this.tokens[i + 1];
        if (next?.tokenType !== T.StringLiteral || !isAdjacent(token, next)) return 0;
        this.report(stringPrefix(this.span(token), token.image));
        return 1;
      }
      case 'def':
      case 'function':
      case 'func':
      case 'fun':
        if (!this.isFunctionWithBraces(i)) return 0;
        this.report(foreignKeyword(this.span(token), token.image, 'fn'));
        this.put(T.Fn, 'fn', token);
        return 1;
      case 'async':
      case 'inline':
      case 'unsafe':
        if (!this.isAt(i + 1, T.Fn)) return 0;
        this.report(unknownConstruct(this.span(token), token.image, 'leave it out'));
        return 1;
      case 'move':
        if (!this.isAt(i + 1, T.Or) && !this.isAt(i + 1, T.OrOr)) return 0;
        if (this.isOperandBefore()) return 0;
        this.report(
          unknownConstruct(this.span(token), 'move', 'a lambda sees the names around it'),
        );
        return 1;
      case 'pub':
      case 'public': {
        const next = this.tokens[i + 1]?.tokenType;
        if (next !== T.Fn && next !== T.Struct && next !== T.Const) return 0;
        this.report(foreignKeyword(this.span(token), token.image, 'export'));
        this.put(T.Export, 'export', token);
        return 1;
      }
      default:
        return 0;
    }
  }

  /** `lambda a, b: …`: the colon that ends its parameters is the next one at its level. */
  private lambda(i: number, token: IToken): number {
    const next = this.tokens[i + 1]?.tokenType;
    if (next !== T.Identifier && next !== T.Colon) return 0;
    this.report({
      ...foreignWord(this.span(token), 'lambda x: …', '|x| …'),
      hint: 'write a lambda as `|x| …`',
    });
    this.put(T.Or, '|', token);
    this.lambdas.push(this.open.length);
    return 1;
  }

  /** `const` stands first on a line of a file; indented or behind something in a block, it means `let`. */
  private constInFunction(token: IToken): number {
    if (!this.open.includes(T.LeftBrace) || this.isLineStart(token)) return 0;
    this.report(nestedDeclaration(this.span(token), 'const'));
    this.put(T.Let, 'let', token);
    return 1;
  }

  /** `def f(…) -> T {`: only the word is foreign. */
  private isFunctionWithBraces(i: number): boolean {
    if (!this.isAt(i + 1, T.Identifier)) return false;
    if (!this.isAt(i + 2, T.LeftParen) && !this.isAt(i + 2, T.Less)) return false;
    let depth = 0;
    for (let j = i + 2; j < this.tokens.length; j++) {
      const { tokenType } = this.tokens[j]!;
      if (depth === 0 && tokenType === T.LeftBrace) return true;
      if (depth === 0 && tokenType === T.Colon) return false;
      if (openers.has(tokenType)) depth += 1;
      else if (closers.has(tokenType)) depth -= 1;
      if (depth < 0) return false;
    }
    return false;
  }

  /** Reads foreign punctuation at `i`; gives how many tokens it took. */
  private symbol(i: number): number {
    const token = this.tokens[i]!;
    const next = this.tokens[i + 1];
    if (token.tokenType === T.Colon && this.lambdas.at(-1) === this.open.length) {
      this.lambdas.pop();
      this.put(T.Or, '|', token);
      return 1;
    }
    if (token.tokenType === T.And) return this.reference(i, token);
    if (token.tokenType === T.LeftBracket) return this.bracketPattern(i, token);
    if (next === undefined || !isAdjacent(token, next)) return 0;
    const pair = token.image + next.image;
    switch (pair) {
      case ':=':
        return this.walrus(token, next);
      case '===':
      case '!==': {
        if (!this.isOperandBefore()) return 0;
        const instead = pair.slice(0, 2);
        this.report(foreignWord(this.span(token, next), pair, instead));
        this.result.push(token);
        return 2;
      }
      case '<>':
        if (!this.isOperandBefore() || !this.isOperandAt(i + 2) || this.isAt(i + 2, T.LeftParen)) {
          return 0;
        }
        this.report(foreignWord(this.span(token, next), pair, '!='));
        this.put(T.NotEqual, '!=', token);
        return 2;
      case '++':
      case '--': {
        const after = this.tokens[i + 2]?.tokenType;
        const isAlone = after === T.Semicolon || after === T.RightBrace;
        if (!this.isOperandBefore() || !isAlone) return 0;
        const instead = pair === '++' ? '+= 1' : '-= 1';
        this.report(foreignWord(this.span(token, next), pair, instead));
        this.put(pair === '++' ? T.PlusEqual : T.MinusEqual, instead.slice(0, 2), token);
        this.put(T.NumberLiteral, '1', next);
        return 2;
      }
      case '.*':
      case './':
      case '.^': {
        if (!this.isOperandBefore()) return 0;
        const instead = pair === '.^' ? '**' : pair.slice(1);
        const hint = 'the operators work element by element; `@` is the matrix product';
        this.report({ ...foreignWord(this.span(token, next), pair, instead), hint });
        if (pair === '.^') this.put(T.StarStar, '**', token);
        else this.result.push(next);
        return 2;
      }
      case '=>':
        return this.fatArrow(i, token, next);
      case '::':
        return this.path(i, token, next);
      default:
        return 0;
    }
  }

  /** `y := 1` and `let y := 1`. */
  private walrus(token: IToken, next: IToken): number {
    const name = this.result.at(-1);
    const before = this.result.at(-2);
    if (name?.tokenType !== T.Identifier) return 0;
    const isLet = before?.tokenType === T.Let || before?.image === 'var';
    const problem = foreignWord(this.span(token, next), ':=', '=');
    this.report(isLet ? problem : { ...problem, hint: `write \`let ${name.image} = …;\`` });
    if (!isLet) {
      this.result.pop();
      this.put(T.Let, 'let', name);
      this.result.push(name);
    }
    this.result.push(next);
    return 2;
  }

  /** `&x` and `&T` of Rust. */
  private reference(i: number, token: IToken): number {
    const next = this.tokens[i + 1];
    const isOperand = next?.tokenType === T.Identifier || next?.tokenType === T.LeftBracket;
    if (this.isOperandBefore() || !isOperand || !isAdjacent(token, next)) return 0;
    this.report(noReferences(this.span(token)));
    const isMut = next.image === 'mut' && this.isAt(i + 2, T.Identifier);
    return isMut ? 2 : 1;
  }

  /** `let [a, b] = …` */
  private bracketPattern(i: number, token: IToken): number {
    if (this.result.at(-1)?.tokenType !== T.Let) return 0;
    let close = i + 1;
    while (this.isAt(close, T.Identifier) || this.isAt(close, T.Comma)) close += 1;
    if (!this.isAt(close, T.RightBracket)) return 0;
    const inner = this.tokens.slice(i + 1, close);
    const names = this.source.text.slice(endOf(token), this.tokens[close]!.startOffset);
    const span = this.span(token, this.tokens[close]!);
    this.report({
      ...foreignWord(span, `[${names}]`, `(${names})`),
      hint: 'patterns stand in parentheses, for arrays too',
    });
    this.put(T.LeftParen, '(', token);
    this.result.push(...inner);
    this.put(T.RightParen, ')', this.tokens[close]!);
    return close + 1 - i;
  }

  /** `v => …`, `(a, b) => …`, and `fn f(x: f32) => f32`. */
  private fatArrow(i: number, token: IToken, next: IToken): number {
    const last = this.result.at(-1);
    const span = this.span(token, next);
    if (last?.tokenType === T.Identifier) {
      const earlier = this.result.at(-2)?.tokenType;
      const isArm =
        earlier === T.LeftBrace || (earlier === T.Comma && this.open.at(-1) === T.LeftBrace);
      if (isArm) return 0;
      this.report({ ...foreignWord(span, `${last.image} => …`, `|${last.image}| …`) });
      this.result.pop();
      this.put(T.Or, '|', last);
      this.result.push(last);
      this.put(T.Or, '|', token);
      return 2;
    }
    if (last?.tokenType !== T.RightParen) return 0;
    let start = this.result.length - 1;
    for (let depth = 0; start >= 0; start--) {
      const { tokenType } = this.result[start]!;
      if (tokenType === T.RightParen) depth += 1;
      else if (tokenType === T.LeftParen && --depth === 0) break;
    }
    if (start < 0) return 0;
    const before = this.result[start - 1];
    const isSignature =
      (before?.tokenType === T.Identifier || before?.tokenType === T.Greater) &&
      this.isOperandAt(i + 2);
    if (isSignature || before?.tokenType === T.Colon) {
      // `f: (f32) => f32` is a type
      const isType = before?.tokenType === T.Colon;
      const problem = foreignWord(span, '=>', '->');
      this.report(isType ? { ...problem, hint: 'write the type as `fn(f32) -> f32`' } : problem);
      if (isType)
        this.result.splice(start, 0, tokenAt(T.Fn, 'fn', this.result[start]!.startOffset));
      this.put(T.Arrow, '->', token);
      return 2;
    }
    this.report({
      ...foreignWord(span, '(x) => …', '|x| …'),
      hint: 'write a lambda as `|x| …`',
    });
    const open = this.result[start]!;
    this.result[start] = tokenAt(T.Or, '|', open.startOffset);
    this.result[this.result.length - 1] = tokenAt(T.Or, '|', last.startOffset);
    return 2;
  }

  /** `f::<4>()` and `std::nn`; `x[a::b]` is a slice. */
  private path(i: number, token: IToken, next: IToken): number {
    if (this.open.at(-1) === T.LeftBracket || !this.isOperandBefore()) return 0;
    if (this.isAt(i + 2, T.Less)) {
      const problem = foreignWord(this.span(token, next), '::<', '<');
      this.report({ ...problem, hint: 'write `f<4>(x)` without `::`' });
      return 2;
    }
    if (!this.isAt(i + 2, T.Identifier)) return 0;
    const name = this.tokens[i + 2]!.image;
    if (dtypeName.test(name)) {
      this.report(foreignWord(this.span(token, next), '::', ':'));
      this.result.push(token);
      return 2;
    }
    const problem = unknownConstruct(
      this.span(token, next),
      '::',
      `functions stand without a path: \`${name}(…)\``,
    );
    this.report(problem);
    // the path goes, the function stays
    const prefix = this.result.pop()!;
    const isPair = name === 'max' || name === 'min';
    if (isPair) this.put(T.Identifier, `${name}imum`, prefix);
    return isPair ? 3 : 2;
  }
}
