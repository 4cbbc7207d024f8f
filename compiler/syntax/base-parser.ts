/**
 * What all parts of the grammar share: the source, spans, reports and recovery.
 *
 * Recovery is ours and not chevrotain's (which resumes at any token of the follow set, often in the middle of an
 * expression, so that one typo gives several errors). A rule that fails throws; the nearest list of statements or
 * declarations catches, reports once and goes on at the next statement or declaration: see `skipStatement`.
 */
import {
  EmbeddedActionsParser,
  type IParserConfig,
  type IToken,
  isRecognitionException,
  type ParserMethod,
  type TokenType,
} from 'chevrotain';
import type { Diagnostic, DiagnosticSink } from '../diagnostics/diagnostic.ts';
import { tooManyProblems, unterminatedString } from '../diagnostics/problems/syntax.ts';
import type { Span } from '../diagnostics/span.ts';
import type { Name } from './ast.ts';
import { boundNames } from './bound-names.ts';
import { explainFailure } from './explain-failure.ts';
import * as T from './tokens.ts';
import { allTokens, endOf, type Lexed } from './tokens.ts';

/** The type of a rule, written out because every export has a written type. */
export type Rule<Result, Arguments extends unknown[] = []> = ParserMethod<Arguments, Result>;

export interface Source {
  readonly name: string;
  readonly text: string;
}

const maxProblems = 100;
const noSink: DiagnosticSink = { report: () => {} };

/** Thrown by a rule that knows what is wrong better than "expected, found". */
class Failure extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** Thrown to leave the parser for good after too many problems. */
export class GiveUp extends Error {}

const words = new Map<TokenType, string>([
  [T.Identifier, 'a name'],
  [T.NumberLiteral, 'a number'],
  [T.StringLiteral, 'a string'],
]);

function describeType(type: TokenType): string {
  return words.get(type) ?? `\`${typeof type.PATTERN === 'string' ? type.PATTERN : type.name}\``;
}

const declarationStarts: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Import,
  T.Export,
  T.Struct,
  T.Fn,
  T.Const,
]);

const statementStarts: ReadonlySet<TokenType> = new Set<TokenType>([T.Let, T.For, T.While, T.If]);

/** A string without its closing quote took the rest of its line: what is missing after it is in it. */
function isUnterminated(token: IToken): boolean {
  const { tokenType, image } = token;
  return tokenType === T.StringLiteral && image.startsWith('"') && !isClosedString(image);
}

function isClosedString(image: string): boolean {
  return /^"(?:[^"\\]|\\.)*"$/.test(image);
}

export abstract class BaseParser extends EmbeddedActionsParser {
  protected source: Source = { name: '', text: '' };
  /** The bracket that the next CONSUME is to close; read when it fails. */
  protected opening: IToken | undefined;
  private sink: DiagnosticSink = noSink;
  private problems: readonly IToken[] = [];
  private comments: readonly IToken[] = [];
  private reported = 0;
  private lastFailedAt = -1;

  constructor(config: IParserConfig) {
    super([...allTokens], {
      maxLookahead: 2,
      recoveryEnabled: false,
      errorMessageProvider: {
        buildMismatchTokenMessage: ({ expected }) => describeType(expected),
        buildNoViableAltMessage: ({ customUserDescription }) =>
          customUserDescription ?? 'something else',
        buildEarlyExitMessage: ({ customUserDescription }) =>
          customUserDescription ?? 'something else',
        buildNotAllInputParsedMessage: () => 'the end of the file',
      },
      ...config,
    });
  }

  /** Hands in the next source; the grammar's entry rule is called after it. */
  protected open(source: Source, lexed: Lexed, sink: DiagnosticSink): void {
    this.input = lexed.tokens;
    this.source = source;
    this.sink = sink;
    this.problems = lexed.problems;
    this.comments = lexed.comments;
    this.reported = 0;
    this.lastFailedAt = -1;
  }

  /** Forgets the source, which the one parser of the process would otherwise keep alive. */
  protected close(): void {
    this.open({ name: '', text: '' }, { tokens: [], comments: [], problems: [] }, noSink);
  }

  // --- Places ---------------------------------------------------------------------------------------------

  protected spanOf(token: IToken): Span {
    return { file: this.source.name, start: token.startOffset, end: endOf(token) };
  }

  /** From an offset to the end of the last consumed token. */
  protected spanFrom(start: number): Span {
    return { file: this.source.name, start, end: endOf(this.LA(0)) };
  }

  protected spanBetween(start: number, end: number): Span {
    return { file: this.source.name, start, end };
  }

  protected nameOf(token: IToken): Name {
    return { text: token.image, span: this.spanOf(token) };
  }

  /** Where the next token starts; the end of the text when there is none. */
  protected here(): number {
    const token = this.LA(1);
    return token.startOffset >= 0 ? token.startOffset : this.source.text.length;
  }

  protected isNext(type: TokenType, distance = 1): boolean {
    return this.LA(distance).tokenType === type;
  }

  protected isWord(word: string, distance = 1): boolean {
    const token = this.LA(distance);
    return token.tokenType === T.Identifier && token.image === word;
  }

  /** True when a line break separates the next token from the one before it. */
  protected isOnNewLine(distance = 1): boolean {
    const before = this.LA(distance - 1);
    const start = before.startOffset >= 0 ? endOf(before) : 0;
    const token = this.LA(distance);
    const end = token.startOffset >= 0 ? token.startOffset : this.source.text.length;
    for (let i = start; i < end; i++) if (this.source.text.charCodeAt(i) === 10) return true;
    return start === 0;
  }

  /** The `///` lines between the last consumed token and the next one, without their slashes. */
  protected docBefore(): string {
    const after = this.LA(0).startOffset >= 0 ? endOf(this.LA(0)) : 0;
    const before = this.here();
    let low = 0;
    let high = this.comments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.comments[middle]!.startOffset < after) low = middle + 1;
      else high = middle;
    }
    const lines: string[] = [];
    for (let i = low; i < this.comments.length; i++) {
      const comment = this.comments[i]!;
      if (comment.startOffset >= before) break;
      const match = /^\/\/\/(?!\/) ?(.*)$/.exec(comment.image);
      if (match !== null) lines.push(match[1]!.trimEnd());
    }
    return lines.join('\n');
  }

  // --- Lists ----------------------------------------------------------------------------------------------

  /**
   * Items between commas, the last comma optional, then the closing bracket. Once in a rule: it takes the
   * occurrence 9 of what it uses. `item` reads one; `what` names one in errors.
   */
  protected listUntil(close: TokenType, open: IToken, what: string, item: () => void): boolean {
    let isAfterComma = true;
    let count = 0;
    this.MANY9({
      GATE: () => isAfterComma,
      DEF: () => {
        item();
        count += 1;
        isAfterComma = false;
        this.OPTION9(() => {
          this.CONSUME9(T.Comma);
          isAfterComma = true;
        });
      },
    });
    this.opening = open;
    // the message costs nothing until it is needed
    const isClosed = this.RECORDING_PHASE || this.isNext(close);
    const either = isAfterComma ? what : '`,`';
    this.CONSUME9(close, isClosed ? {} : { ERR_MSG: `${either} or ${describeType(close)}` });
    return count > 0 && isAfterComma;
  }

  // --- Reports --------------------------------------------------------------------------------------------

  /** Leaves the current statement or declaration with this problem. */
  protected fail(diagnostic: Diagnostic): never {
    throw new Failure(diagnostic);
  }

  /** Leaves with "expected ..., found the next token". */
  protected failExpecting(expected: string): never {
    this.fail(this.explain(expected));
  }

  private explain(expected: string): Diagnostic {
    return explainFailure({
      file: this.source.name,
      expected,
      token: this.LA(1),
      previous: this.LA(0),
      next: this.LA(2),
      beforePrevious: this.LA(-1),
      isOnNewLine: this.isOnNewLine(),
      opening: this.opening,
      comment: this.commentBefore(),
    });
  }

  /** The comment behind the last consumed token on its line. */
  private commentBefore(): string | undefined {
    if (!(this.LA(0).startOffset >= 0)) return undefined;
    const after = endOf(this.LA(0));
    const before = this.here();
    const comment = this.comments.find((c) => c.startOffset >= after && c.startOffset < before);
    if (comment === undefined) return undefined;
    return /[\r\n]/.test(this.source.text.slice(after, comment.startOffset))
      ? undefined
      : comment.image;
  }

  /** Reports and goes on: for what the grammar understands well enough. */
  protected report(diagnostic: Diagnostic): void {
    this.sink.report(diagnostic);
    this.reported += 1;
    if (this.reported >= maxProblems) {
      this.sink.report(tooManyProblems(diagnostic.span, maxProblems));
      throw new GiveUp();
    }
  }

  /**
   * Reports what a rule threw while it read a statement or declaration that starts at `start`. Silent when
   * this token already failed a rule inside, and when the lexer complained about a character in between: the
   * failure then follows from that.
   */
  protected reportFailure(failure: unknown, start: number): void {
    const isOurs = failure instanceof Failure;
    if (!isOurs && !isRecognitionException(failure as Error)) throw failure;
    const at = this.here();
    if (at === this.lastFailedAt) return;
    this.lastFailedAt = at;
    const token = this.LA(1);
    const end = token.startOffset >= 0 ? endOf(token) : this.source.text.length;
    if (this.hasLexicalProblem(start, end)) return;
    const open = [this.LA(0), this.LA(1)].find(isUnterminated);
    if (open !== undefined) {
      // perhaps said already; the sink drops repetitions
      this.report(unterminatedString(this.spanOf(open)));
      return;
    }
    this.report(isOurs ? failure.diagnostic : this.explain((failure as Error).message));
  }

  /** Reports that `expected` is missing at the end of the line and goes on; fails when the line goes on. */
  protected forgiveAtLineEnd(expected: string, isCertain = false): void {
    if (!this.isAtEnd() && !this.isOnNewLine() && !isCertain) this.failExpecting(expected);
    this.reportFailure(new Failure(this.explain(expected)), this.LA(0).startOffset);
  }

  private hasLexicalProblem(start: number, end: number): boolean {
    let low = 0;
    let high = this.problems.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.problems[middle]!.startOffset < start) low = middle + 1;
      else high = middle;
    }
    const problem = this.problems[low];
    return problem !== undefined && problem.startOffset < end;
  }

  // --- Recovery -------------------------------------------------------------------------------------------

  protected isAtEnd(): boolean {
    return !(this.LA(1).startOffset >= 0);
  }

  /** A word that starts a declaration, first on its line and not indented: no block goes past it. */
  protected isAtDeclaration(): boolean {
    if (!this.isDeclarationWord()) return false;
    const start = this.LA(1).startOffset;
    if (start === 0) return true;
    const before = this.source.text.charCodeAt(start - 1);
    return before === 10 || before === 13;
  }

  protected isDeclarationWord(): boolean {
    return declarationStarts.has(this.LA(1).tokenType) || this.isExternFunction();
  }

  /** `extern` is a plain identifier to the lexer, and a word of its own before `fn`. */
  protected isExternFunction(): boolean {
    return this.isWord('extern') && this.isNext(T.Fn, 2);
  }

  /**
   * Skips the rest of a broken statement: past its `;`, or up to the `}` of the block, a declaration, or a line
   * that starts a statement. Whole `{ … }` inside it are skipped with it. `start` is where the statement starts.
   */
  protected skipStatement(start: number): void {
    let depth = this.bracesOpenSince(start);
    while (!this.isAtEnd() && !this.isAtDeclaration()) {
      const { tokenType, startOffset } = this.LA(1);
      const isFresh = startOffset > start && statementStarts.has(tokenType) && this.isOnNewLine();
      if (depth === 0 && isFresh) return;
      if (depth === 0 && tokenType === T.RightBrace) return;
      this.SKIP_TOKEN();
      if (tokenType === T.LeftBrace) depth += 1;
      else if (tokenType === T.RightBrace) {
        depth -= 1;
        if (depth === 0 && !this.isInsideStatement()) return;
      } else if (tokenType === T.Semicolon && depth === 0 && !this.isInOpenParenthesis()) return;
    }
  }

  /** `maximum(x; y)`: after this `;` the line closes a parenthesis that it does not open. */
  private isInOpenParenthesis(): boolean {
    let depth = 0;
    for (let i = 1; !this.isOnNewLine(i) && this.LA(i).startOffset >= 0; i++) {
      const { tokenType } = this.LA(i);
      if (tokenType === T.LeftParen || tokenType === T.LeftBracket) depth += 1;
      else if (tokenType === T.RightParen || tokenType === T.RightBracket) depth -= 1;
      else if (tokenType === T.LeftBrace || tokenType === T.RightBrace) return false;
      if (depth < 0) return true;
    }
    return false;
  }

  /** Braces that the broken statement has opened: a struct value, a block that ends with it. */
  private bracesOpenSince(start: number): number {
    let depth = 0;
    for (let distance = 0; this.LA(distance).startOffset >= start; distance--) {
      const { tokenType } = this.LA(distance);
      if (tokenType === T.LeftBrace) depth += 1;
      else if (tokenType === T.RightBrace) depth -= 1;
    }
    return Math.max(0, depth);
  }

  /** After a skipped `{ … }`: do the next tokens still belong to the same statement? */
  private isInsideStatement(): boolean {
    const { tokenType } = this.LA(1);
    return tokenType === T.Else || tokenType === T.Semicolon || !this.isOnNewLine();
  }

  /** Skips to the next declaration: a word such as `fn` that is first on its line, and not between braces. */
  protected skipDeclaration(): void {
    let depth = 0;
    do {
      const { tokenType } = this.LA(1);
      if (tokenType === T.LeftBrace) depth += 1;
      else if (tokenType === T.RightBrace) depth -= 1;
      this.SKIP_TOKEN();
    } while (
      !this.isAtEnd() &&
      !this.isAtDeclaration() &&
      !(depth <= 0 && this.isDeclarationWord() && this.isOnNewLine())
    );
  }

  /** What a statement or declaration that could not be read would have bound: names, without their use. */
  protected namesBoundAt(start: number): Name[] {
    const first = this.input.findIndex((token) => token.startOffset >= start);
    return first < 0 ? [] : boundNames(this.input, first).map((token) => this.nameOf(token));
  }
}
