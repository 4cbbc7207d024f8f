/**
 * What the rules know of a source without a syntax tree: the kind of the scope around each token, the kernels with
 * their parameters, and the structs.
 */
import { integerConstants, integerValue } from './integers.ts';
import { type Token, tokenize } from './tokens.ts';

export type ScopeKind = 'namespace' | 'struct' | 'function' | 'kernel' | 'block' | 'initialiser';

export interface KernelParameterText {
  readonly tokens: readonly Token[];
  readonly attribute: string | undefined;
  readonly attributeArgument: string | undefined;
  /** The function constant without which there is no such argument. */
  readonly guard: string | undefined;
}

export interface KernelText {
  readonly name: Token;
  readonly attributes: ReadonlyMap<string, string>;
  readonly returnType: string;
  readonly parameters: readonly KernelParameterText[];
  /** Of the template that the kernel is; undefined when it is none. */
  readonly templateParameters: readonly (readonly Token[])[] | undefined;
  /** Indices of tokens: of `{` and of the matching `}`. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

export interface StructText {
  readonly name: Token;
  readonly fields: readonly (readonly Token[])[];
}

export interface Structure {
  readonly tokens: readonly Token[];
  /** For each token, the scopes around it, outermost first; empty at program scope. */
  readonly scopes: readonly (readonly ScopeKind[])[];
  readonly kernels: readonly KernelText[];
  readonly structs: readonly StructText[];
  readonly typeNames: ReadonlySet<string>;
  /** Where the parameters of templates are types, by name: from token to token. Elsewhere the name may be a variable's. */
  readonly templateTypes: ReadonlyMap<string, readonly (readonly [number, number])[]>;
}

const scalarTypes = [
  'void',
  'bool',
  'char',
  'uchar',
  'short',
  'ushort',
  'int',
  'uint',
  'long',
  'ulong',
  'half',
  'bfloat',
  'float',
  'size_t',
  'ptrdiff_t',
  'int8_t',
  'uint8_t',
  'int16_t',
  'uint16_t',
  'int32_t',
  'uint32_t',
  'int64_t',
  'uint64_t',
];

const builtinTypes: ReadonlySet<string> = new Set([
  ...scalarTypes,
  ...scalarTypes.flatMap((t) => [`${t}2`, `${t}3`, `${t}4`]),
  'simdgroup_float8x8',
  'simdgroup_half8x8',
  'simdgroup_bfloat8x8',
]);

export function analyse(tokens: readonly Token[]): Structure {
  const scopes = scopesOf(tokens);
  const structs = structsOf(tokens);
  const typeNames = new Set(builtinTypes);
  for (const s of structs) typeNames.add(s.name.text);
  tokens.forEach((t, i) => {
    const before = tokens[i - 1]?.text;
    if (before === 'class' && t.kind === 'word' && tokens[i + 1]?.text === '{')
      typeNames.add(t.text);
    if (tokens[i - 1]?.text === 'using' && tokens[i + 1]?.text === '=') typeNames.add(t.text);
  });
  const templateTypes = templateTypesOf(tokens, typeNames);
  for (const name of templateTypes.keys()) typeNames.add(name);
  return {
    tokens,
    scopes,
    kernels: numbered(kernelsOf(tokens), tokens),
    structs,
    typeNames,
    templateTypes,
  };
}

/** Kernels whose attributes have numbers in place of names and expressions, where those are known. */
function numbered(kernels: readonly KernelText[], tokens: readonly Token[]): KernelText[] {
  const values = integerConstants(tokens);
  const number = (text: string): string =>
    /^\d*$/.test(text) ? text : String(integerValue(tokenize(text), values) ?? text);
  const limit = 'max_total_threads_per_threadgroup';
  return kernels.map((k) => {
    const threads = k.attributes.get(limit);
    return {
      ...k,
      attributes:
        threads === undefined
          ? k.attributes
          : new Map([...k.attributes, [limit, number(threads)] as const]),
      parameters: k.parameters.map((p) =>
        p.attributeArgument === undefined || !['buffer', 'threadgroup'].includes(p.attribute ?? '')
          ? p
          : { ...p, attributeArgument: number(p.attributeArgument) },
      ),
    };
  });
}

/** Whether the word at `i` names a type there. */
export function isTypeAt({ tokens, typeNames, templateTypes }: Structure, i: number): boolean {
  const { text } = tokens[i]!;
  if (!typeNames.has(text)) return false;
  const ranges = templateTypes.get(text);
  return ranges === undefined || ranges.some(([from, to]) => from <= i && i < to);
}

function templateTypesOf(
  tokens: readonly Token[],
  others: ReadonlySet<string>,
): Map<string, (readonly [number, number])[]> {
  const types = new Map<string, (readonly [number, number])[]>();
  tokens.forEach((token, i) => {
    if (token.text !== 'template' || tokens[i + 1]?.text !== '<') return;
    const names: string[] = [];
    let depth = 0;
    let at = i + 1;
    for (; at < tokens.length; at++) {
      const { text } = tokens[at]!;
      if (text === '<') depth++;
      if (text === '>' && --depth === 0) break;
      if (text !== 'typename' && text !== 'class') continue;
      const name = tokens[at + 1]!;
      if (name.kind === 'word' && !others.has(name.text)) names.push(name.text);
    }
    if (names.length === 0) return;
    while (at < tokens.length && tokens[at]!.text !== '{' && tokens[at]!.text !== ';') at++;
    const end = tokens[at]?.text === '{' ? closing(tokens, at) : at;
    for (const name of names) types.set(name, [...(types.get(name) ?? []), [i, end]]);
  });
  return types;
}

/** The index of the bracket that closes the one at `open`; the last token when there is none. */
export function closing(tokens: readonly Token[], open: number): number {
  const pairs: Record<string, string> = { '(': ')', '[': ']', '{': '}' };
  const from = tokens[open]!.text;
  const to = pairs[from];
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]!.text === from) depth++;
    else if (tokens[i]!.text === to && --depth === 0) return i;
  }
  return tokens.length - 1;
}

function scopesOf(tokens: readonly Token[]): readonly (readonly ScopeKind[])[] {
  const result: (readonly ScopeKind[])[] = [];
  let stack: readonly ScopeKind[] = [];
  let statementStart = 0;
  let parentheses = 0;
  tokens.forEach((token, i) => {
    if (token.text === '}') stack = stack.slice(0, -1);
    result.push(stack);
    if (token.text === '(') parentheses++;
    if (token.text === ')') parentheses--;
    if (token.text === '{') {
      const isOutside = stack.every((kind) => kind === 'namespace' || kind === 'initialiser');
      const isValue = parentheses > 0 && isOutside;
      stack = [...stack, isValue ? 'initialiser' : scopeKind(tokens, statementStart, i, stack)];
    }
    const isBrace = token.text === '{' || token.text === '}';
    if ((isBrace && parentheses === 0) || (token.text === ';' && parentheses === 0)) {
      statementStart = i + 1;
    }
  });
  return result;
}

function scopeKind(
  tokens: readonly Token[],
  start: number,
  brace: number,
  stack: readonly ScopeKind[],
): ScopeKind {
  const head = tokens
    .slice(start, brace)
    .filter((t) => t.kind !== 'directive')
    .map((t) => t.text);
  if (head.includes('namespace')) return 'namespace';
  if (stack.includes('function') || stack.includes('kernel')) {
    const before = head[head.length - 1];
    return before === '=' || before === ',' || before === 'return' ? 'initialiser' : 'block';
  }
  if (isStruct(head)) return 'struct';
  if (head.includes('(')) return head.includes('kernel') ? 'kernel' : 'function';
  if (head.includes('enum') || head.includes('union')) return 'struct';
  return 'initialiser';
}

/** `struct X : Base<(N > 0)>` with or without a template before it, and not `struct X f()`. */
function isStruct(head: readonly string[]): boolean {
  let at = 0;
  while (head[at] === 'template') {
    let depth = 0;
    for (at++; at < head.length; at++) {
      if (head[at] === '<') depth++;
      if (head[at] === '>' && --depth === 0) break;
    }
    at++;
  }
  const last = head[head.length - 1];
  return (head[at] === 'struct' || head[at] === 'class') && last !== ')' && last !== 'const';
}

function structsOf(tokens: readonly Token[]): StructText[] {
  const structs: StructText[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== 'struct' || tokens[i + 2]?.text !== '{') return;
    const end = closing(tokens, i + 2);
    const fields: Token[][] = [];
    let field: Token[] = [];
    for (const t of tokens.slice(i + 3, end)) {
      if (t.text === ';') {
        fields.push(field);
        field = [];
      } else field.push(t);
    }
    structs.push({ name: tokens[i + 1]!, fields });
  });
  return structs;
}

function kernelsOf(tokens: readonly Token[]): KernelText[] {
  const kernels: KernelText[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.text !== 'kernel') continue;
    const attributes = new Map<string, string>();
    const words: Token[] = [];
    let at = i + 1;
    // `kernel void name(` or `[[kernel, ...]] void name(`, with other attributes before or after
    const outer = enclosingAttribute(tokens, i);
    if (outer !== undefined) {
      addAttributes(tokens.slice(outer, closing(tokens, outer) + 1), attributes);
      at = closing(tokens, outer) + 1;
    }
    for (let b = (outer ?? i) - 1; b > 0 && tokens[b]!.text === ']'; ) {
      const start = opening(tokens, b);
      addAttributes(tokens.slice(start, b + 1), attributes);
      b = start - 1;
    }
    while (at < tokens.length && tokens[at]!.text !== '(' && tokens[at]!.text !== ';') {
      if (tokens[at]!.text === '[') {
        const end = closing(tokens, at);
        addAttributes(tokens.slice(at, end + 1), attributes);
        at = end + 1;
      } else {
        if (tokens[at]!.kind === 'word') words.push(tokens[at]!);
        at++;
      }
    }
    const name = words[words.length - 1];
    if (tokens[at]?.text !== '(' || name === undefined) continue;
    const endOfParameters = closing(tokens, at);
    if (tokens[endOfParameters + 1]?.text !== '{') continue;
    kernels.push({
      name,
      attributes,
      // `void kernel name(` too
      returnType: words[words.length - 2]?.text ?? tokens[i - 1]?.text ?? '',
      parameters: splitParameters(tokens.slice(at + 1, endOfParameters)),
      templateParameters: templateParameters(tokens, i),
      bodyStart: endOfParameters + 1,
      bodyEnd: closing(tokens, endOfParameters + 1),
    });
  }
  return kernels;
}

/** Of the `template <...>` that stands before the word at `i`, in the same declaration. */
function templateParameters(
  tokens: readonly Token[],
  i: number,
): readonly (readonly Token[])[] | undefined {
  for (let start = i - 1; start >= 0; start--) {
    const { text } = tokens[start]!;
    if ([';', '{', '}'].includes(text)) return undefined;
    if (text !== 'template') continue;
    const parameters: Token[][] = [[]];
    let depth = 0;
    for (const t of tokens.slice(start + 2, i)) {
      if ('(<['.includes(t.text)) depth++;
      if (')>]'.includes(t.text) && --depth < 0) break;
      if (t.text === ',' && depth === 0) parameters.push([]);
      else parameters[parameters.length - 1]!.push(t);
    }
    return parameters.filter((p) => p.length > 0);
  }
  return undefined;
}

function opening(tokens: readonly Token[], close: number): number {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (tokens[i]!.text === ']') depth++;
    else if (tokens[i]!.text === '[' && --depth === 0) return i;
  }
  return 0;
}

/** The index of the first `[` of `[[..., kernel, ...]]`, when the word at `i` stands in one. */
function enclosingAttribute(tokens: readonly Token[], i: number): number | undefined {
  for (let b = i - 1; b > 0; b--) {
    const text = tokens[b]!.text;
    if (text === '[' && tokens[b - 1]!.text === '[') return b - 1;
    if (text === ']' || text === ';' || text === '}' || text === '{') return undefined;
  }
  return undefined;
}

/** From `[[name(argument), name]]`. */
function addAttributes(tokens: readonly Token[], into: Map<string, string>): void {
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.kind !== 'word') continue;
    let argument = '';
    const name = tokens[i]!.text;
    if (tokens[i + 1]?.text === '(') {
      const end = closing(tokens, i + 1);
      argument = tokens
        .slice(i + 2, end)
        .map((t) => t.text)
        .join('');
      i = end;
    }
    into.set(name, argument);
  }
}

function splitParameters(tokens: readonly Token[]): KernelParameterText[] {
  const groups: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if ('([{<'.includes(token.text)) depth++;
    if (')]}>'.includes(token.text)) depth--;
    if (token.text === ',' && depth === 0) groups.push([]);
    else groups[groups.length - 1]!.push(token);
  }
  return groups
    .filter((g) => g.length > 0)
    .map((g) => {
      const bracket = g.findIndex((t, i) => t.text === '[' && g[i + 1]?.text === '[');
      if (bracket < 0) {
        return {
          tokens: g,
          attribute: undefined,
          attributeArgument: undefined,
          guard: undefined,
        };
      }
      const attributes = new Map<string, string>();
      addAttributes(g.slice(bracket), attributes);
      const [entry] = attributes;
      return {
        tokens: g.slice(0, bracket),
        attribute: entry?.[0],
        attributeArgument: entry?.[1],
        guard: attributes.get('function_constant'),
      };
    });
}
