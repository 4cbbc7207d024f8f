/**
 * Metal source, after its preprocessor, as C++ for OpenCL that clang compiles for this machine: address spaces and kernels go by
 * other names, threadgroup declarations become references to memory of the engine, and everything else stays where it is, so that
 * lines and messages are those of the source.
 */
import { integerConstants, integerValue } from '../../metal-check/integers.ts';
import { closing, type KernelText, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import { openClOnlyWords } from '../../metal-check/words.ts';
import { argumentBuffer } from './argument-buffers.ts';
import { listArguments } from './braces.ts';
import { conditions } from './conditions.ts';
import { constantUsers, usesAny } from './constant-users.ts';
import { constructors } from './constructors.ts';
import { deducedVectors } from './deduction.ts';
import { applyEdits, type Edit, type EditedText, editedText } from './edit.ts';
import { arrayParameters, functionArguments } from './functions.ts';
import { type InstanceText, instanceProblem, parameterCount } from './instances.ts';
import { vectorLists } from './lists.ts';
import { memberFunctions } from './members.ts';
import { mixedOperators } from './mixed.ts';
import { constantData } from './spaces.ts';
import { temporaries } from './temporaries.ts';
import { threadLimit } from './threads.ts';

/** Values of function constants, by index: C++ text such as `true`, `7` or `0x1p-3f`. */
export type ConstantValues = ReadonlyMap<number, string>;

export interface TranslatedParameter {
  readonly name: string;
  /** device, constant and threadgroup memory, or the name of a built-in input. */
  readonly kind: 'device' | 'constant' | 'threadgroup' | 'builtin';
  readonly builtin: string | undefined;
  /** `[[buffer(n)]]` or `[[threadgroup(n)]]`. */
  readonly index: number;
  /** The function constant without which there is no argument. */
  readonly guard: string | undefined;
  /** Of a struct that is an argument buffer. */
  readonly members?: ArgumentBuffer;
}

export interface ArgumentBuffer {
  readonly struct: string;
  readonly members: readonly {
    readonly name: string;
    readonly index: number;
    readonly isPointer: boolean;
  }[];
}

export interface TranslatedKernel {
  /** What `newFunctionWithName:` takes. */
  readonly hostName: string;
  /** The function, in C++: `add`, `ns::add<float>`. */
  readonly expression: string;
  /** Its type. */
  readonly type: string;
  readonly parameters: readonly TranslatedParameter[];
  readonly maxThreads: number;
  /** Whether its threads may wait for each other. */
  readonly hasBarriers: boolean;
  readonly usesConstants: boolean;
}

export interface FunctionConstant {
  readonly name: string;
  readonly type: string;
  readonly index: number;
}

export interface Translation {
  readonly edited: EditedText;
  readonly kernels: readonly TranslatedKernel[];
  readonly constants: readonly FunctionConstant[];
  /** Whether members are forwarded to. */
  readonly isForwarding: boolean;
}

/** Source that the translation cannot follow: told like an error of the compiler. */
export class TranslationProblem extends Error {
  override readonly name: string = 'TranslationProblem';
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const spaces: ReadonlyMap<string, string> = new Map([
  ['device', 'metal_sim_device'],
  ['threadgroup', '__local'],
  ['thread', '__private'],
]);

/** Functions of stages are ordinary ones; those of the graphics pipeline are there, and the host cannot ask for them. */
const stages: ReadonlySet<string> = new Set(['kernel', 'vertex', 'fragment']);

/** Types that clang has by these names without being asked. */
const openClTypes = /^atomic_(?:u?int|float|bool|ulong)$/;

/** What a first attempt at compiling found. */
export interface TranslationHints {
  /** Operators between a vector and a scalar of a wider type. */
  readonly wider: ReadonlySet<number>;
  /** Whether references to the thread's memory are bound to temporaries. */
  readonly areTemporariesBound: boolean;
  /** Whether members are called on temporaries through others, which leaves clang few that it could take wrongly. */
  readonly isForwarding: boolean;
}

const noHints: TranslationHints = {
  wider: new Set(),
  areTemporariesBound: false,
  isForwarding: true,
};

/** `structure` is of `source`, with the lines that messages are to have. */
export function translateMetal(
  source: string,
  structure: Structure,
  values: ConstantValues,
  { wider, areTemporariesBound, isForwarding }: TranslationHints = noHints,
): Translation {
  const edits: Edit[] = [...mixedOperators(structure.tokens, wider)];
  if (areTemporariesBound) edits.push(...temporaries(structure));
  const constants = functionConstants(structure, values, edits);
  const defined = new Set(constants.filter((c) => values.has(c.index)).map((c) => c.name));
  for (const [k, kernel] of structure.kernels.entries())
    threadgroupLocals(structure, kernel, k, edits);
  const instances = instantiations(structure, edits);
  const problem = instanceProblem(structure, instances);
  if (problem !== undefined) throw new TranslationProblem(problem.message, problem.line);
  const isInFunction = (i: number): boolean =>
    structure.scopes[i]!.some((kind) => kind === 'function' || kind === 'kernel');
  const members = memberFunctions(structure, isForwarding);
  edits.push(
    ...constructors(structure, isInFunction),
    ...functionArguments(structure.tokens),
    ...arrayParameters(structure),
    ...vectorLists(structure),
    ...members.edits,
    ...constantData(structure),
    ...deducedVectors(structure),
  );
  edits.push(
    ...conditions(structure.tokens, isInFunction),
    ...listArguments(structure.tokens, isInFunction),
  );
  words(structure, defined, edits);
  edits.push(
    ...members.forwarders.map(({ at, text }) => {
      return { from: at, to: at, text: editedText(structure.tokens, edits, text) };
    }),
  );
  const waiting = waitingNames(structure);
  const kernels = structure.kernels.flatMap((kernel) =>
    kernelsOf(structure, kernel, instances, waiting, constants),
  );
  return {
    edited: applyEdits(source, structure.tokens, edits),
    kernels,
    constants,
    isForwarding: members.forwarders.length > 0,
  };
}

// ---------------------------------------------------------------------------------------------------------
// Words

/** A number that C++ takes for a double, and Metal, which has none, for a float. */
const doubleLiteral = /^(?:(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?|\d+e[+-]?\d+|0x[\da-f.]+p[+-]?\d+)$/i;

/** Address spaces and keywords by other names. */
function words(structure: Structure, defined: ReadonlySet<string>, edits: Edit[]): void {
  const { tokens } = structure;
  const taken = new Set<number>();
  for (const { from, to } of edits) for (let i = from; i < to; i++) taken.add(i);
  let attribute = -1;
  tokens.forEach((token, i) => {
    const next = tokens[i + 1]?.text;
    if (token.text === '[' && next === '[') attribute = closing(tokens, i);
    const replace = (text: string, count = 1): void => {
      if (!taken.has(i)) edits.push({ from: i, to: i + count, text });
    };
    if (token.kind === 'number' && /bf$/i.test(token.text)) {
      replace(`bfloat(${token.text.slice(0, -2)}f)`);
      return;
    }
    if (token.kind === 'number' && doubleLiteral.test(token.text)) {
      replace(`${token.text}f`);
      return;
    }
    if (token.kind === 'directive') {
      if (!/^#\s*(?:\d|line\b)/.test(token.text)) replace('');
      return;
    }
    if (token.kind === 'string' && token.text.startsWith('"') && i >= attribute) {
      if (!isMessage(tokens, i)) replace(`metal_sim::text(${token.text})`);
      return;
    }
    if (token.kind !== 'word') return;
    if (i < attribute) {
      if (token.text === 'kernel') replace('metal_kernel');
      else if (spaces.has(token.text)) replace(`metal_${token.text}`);
      return;
    }
    if (token.text === 'decltype' && next === '(' && tokens[i + 2]?.text !== 'auto') {
      const end = closing(tokens, i + 1) + 1;
      edits.push({ from: i, to: i, text: 'metal::metal_sim_plain<' });
      edits.push({ from: end, to: end, text: '>' });
      return;
    }
    if (token.text === 'coherent' && next === '(') {
      // which threads see plain writes is not modelled
      replace('', closing(tokens, i + 1) + 1 - i);
      return;
    }
    if (token.text === 'constant' || token.text === 'device') replace(spaceAt(structure, i));
    else if (stages.has(token.text)) replace('');
    else if (token.text === 'is_function_constant_defined' && next === '(') {
      const name = tokens[i + 2]?.text ?? '';
      replace(defined.has(name) ? 'true' : 'false', closing(tokens, i + 1) + 1 - i);
    } else if (spaces.has(token.text)) replace(spaces.get(token.text)!);
    else if (isOpenClOnly(token.text)) replace(plainText(token));
  });
}

/** A string for the compiler alone, or one of several side by side. */
function isMessage(tokens: readonly Token[], i: number): boolean {
  if (tokens[i - 1]?.kind === 'string' || tokens[i + 1]?.kind === 'string') return true;
  const before = tokens[i - 1]?.text ?? '';
  if (before === 'extern' || before === '_Pragma' || tokens[i - 2]?.text === '_Pragma') return true;
  for (let at = i - 1, depth = 0; at > 0 && tokens[at]!.text !== ';'; at--) {
    if (')}'.includes(tokens[at]!.text)) depth++;
    if ('({'.includes(tokens[at]!.text) && depth-- === 0)
      return tokens[at - 1]?.text === 'static_assert';
  }
  return false;
}

function isOpenClOnly(word: string): boolean {
  return openClOnlyWords.has(word) || openClTypes.test(word);
}

/** A token outside of qualifiers. */
function plainText({ text }: Token): string {
  return isOpenClOnly(text) ? `${text}_` : text;
}

/**
 * `constant` and `device` are parts of clang's global address space (its own constant one has no copies of structs). At program scope
 * clang wants the whole, class members need none, and after a parameter list it qualifies `this`.
 */
function spaceAt({ tokens, scopes }: Structure, i: number): string {
  const { text } = tokens[i]!;
  const before = tokens[i - 1]?.text;
  const isCoherent = before === ')' && tokens[i - 4]?.text === 'coherent';
  const isQualifier =
    (before === ')' && !isCoherent) || (before === 'const' && tokens[i - 2]?.text === ')');
  if (text === 'device') return isQualifier ? '__global' : 'metal_sim_device';
  if (isQualifier) return 'const __global';
  const scope = scopes[i]!;
  if (scope[scope.length - 1] === 'struct' && isStatic(tokens, i)) return 'const';
  const isProgramScope = scope.every((kind) => kind === 'namespace');
  return isProgramScope && isVariable(tokens, i) ? '__global const' : 'metal_sim_constant';
}

/** Whether `static` stands before the word at `i`, in a declaration of data. */
function isStatic(tokens: readonly Token[], i: number): boolean {
  for (let at = i - 1; at > 0; at--) {
    const { text } = tokens[at]!;
    if (text === 'static') return true;
    if (['(', ';', '{', '}', ':'].includes(text) && tokens[at - 1]?.text !== ':') return false;
  }
  return false;
}

/** Whether a declaration at program scope declares data, and not a function or an alias; pointers in it are no data of its own. */
function isVariable(tokens: readonly Token[], i: number): boolean {
  let start = i;
  while (start > 0 && ![';', '}', '{'].includes(tokens[start - 1]!.text)) {
    if (tokens[start - 1]!.kind === 'directive') break;
    start--;
  }
  if (tokens.slice(start, i).some((t) => ['(', 'using', 'typedef'].includes(t.text))) return false;
  let depth = 0;
  for (let at = i + 1; at < tokens.length; at++) {
    const { text } = tokens[at]!;
    if (text === '[') at = closing(tokens, at);
    if (text === '<') depth++;
    if (text === '>') depth--;
    if (depth > 0) continue;
    if (text === '=' || text === ';' || text === '{') return true;
    // `constant T name(1, 2);`: a function would have a body, or a pointer before its name
    if (text === '(') return tokens[closing(tokens, at) + 1]?.text === ';';
    if (text === '*' || text === '&') return false;
  }
  return false;
}

// ---------------------------------------------------------------------------------------------------------
// Function constants

const declarationWords: ReadonlySet<string> = new Set([
  'constant',
  'const',
  'static',
  'constexpr',
  'inline',
]);

/** `constant T name [[function_constant(n)]];` gets its value, or zero when the host has given none. */
function functionConstants(
  { tokens, scopes }: Structure,
  values: ConstantValues,
  edits: Edit[],
): readonly FunctionConstant[] {
  const found: FunctionConstant[] = [];
  const integers = integerConstants(tokens);
  tokens.forEach((token, i) => {
    if (token.text !== 'function_constant' || scopes[i]!.some((kind) => kind !== 'namespace'))
      return;
    if (tokens[i - 1]?.text !== '[' || tokens[i - 2]?.text !== '[') return;
    const open = i - 2;
    const end = closing(tokens, open) + 1;
    if (tokens[end]?.text !== ';') return;
    const index = integerValue(tokens.slice(i + 2, closing(tokens, i + 1)), integers);
    if (index === undefined || index < 0 || index > 65535) {
      throw new TranslationProblem(
        'the index of a function constant is a number from 0 to 65535',
        token.line,
      );
    }
    const name = tokens[open - 1]!.text;
    let start = open - 1;
    while (start > 0 && ![';', '}', '{'].includes(tokens[start - 1]!.text)) start--;
    const type = tokens
      .slice(start, open - 1)
      .filter((t) => !declarationWords.has(t.text) && t.kind !== 'directive')
      .map((t) => t.text)
      .join(' ');
    found.push({ name, type, index });
    edits.push({ from: open, to: end, text: ` = (${type})(${values.get(index) ?? '0'})` });
  });
  return found;
}

// ---------------------------------------------------------------------------------------------------------
// Threadgroup memory

/** `threadgroup float a[32], b;` in a kernel: references to memory that all threads of a threadgroup share. */
function threadgroupLocals(
  { tokens }: Structure,
  kernel: KernelText,
  k: number,
  edits: Edit[],
): void {
  let count = 0;
  for (let i = kernel.bodyStart + 1; i < kernel.bodyEnd; i++) {
    if (tokens[i]!.text !== 'threadgroup' || !isStatementStart(tokens, i)) continue;
    let end = i;
    while (end < kernel.bodyEnd && tokens[end]!.text !== ';') end++;
    const zero = zeroList(tokens, i, end);
    const declaration = splitDeclaration(tokens, i + 1, zero ?? end);
    if (declaration === undefined) continue;
    let text = '';
    for (const { name, dims, pointer } of declaration.names) {
      if (pointer !== undefined) {
        text += `__local ${declaration.type} ${pointer}; `;
        continue;
      }
      const id = k * 256 + count++;
      text += `__local auto& ${name} = metal_sim::shared<${declaration.type}${dims}, ${id}u>(); `;
    }
    let from = i;
    while (isStorageWord(tokens[from - 1]?.text)) from--;
    edits.push({ from, to: end + 1, text: text.trimEnd() });
    i = end;
  }
}

/** Where ` = {0}` begins, which Metal takes and which initialises nothing. */
function zeroList(tokens: readonly Token[], from: number, to: number): number | undefined {
  const equals = tokens.findIndex((t, i) => i > from && t.text === '=');
  if (equals < 0 || equals > to || tokens[equals + 1]?.text !== '{') return undefined;
  const inside = tokens.slice(equals + 2, to - 1).map((t) => t.text);
  return tokens[to - 1]?.text === '}' && inside.every((t) => t === '0') ? equals : undefined;
}

function isStorageWord(text: string | undefined): boolean {
  return text === 'volatile' || text === 'const';
}

function isStatementStart(tokens: readonly Token[], i: number): boolean {
  let at = i - 1;
  while (isStorageWord(tokens[at]?.text)) at--;
  // after `alignas(16)` or an attribute
  if (tokens[at]?.text === ')' || tokens[at]?.text === ']') {
    let depth = 0;
    for (; at > 0; at--) {
      if ([')', ']'].includes(tokens[at]!.text)) depth++;
      if (['(', '['].includes(tokens[at]!.text) && --depth === 0) break;
    }
    at--;
    if (tokens[at]?.text === 'alignas') at--;
  }
  // a colon is after `case` or a label: `threadgroup` begins no value
  return ['{', '}', ';', ':'].includes(tokens[at]?.text ?? '') || tokens[at]?.kind === 'directive';
}

interface SharedDeclarator {
  readonly name: string;
  /** `[8][4]`. */
  readonly dims: string;
  /** The whole of a pointer or reference between others, which needs no memory: `*p`, `*p = a`. */
  readonly pointer: string | undefined;
}

/** Type and declarators of tokens from..to; undefined where the first is a pointer or a reference, which need no memory. */
function splitDeclaration(
  tokens: readonly Token[],
  from: number,
  to: number,
): { type: string; names: readonly SharedDeclarator[] } | undefined {
  const parts: { start: number; end: number }[] = [];
  let start = from;
  let angles = 0;
  for (let i = from; i <= to; i++) {
    const { text } = tokens[i]!;
    // `<` is less-than in a length, and in parentheses
    if (i < to && '([{'.includes(text)) i = closing(tokens, i);
    else if (text === '<') angles++;
    else if (text === '>') angles--;
    else if (text === '>>') angles -= 2;
    if (i === to || (text === ',' && angles === 0)) {
      parts.push({ start, end: i });
      start = i + 1;
    }
  }
  const first = parts[0]!;
  // the name is the last word before `[` or the end
  let name = first.end - 1;
  while (name > first.start && tokens[name]!.text === ']') {
    let open = name;
    for (let d = 0; open > first.start; open--) {
      if (tokens[open]!.text === ']') d++;
      if (tokens[open]!.text === '[' && --d === 0) break;
    }
    name = open - 1;
  }
  const typeTokens = tokens.slice(first.start, name);
  if (typeTokens.some((t) => t.text === '*' || t.text === '&' || t.text === '=')) return undefined;
  const type = typeTokens.map(plainText).join(' ');
  if (type === '' || tokens[name]!.kind !== 'word') return undefined;
  const textOf = (a: number, b: number): string => tokens.slice(a, b).map(plainText).join(' ');
  const names = parts.map(({ start: a, end: b }, n) => {
    const at = n === 0 ? name : a;
    const isIndirect = ['*', '&'].includes(tokens[at]!.text);
    return {
      name: plainText(tokens[at]!),
      dims: lengths(tokens, at + 1, b),
      pointer: isIndirect ? textOf(at, b) : undefined,
    };
  });
  return { type, names };
}

/** `[N][M > 2 ? M : 2]`, each in parentheses: they will be between `<` and `>`. */
function lengths(tokens: readonly Token[], from: number, to: number): string {
  let text = '';
  for (let open = from; open < to && tokens[open]!.text === '['; ) {
    const close = closing(tokens, open);
    text += `[(${tokens
      .slice(open + 1, close)
      .map(plainText)
      .join(' ')})]`;
    open = close + 1;
  }
  return text;
}

// ---------------------------------------------------------------------------------------------------------
// Kernels

interface Instance extends InstanceText {
  readonly hostName: string;
  /** With template arguments and namespaces. */
  readonly expression: string;
  readonly templateArguments: readonly string[];
  readonly type: string;
}

/** `template [[host_name("x")]] [[kernel]] decltype(f<float>) f<float>;`, and the form that repeats the parameters. */
function instantiations({ tokens, scopes }: Structure, edits: Edit[]): readonly Instance[] {
  const found: Instance[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== 'template' || tokens[i + 1]?.text === '<') return;
    if (scopes[i]!.some((kind) => kind !== 'namespace')) return;
    let end = i;
    while (end < tokens.length && tokens[end]!.text !== ';') end++;
    const body = tokens.slice(i + 1, end);
    const host = body.findIndex((t) => t.text === 'host_name');
    const isKernel = body.some((t) => t.text === 'kernel');
    if (host < 0 && !isKernel) return;
    if (host >= 0 && body[host + 2]?.kind !== 'string') {
      const { line } = body[host]!;
      throw new TranslationProblem("'host_name' attribute requires a string literal", line);
    }
    const call = instanceExpression(body);
    if (call === undefined) {
      found.push(deducedInstance({ tokens, scopes }, i, end, found.length, edits));
      return;
    }
    edits.push({ from: i, to: end + 1, text: '' });
    const hostName = host < 0 ? call : joinedStrings(body, host + 2);
    const name = call.slice(0, call.indexOf('<')).trim();
    found.push({
      name: name.slice(name.lastIndexOf(':') + 1),
      hostName: String(hostName),
      expression: `::${namespaceAt(tokens, scopes, i)}${call}`,
      templateArguments: splitArguments(call),
      type: `decltype(::${namespaceAt(tokens, scopes, i)}${call})`,
      line: token.line,
      parameterCount: parameterCount(body),
    });
  });
  return found;
}

/** `template [[host_name("x")]] [[kernel]] void f(device float* x [[buffer(0)]]);`: its arguments follow from those parameters. */
function deducedInstance(
  { tokens, scopes }: Pick<Structure, 'tokens' | 'scopes'>,
  start: number,
  end: number,
  n: number,
  edits: Edit[],
): Instance {
  let open = start + 1;
  let host = -1;
  while (open < end && tokens[open]!.text !== '(') {
    if (tokens[open]!.text === '[') {
      const close = closing(tokens, open);
      for (let at = open; at < close; at++) if (tokens[at]!.text === 'host_name') host = at;
      open = close;
    }
    open++;
  }
  const name = tokens[open - 1]!;
  if (open >= end || name.kind !== 'word')
    throw new TranslationProblem('an instantiation of what?', tokens[start]!.line);
  const type = `metal_sim_instance_${n}`;
  edits.push({ from: start, to: open, text: `typedef void ${type}` });
  const prefix = namespaceAt(tokens, scopes, start);
  return {
    name: name.text,
    hostName: host < 0 ? name.text : joinedStrings(tokens, host + 2),
    expression: `(*(${prefix}${type} *)${prefix}${name.text})`,
    templateArguments: [],
    type: prefix + type,
    line: tokens[start]!.line,
    parameterCount: parameterCount(tokens.slice(start, end)),
  };
}

/** Of `f<a, b<c, d>>`: `a` and `b<c, d>`. */
function splitArguments(call: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const c of call.slice(call.indexOf('<') + 1, call.lastIndexOf('>'))) {
    if ('<('.includes(c)) depth++;
    if ('>)'.includes(c)) depth--;
    if (c === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.map((p) => p.trim());
}

/** Whether an instance can be of this kernel and not of another of its name: by number and kind of its template arguments. */
function fits(kernel: KernelText, instance: Instance, typeNames: ReadonlySet<string>): boolean {
  const parameters = kernel.templateParameters;
  const given = instance.templateArguments;
  const names = [kernel.name.text, plainText(kernel.name)];
  if (!names.includes(instance.name) || parameters === undefined) return false;
  return given.every((argument, i) => {
    const parameter = parameters[i] ?? parameters[parameters.length - 1];
    if (parameter === undefined) return false;
    const isLast = i >= parameters.length;
    if (isLast && !parameter.some((t) => t.text === '.')) return false;
    const wantsType = parameter[0]!.text === 'typename' || parameter[0]!.text === 'class';
    return wantsType ? !/^(?:[\d.-]|true$|false$)/.test(argument) : !typeNames.has(argument);
  });
}

/** Strings side by side are one: macros make names so. */
function joinedStrings(tokens: readonly Token[], from: number): string {
  let text = '';
  for (let i = from; tokens[i]?.kind === 'string'; i++) text += String(JSON.parse(tokens[i]!.text));
  return text;
}

/** `f<float>` of the tokens of an instantiation. */
function instanceExpression(body: readonly Token[]): string | undefined {
  let list: readonly Token[] = body;
  for (;;) {
    if (list[0]?.text === '[') list = list.slice(closing(list, 0) + 1);
    else if (list[0]?.text === 'kernel') list = list.slice(1);
    else break;
  }
  // the type: decltype(f<T>), void, or a name of the function's type
  if (list[0]?.text === 'decltype') list = list.slice(closing(list, 1) + 1);
  else {
    let type = 1;
    while (list[type]?.text === '::') type += 2;
    list = list.slice(type);
  }
  if (list[0]?.text === 'kernel') list = list.slice(1);
  const open = list.findIndex((t) => t.text === '<' || t.text === '(');
  if (open < 0 || list[open]!.text === '(') return undefined;
  let depth = 0;
  let close = open;
  for (; close < list.length; close++) {
    const { text } = list[close]!;
    if (text === '<') depth++;
    if (text === '>') depth--;
    if (depth === 0) break;
  }
  return list
    .slice(0, close + 1)
    .map((t) => (t.kind === 'word' ? ` ${plainText(t)} ` : t.text))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

/** `a::b::` for a token inside of namespaces. */
function namespaceAt(tokens: readonly Token[], scopes: Structure['scopes'], i: number): string {
  const names: string[] = [];
  let depth = scopes[i]!.length;
  for (let at = i - 1; at >= 0 && depth > 0; at--) {
    if (tokens[at]!.text === '{' && scopes[at]!.length === depth - 1) {
      names.unshift(tokens[at - 1]!.text);
      depth--;
    }
  }
  return names
    .filter((n) => n !== 'namespace')
    .map((n) => `${n}::`)
    .join('');
}

function kernelsOf(
  structure: Structure,
  kernel: KernelText,
  instances: readonly Instance[],
  waiting: ReadonlySet<string>,
  constants: readonly FunctionConstant[],
): readonly TranslatedKernel[] {
  const { tokens, scopes } = structure;
  const body = tokens.slice(kernel.bodyStart, kernel.bodyEnd);
  const at = tokens.indexOf(kernel.name);
  const prefix = namespaceAt(tokens, scopes, at);
  const names = new Set(constants.map((c) => c.name));
  const common = {
    parameters: parametersOf(structure, kernel),
    // what a template calls may depend on its arguments
    hasBarriers:
      body.some((t) => waiting.has(t.text) || isWaiting(t.text)) ||
      (kernel.templateParameters !== undefined && waiting.size > 0),
    usesConstants: usesAny(structure, kernel, constantUsers(structure, [...names])),
  };
  if (kernel.templateParameters === undefined) {
    const host = kernel.attributes.get('host_name');
    const hostName = host === undefined ? prefix + kernel.name.text : String(JSON.parse(host));
    // from the outside: a function of the library may have its name
    const expression = `::${prefix}${plainText(kernel.name)}`;
    const maxThreads = threadLimit(kernel, [], tokens);
    return [{ hostName, expression, type: `decltype(${expression})`, maxThreads, ...common }];
  }
  return instances
    .filter((instance) => fits(kernel, instance, structure.typeNames))
    .map(({ hostName, expression, type, templateArguments }) => {
      const maxThreads = threadLimit(kernel, templateArguments, tokens);
      return { hostName, expression, type, maxThreads, ...common };
    });
}

function parametersOf(structure: Structure, kernel: KernelText): readonly TranslatedParameter[] {
  const parameters: TranslatedParameter[] = [];
  const used = { buffer: new Set<number>(), threadgroup: new Set<number>() };
  const next = (kind: 'buffer' | 'threadgroup'): number => {
    let n = 0;
    while (used[kind].has(n)) n++;
    return n;
  };
  const explicit = kernel.parameters.map((p) => Number(p.attributeArgument));
  kernel.parameters.forEach((p, i) => {
    if (p.attribute === 'buffer' || p.attribute === 'threadgroup')
      used[p.attribute].add(explicit[i]!);
  });
  for (const [i, p] of kernel.parameters.entries()) {
    const texts = p.tokens.map((t) => t.text);
    const isIndirect = texts.includes('*') || texts.includes('&');
    const bracket = texts.indexOf('[');
    const name = texts[bracket < 0 ? texts.length - 1 : bracket - 1]!;
    if (!isIndirect && bracket < 0) {
      parameters.push({ name, kind: 'builtin', builtin: p.attribute, index: 0, guard: undefined });
      continue;
    }
    const kind = texts.includes('threadgroup')
      ? 'threadgroup'
      : texts.includes('constant')
        ? 'constant'
        : 'device';
    const table = kind === 'threadgroup' ? 'threadgroup' : 'buffer';
    const index = p.attribute === table ? explicit[i]! : next(table);
    used[table].add(index);
    const members = argumentBuffer(structure, p);
    parameters.push({
      name,
      kind,
      builtin: undefined,
      index,
      guard: p.guard,
      ...(members && { members }),
    });
  }
  return parameters;
}

// ---------------------------------------------------------------------------------------------------------
// Who waits

function isWaiting(word: string): boolean {
  return /^(?:threadgroup_barrier|simdgroup_barrier|simd_\w+|quad_\w+|simdgroup_(?:load|store|multiply\w*|\w+8x8|matrix))$/.test(
    word,
  );
}

/** Names of functions and types whose bodies have barriers or simdgroup functions, or mention a name that has. */
function waitingNames({ tokens, scopes }: Structure): ReadonlySet<string> {
  const definitions: { name: string; words: ReadonlySet<string> }[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== '{' || scopes[i]!.some((kind) => kind !== 'namespace')) return;
    let start = i;
    while (start > 0 && ![';', '}', '{'].includes(tokens[start - 1]!.text)) start--;
    const head = tokens.slice(start, i);
    if (head.some((t) => t.text === 'namespace' || t.text === 'kernel')) return;
    const parenthesis = head.findIndex((t) => t.text === '(');
    const keyword = head.findIndex((t) => t.text === 'struct' || t.text === 'class');
    const name = parenthesis > 0 ? head[parenthesis - 1] : head[keyword + 1];
    if (name === undefined) return;
    const body = tokens.slice(i, closing(tokens, i));
    definitions.push({ name: name.text, words: new Set(body.map((t) => t.text)) });
  });
  tokens.forEach((token, i) => {
    if (token.text !== 'using' && token.text !== 'typedef') return;
    let end = i;
    while (end < tokens.length && tokens[end]!.text !== ';') end++;
    const name = token.text === 'using' ? tokens[i + 1] : tokens[end - 1];
    if (name === undefined) return;
    definitions.push({ name: name.text, words: new Set(tokens.slice(i, end).map((t) => t.text)) });
  });
  const waiting = new Set<string>();
  for (let size = -1; size !== waiting.size; ) {
    size = waiting.size;
    for (const { name, words: mentioned } of definitions) {
      if ([...mentioned].some((w) => isWaiting(w) || waiting.has(w))) waiting.add(name);
    }
  }
  return waiting;
}
