/**
 * Constructors and casts of vectors. Clang's vectors take `float4(x)` and no more, so what Metal writes as `float4(a, b3)`, `T(v)`,
 * `vec<T, 4>(...)`, `(half4)v` or `static_cast<float4>(v)` becomes a call of `metal_sim::construct`, which knows all of them.
 */
import { closing, isTypeAt, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import { argumentsEnd } from './conditions.ts';
import type { Edit } from './edit.ts';

export const vectorName: RegExp =
  /^(?:simd_|vector_)?(?:bool|u?char|u?short|u?int|u?long|half|bfloat|float)[234]$/;
/** Clang does not cast between these two; Metal does, through float. */
const shortFloats: readonly string[] = ['half', 'bfloat'];
const standardTemplates: readonly string[] = ['vec', 'packed_vec'];
/** Names before a `<` that is no comparison. */
const templated: readonly string[] = [
  ...standardTemplates,
  'as_type',
  'static_cast',
  'reinterpret_cast',
  'const_cast',
  'array',
  'atomic',
  'matrix',
  'simdgroup_matrix',
  'make_filled_simdgroup_matrix',
  'numeric_limits',
  'is_same_v',
  'is_same',
  'enable_if_t',
  'conditional_t',
];

interface Names {
  /** Types whose parentheses may construct a vector: vectors, aliases, parameters of templates. */
  readonly types: ReadonlySet<string>;
  /** Templates of such types. */
  readonly templates: ReadonlySet<string>;
  /** All names that a list of template arguments may follow. */
  readonly templated: ReadonlySet<string>;
}

export function constructors(
  structure: Structure,
  isInFunction: (i: number) => boolean,
): readonly Edit[] {
  const { tokens } = structure;
  const names = collect(tokens);
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    if (token.text === 'auto' && isInFunction(i)) edits.push(...comparedAuto(tokens, i, names));
    if (token.text !== '(') return;
    const close = closing(tokens, i);
    const start = typeBefore(tokens, i, names);
    if (start !== undefined && close > i + 1) {
      const type = textOf(tokens, start, i);
      edits.push(...construct(tokens, start, i, close, type, names));
      return;
    }
    const declared = isInFunction(i) ? declaredType(tokens, i, close) : undefined;
    if (declared !== undefined) {
      const text = ` = metal_sim::construct<${declared}>(`;
      edits.push({ from: i, to: i + 1, text });
      return;
    }
    const cast = castType(structure, i, close, names);
    if (cast !== undefined) {
      edits.push({ from: i, to: close + 1, text: `metal_sim::caster<${cast}>()->*` });
      return;
    }
    // `(a < b).x`
    if (tokens[close + 1]?.text === '.' && hasComparison(tokens, i, close, names.templated)) {
      edits.push({ from: i, to: i + 1, text: '(metal_sim::truth(' });
      edits.push({ from: close, to: close + 1, text: '))' });
    }
  });
  return edits;
}

/** `auto m = a < b;`: a vector of bools, whose values may be used as numbers later. */
function comparedAuto(tokens: readonly Token[], auto: number, names: Names): readonly Edit[] {
  const equals = auto + 2;
  if (tokens[auto + 1]?.kind !== 'word' || tokens[equals]?.text !== '=') return [];
  let end = equals + 1;
  while (end < tokens.length && ![';', ',', '{', '['].includes(tokens[end]!.text)) {
    if (tokens[end]!.text === '(') end = closing(tokens, end);
    end++;
  }
  if (tokens[end]?.text !== ';' || !hasComparison(tokens, equals, end, names.templated)) return [];
  return [
    { from: equals + 1, to: equals + 1, text: 'metal_sim::truth(' },
    { from: end, to: end, text: ')' },
  ];
}

function construct(
  tokens: readonly Token[],
  start: number,
  open: number,
  close: number,
  type: string,
  names: Names,
): readonly Edit[] {
  const head = `metal_sim::construct<${type}>(`;
  const isCompared =
    !hasComma(tokens, open, close) && hasComparison(tokens, open, close, names.templated);
  if (!isCompared) return [{ from: start, to: open + 1, text: head }];
  return [
    { from: start, to: open + 1, text: `${head}metal_sim::truth(` },
    { from: close, to: close + 1, text: '))' },
  ];
}

function collect(tokens: readonly Token[]): Names {
  const types = new Set<string>();
  const templates = new Set<string>(standardTemplates);
  const all = new Set<string>(templated);
  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    if (token.text === 'typename' || token.text === 'class') {
      if (next?.kind === 'word' && [',', '>', '='].includes(tokens[i + 2]?.text ?? '')) {
        types.add(next.text);
      }
    }
    if (token.text === 'using' && tokens[i + 2]?.text === '=') {
      (tokens[i - 1]?.text === '>' ? templates : types).add(next!.text);
    }
    if (token.text === 'typedef') {
      let end = i;
      while (end < tokens.length && tokens[end]!.text !== ';') end++;
      const name = tokens[end - 1];
      if (name?.kind === 'word') types.add(name.text);
    }
    if (token.text === 'template' && next?.text === '<') {
      // the name that is declared stands before the first `(`, `{`, `=` or `:` after the list
      const list = closingAngle(tokens, i + 1);
      for (let at = list + 1; at < Math.min(tokens.length, list + 40); at++) {
        const { text, kind } = tokens[at]!;
        if (['(', '{', '=', ':', ';', '<'].includes(text)) {
          if (tokens[at - 1]?.kind === 'word') all.add(tokens[at - 1]!.text);
          if (text !== '<') break;
          // of the type that a function returns
          at = closingAngle(tokens, at);
        }
        if (kind === 'directive') break;
      }
    }
  });
  return { types, templates, templated: all };
}

/** Where the type begins whose name ends before the parenthesis at `open`; undefined when it is no construction. */
function typeBefore(tokens: readonly Token[], open: number, names: Names): number | undefined {
  const last = tokens[open - 1];
  if (last === undefined) return undefined;
  let start = open - 1;
  let isType = false;
  if (last.kind === 'word') {
    isType =
      vectorName.test(last.text) || names.types.has(last.text) || shortFloats.includes(last.text);
    if (!isType && tokens[open - 2]?.text === '::') {
      const dependent = dependentStart(tokens, open - 1);
      if (dependent !== undefined) return dependent;
    }
  } else if (last.text === '>' || last.text === '>>') {
    const angle = openingAngle(tokens, open - 1);
    if (angle === undefined || angle < 1) return undefined;
    const name = tokens[angle - 1]!;
    if (name.text === 'static_cast') {
      const inner = tokens.slice(angle + 1, open - 1).map((t) => t.text);
      if (inner.some((t) => t === '*' || t === '&' || t === 'void')) return undefined;
      return angle - 1;
    }
    isType = names.templates.has(name.text);
    start = angle - 1;
  } else if (last.text === ')') {
    // decltype(x)(y)
    let depth = 0;
    let at = open - 1;
    for (; at > 0; at--) {
      if (tokens[at]!.text === ')') depth++;
      if (tokens[at]!.text === '(' && --depth === 0) break;
    }
    if (tokens[at - 1]?.text !== 'decltype' || tokens[at - 2]?.kind === 'word') return undefined;
    return at - 1;
  }
  if (!isType) return undefined;
  while (tokens[start - 1]?.text === '::' && tokens[start - 2]?.kind === 'word') start -= 2;
  const before = tokens[start - 1]?.text;
  if (before === 'operator' || before === '.' || before === '->' || before === '~')
    return undefined;
  // a declarator in parentheses: T (&a)[4], T (*f)(int)
  const inside = tokens[open + 1]?.text;
  const afterClose = tokens[closing(tokens, open) + 1]?.text;
  if ((inside === '&' || inside === '*') && (afterClose === '[' || afterClose === '('))
    return undefined;
  return start;
}

/** `typename A<B>::C` before a parenthesis. */
function dependentStart(tokens: readonly Token[], last: number): number | undefined {
  for (let at = last; at > Math.max(0, last - 24); at--) {
    const { text } = tokens[at]!;
    if (text === 'typename') return at;
    if (['(', ')', ';', '{', '}', '='].includes(text)) return undefined;
  }
  return undefined;
}

/** Whether a sign or operator stands before its only operand. */
function isUnary(tokens: readonly Token[], i: number): boolean {
  const text = tokens[i]?.text ?? '';
  if (text === '!' || text === '~') return true;
  if (!['-', '+', '*', '&'].includes(text)) return false;
  const before = tokens[i - 1];
  const isOperand =
    before !== undefined &&
    (before.kind === 'number' ||
      (before.kind === 'word' && before.text !== 'return') ||
      before.text === ')' ||
      before.text === ']');
  return !isOperand;
}

/** `uint3 v(1, 2, 3);` in a function: the type's text; undefined when `(` does not begin the value of a declared vector. */
function declaredType(tokens: readonly Token[], open: number, close: number): string | undefined {
  const name = tokens[open - 1];
  const type = tokens[open - 2];
  const after = tokens[close + 1]?.text;
  if (name?.kind !== 'word' || type === undefined) return undefined;
  let start = open - 2;
  if (type.text === '>') {
    start = (openingAngle(tokens, start) ?? 0) - 1;
    if (!standardTemplates.includes(tokens[start]?.text ?? '')) return undefined;
  } else if (!vectorName.test(type.text)) return undefined;
  if ((after !== ';' && after !== ',') || close === open + 1) return undefined;
  // parameters of a function that is declared begin with a type
  const first = tokens[open + 1]!;
  const second = tokens[open + 2]!;
  if (first.kind === 'word' && second.kind === 'word') return undefined;
  const space = tokens[start - 1]?.text === '::' ? 'metal::' : '';
  return space + textOf(tokens, start, open - 1);
}

/** The vector type of `(type)` before an operand. */
function castType(
  structure: Structure,
  open: number,
  close: number,
  names: Names,
): string | undefined {
  const { tokens } = structure;
  const before = tokens[open - 1];
  if (before !== undefined && (before.kind === 'word' || [')', ']', '>'].includes(before.text))) {
    if (before.text !== 'return') return undefined;
  }
  if (isUnary(tokens, open - 1)) return undefined;
  const after = tokens[close + 1];
  if (after === undefined) return undefined;
  // `(T) -x` is a cast only where T is a type
  const isSign = ['-', '+', '!', '~', '*', '&'].includes(after.text);
  if (!(after.kind === 'word' || after.kind === 'number' || after.text === '(' || isSign))
    return undefined;
  if (isSign && !vectorName.test(tokens[close - 1]!.text) && !isTypeAt(structure, close - 1))
    return undefined;
  const inside = tokens.slice(open + 1, close);
  const name = inside[inside.length - 1];
  if (name === undefined) return undefined;
  if (name.kind === 'word') {
    const isQualified = inside.every((t, i) => (i % 2 === 0 ? t.kind === 'word' : t.text === '::'));
    const isType =
      vectorName.test(name.text) || names.types.has(name.text) || shortFloats.includes(name.text);
    if (!isQualified || !isType) return undefined;
  } else if (name.text !== '>' || !names.templates.has(inside[0]!.text)) {
    return undefined;
  }
  return textOf(tokens, open + 1, close);
}

function textOf(tokens: readonly Token[], from: number, to: number): string {
  let list = tokens.slice(from, to);
  if (list[0]?.text === 'static_cast') list = list.slice(2, -1);
  return list
    .map((t) => t.text)
    .join(' ')
    .replace(/ :: /g, '::')
    .replace(/^:: /, '::');
}

function hasComma(tokens: readonly Token[], open: number, close: number): boolean {
  let depth = 0;
  for (let i = open + 1; i < close; i++) {
    const { text } = tokens[i]!;
    if (text === '(' || text === '[' || text === '{') depth++;
    if (text === ')' || text === ']' || text === '}') depth--;
    if (text === ',' && depth === 0) return true;
  }
  return false;
}

/** Whether the value between parentheses is what a comparison says; not that of a choice, whatever its condition is. */
function hasComparison(
  tokens: readonly Token[],
  open: number,
  close: number,
  templates: ReadonlySet<string>,
): boolean {
  let depth = 0;
  let found = false;
  for (let i = open + 1; i < close; i++) {
    const { text } = tokens[i]!;
    if (text === '(' || text === '[' || text === '{') depth++;
    if (text === ')' || text === ']' || text === '}') depth--;
    if (depth > 0) continue;
    if (text === '?' || text === '=') return false;
    if (['==', '!=', '<=', '>='].includes(text)) found = true;
    const call = text === '<' ? argumentsEnd(tokens, i) : undefined;
    if (call !== undefined) i = call;
    else if (text === '<' && templates.has(tokens[i - 1]!.text)) i = closingAngle(tokens, i);
    else if (isShift(tokens, i)) i++;
    else if (text === '<' || text === '>') found = true;
  }
  return found;
}

/** `>>` comes as two tokens, so that it may close two lists of template arguments. */
function isShift(tokens: readonly Token[], i: number): boolean {
  const { text, start } = tokens[i]!;
  const next = tokens[i + 1];
  return (text === '<' || text === '>') && next?.text === text && next.start === start + 1;
}

function closingAngle(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    if (text === '(') i = closing(tokens, i);
    if (text === '<') depth++;
    if (text === '>' && --depth === 0) return i;
    if (text === ';' || text === '{') return i;
  }
  return tokens.length - 1;
}

function openingAngle(tokens: readonly Token[], close: number): number | undefined {
  let depth = 0;
  let round = 0;
  for (let i = close; i >= 0 && i > close - 64; i--) {
    const { text } = tokens[i]!;
    if (text === ')') round++;
    if (text === '(' && --round < 0) return undefined;
    if (round > 0) continue;
    if (text === '>') depth++;
    if (text === '<' && --depth === 0) return i;
    if (text === ';' || text === '{' || text === '}') return undefined;
  }
  return undefined;
}
