/**
 * A module whose declarations are parsed when they are first asked for: the prelude is long, and a program names little
 * of it. Its text must be laid out as the formatter does it: declarations start in the first column, and nothing
 * else does but comments and closing brackets.
 */
import type { DiagnosticSink } from '../diagnostics/diagnostic.ts';
import type { Declaration } from './ast.ts';
import { parse } from './parse.ts';

export interface LazyModule {
  readonly file: string;
  /** The names that it declares, in order, and whether others see them. */
  readonly names: ReadonlyMap<string, { readonly isExported: boolean }>;
  /** Parses the declaration on the first call; undefined when there is none, or it does not parse. */
  readonly declaration: (name: string) => Declaration | undefined;
}

interface Part {
  readonly isExported: boolean;
  readonly start: number;
  end: number;
}

const head = /^(?:\/\/\/.*\n)*(export )?(?:fn|struct|const) (\w+)/gm;

/** Splits the text, which is cheap; problems are reported where a declaration is parsed. */
export function lazyModule(
  { name: file, text }: { readonly name: string; readonly text: string },
  sink: DiagnosticSink,
): LazyModule {
  const parts = new Map<string, Part>();
  let last: Part | undefined;
  for (const match of text.matchAll(head)) {
    const part = { isExported: match[1] !== undefined, start: match.index, end: text.length };
    if (last !== undefined) last.end = match.index;
    parts.set(match[2]!, part);
    last = part;
  }
  const parsed = new Map<string, Declaration | undefined>();
  return {
    file,
    names: parts,
    declaration: (name) => {
      const part = parts.get(name);
      if (part === undefined || parsed.has(name)) return parsed.get(name);
      // blanks keep the places of the whole text
      const blanks = ' '.repeat(part.start);
      const alone = { name: file, text: blanks + text.slice(part.start, part.end) };
      const [declaration] = parse(alone, sink).declarations;
      parsed.set(name, declaration);
      return declaration;
    },
  };
}
