/** Rules of declarations at program scope and in functions, told from tokens: types, pointers, names, initialisers. */
import { error, type Rule, type RuleError } from './rule.ts';
import { closing, isTypeAt, type Structure } from './structure.ts';
import type { Token } from './tokens.ts';
import { keywords } from './words.ts';

const spaces: ReadonlySet<string> = new Set(['device', 'constant', 'threadgroup', 'thread']);

const isProgramScope = (s: Structure, i: number): boolean =>
  s.scopes[i]!.every((k) => k === 'namespace');

const integerWords: ReadonlySet<string> = new Set([
  'long',
  'unsigned',
  'signed',
  'int',
  'const',
  'volatile',
]);

/** `long unsigned long`, in any order of its words. */
export const noLongLong: Rule = ({ tokens }) =>
  tokens.flatMap((t, i) => {
    if (t.text !== 'long' || tokens[i + 1]?.text === 'long') return [];
    let at = i - 1;
    while (at >= 0 && integerWords.has(tokens[at]!.text) && tokens[at]!.text !== 'long') at--;
    return at < i - 1 && tokens[at]?.text === 'long'
      ? [error(t, 'Metal has no long long: long has 64 bits')]
      : [];
  });

/** `noexcept` after a list of parameters is harmless; as an operator it asks about exceptions. */
export const noNoexceptOperator: Rule = ({ tokens }) =>
  tokens.flatMap((t, i) => {
    if (t.text !== 'noexcept' || tokens[i + 1]?.text !== '(') return [];
    const before = tokens[i - 1]?.text ?? '';
    return before === ')' || before === 'const' || spaces.has(before)
      ? []
      : [error(t, 'Metal has no noexcept operator')];
  });

/** Words of the language below the simulator, which Metal lacks. */
export const noOtherLanguages: Rule = ({ tokens }) =>
  tokens.flatMap((t) =>
    /^__(?:kernel|global|local|constant|private|generic)$/.test(t.text) ||
    /^(?:wchar_t|char16_t|char32_t)$/.test(t.text) ||
    /^atomic_(?:u?long|half|bfloat|u?short|u?char|double)$/.test(t.text.replace('atomic_ulong', ''))
      ? [error(t, `unknown type name '${t.text}'`)]
      : [],
  );

/** `1.0L` is a long double. */
export const noLongDoubleLiterals: Rule = ({ tokens }) =>
  tokens.flatMap((t) =>
    t.kind === 'number' && /^(?!0x)[\d.]+(?:e[-+]?\d+)?l$/i.test(t.text) && /[.e]/i.test(t.text)
      ? [error(t, "Metal has no double: write the literal with the suffix 'f'")]
      : [],
  );

// ---------------------------------------------------------------------------------------------------------
// Pointers

/** Names that `typedef`, `enum` and `union` declare. */
function declaredNames({ tokens }: Structure): ReadonlySet<string> {
  const names = new Set<string>(['unsigned', 'signed']);
  tokens.forEach((t, i) => {
    const next = tokens[i + 1];
    if (t.text === 'union' && next?.kind === 'word') names.add(next.text);
    if (t.text === 'enum' && next?.kind === 'word' && !['class', 'struct'].includes(next.text))
      names.add(next.text);
    if (t.text !== 'typedef') return;
    let end = i;
    while (end < tokens.length && tokens[end]!.text !== ';') {
      end = tokens[end]!.text === '{' ? closing(tokens, end) + 1 : end + 1;
    }
    const name = tokens[end - 1];
    if (name?.kind === 'word') names.add(name.text);
  });
  return names;
}

function isNamed({ tokens }: Structure, from: number): boolean {
  for (let at = from; at >= 0; at--) {
    const { text, kind } = tokens[at]!;
    if (spaces.has(text)) return true;
    if (kind !== 'word' && text !== '::') return false;
  }
  return false;
}

/** Pointers and references without a space whose types the plain rule does not see. */
export const addressSpaceOnOtherPointers: Rule = (s) => {
  const { tokens } = s;
  const names = declaredNames(s);
  const isType = (i: number): boolean =>
    (isTypeAt(s, i) || names.has(tokens[i]!.text)) &&
    !['.', '->'].includes(tokens[i - 1]?.text ?? '');
  const errors: RuleError[] = [];
  tokens.forEach((t, i) => {
    if (!['*', '&', '&&'].includes(t.text) || i < 1) return;
    const what = t.text === '*' ? 'pointer' : 'reference';
    const problem = error(t, `${what} type must have explicit address space qualifier`);
    const before = tokens[i - 1]!;
    // a pointer to a pointer: the outer one needs a space of its own
    if (before.text === '*') {
      if (i > 1 && isType(i - 2) && isNamed(s, i - 2)) errors.push(problem);
      return;
    }
    // float (*p)[4], float (&a)[4]
    if (before.text === '(' && t.text !== '&&') {
      const isArray =
        tokens[i + 1]?.kind === 'word' &&
        tokens[i + 2]?.text === ')' &&
        tokens[i + 3]?.text === '[';
      if (isArray && i > 1 && isType(i - 2) && !isNamed(s, i - 2)) errors.push(problem);
      return;
    }
    let at = i - 1;
    while (at > 0 && ['const', 'volatile'].includes(tokens[at]!.text)) at--;
    if (at < 0 || !isType(at) || isNamed(s, i - 1)) return;
    const isPlain = at === i - 1 && isTypeAt(s, at);
    if (t.text === '&&') {
      const after = tokens[i + 1];
      const isDeclarator =
        after !== undefined &&
        (after.kind === 'word'
          ? [',', ')'].includes(tokens[i + 2]?.text ?? '')
          : [',', ')', '>'].includes(after.text));
      if (isDeclarator && isPlain) errors.push(problem);
    } else if (!isPlain) errors.push(problem);
  });
  return errors;
};

// ---------------------------------------------------------------------------------------------------------
// Program scope

/** Variables of program scope in forms that look like something else: behind a struct, with `alignas`, `extern`, in parentheses. */
export const otherGlobalsAreConstant: Rule = (s) => {
  const { tokens } = s;
  const errors: RuleError[] = [];
  const problem = (t: Token): RuleError =>
    error(t, 'program scope variable must reside in constant address space');
  let start = 0;
  tokens.forEach((t, i) => {
    if (!isProgramScope(s, i)) return;
    const isBrace = t.text === '{' || t.text === '}';
    const isInitialiser =
      (t.text === '{' && s.scopes[i + 1]?.includes('initialiser')) ||
      (t.text === '}' && s.scopes[i - 1]?.includes('initialiser'));
    if (isBrace && !isInitialiser) start = i + 1;
    if (t.kind === 'directive') start = i + 1;
    if (t.text !== ';') return;
    const from = start;
    start = i + 1;
    const behind = tokens[from - 1];
    if (
      behind?.text === '}' &&
      s.scopes[from - 2]?.includes('struct') &&
      tokens[from]!.kind === 'word'
    ) {
      if (!beginsWith(s, from - 1, ['typedef', 'constant'])) errors.push(problem(t));
      return;
    }
    const head = tokens.slice(from, i);
    const words = head.map((x) => x.text);
    if (words.includes('constant') || words.includes('template') || words.includes('typedef'))
      return;
    const first = words[0] ?? '';
    if (first === 'extern' && !words.includes('(') && head[1]?.kind === 'word')
      errors.push(problem(t));
    const isWrapped = first === 'alignas' || first === 'decltype';
    if (isWrapped) {
      const rest = tokens.slice(closing(tokens, from + 1) + 1, i);
      if (rest.length > 0 && !rest.some((x) => x.text === '(')) errors.push(problem(t));
      return;
    }
    // int table[sizeof(x)]; float total(0);
    if (!isTypeAt(s, from) || head[1]?.kind !== 'word') return;
    const value = head[3];
    const isDirect = words[2] === '(' && value?.kind === 'number';
    const isArray = words[2] === '[' && words.includes('(');
    if (isDirect || isArray) errors.push(problem(t));
  });
  return errors;
};

/** Whether the declaration whose `}` is at `close` begins with one of the words. */
function beginsWith({ tokens }: Structure, close: number, words: readonly string[]): boolean {
  let depth = 0;
  let at = close;
  for (; at >= 0; at--) {
    if (tokens[at]!.text === '}') depth++;
    if (tokens[at]!.text === '{' && --depth === 0) break;
  }
  for (at--; at >= 0; at--) {
    const { text, kind } = tokens[at]!;
    if (words.includes(text)) return true;
    if ([';', '}', '{'].includes(text) || kind === 'directive') return false;
  }
  return false;
}

/** Functions of the library that are evaluated on the device only. */
const libraryFunctions =
  /^(?:a?(?:sin|cos|tan)h?|(?:sin|cos|tan)pi|atan2|exp(?:2|10)?|log(?:2|10)?|powr?|r?sqrt|floor|ceil|round|rint|trunc|fmod|fma|fract|length|normalize|dot|cross)$/;

/** Data of program scope has its value before anything runs. */
export const initialisersAreConstant: Rule = (s) => {
  const { tokens, scopes } = s;
  const functions = new Set<string>();
  tokens.forEach((t, i) => {
    if (t.text !== '{' || !scopes[i + 1]?.includes('function') || !isProgramScope(s, i)) return;
    let start = i;
    while (start > 0 && ![';', '}', '{'].includes(tokens[start - 1]!.text)) start--;
    const head = tokens.slice(start, i);
    const open = head.findIndex((x) => x.text === '(');
    if (open > 0 && !head.some((x) => x.text === 'constexpr')) functions.add(head[open - 1]!.text);
  });
  const errors: RuleError[] = [];
  tokens.forEach((t, i) => {
    if (t.text !== 'constant' || !isProgramScope(s, i)) return;
    let at = i;
    while (at < tokens.length && !['=', ';', '(', '{'].includes(tokens[at]!.text)) at++;
    if (tokens[at]?.text !== '=') return;
    for (; at < tokens.length && tokens[at]!.text !== ';'; at++) {
      const name = tokens[at]!;
      if (tokens[at + 1]?.text !== '(' || name.kind !== 'word') continue;
      if (functions.has(name.text) || libraryFunctions.test(name.text)) {
        errors.push(
          error(name, 'initializer of a program scope variable must be a constant expression'),
        );
        return;
      }
    }
  });
  return errors;
};

// ---------------------------------------------------------------------------------------------------------
// Names

const typeWord =
  /^(?:(?:u(?:char|short|int|long)|bool|half|bfloat|float)[234]?|(?:char|short|int|long)[234])$/;

/** Words with a meaning of their own as names of structs, functions and variables. */
export const noReservedNames: Rule = (s) =>
  s.tokens.flatMap((t, i) => {
    const before = s.tokens[i - 1];
    const after = s.tokens[i + 1]?.text ?? '';
    if (before === undefined) return [];
    const isType = ['struct', 'class', 'union', 'enum'].includes(before.text);
    if (keywords.has(t.text) && isType && ['{', ':', ';'].includes(after))
      return [error(t, `'${t.text}' is a keyword in Metal and cannot be a name`)];
    const isAfterType = isTypeAt(s, i - 1) && before.text !== 'void';
    const isFunction =
      ['vertex', 'fragment', 'kernel', 'device', 'constant', 'thread', 'threadgroup'].includes(
        t.text,
      ) &&
      after === '(' &&
      (isAfterType || before.text === 'void');
    const isVariable =
      typeWord.test(t.text) &&
      isAfterType &&
      ['=', ';', '['].includes(after) &&
      !/^(?:long|short)$/.test(before.text);
    return isFunction || isVariable
      ? [error(t, `'${t.text}' is a keyword in Metal and cannot be a name`)]
      : [];
  });
