/**
 * Text in, syntax tree and problems out. Linear in the length of the text and safe on any text: brackets and
 * operators are counted before anything recurses over them.
 */
import type { IToken } from 'chevrotain';
import type { Diagnostic, DiagnosticSink } from '../diagnostics/diagnostic.ts';
import {
  blockComment,
  nestedTooDeeply,
  tooManyProblems,
  unknownCharacters,
} from '../diagnostics/problems/syntax.ts';
import type { Module } from './ast.ts';
import { readForeignTokens } from './foreign-tokens.ts';
import { parseTokens } from './grammar.ts';
import { readLookalikes } from './lookalikes.ts';
import { findDeepNesting, maxNesting } from './nesting.ts';
import * as T from './tokens.ts';
import { endOf, type Lexed, lex } from './tokens.ts';

const maxLexicalProblems = 20;

/**
 * Parses one module. Problems go to `sink`; what could not be read is missing from the tree, or stands in it as
 * an `error` node. `source.name` is the file of all spans.
 */
export function parse(
  source: { readonly name: string; readonly text: string },
  sink: DiagnosticSink,
): Module {
  const lexed = lex(source.text);
  if (!reportLexicalProblems(source.name, lexed.problems, sink)) return emptyModule(source);
  return parseLexed(source, mend(source, lexed, sink), sink);
}

/** What was written in other characters or another language's words, as the grammar knows it. */
function mend(
  source: { readonly name: string; readonly text: string },
  lexed: Lexed,
  sink: DiagnosticSink,
): Lexed {
  const report = (diagnostic: Diagnostic): void => sink.report(diagnostic);
  const { tokens, problems } = lexed;
  const readable = readLookalikes(source.name, tokens, problems, report);
  const mended = readForeignTokens(source, readable, report);
  if (mended.places.length === 0) return { ...lexed, tokens: mended.tokens };
  const places = [...problems, ...mended.places].sort((a, b) => a.startOffset - b.startOffset);
  return { ...lexed, tokens: mended.tokens, problems: places };
}

function parseLexed(
  source: { readonly name: string; readonly text: string },
  lexed: Lexed,
  sink: DiagnosticSink,
): Module {
  const deep = findDeepNesting(source.name, lexed.tokens);
  if (deep !== undefined) {
    sink.report(deep);
    return emptyModule(source);
  }
  try {
    return parseTokens(source, lexed, sink);
  } catch (problem) {
    // the caller's own stack was nearly full: still an answer, not a crash
    if (!(problem instanceof RangeError)) throw problem;
    sink.report(nestedTooDeeply({ file: source.name, start: 0, end: 0 }, maxNesting));
    return emptyModule(source);
  }
}

/** False when there are so many that this is no source at all. */
function reportLexicalProblems(
  file: string,
  problems: readonly IToken[],
  sink: DiagnosticSink,
): boolean {
  for (const [i, problem] of problems.entries()) {
    const span = { file, start: problem.startOffset, end: endOf(problem) };
    if (i === maxLexicalProblems) {
      sink.report(tooManyProblems(span, maxLexicalProblems));
      return false;
    }
    if (problem.tokenType === T.BlockComment)
      sink.report(blockComment({ ...span, end: span.start + 2 }));
    else if (problem.tokenType === T.HashComment) {
      sink.report(unknownCharacters({ ...span, end: span.start + 1 }, '#'));
    }
  }
  return true;
}

function emptyModule(source: { readonly name: string; readonly text: string }): Module {
  const span = { file: source.name, start: 0, end: source.text.length };
  return { file: source.name, imports: [], declarations: [], unreadable: [], span };
}
