/** The value of a string literal: quotes off, escapes read. */
import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import {
  unknownCharacters,
  unknownEscape,
  unterminatedString,
} from '../diagnostics/problems/syntax.ts';
import { endOf } from './tokens.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['0', '\0'],
  ['"', '"'],
  ['\\', '\\'],
]);

/** Reads a `StringLiteral`; a bad escape stands for itself after its report. */
export function readString(
  token: IToken,
  file: string,
  report: (problem: Diagnostic) => void,
): string {
  const { image, startOffset } = token;
  if (!image.startsWith('"')) {
    report(unknownCharacters({ file, start: startOffset, end: endOf(token) }, image));
    return image.slice(1, -1);
  }
  const isClosed = /^"(?:[^"\\]|\\.)*"$/.test(image);
  if (!isClosed) report(unterminatedString({ file, start: startOffset, end: endOf(token) }));
  const inner = image.slice(1, isClosed ? -1 : undefined);
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(?:u\{([0-9a-fA-F]{1,6})\}|(.?))/g, (text, code, letter, at: number) => {
    if (code !== undefined) {
      const point = Number.parseInt(code, 16);
      if (point <= 0x10ffff) return String.fromCodePoint(point);
    }
    const value = escapes.get(letter);
    if (value !== undefined) return value;
    if (isClosed) {
      const start = startOffset + 1 + at;
      report(unknownEscape({ file, start, end: start + text.length }, text));
    }
    return text;
  });
}
