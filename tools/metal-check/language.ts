/**
 * The rules of Metal that clang's OpenCL C++ mode does not have: what any Metal source must keep, whoever wrote it. Each looks at tokens,
 * scopes and kernel signatures and reports what a Metal compiler refuses.
 */
import {
  addressSpaceOnOtherPointers,
  initialisersAreConstant,
  noLongDoubleLiterals,
  noLongLong,
  noNoexceptOperator,
  noOtherLanguages,
  noReservedNames,
  otherGlobalsAreConstant,
} from './declarations.ts';
import { error, type Rule, type RuleError } from './rule.ts';
import { bindings, functionConstants, inputTypes, kernelsAreNoMembers } from './signatures.ts';
import { closing, isTypeAt, type KernelText, type Structure } from './structure.ts';
import type { Token } from './tokens.ts';
import { forbiddenWords, kernelInputs, keywords } from './words.ts';

export const addressSpaces: ReadonlySet<string> = new Set([
  'device',
  'constant',
  'threadgroup',
  'thread',
]);

export const noForbiddenWords: Rule = ({ tokens }) =>
  tokens.flatMap((t, i) => {
    if (t.kind !== 'word') return [];
    // the deviation of a mean may be called std
    if (t.text === 'std' && tokens[i + 1]?.text !== '::' && tokens[i - 1]?.text !== 'namespace')
      return [];
    const reason = forbiddenWords.get(t.text);
    if (reason !== undefined) return [error(t, reason)];
    if (t.text === 'delete' && tokens[i - 1]?.text !== '=') {
      return [error(t, 'Metal has no delete')];
    }
    if (t.text === 'long' && tokens[i + 1]?.text === 'long') {
      return [error(t, 'Metal has no long long: long has 64 bits')];
    }
    return [];
  });

export const isInFunction = (s: Structure, i: number): boolean =>
  s.scopes[i]!.includes('function') || s.scopes[i]!.includes('kernel');

export const noStaticLocals: Rule = (s) =>
  s.tokens.flatMap((t, i) =>
    (t.text === 'static' || t.text === 'extern') && isInFunction(s, i)
      ? [error(t, `variables in function scope cannot be declared ${t.text}`)]
      : [],
  );

/** `[` begins an attribute when doubled, a subscript after a value, and else a lambda. */
export const noLambdas: Rule = ({ tokens }) =>
  tokens.flatMap((t, i) => {
    if (t.text !== '[' || tokens[i + 1]?.text === '[' || tokens[i - 1]?.text === '[') return [];
    // after a lambda's captures come parameters or its body; not so after `[0 ... 3]` in a list of values
    const after = tokens[closing(tokens, i) + 1]?.text;
    if (after !== '(' && after !== '{') return [];
    const before = tokens[i - 1];
    const isAfterValue =
      before !== undefined &&
      ((before.kind === 'word' && before.text !== 'return') ||
        before.kind === 'string' ||
        [')', ']', '>'].includes(before.text));
    return isAfterValue
      ? []
      : [error(t, 'lambda expressions are not supported in Metal before 3.2')];
  });

/** Names after which `<` begins a list of arguments of a type. */
const typeTemplates: ReadonlySet<string> = new Set([
  'vec',
  'array',
  'atomic',
  'matrix',
  'packed_vec',
  'simdgroup_matrix',
]);

/** Where a type begins that ends before token `i`; undefined when it is no type. */
function typeStart(s: Structure, i: number): number | undefined {
  const before = s.tokens[i - 1]!;
  if (before.text === '>') {
    let depth = 0;
    for (let at = i - 1; at > 0 && at > i - 40; at--) {
      const { text } = s.tokens[at]!;
      if (text === '>') depth++;
      if (text === '<' && --depth === 0) {
        const name = s.tokens[at - 1]!.text;
        return typeTemplates.has(name) || s.typeNames.has(name) ? at - 1 : undefined;
      }
    }
    return undefined;
  }
  const isMember = s.tokens[i - 2]?.text === '.' || s.tokens[i - 2]?.text === '->';
  const isType = isTypeAt(s, i - 1) || /^(?:packed|atomic)_\w+$/.test(before.text);
  return isType && !isMember ? i - 1 : undefined;
}

export const addressSpaceOnPointers: Rule = (s) =>
  s.tokens.flatMap((t, i) => {
    if ((t.text !== '*' && t.text !== '&') || i === 0) return [];
    const start = typeStart(s, i);
    if (start === undefined) return [];
    for (let b = start; b >= 0; b--) {
      const token = s.tokens[b]!;
      if (addressSpaces.has(token.text)) return [];
      if (token.kind !== 'word' && token.text !== '::') break;
    }
    const what = t.text === '*' ? 'pointer' : 'reference';
    return [error(t, `${what} type must have explicit address space qualifier`)];
  });

function withoutAttributes(tokens: readonly Token[]): string[] {
  const texts: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.text === '[' && tokens[i + 1]?.text === '[') i = closing(tokens, i);
    else texts.push(tokens[i]!.text);
  }
  return texts;
}

export const programScopeIsConstant: Rule = (s) => {
  const errors: RuleError[] = [];
  let start = 0;
  s.tokens.forEach((t, i) => {
    const isProgramScope = s.scopes[i]!.every((k) => k === 'namespace');
    if (!isProgramScope) return;
    const isInitialiser =
      (t.text === '{' && s.scopes[i + 1]?.includes('initialiser')) ||
      (t.text === '}' && s.scopes[i - 1]?.includes('initialiser'));
    if (isInitialiser) return;
    if (t.text === '}' || t.text === '{' || t.kind === 'directive') start = i + 1;
    if (t.text !== ';') return;
    const head = withoutAttributes(s.tokens.slice(start, i));
    start = i + 1;
    const end = head.findIndex((x) => x === '=' || x === '{');
    const declarator = end < 0 ? head : head.slice(0, end);
    const isOther = [
      'struct',
      'class',
      'union',
      'extern',
      'friend',
      'using',
      'typedef',
      'template',
      'static_assert',
      'enum',
      'namespace',
    ];
    if (declarator.length < 2 || declarator.includes('(')) return;
    if (isOther.includes(declarator[0]!)) return;
    if (!declarator.includes('constant')) {
      errors.push(error(t, 'program scope variable must reside in constant address space'));
    }
  });
  return errors;
};

// ---------------------------------------------------------------------------------------------------------
// Kernels

/** Functions of the library that kernels are often named after, and call. */
const isLibraryFunction = (name: string): boolean =>
  /^(?:a?(?:cos|sin|tan)h?|(?:cos|sin|tan)pi|atan2|ceil|copysign|divide|exp(?:2|10)?|f?abs|fdim|floor|fma|f?(?:max|min|median)3?|fmod|fract|frexp|ilogb|ldexp|log(?:2|10)?|modf|nextafter|powr?|rint|round|r?sqrt|sincos|trunc|clamp|mix|saturate|sign|smoothstep|step|dot|cross|length(?:_squared)?|distance(?:_squared)?|normalize|reflect|refract|transpose|determinant|absdiff|popcount|clz|ctz|rotate|mulhi|select|all|any|is(?:nan|inf|finite))$/.test(
    name,
  );

/** Whether a function that is no kernel has the name of a kernel. */
const isFunctionToo = (
  { kernels, tokens, scopes }: Pick<Structure, 'kernels' | 'tokens' | 'scopes'>,
  { name }: KernelText,
): boolean =>
  tokens.some(
    (t, i) =>
      t.text === name.text &&
      tokens[i + 1]?.text === '(' &&
      scopes[i]!.every((kind) => kind === 'namespace') &&
      tokens[closing(tokens, i + 1) + 1]?.text === '{' &&
      !kernels.some((k) => k.name === t),
  );

/** The name of the namespace around a token. */
function innermost(tokens: readonly Token[], scopes: Structure['scopes'], i: number): string {
  const depth = scopes[i]!.length;
  for (let at = i - 1; at >= 0 && depth > 0; at--) {
    if (tokens[at]!.text === '{' && scopes[at]!.length === depth - 1) return tokens[at - 1]!.text;
  }
  return '';
}

export const kernelNames: Rule = ({ kernels, tokens, scopes }) => {
  const errors: RuleError[] = [];
  const seen = new Set<string>();
  for (const k of kernels) {
    const isOthers =
      isLibraryFunction(k.name.text) || isFunctionToo({ kernels, tokens, scopes }, k);
    const isPlain = k.templateParameters === undefined;
    const key = `${innermost(tokens, scopes, tokens.indexOf(k.name))} ${k.name.text}`;
    if (isPlain && seen.has(key)) errors.push(error(k.name, `kernel ${k.name.text} is overloaded`));
    if (isPlain) seen.add(key);
    if (k.returnType !== 'void') errors.push(error(k.name, 'a kernel must return void'));
    const calls = tokens.filter(
      (t, i) =>
        t.text === k.name.text &&
        tokens[i + 1]?.text === '(' &&
        !['.', '->', '::'].includes(tokens[i - 1]?.text ?? '') &&
        scopes[i]!.some((kind) => kind === 'function' || kind === 'kernel'),
    );
    for (const call of isOthers ? [] : calls.filter((c) => c !== k.name)) {
      if (!kernels.some((o) => o.name === call)) {
        errors.push(error(call, `kernel ${k.name.text} may not be called`));
      }
    }
  }
  return errors;
};

/** Kernels are not called `main`, and nothing else is. */
const noMain: Rule = (s) =>
  s.tokens.flatMap((t, i) =>
    t.text === 'main' &&
    s.tokens[i + 1]?.text === '(' &&
    s.tokens[i - 1]?.kind === 'word' &&
    s.scopes[i]!.every((k) => k === 'namespace')
      ? [error(t, "function cannot be named 'main'")]
      : [],
  );

/** Words with a meaning of their own in Metal, as names. */
const noKeywordsAsNames: Rule = (s) =>
  s.tokens.flatMap((t, i) => {
    const before = s.tokens[i - 1];
    const after = s.tokens[i + 1]?.text ?? '';
    if (!keywords.has(t.text) || before === undefined) return [];
    const isName = s.typeNames.has(before.text) && ['=', ';', ',', ')', '[', '{'].includes(after);
    return isName ? [error(t, `'${t.text}' is a keyword in Metal and cannot be a name`)] : [];
  });

/** A function constant has its value when a pipeline is made, too late for the size of an array. */
const noArraysOfFunctionConstants: Rule = (s) => {
  const names = new Set<string>();
  s.tokens.forEach((t, i) => {
    if (t.text === 'function_constant' && s.scopes[i]!.every((k) => k === 'namespace')) {
      const name = s.tokens[i - 3];
      if (name?.kind === 'word') names.add(name.text);
    }
  });
  return s.tokens.flatMap((t, i) => {
    if (t.text !== '[' || !isInFunction(s, i) || !s.typeNames.has(s.tokens[i - 2]?.text ?? ''))
      return [];
    const inside = s.tokens.slice(i + 1, closing(s.tokens, i));
    return inside.some((x) => names.has(x.text))
      ? [error(t, 'a function constant cannot be the length of an array')]
      : [];
  });
};

/** Only integers become a bfloat without a cast; clang lets literals that fit. */
const noBfloatOfFloat: Rule = ({ tokens }) => {
  const names = new Set(['bfloat']);
  tokens.forEach((t, i) => {
    if (t.text === 'typedef' && tokens[i + 1]?.text === 'bfloat') names.add(tokens[i + 2]!.text);
    if (t.text === 'using' && tokens[i + 3]?.text === 'bfloat') names.add(tokens[i + 1]!.text);
  });
  return tokens.flatMap((t, i) => {
    if (!names.has(t.text) || tokens[i + 1]?.kind !== 'word' || tokens[i + 2]?.text !== '=')
      return [];
    const at = tokens[i + 3]?.text === '-' ? i + 4 : i + 3;
    const literal = tokens[at];
    const isFloat =
      literal?.kind === 'number' && /^(?!0x)[\d.]*(?:\.|e[-+]?\d|f$)/i.test(literal.text);
    const isWhole = [';', ','].includes(tokens[at + 1]?.text ?? '');
    return isFloat && isWhole && !/(?:bf|h)$/i.test(literal.text)
      ? [error(literal, "implicit conversion from 'float' to 'bfloat': it needs a cast")]
      : [];
  });
};

/** Atomics are in memory that threads share. */
const noAtomicsOfOneThread: Rule = (s) =>
  s.tokens.flatMap((t, i) => {
    if (!/^atomic(?:_u?int|_float|_bool|_ulong)?$/.test(t.text) || !isInFunction(s, i)) return [];
    let end = i + 1;
    if (t.text === 'atomic') {
      if (s.tokens[end]?.text !== '<') return [];
      while (end < s.tokens.length && s.tokens[end]!.text !== '>') end++;
      end++;
    }
    let start = i - 1;
    while (['metal', '::', 'const', 'volatile'].includes(s.tokens[start]!.text)) start--;
    const isDeclared =
      s.tokens[end]?.kind === 'word' &&
      [';', '[', '=', ','].includes(s.tokens[end + 1]?.text ?? '');
    const before = s.tokens[start]!.text;
    const isOfThread = before === 'thread' || ([';', '{', '}'].includes(before) && isDeclared);
    return isOfThread ? [error(t, 'an atomic object must be in device or threadgroup memory')] : [];
  });

const threadLimit: Rule = ({ kernels }) =>
  kernels.flatMap((k) => {
    const text = k.attributes.get('max_total_threads_per_threadgroup');
    const threads = Number(text);
    if (text === undefined || Number.isNaN(threads)) return [];
    return threads >= 1 && threads <= 1024
      ? []
      : [error(k.name, 'max_total_threads_per_threadgroup must be between 1 and 1024')];
  });

const kernelParameters: Rule = (s) => s.kernels.flatMap((k) => parameterErrors(k));

const positionInputs: ReadonlySet<string> = new Set([
  'thread_position_in_grid',
  'threads_per_grid',
  'thread_position_in_threadgroup',
  'threads_per_threadgroup',
  'dispatch_threads_per_threadgroup',
  'threadgroup_position_in_grid',
  'threadgroups_per_grid',
]);
/** Inputs that must have one type. */
const pairs: readonly (readonly [string, string])[] = [
  ['thread_position_in_grid', 'threads_per_grid'],
  ['thread_position_in_threadgroup', 'threads_per_threadgroup'],
];

function parameterErrors(kernel: KernelText): readonly RuleError[] {
  const errors: RuleError[] = [];
  const used = { buffer: new Set<number>(), threadgroup: new Set<number>() };
  const widths = new Set<string>();
  const types = new Map<string, string>();
  for (const p of kernel.parameters) {
    const words = p.tokens.map((t) => t.text);
    const name = p.tokens[p.tokens.length - 1]!;
    // an array is a pointer to its first element
    if (words.includes('*') || words.includes('&') || words[words.length - 1] === ']') {
      errors.push(...bindingErrors(p.attribute, p.attributeArgument, name, used, words));
      continue;
    }
    const type = words
      .slice(0, -1)
      .filter((w) => w !== 'metal' && w !== '::' && w !== 'const')
      .join(' ');
    const allowed = p.attribute === undefined ? undefined : kernelInputs.get(p.attribute);
    if (p.attribute === undefined || p.attribute === 'buffer') {
      errors.push(error(name, `invalid type '${type}' for input declaration in a kernel function`));
    } else if (allowed === undefined) {
      if (!otherAttributes.test(p.attribute))
        errors.push(error(name, `unknown attribute '${p.attribute}' of a kernel's input`));
    } else if (/^u?(?:int|short|char|long)\d?$|^(?:bool|half|float|size_t)\d?$/.test(type)) {
      if (!allowed.includes(type)) {
        errors.push(
          error(
            name,
            `invalid type '${type}' for attribute '${p.attribute}': must be of type ${allowed.join(', ')}`,
          ),
        );
      }
      types.set(p.attribute, type);
      if (positionInputs.has(p.attribute)) widths.add(type.replace(/^u?(int|short)/, ''));
    }
  }
  if (widths.size > 1) {
    errors.push(error(kernel.name, 'position attributes of a kernel must share one vector width'));
  }
  for (const [a, b] of pairs) {
    const [x, y] = [types.get(a), types.get(b)];
    if (x !== undefined && y !== undefined && x !== y)
      errors.push(error(kernel.name, `'${a}' and '${b}' must have the same type`));
  }
  return errors;
}

const otherAttributes =
  /^(?:texture|sampler|stage_in|function_constant|payload|color|host_name|clang)/;

function bindingErrors(
  attribute: string | undefined,
  argument: string | undefined,
  name: Token,
  used: { readonly buffer: Set<number>; readonly threadgroup: Set<number> },
  words: readonly string[],
): readonly RuleError[] {
  if (attribute !== 'buffer' && attribute !== 'threadgroup') return [];
  if (attribute === 'threadgroup' && !words.includes('threadgroup'))
    return [error(name, "'threadgroup' attribute only applies to threadgroup memory")];
  if (attribute === 'buffer' && words.includes('threadgroup'))
    return [error(name, "'buffer' attribute only applies to device and constant memory")];
  const index = Number(argument);
  // a constant by name is left to clang
  if (Number.isNaN(index)) return [];
  if (index < 0 || index > 30) {
    return [
      error(name, `'${attribute}' attribute parameter is out of bounds: must be between 0 and 30`),
    ];
  }
  if (used[attribute].has(index))
    return [
      error(
        name,
        `cannot reserve '${attribute}' resource location at index ${index}: it is used twice`,
      ),
    ];
  used[attribute].add(index);
  return [];
}

const languageRules: readonly Rule[] = [
  noForbiddenWords,
  noStaticLocals,
  noLambdas,
  addressSpaceOnPointers,
  programScopeIsConstant,
  noKeywordsAsNames,
  noMain,
  noArraysOfFunctionConstants,
  kernelNames,
  noBfloatOfFloat,
  noAtomicsOfOneThread,
  threadLimit,
  kernelParameters,
  noLongLong,
  noNoexceptOperator,
  noOtherLanguages,
  noLongDoubleLiterals,
  addressSpaceOnOtherPointers,
  otherGlobalsAreConstant,
  initialisersAreConstant,
  noReservedNames,
  inputTypes,
  bindings,
  kernelsAreNoMembers,
  functionConstants,
];

/** What Metal refuses, in order of lines. */
export function checkLanguage(s: Structure, version: number = 310): RuleError[] {
  const rules = languageRules.filter((rule) => rule !== noLambdas || version < 320);
  return rules.flatMap((rule) => rule(s)).sort((a, b) => a.line - b.line);
}
