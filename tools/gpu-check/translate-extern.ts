/**
 * Metal text that people wrote, to CUDA text over msl-library.cuh: words of Metal that C++ lacks (address spaces, attributes, swizzles,
 * literals of half) change token by token, all else stays as it is. Each kernel that the plan names gets a CUDA kernel around it, which
 * works out the built-in arguments that it declares.
 */
import type { PlanKernel } from '../../compiler/plan/plan.ts';

/** A kernel that the plan launches: the name for CUDA, the name in the user's library, how many buffers and integers it is handed. */
export interface ExternKernel {
  readonly name: string;
  readonly entry: string;
  readonly buffers: number;
  readonly integers: number;
  readonly threads: number;
}

interface Token {
  readonly kind: 'space' | 'directive' | 'text' | 'word' | 'number' | 'other';
  readonly text: string;
}

interface Parameter {
  readonly isReference: boolean;
  readonly attribute: string | undefined;
  readonly number: number | undefined;
  readonly text: string;
}

const tokens =
  /(?<space>\/\/[^\n]*|\/\*[\s\S]*?\*\/|\s+|\\\n)|(?<directive>#[ \t]*(?:include|import|pragma|line)\b[^\n]*)|(?<text>"(?:[^"\\\n]|\\.)*")|(?<number>\.?\d(?:[eEpP][+-]|[\w.])*)|(?<word>[A-Za-z_]\w*)|(?<other>::|\[\[|##|[-+*/%&|^<>=!]=|.)/gy;

const builtIns: Readonly<Record<string, string>> = {
  thread_position_in_grid: 'at.position()',
  threads_per_grid: 'at.of(at.threads)',
  thread_position_in_threadgroup: 'at.inside()',
  threads_per_threadgroup: 'at.own_size()',
  dispatch_threads_per_threadgroup: 'at.of(at.size)',
  threadgroup_position_in_grid: 'at.group()',
  threadgroups_per_grid: 'at.of(at.groups)',
  thread_index_in_threadgroup: 'at.linear()',
  thread_index_in_simdgroup: 'at.linear() % 32u',
  simdgroup_index_in_threadgroup: 'at.linear() / 32u',
  simdgroups_per_threadgroup: 'at.simdgroups(at.own_size())',
  dispatch_simdgroups_per_threadgroup: 'at.simdgroups(at.of(at.size))',
  threads_per_simdgroup: '32u',
  thread_execution_width: '32u',
  thread_index_in_quadgroup: 'at.linear() % 4u',
  quadgroup_index_in_threadgroup: 'at.linear() / 4u',
};

/** The kernels of a plan that stand in the text of users. Errors: one that stands in a library of its own. */
export function externKernels(kernels: readonly PlanKernel[]): readonly ExternKernel[] {
  return kernels.flatMap(({ name, bindings, integers, threads, external }) => {
    if (external === undefined) return [];
    if (external.library !== undefined) {
      throw new Error(
        `the kernel ${name} is in ${external.library}: only Metal text is translated`,
      );
    }
    const { entry } = external;
    return [{ name, entry, threads, buffers: bindings.length, integers: integers.length }];
  });
}

/** Errors: a construct that has no counterpart here, a kernel that the text lacks. */
export function translateExtern(metal: string, kernels: readonly ExternKernel[]): string {
  const source = new Source(tokenize(metal));
  const text = source.translate();
  const wrappers = kernels.map((kernel) => wrapper(kernel, source));
  return `#include "msl-library.cuh"\nnamespace msl {\n${text}\n${wrappers.join('\n')}}  // namespace msl\n`;
}

function tokenize(text: string): readonly Token[] {
  return [...text.matchAll(tokens)].map((match): Token => {
    const [kind, found] = Object.entries(match.groups!).find(([, t]) => t !== undefined)!;
    return { kind: kind as Token['kind'], text: found! };
  });
}

function wrapper(kernel: ExternKernel, source: Source): string {
  const target = source.aliases.get(kernel.entry) ?? kernel.entry;
  const parameters = source.kernels.get(target.replace(/<.*$/s, ''));
  if (parameters === undefined) {
    throw new Error(`the kernel ${kernel.entry} is not found in the text: is it made by macros?`);
  }
  let free = 0;
  const taken = new Set(parameters.map((p) => (p.attribute === 'buffer' ? p.number : undefined)));
  const args = parameters.map((p) => {
    const builtIn = builtIns[p.attribute ?? ''];
    if (builtIn !== undefined) return builtIn;
    if (p.attribute !== undefined && p.attribute !== 'buffer') {
      throw new Error(`a parameter of ${kernel.entry} that is not understood: ${p.text}`);
    }
    while (p.number === undefined && taken.has(free)) free++;
    const number = p.number ?? free++;
    const isBuffer = number < kernel.buffers;
    if (!isBuffer && (number > kernel.buffers || kernel.integers === 0)) {
      throw new Error(`${kernel.entry} asks for buffer ${number}, of which the plan knows nothing`);
    }
    const address = isBuffer ? `b${number}` : '(void*)&integers';
    return `${p.isReference ? 'BoundReference' : 'BoundPointer'}{${address}}`;
  });
  const bound = Array.from({ length: kernel.buffers }, (_, i) => `void* b${i}`);
  if (kernel.integers > 0) bound.push(`Integers<${kernel.integers}> integers`);
  bound.push('Launch at');
  const head = `extern "C" __global__ void __launch_bounds__(${kernel.threads}) ${kernel.name}`;
  return `${head}(${bound.join(', ')}) {\n  ${target}(${args.join(', ')});\n}\n`;
}

/** Words that have no counterpart on the other side. */
const refused =
  /^(texture\w*|sampler|imageblock|visible_function_table|intersection_function_table|os_log|threadgroup_imageblock|ray_data|object_data|tensor)$/;
const refusedAttributes = /^(function_constant|id|texture|sampler|threadgroup|visible|stitchable)$/;
const components: Readonly<Record<string, number>> = {
  ...{ x: 0, y: 1, z: 2, w: 3 },
  ...{ r: 0, g: 1, b: 2, a: 3 },
};

class Source {
  /** Kernels by qualified name. */
  readonly kernels = new Map<string, readonly Parameter[]>();
  /** Names of the library for what is called otherwise in the text: `host_name`. */
  readonly aliases = new Map<string, string>();
  private readonly tokens: readonly Token[];
  private readonly out: string[] = [];
  private at = 0;
  /** Names of the namespaces around, and undefined for other braces. */
  private readonly scopes: (string | undefined)[] = [];
  private isKernel = false;
  private hostName: string | undefined;

  constructor(all: readonly Token[]) {
    this.tokens = all;
  }

  translate(): string {
    while (this.at < this.tokens.length) this.step();
    return this.out.join('');
  }

  private step(): void {
    const token = this.tokens[this.at]!;
    switch (token.kind) {
      case 'directive':
        this.out.push(directive(token.text));
        this.at++;
        return;
      case 'number':
        this.out.push(literal(token.text));
        this.at++;
        return;
      case 'word':
        this.word(token.text);
        return;
      case 'other':
        this.other(token.text);
        return;
      default:
        this.out.push(token.text);
        this.at++;
    }
  }

  private other(text: string): void {
    if (text === '[[') {
      this.attribute();
      return;
    }
    if (text === '.' && this.swizzle()) return;
    if (text === '{') this.scopes.push(undefined);
    else if (text === '}') this.scopes.pop();
    else if (text === ';') this.forget();
    this.out.push(text);
    this.at++;
  }

  private word(word: string): void {
    if (refused.test(word)) throw new Error(`no translation to CUDA for \`${word}\``);
    switch (word) {
      case 'kernel':
        this.isKernel = true;
        break;
      case 'device':
      case 'thread':
        break;
      case 'threadgroup':
        if (this.declaresVariable()) this.out.push('__shared__');
        break;
      case 'constant':
        this.out.push(this.isBeside('const') ? '' : 'const');
        break;
      case 'metal':
        this.out.push('msl');
        break;
      case 'using':
        this.using();
        return;
      case 'namespace':
        this.namespace();
        return;
      case 'template':
        if (this.instantiation()) return;
        this.out.push(word);
        break;
      default:
        this.out.push(word);
        if (this.isKernel && this.next(this.at + 1)?.text === '(') this.declareKernel(word);
    }
    this.at++;
  }

  private forget(): void {
    this.isKernel = false;
    this.hostName = undefined;
  }

  /** The position of the next token that says something. */
  private skip(at: number): number {
    while (this.tokens[at]?.kind === 'space') at++;
    return at;
  }

  private next(at: number): Token | undefined {
    return this.tokens[this.skip(at)];
  }

  private isBeside(word: string): boolean {
    let before = this.at - 1;
    while (this.tokens[before]?.kind === 'space') before--;
    return this.tokens[before]?.text === word || this.next(this.at + 1)?.text === word;
  }

  /** Attributes leave the text; `kernel` and `host_name` are kept in mind. */
  private attribute(): void {
    const start = this.at;
    this.at = this.endOfAttribute(start);
    const words = this.tokens.slice(start, this.at).filter((t) => t.kind !== 'space');
    words.forEach((t, i) => {
      if (t.kind === 'word' && refusedAttributes.test(t.text)) {
        throw new Error(`no translation to CUDA for the attribute \`${t.text}\``);
      }
      if (t.text === 'kernel') this.isKernel = true;
      if (t.text === 'host_name') this.hostName = words[i + 2]?.text.slice(1, -1);
    });
  }

  /** The position after the `]]` of an attribute. */
  private endOfAttribute(start: number): number {
    let depth = 0;
    let at = start;
    for (; at < this.tokens.length; at++) {
      const { text } = this.tokens[at]!;
      if (text === '[[') depth += 2;
      else if (text === '[') depth++;
      else if (text === ']') depth--;
      if (depth === 0) break;
    }
    return at + 1;
  }

  /** `using namespace metal` is where the text stands anyway. */
  private using(): void {
    const second = this.next(this.at + 1);
    const third = this.next(this.skip(this.at + 1) + 1);
    if (second?.text === 'namespace' && third?.text === 'metal') {
      while (this.tokens[this.at]!.text !== ';') this.at++;
      this.at++;
      return;
    }
    this.out.push('using');
    this.at++;
    if (second?.text === 'namespace') {
      this.out.push(' namespace');
      this.at = this.skip(this.at) + 1;
    }
  }

  private namespace(): void {
    let at = this.skip(this.at + 1);
    let name = '';
    while (this.tokens[at]!.kind === 'word' || this.tokens[at]!.text === '::') {
      name += this.tokens[at]!.text;
      at = this.skip(at + 1);
    }
    if (this.tokens[at]!.text === '{') {
      this.out.push(`namespace ${name} {`);
      this.scopes.push(name);
      this.at = at + 1;
    } else {
      this.out.push('namespace');
      this.at++;
    }
  }

  private qualified(name: string): string {
    return [...this.scopes.filter((s) => s !== undefined && s !== ''), name].join('::');
  }

  /** `template [[host_name("f32")]] [[kernel]] decltype(f<float>) f<float>;` and its form with the whole signature. */
  private instantiation(): boolean {
    if (this.next(this.at + 1)?.text === '<') return false;
    let end = this.at;
    while (end < this.tokens.length && this.tokens[end]!.text !== ';') end++;
    const parts = this.tokens.slice(this.at + 1, end).filter((t) => t.kind !== 'space');
    const named = parts.findIndex((t) => t.text === 'host_name');
    const text = parts.map((t) => t.text).join(' ');
    const body = text.replace(/\[\[.*?\] \]/g, '');
    const target =
      /decltype \( .*? \) (.*)$/.exec(body)?.[1] ?? /void (.*?>) \(/.exec(body)?.[1] ?? '';
    if (named < 0 || target === '')
      throw new Error(`an instantiation that is not understood: ${text}`);
    this.aliases.set(
      parts[named + 2]!.text.slice(1, -1),
      this.qualified(target.replaceAll(' ', '')),
    );
    this.at = end + 1;
    return true;
  }

  /** Whether `threadgroup` here begins the declaration of a variable, not of a pointer or reference. */
  private declaresVariable(): boolean {
    for (let at = this.at + 1; at < this.tokens.length; at++) {
      const { text } = this.tokens[at]!;
      if (text === '*' || text === '&' || text === ')' || text === ',') return false;
      if (text === '<') at = this.closing(at, '<', '>');
      else if (text === ';' || text === '[') return true;
    }
    return false;
  }

  private closing(open: number, left: string, right: string): number {
    let depth = 0;
    for (let at = open; at < this.tokens.length; at++) {
      const { text } = this.tokens[at]!;
      if (text === left) depth++;
      else if (text === right && --depth === 0) return at;
    }
    return this.tokens.length;
  }

  /** Reads the parameters of a kernel; the text goes on behind its name. */
  private declareKernel(name: string): void {
    const open = this.skip(this.at + 1);
    const close = this.closing(open, '(', ')');
    const parameters: Parameter[] = [];
    let start = open + 1;
    let depth = 0;
    for (let at = open + 1; at <= close; at++) {
      const { text } = this.tokens[at]!;
      if (text === '(' || text === '<') depth++;
      else if ((text === ')' && at < close) || text === '>') depth--;
      else if (depth === 0 && (text === ',' || at === close)) {
        const part = this.tokens.slice(start, at);
        if (part.some((t) => t.kind !== 'space')) parameters.push(parameterOf(part));
        start = at + 1;
      }
    }
    const qualified = this.qualified(name);
    this.kernels.set(qualified, parameters);
    if (this.hostName !== undefined) this.aliases.set(this.hostName, qualified);
    this.forget();
  }

  /** `v.xyz`, read or written. */
  private swizzle(): boolean {
    const word = this.tokens[this.at + 1];
    if (word?.kind !== 'word' || !/^([xyzw]{2,4}|[rgba]{2,4})$/.test(word.text)) return false;
    if (this.next(this.at + 2)?.text === '(') return false;
    const places = [...word.text].map((c) => components[c]).join(', ');
    const after = this.next(this.at + 2)?.text ?? '';
    const isWritten = /^([-+*/]?=)$/.test(after);
    this.out.push(`.template ${isWritten ? 'place' : 'pick'}<${places}>()`);
    this.at += 2;
    return true;
  }
}

function parameterOf(part: readonly Token[]): Parameter {
  const text = part
    .map((t) => t.text)
    .join('')
    .trim()
    .replace(/\s+/g, ' ');
  const [, attribute, number] = /\[\[\s*(\w+)\s*(?:\(\s*(\d+)\s*\))?/.exec(text) ?? [];
  const declaration = text.replace(/\[\[.*$/, '');
  return {
    isReference: declaration.includes('&'),
    attribute,
    number: number === undefined ? undefined : Number(number),
    text,
  };
}

function directive(text: string): string {
  if (/^#\s*(include|import)\s*</.test(text)) return '';
  if (/^#\s*(include|import)\b/.test(text))
    throw new Error(`${text}: only Metal’s own headers are known`);
  if (/^#\s*pragma\s+(clang\s+loop\s+)?unroll(\(full\)|\(enable\))?\s*$/.test(text))
    return '#pragma unroll';
  return /^#\s*pragma/.test(text) ? '' : text;
}

function literal(text: string): string {
  const narrow = /^(?!0x)(.*[\d.])(h|H|bf|BF)$/.exec(text);
  if (narrow === null) return text;
  const number = /[.eE]/.test(narrow[1]!) ? `${narrow[1]}f` : narrow[1]!;
  return `${narrow[2]!.toLowerCase() === 'h' ? 'half' : 'bfloat'}(${number})`;
}
