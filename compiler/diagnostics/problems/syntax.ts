/** What can be wrong with the text of a module: one factory a problem, codes MLX1xxx. */
import type { Diagnostic, Label } from '../diagnostic.ts';
import type { Span } from '../span.ts';

function error(
  code: number,
  span: Span,
  message: string,
  more: {
    label?: string;
    labels?: readonly Label[];
    hint?: string;
    notes?: readonly string[];
  } = {},
): Diagnostic {
  return { code: `MLX${code}`, severity: 'error', message, span, ...more };
}

/** The grammar needs `expected` here; both are in the user's words, such as "`;`" or "an expression". */
export function unexpectedToken(
  span: Span,
  expected: string,
  found: string,
  hint?: string,
): Diagnostic {
  return error(1001, span, `expected ${expected}, found ${found}`, {
    label: `expected ${expected}`,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A bracket is not closed where it must be; `opening` is the bracket. */
export function unclosedBracket(
  span: Span,
  expected: string,
  found: string,
  opening: Span,
  hint?: string,
): Diagnostic {
  return error(1002, span, `expected ${expected}, found ${found}`, {
    label: `expected ${expected}`,
    labels: [{ span: opening, text: 'opened here' }],
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A closing bracket that nothing opened. */
export function strayBracket(span: Span, bracket: string): Diagnostic {
  return error(1003, span, `\`${bracket}\` closes nothing`, {
    hint: 'remove it, or open the bracket before it',
  });
}

/** Characters that no token starts with. */
export function unknownCharacters(span: Span, text: string): Diagnostic {
  const shown = text.length > 12 ? `${text.slice(0, 12)}…` : text;
  const printable = [...shown].map((c) => {
    const point = c.codePointAt(0)!;
    const isVisible =
      point > 32 && (point < 127 || (point > 160 && !(point >= 0xd800 && point < 0xe000)));
    return isVisible && point !== 0xfffd && !/\p{Cf}|\p{Z}/u.test(c)
      ? c
      : `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  });
  const hint = hintForCharacters(text);
  return error(
    1004,
    span,
    `unexpected ${text.length === 1 ? 'character' : 'characters'} \`${printable.join('')}\``,
    {
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** A character of typesetting or another keyboard, read as `meant`. */
export function lookalike(span: Span, character: string, meant: string): Diagnostic {
  const point = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return error(1023, span, `\`${character}\` (U+${point}) is written \`${meant}\``, {
    hint: meant === '*' ? 'write `*`, or `@` for a matrix product' : `write \`${meant}\` in ASCII`,
  });
}

/** A name with letters beyond ASCII; the first place of each. */
export function foreignName(span: Span, name: string): Diagnostic {
  const other = [...name].find((c) => c > '\u007f')!;
  const point = other.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return error(1024, span, `the name \`${name}\` holds \`${other}\` (U+${point})`, {
    hint: 'names consist of the letters a-z and A-Z, digits and `_`',
  });
}

/** `f"..."`, `r"..."` */
export function stringPrefix(span: Span, prefix: string): Diagnostic {
  return error(1025, span, `a string has no prefix \`${prefix}\``, {
    hint: 'strings are written `"…"`; there is no interpolation',
  });
}

/** `&x`, `&mut T` */
export function noReferences(span: Span): Diagnostic {
  return error(1026, span, 'there are no references', {
    hint: 'write the value or type itself: values do not change',
  });
}

function hintForCharacters(text: string): string | undefined {
  if (text.startsWith('#')) return 'a comment starts with `//`';
  if (text.startsWith("'") || text.startsWith('`') || /^[“”‘’]/.test(text)) {
    return 'a string is written with double quotes: `"…"`';
  }
  if (text.startsWith('?'))
    return 'write `if c { a } else { b }`, or `where(c, a, b)` to choose by element';
  if (text.startsWith('~')) return 'write `!x` for bools, `x ^ -1` for integers';
  if (text.startsWith('$')) return 'names stand without `$`';
  if (text.startsWith('\\')) return 'an expression goes on to the next line by itself: remove it';
  if (/^(?:\p{Cf}|\p{Z})/u.test(text)) return 'this character is invisible: remove it';
  return undefined;
}

/** A string without its closing quote on the line. */
export function unterminatedString(span: Span): Diagnostic {
  return error(1005, span, 'this string has no closing `"` on its line', { hint: 'add `"`' });
}

/** `\q` in a string. */
export function unknownEscape(span: Span, text: string): Diagnostic {
  return error(1006, span, `unknown escape \`${text}\` in a string`, {
    hint: 'strings know `\\"`, `\\\\`, `\\n`, `\\r`, `\\t`, `\\0` and `\\u{1F600}`',
  });
}

export function blockComment(span: Span): Diagnostic {
  return error(1007, span, 'there are no block comments', { hint: 'start each line with `//`' });
}

/** More brackets, prefix operators, lambdas or `else if` inside each other than any stage wants to recurse over. */
export function nestedTooDeeply(span: Span, limit: number): Diagnostic {
  return error(1008, span, `nested too deeply: more than ${limit} levels`, {
    hint: 'name parts of it with `let`, or move them into functions',
  });
}

/** One expression with more operators in a row than any stage wants to recurse over. */
export function expressionTooLong(span: Span, limit: number): Diagnostic {
  return error(1009, span, `this expression is too long: more than ${limit} operators`, {
    hint: 'name parts of it with `let`',
  });
}

/** `break` and `continue` have no meaning: a loop has one exit. */
export function noJump(span: Span, word: string): Diagnostic {
  return error(1010, span, `there is no \`${word}\``, {
    hint:
      word === 'break'
        ? 'stop a loop early with a condition: `for i in 0..n while c { … }`'
        : 'guard the rest of the body with `if`; stop early with `for i in 0..n while c { … }`',
  });
}

export function noReturn(span: Span): Diagnostic {
  return error(1011, span, 'there is no `return`', {
    hint: 'the last expression of a block, without `;`, is its value',
  });
}

/** `let mut x` */
export function noMut(span: Span): Diagnostic {
  return error(1012, span, 'there is no `mut`', {
    hint: 'write `var x = …` for a name that the code reassigns',
  });
}

/** `def f`, `function f`, `class A`: the word of another language. */
export function foreignKeyword(span: Span, word: string, instead: string): Diagnostic {
  return error(1013, span, `\`${word}\` is not a keyword here`, { hint: `write \`${instead}\`` });
}

/** `if a = b` */
export function assignmentAsCondition(span: Span): Diagnostic {
  return error(1014, span, 'expected a condition, found the assignment `=`', {
    hint: 'compare with `==`',
  });
}

/** `a < b < c` */
export function chainedComparison(span: Span, first: Span): Diagnostic {
  return error(1015, span, 'comparisons cannot be chained', {
    labels: [{ span: first, text: 'the first comparison' }],
    hint: 'write `a < b && b < c` for scalars, `(a < b) & (b < c)` by element',
  });
}

/** `2N`, `1.0f`, `0x` */
export function malformedNumber(span: Span, text: string): Diagnostic {
  const isRadix = /^0[xXbB]/.test(text);
  const factor = isRadix || /^[\d.]+[eE]$/.test(text) ? null : /^([\d.]+)([A-Za-z]\w*)$/.exec(text);
  const suffix =
    factor !== null && /^(?:f|f16|f32|f64|i32|u32|i64|u64|bf16|u|l)$/i.test(factor[2]!);
  return error(1016, span, `\`${text}\` is not a number`, {
    ...(/^[\d.]+[eE]$/.test(text) ? { hint: 'an exponent has digits: `1e3`, `1e-3`' } : {}),
    ...(isRadix ? { hint: 'digits behind `0x` are 0-9 and a-f, behind `0b` 0 and 1' } : {}),
    ...(factor === null
      ? {}
      : {
          hint: suffix
            ? `write \`${factor[1]}\`: a literal takes its dtype from where it stands; \`f16(${factor[1]})\` converts`
            : `write \`${factor[1]} * ${factor[2]}\``,
        }),
  });
}

/** `x[0] = v`, `m.w = v`: values do not change. */
export function assignmentToPart(span: Span, hint: string): Diagnostic {
  return error(1017, span, 'only a `var` name can be assigned to: values do not change', { hint });
}

/** A `fn`, `struct`, `import` or `export` inside a function. */
export function nestedDeclaration(span: Span, word: string): Diagnostic {
  return error(1018, span, `\`${word}\` stands at the top of a file, not in a function`, {
    ...(word === 'fn' ? { hint: 'write a lambda: `let f = |x| …;`' } : {}),
    ...(word === 'const' ? { hint: 'write `let`' } : {}),
  });
}

/** `a..b` where it is no loop's range. */
export function rangeOutsideFor(span: Span): Diagnostic {
  return error(1019, span, 'a range `a..b` stands only after `in` of a `for`', {
    hint: 'write `arange(n)` for a tensor of indices, `x[a:b]` for a slice',
  });
}

/** After so many problems the rest is noise. */
export function tooManyProblems(span: Span, limit: number): Diagnostic {
  return error(1020, span, `more than ${limit} syntax errors: the rest of the file is not read`);
}

/** `if c { a } elif …`, `and`, `:=`: a word or symbol with another spelling here. */
export function foreignWord(span: Span, word: string, instead: string): Diagnostic {
  return error(1021, span, `\`${word}\` is written \`${instead}\` here`);
}

/** `if c == P { x: 1 } { … }`: the brace opens the block. */
export function structInCondition(span: Span): Diagnostic {
  return error(1022, span, 'a struct value in a condition needs parentheses', {
    hint: 'write `(Name { … })`: here `{` opens the block',
  });
}

/** `match`, `impl`, `try`: what the language does without. */
export function unknownConstruct(span: Span, word: string, cure: string): Diagnostic {
  return error(1027, span, `there is no \`${word}\``, { hint: cure });
}

/** `extern` before something else than `fn`. */
export function externWithoutFunction(span: Span): Diagnostic {
  return error(1028, span, '`extern` stands before a function', {
    hint: 'write `extern fn name(…) -> … metal "./file.metal" grid(…) threads(…) { … }`',
  });
}

/** `extern fn f(x: f32[N]) -> f32[N] { … }` */
export function externWithoutKernel(span: Span): Diagnostic {
  return error(1033, span, 'an `extern` function names its kernel before its body', {
    hint: 'write `metal "./file.metal" kernel "name" grid(N) threads(256)`; the body is the reference that other devices run',
  });
}

/** `fn f(x: f32[N]) -> f32[N] metal "./f.metal" … { … }` */
export function kernelWithoutExtern(span: Span): Diagnostic {
  return error(1034, span, 'only an `extern` function has a kernel of its own', {
    hint: 'write `extern fn`',
  });
}

/** `struct P { x: f32; y: f32 }`, or fields on lines without commas. */
export function fieldSeparator(span: Span): Diagnostic {
  return error(1029, span, 'fields are separated by `,`');
}

/** `struct P { x = f32 }`, `P { x = v }` */
export function fieldColon(span: Span): Diagnostic {
  return error(1030, span, 'a field is written `name: …`, found `=`', {
    hint: 'write `:`; arguments of calls are named with `=`',
  });
}

/** `let a = 1;;` */
export function emptyStatement(span: Span): Diagnostic {
  return error(1032, span, 'this `;` ends nothing', { hint: 'remove it' });
}

/** `fn f(x: f32): f32` */
export function resultColon(span: Span): Diagnostic {
  return error(1031, span, 'the result type stands behind `->`, found `:`', { hint: 'write `->`' });
}
