/**
 * The formatter. It prints the tokens of the source, all of them and in their order, with new white space between
 * them, so that nothing can get lost; only the comma before a closing bracket comes and goes with the line break.
 * The tree tells what a token is (format-roles.ts), the document algebra where lines break (doc.ts).
 *
 * A comment stays where a line may start (statements, items of lists, operators, closing brackets) and otherwise
 * moves to the end of its line.
 */
import type { IToken, TokenType } from 'chevrotain';
import { type Diagnostic, Diagnostics } from '../diagnostics/diagnostic.ts';
import {
  concat,
  type Doc,
  group,
  hardLine,
  ifBroken,
  indent,
  isHard,
  line,
  printDoc,
  softLine,
  suffix,
} from './doc.ts';
import { findRoles, type Roles } from './format-roles.ts';
import { precedence } from './operators.ts';
import { parse } from './parse.ts';
import * as T from './tokens.ts';
import { endOf, lex } from './tokens.ts';

const width = 100;
/** Comments in odd places may need a second look before they rest. */
const maxPasses = 6;

export type Formatted = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] };

/** Formats one module; a source with syntax errors comes back as its diagnostics. Idempotent. */
export function format(text: string, name: string): Formatted {
  let current = text;
  for (let pass = 0; pass < maxPasses; pass++) {
    const sink = new Diagnostics();
    const module = parse({ name, text: current }, sink);
    if (sink.hasErrors) return { diagnostics: sink.list };
    const { tokens, comments } = lex(current);
    const pieces = attachComments(current, tokens, comments);
    const next = new Builder(pieces, findRoles(module, current)).print();
    if (next === current || comments.length === 0) return { text: next };
    current = next;
  }
  return { text: current };
}

interface CommentPiece {
  readonly text: string;
  readonly hasBlankBefore: boolean;
}

interface Piece {
  readonly text: string;
  readonly offset: number;
  readonly type: TokenType | undefined;
  /** Comments on lines of their own before the token. */
  readonly leading: CommentPiece[];
  /** Comments after it on its line. */
  readonly trailing: CommentPiece[];
  readonly hasBlankBefore: boolean;
  readonly isOnNewLine: boolean;
}

/** One piece a token, and a last one without text that holds the comments at the end. */
function attachComments(
  text: string,
  tokens: readonly IToken[],
  comments: readonly IToken[],
): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  let at = 0;
  for (const token of [...tokens, undefined]) {
    const offset = token?.startOffset ?? text.length;
    const leading: CommentPiece[] = [];
    let isOnNewLine = false;
    for (let comment = comments[at]; comment !== undefined; comment = comments[at]) {
      if (comment.startOffset >= offset) break;
      const breaks = countBreaks(text, end, comment.startOffset);
      isOnNewLine ||= breaks > 0;
      const piece = { text: comment.image.trimEnd(), hasBlankBefore: breaks > 1 };
      const before = pieces.at(-1);
      if (isOnNewLine || before === undefined) leading.push(piece);
      else before.trailing.push(piece);
      end = endOf(comment);
      at += 1;
    }
    const breaks = countBreaks(text, end, offset);
    pieces.push({
      text: token?.image ?? '',
      offset,
      type: token?.tokenType,
      leading,
      trailing: [],
      hasBlankBefore: breaks > 1,
      isOnNewLine: isOnNewLine || breaks > 0,
    });
    if (token !== undefined) end = endOf(token);
  }
  return pieces;
}

function countBreaks(text: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) count += 1;
  }
  return count;
}

const closerOf: ReadonlyMap<TokenType, TokenType> = new Map<TokenType, TokenType>([
  [T.LeftParen, T.RightParen],
  [T.LeftBracket, T.RightBracket],
  [T.LeftBrace, T.RightBrace],
  [T.Less, T.Greater],
]);
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
const arithmetic: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Plus,
  T.Minus,
  T.Star,
  T.Slash,
  T.Percent,
]);

/** A stretch of tokens that stays together, or one infix operator. */
interface Atom {
  readonly doc: Doc;
  readonly first: number;
  readonly last: number;
  /** Of an operator where the line may break. */
  readonly precedence: number | undefined;
}

interface Item {
  readonly doc: Doc;
  readonly first: number;
  readonly last: number;
  readonly comma: Doc;
}

const relations: ReadonlySet<TokenType> = new Set<TokenType>([
  T.EqualEqual,
  T.NotEqual,
  T.Less,
  T.LessEqual,
  T.Greater,
  T.GreaterEqual,
]);

/** Nothing stands between these and the next token. */
const tight: ReadonlySet<Role> = new Set<Role>([
  'prefix',
  'dim-operator',
  'slice-colon',
  'bar-open',
  'angle-open',
]);
/** Nothing stands between the token before and these. */
const tightBefore: ReadonlySet<Role> = new Set<Role>([
  'dim-operator',
  'slice-colon',
  'bar-close',
  'angle-open',
  'angle-close',
]);

/** How a token behaves towards its neighbours. */
type Role =
  | 'plain'
  | 'infix'
  | 'dim-operator'
  | 'prefix'
  | 'angle-open'
  | 'angle-close'
  | 'bar-open'
  | 'bar-close'
  | 'slice-colon';

class Builder {
  private readonly pieces: readonly Piece[];
  private readonly roles: Roles;
  private readonly kinds: Role[] = [];
  /** Tokens whose comments a statement or item prints around itself. */
  private readonly withoutLeading = new Set<number>();
  private readonly withoutTrailing = new Set<number>();
  /** The indices of `where` that state constraints. */
  private readonly wheres = new Set<number>();
  /** The index of the closing bracket of each opening one, and of the second bar of a lambda. */
  private readonly closers: number[] = [];

  constructor(pieces: readonly Piece[], roles: Roles) {
    this.pieces = pieces;
    this.roles = roles;
    this.classify();
  }

  print(): string {
    const last = this.pieces.length - 1;
    const body = this.lines(0, last, hardLine);
    const hasEnd = last > 0 && this.pieces[last]!.leading.length > 0;
    const end = this.leadingComments(last, last > 0);
    const text = printDoc(concat(body, hasEnd ? hardLine : '', end), width).trim();
    return text === '' ? '' : `${text}\n`;
  }

  // --- Roles of tokens ------------------------------------------------------------------------------------

  private classify(): void {
    const open: number[] = [];
    let bars: number | undefined;
    let isInWhere = false;
    this.pieces.forEach(({ type, offset, text }, i) => {
      let kind: Role = 'plain';
      const before = this.pieces[i - 1];
      const enclosing = open.at(-1);
      if (this.endsWhere(type, offset)) isInWhere = false;
      if (type === undefined) kind = 'plain';
      else if (this.roles.infix.has(offset) || type === T.Pipe) kind = 'infix';
      else if (type === T.Greater && this.isSecondOfShift(i)) kind = 'infix';
      else if (type === T.Or) {
        kind = bars === undefined ? 'bar-open' : 'bar-close';
        if (bars !== undefined) this.closers[bars] = i;
        bars = bars === undefined ? i : undefined;
      } else if (type === T.OrOr) kind = 'bar-close';
      else if (type === T.Identifier && text === 'where' && this.isWhere(i)) {
        isInWhere = true;
        this.wheres.add(i);
      } else if (isInWhere && (arithmetic.has(type) || relations.has(type))) kind = 'infix';
      else if (type === T.Less) kind = 'angle-open';
      else if (type === T.Greater) kind = 'angle-close';
      else if (type === T.Minus || type === T.Not) {
        const isOperand = before?.type !== undefined && operandEnds.has(before.type);
        kind = isOperand && !this.roles.starts.has(offset) ? 'dim-operator' : 'prefix';
      } else if (arithmetic.has(type)) kind = 'dim-operator';
      else if (type === T.Colon && this.pieces[enclosing ?? -1]?.type === T.LeftBracket) {
        kind = bars === undefined ? 'slice-colon' : 'plain';
      }
      this.kinds.push(kind);
      const isOpener = type !== undefined && closerOf.has(type) && kind !== 'infix';
      if (isOpener) open.push(i);
      else if (enclosing !== undefined && type !== undefined && kind !== 'infix') {
        if (closerOf.get(this.pieces[enclosing]!.type!) === type) {
          this.closers[enclosing] = i;
          open.pop();
        }
      }
    });
  }

  private endsWhere(type: TokenType | undefined, offset: number): boolean {
    const { starts, kernels } = this.roles;
    return starts.has(offset) || kernels.has(offset) || type === T.LeftBrace;
  }

  private isSecondOfShift(i: number): boolean {
    const before = this.pieces[i - 1];
    if (before?.type !== T.Greater || this.kinds[i - 1] !== 'infix') return false;
    const isAdjacent = before.offset + 1 === this.pieces[i]!.offset;
    return isAdjacent && this.roles.infix.get(before.offset) === precedence['>>'];
  }

  /** After a result type or parameter list, not the function `where(…)`. */
  private isWhere(i: number): boolean {
    const before = this.pieces[i - 1];
    const after = this.pieces[i + 1];
    const isName = after?.type === T.Identifier || after?.type === T.NumberLiteral;
    const isAfterType =
      before?.type !== undefined && (operandEnds.has(before.type) || before.type === T.Greater);
    const startsDim = isName || after?.type === T.LeftParen || after?.type === T.Minus;
    return isAfterType && startsDim && !this.roles.starts.has(this.pieces[i]!.offset);
  }

  // --- Comments -------------------------------------------------------------------------------------------

  private leadingComments(i: number, keepsFirstBlank: boolean): Doc {
    const { leading, hasBlankBefore } = this.pieces[i]!;
    const parts: Doc[] = [];
    leading.forEach((comment, k) => {
      if (comment.hasBlankBefore && (k > 0 || keepsFirstBlank)) parts.push(hardLine);
      parts.push(comment.text, hardLine);
    });
    if (leading.length > 0 && hasBlankBefore && this.pieces[i]!.type !== undefined) {
      parts.push(hardLine);
    }
    return concat(...parts);
  }

  private hasBlank(i: number): boolean {
    const piece = this.pieces[i]!;
    return piece.leading[0]?.hasBlankBefore ?? piece.hasBlankBefore;
  }

  /** A token with its comments; `startsLine` where a comment before it may have its own line. */
  private token(i: number, startsLine: boolean): Doc {
    const piece = this.pieces[i]!;
    if (piece.leading.length === 0 && piece.trailing.length === 0) return piece.text;
    const before = startsLine
      ? this.leadingComments(i, false)
      : concat(...piece.leading.map((c) => suffix(` ${c.text}`)));
    const isBare = this.withoutLeading.has(i);
    return concat(isBare ? '' : before, piece.text, ...this.trailing(i));
  }

  // --- Statements and lists -------------------------------------------------------------------------------

  /** Statements or declarations with `separator` between them; a blank line between two is kept. */
  private lines(from: number, to: number, separator: Doc): Doc {
    const parts: Doc[] = [];
    for (const [start, end] of this.statementRanges(from, to)) {
      if (start > from) parts.push(this.hasBlank(start) ? concat(hardLine, hardLine) : separator);
      parts.push(this.statement(start, end));
    }
    return concat(...parts);
  }

  private statementRanges(from: number, to: number): [number, number][] {
    const ranges: [number, number][] = [];
    let start = from;
    for (let i = from; i < to; i = this.skip(i)) {
      if (i === start || !this.roles.starts.has(this.pieces[i]!.offset)) continue;
      ranges.push([start, i]);
      start = i;
    }
    if (start < to) ranges.push([start, to]);
    return ranges;
  }

  private statement(from: number, to: number): Doc {
    const isEnded = this.pieces[to - 1]!.type === T.Semicolon && to - 1 > from;
    const body = this.stretch(from, isEnded ? to - 1 : to);
    return isEnded ? concat(body, this.token(to - 1, false)) : body;
  }

  /** A statement or item: the comments around it break what holds it, but nothing inside it. */
  private stretch(from: number, to: number): Doc {
    const before = this.leadingComments(from, false);
    const after = this.trailing(to - 1);
    this.withoutLeading.add(from);
    this.withoutTrailing.add(to - 1);
    return concat(before, this.sequence(from, to, true), ...after);
  }

  /** The index after this token, or after the brackets that it opens. */
  private skip(i: number): number {
    const close = this.closers[i];
    return close === undefined ? i + 1 : close + 1;
  }

  /** A bracket, what it holds and its closing bracket. */
  private brackets(open: number, startsLine: boolean): Doc {
    return group(this.openBrackets(open, startsLine));
  }

  /** The same without the group: it breaks with the group around it. */
  private openBrackets(open: number, startsLine: boolean): Doc {
    const close = this.closers[open]!;
    const { type, offset } = this.pieces[open]!;
    const first = this.token(open, startsLine);
    const last = concat(this.pieces[close]!.text, ...this.trailing(close));
    const comments = this.commentsBefore(close);
    if (open + 1 === close) {
      if (comments === undefined) return concat(first, last);
      return concat(first, indent(concat(hardLine, comments)), hardLine, last);
    }
    const isBrace = type === T.LeftBrace;
    const isExpanded = isBrace && this.pieces[open + 1]!.isOnNewLine;
    const rest = comments === undefined ? '' : concat(hardLine, comments);
    const edge = isExpanded ? hardLine : isBrace ? line : softLine;
    if (this.roles.blocks.has(offset)) {
      const body = this.lines(open + 1, close, isExpanded ? hardLine : line);
      return concat(first, indent(concat(edge, body, rest)), edge, last);
    }
    const items = this.items(open, close);
    if (!isBrace && comments === undefined && this.canHug(items)) {
      const docs = items.flatMap((item, k) => (k === 0 ? [item.doc] : [', ', item.doc]));
      return concat(first, ...docs, last);
    }
    const parts: Doc[] = [];
    items.forEach((item, k) => {
      if (k > 0)
        parts.push(isExpanded && this.hasBlank(item.first) ? concat(hardLine, hardLine) : line);
      parts.push(item.doc, item.comma);
    });
    return concat(first, indent(concat(edge, ...parts, rest)), edge, last);
  }

  private trailing(i: number): Doc[] {
    if (this.withoutTrailing.has(i)) return [];
    return this.pieces[i]!.trailing.map((c) => suffix(` ${c.text}`));
  }

  /** The comments on lines of their own before a closing bracket. */
  private commentsBefore(close: number): Doc | undefined {
    const { leading } = this.pieces[close]!;
    if (leading.length === 0) return undefined;
    const parts: Doc[] = [];
    leading.forEach((comment, k) => {
      if (k > 0) parts.push(hardLine);
      if (k > 0 && comment.hasBlankBefore) parts.push(hardLine);
      parts.push(comment.text);
    });
    return concat(...parts);
  }

  private items(open: number, close: number): Item[] {
    const items: Item[] = [];
    let start = open + 1;
    for (let i = start; i <= close; i = this.skip(i)) {
      const isComma = this.pieces[i]!.type === T.Comma && this.kinds[i] === 'plain';
      if (i < close && !isComma) continue;
      if (i > start) {
        const doc = this.stretch(start, i);
        items.push({
          doc,
          first: start,
          last: i - 1,
          comma: i < close ? this.token(i, false) : '',
        });
      }
      start = i + 1;
    }
    const last = items.at(-1);
    // `(a,)` needs its comma and `(a)` must not get one
    const isList = items.length > 1 || this.pieces[open]!.type === T.LeftBrace;
    if (last !== undefined && isList) {
      const comma = last.comma === '' ? close : last.last + 1;
      const comments = comma < close ? this.pieces[comma]! : undefined;
      const kept = [...(comments?.leading ?? []), ...(comments?.trailing ?? [])];
      const after = concat(ifBroken(','), ...kept.map((c) => suffix(` ${c.text}`)));
      items[items.length - 1] = { ...last, comma: after };
    }
    return items;
  }

  /** `map(|x| { … })`: only the last item breaks, and it is a lambda with a block or a bracket. */
  private canHug(items: readonly Item[]): boolean {
    const last = items.at(-1)!;
    if (!isHard(last.doc) || items.slice(0, -1).some((i) => isHard(i.doc) || isHard(i.comma))) {
      return false;
    }
    if (isHard(last.comma) || this.hasComments(last.first, last.last)) return false;
    const kind = this.kinds[last.first];
    const isLambda = kind === 'bar-open' || this.pieces[last.first]!.type === T.OrOr;
    const endsWithBlock = this.pieces[last.last]!.type === T.RightBrace;
    return (isLambda && endsWithBlock) || this.skip(last.first) === last.last + 1;
  }

  /** Comments of the first and last token; those further in are the business of their own brackets. */
  private hasComments(first: number, last: number): boolean {
    return this.pieces[first]!.leading.length > 0 || this.pieces[last]!.trailing.length > 0;
  }

  // --- Expressions ----------------------------------------------------------------------------------------

  /** The tokens of one statement, declaration or item of a list. */
  private sequence(from: number, to: number, startsLine: boolean): Doc {
    if (startsLine && this.isFunction(from)) return this.functionDeclaration(from, to);
    const atoms: Atom[] = [];
    for (let i = from; i < to; i = atoms.at(-1)!.last + 1) {
      atoms.push(this.atom(i, to, startsLine && i === from));
    }
    return this.layOut(atoms);
  }

  private isFunction(i: number): boolean {
    if (!this.roles.starts.has(this.pieces[i]!.offset)) return false;
    let at = i;
    if (this.pieces[at]!.type === T.Export) at += 1;
    if (this.pieces[at]?.text === 'extern') at += 1;
    return this.pieces[at]?.type === T.Fn;
  }

  /**
   * The parameters break before the result type does, and `where` then has its own line. The kernel of an `extern` function
   * always has.
   */
  private functionDeclaration(from: number, to: number): Doc {
    const parts: Doc[] = [];
    let head: Doc = '';
    let hasParameters = false;
    for (let i = from; i < to; i = this.skip(i)) {
      const { type, offset } = this.pieces[i]!;
      const isWhere = this.wheres.has(i);
      if (this.roles.kernels.has(offset)) {
        head = concat(group(concat(...parts)), indent(hardLine));
        parts.length = 0;
      } else if (i > from && (isWhere || this.needsBlank(i - 1, i))) {
        parts.push(isWhere ? line : ' ');
      }
      if (this.roles.blocks.has(offset))
        return concat(head, group(concat(...parts)), this.brackets(i, false));
      if (this.closers[i] === undefined) parts.push(this.token(i, isWhere || i === from));
      else if (type === T.LeftParen && !hasParameters) {
        parts.push(this.openBrackets(i, false));
        hasParameters = true;
      } else parts.push(this.brackets(i, false));
    }
    return concat(...parts);
  }

  private atom(i: number, to: number, startsLine: boolean): Atom {
    const { type, offset } = this.pieces[i]!;
    const kind = this.kinds[i];
    const plain = { first: i, last: i, precedence: undefined };
    if (kind === 'infix') {
      const level = type === T.Pipe ? precedence['|>'] : this.roles.infix.get(offset);
      const isShift = i + 1 < to && this.isSecondOfShift(i + 1);
      const doc = this.token(i, level !== undefined);
      if (!isShift) return { ...plain, doc, precedence: level };
      return {
        first: i,
        last: i + 1,
        doc: concat(doc, this.token(i + 1, false)),
        precedence: level,
      };
    }
    if (kind === 'bar-open' || type === T.OrOr) return this.lambda(i, to, startsLine);
    if (type === T.If || type === T.For || type === T.While) {
      const construct = this.control(i, to, startsLine);
      if (construct !== undefined) return construct;
    }
    const close = this.closers[i];
    if (close !== undefined) return { ...plain, last: close, doc: this.brackets(i, startsLine) };
    return { ...plain, doc: this.token(i, startsLine) };
  }

  /** `|a, b| body`, to the end of the stretch. */
  private lambda(start: number, to: number, startsLine: boolean): Atom {
    const bar = this.closers[start] ?? start;
    const parts: Doc[] = [this.token(start, startsLine)];
    for (let i = start + 1; i <= bar; i = this.skip(i)) {
      if (this.needsBlank(i - 1, i)) parts.push(' ');
      parts.push(this.closers[i] === undefined ? this.token(i, false) : this.brackets(i, false));
    }
    parts.push(' ', this.sequence(bar + 1, to, false));
    return { doc: concat(...parts), first: start, last: to - 1, precedence: undefined };
  }

  /** `if … { … } else …`, `for … { … }`, `while … { … }`; undefined for the `while` in a `for`. */
  private control(start: number, to: number, startsLine: boolean): Atom | undefined {
    let i = start;
    const parts: Doc[] = [];
    for (;;) {
      let block = i + 1;
      while (block < to && !this.roles.blocks.has(this.pieces[block]!.offset))
        block = this.skip(block);
      if (block >= to) return undefined;
      parts.push(this.token(i, startsLine && i === start), ' ', this.sequence(i + 1, block, false));
      parts.push(' ', this.brackets(block, false));
      i = this.closers[block]! + 1;
      if (i >= to || this.pieces[i]!.type !== T.Else) break;
      parts.push(' ', this.token(i, false), ' ');
      i += 1;
      if (this.pieces[i]!.type === T.If) continue;
      parts.push(this.brackets(i, false));
      i = this.closers[i]! + 1;
      break;
    }
    return { doc: concat(...parts), first: start, last: i - 1, precedence: undefined };
  }

  /** Breaks before the operators that bind least, all of them or none. */
  private layOut(atoms: readonly Atom[]): Doc {
    const levels = atoms.flatMap((a) => (a.precedence === undefined ? [] : [a.precedence]));
    if (levels.length === 0) {
      const parts: Doc[] = [];
      atoms.forEach((atom, i) => {
        if (i > 0 && this.needsBlank(atoms[i - 1]!.last, atom.first)) parts.push(' ');
        parts.push(atom.doc);
      });
      return concat(...parts);
    }
    const lowest = Math.min(...levels);
    const operators = [...atoms.keys()].filter((i) => atoms[i]!.precedence === lowest);
    const rest = operators.map((at, k) =>
      concat(line, atoms[at]!.doc, ' ', this.layOut(atoms.slice(at + 1, operators[k + 1]))),
    );
    return group(concat(this.layOut(atoms.slice(0, operators[0])), indent(concat(...rest))));
  }

  private needsBlank(left: number, right: number): boolean {
    const a = this.pieces[left]!;
    const b = this.pieces[right]!;
    const before = this.kinds[left]!;
    const after = this.kinds[right]!;
    if (tight.has(before) || (tightBefore.has(after) && b.type !== T.OrOr)) return false;
    if (b.type === T.Comma || b.type === T.Semicolon || b.type === T.Colon) return false;
    if (a.type === T.Dot || b.type === T.Dot || a.type === T.Ellipsis) return false;
    if (a.type === T.DotDot || b.type === T.DotDot) return false;
    if (b.type !== T.LeftParen && b.type !== T.LeftBracket) return true;
    if (a.type === T.Fn) return false;
    if (this.wheres.has(left)) return true;
    return !(before === 'angle-close' || (a.type !== undefined && operandEnds.has(a.type)));
  }
}
