/**
 * What a Metal source that somebody wrote by hand declares, as far as its tokens tell: which kernels a plan can name, and which
 * names it takes from other sources of the same library. No preprocessor: what macros make stays unseen.
 */

export interface ScannedSource {
  /** Names under which a library has the kernels: functions, instances with a `host_name`. */
  readonly kernels: readonly string[];
  /** Functions, types, constants and macros at file scope, kernels included. */
  readonly names: readonly string[];
  /** `#include "…"`, which a library made from text cannot follow. */
  readonly includes: readonly { readonly path: string; readonly offset: number }[];
  /** Macros paste or name things: `kernels` may lack some. */
  readonly isOpen: boolean;
}

const tokens =
  /(?<skip>\/\/[^\n]*|\/\*[\s\S]*?\*\/|\s+)|(?<directive>#[^\n\\]*(?:\\\r?\n[^\n\\]*|\\.)*)|(?<text>"(?:[^"\\\n]|\\.)*")|(?<word>[A-Za-z_]\w*)|(?<other>::|\[\[|\]\]|.)/gy;

interface Token {
  readonly kind: 'text' | 'word' | 'other';
  readonly text: string;
}

/** Words before a `(` that declare nothing. */
const notNames: ReadonlySet<string> = new Set(
  'if for while switch return sizeof alignof decltype static_assert alignas void operator template'.split(
    ' ',
  ),
);
const typeWords: ReadonlySet<string> = new Set(['struct', 'class', 'union', 'enum']);

export function scanMetal(source: string): ScannedSource {
  const includes: { path: string; offset: number }[] = [];
  const names = new Set<string>();
  const list: Token[] = [];
  let isOpen = false;
  for (const match of source.matchAll(tokens)) {
    const { directive, text, word, other } = match.groups!;
    if (directive !== undefined) {
      const include = /^#\s*(?:include|import)\s*"([^"]*)"/.exec(directive);
      if (include !== null) includes.push({ path: include[1]!, offset: match.index });
      const macro = /^#\s*define\s+([A-Za-z_]\w*)/.exec(directive);
      if (macro !== null) {
        names.add(macro[1]!);
        if (/\bkernel\b|host_name|##/.test(directive)) isOpen = true;
      }
    } else if (text !== undefined) list.push({ kind: 'text', text: text.slice(1, -1) });
    else if (word !== undefined) list.push({ kind: 'word', text: word });
    else if (other !== undefined) list.push({ kind: 'other', text: other });
  }
  const kernels = new Set<string>();
  new DeclarationScan(list, kernels, names).run();
  return {
    kernels: [...kernels],
    names: [...names],
    includes,
    isOpen: isOpen || includes.length > 0,
  };
}

/** Walks the tokens at file and namespace scope, one declaration after the other. */
class DeclarationScan {
  private readonly tokens: readonly Token[];
  private readonly kernels: Set<string>;
  private readonly names: Set<string>;
  private readonly path: string[] = [];
  private at = 0;

  constructor(list: readonly Token[], kernels: Set<string>, names: Set<string>) {
    this.tokens = list;
    this.kernels = kernels;
    this.names = names;
  }

  run(): void {
    while (this.at < this.tokens.length) {
      if (this.textAt(0) === 'namespace' || this.startsExternC()) this.enterNamespace();
      else if (this.textAt(0) === '}') {
        this.path.pop();
        this.at += 1;
      } else this.declaration();
    }
  }

  private textAt(distance: number): string | undefined {
    return this.tokens[this.at + distance]?.text;
  }

  private startsExternC(): boolean {
    return this.textAt(0) === 'extern' && this.tokens[this.at + 1]?.kind === 'text';
  }

  private enterNamespace(): void {
    const words: string[] = [];
    while (this.at < this.tokens.length && this.textAt(0) !== '{' && this.textAt(0) !== ';') {
      const token = this.tokens[this.at]!;
      if (token.kind === 'word' && token.text !== 'namespace' && token.text !== 'extern')
        words.push(token.text);
      this.at += 1;
    }
    if (this.textAt(0) === '{') this.path.push(words.join('::'));
    this.at += 1;
  }

  /** To the `;` or the `}` of a body that ends it. */
  private declaration(): void {
    const start = this.at;
    let parameters = -1;
    let body = -1;
    while (this.at < this.tokens.length) {
      const { kind, text } = this.tokens[this.at]!;
      if (kind === 'other' && text === ';') break;
      if (kind === 'other' && (text === '(' || text === '{' || text === '[[')) {
        if (text === '(' && parameters < 0) parameters = this.at;
        if (text === '{') body = this.at;
        this.skipBrackets();
        // a type or an initialiser goes on to its `;`
        if (text === '{' && parameters >= 0 && !this.isType(start)) break;
        continue;
      }
      this.at += 1;
    }
    this.note(start, Math.min(this.at, this.tokens.length), parameters, body);
    if (this.textAt(0) === ';') this.at += 1;
  }

  /** Past the closing bracket of what opens here. */
  private skipBrackets(): void {
    const closers: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[[': ']]', '[': ']' };
    const open: string[] = [];
    do {
      const { kind, text } = this.tokens[this.at]!;
      if (kind === 'other') {
        if (closers[text] !== undefined) open.push(closers[text]);
        else if (text === open.at(-1)) open.pop();
      }
      this.at += 1;
    } while (open.length > 0 && this.at < this.tokens.length);
  }

  private isType(start: number): boolean {
    return typeWords.has(this.tokens[start]?.text ?? '');
  }

  private note(start: number, end: number, parameters: number, body: number): void {
    const head = this.tokens.slice(start, body < 0 ? end : body);
    const isKernel = head.some((t) => t.kind === 'word' && t.text === 'kernel');
    const hostName = head.findIndex((t) => t.kind === 'word' && t.text === 'host_name');
    if (hostName >= 0) {
      const name = head.slice(hostName).find((t) => t.kind === 'text');
      if (name !== undefined) this.kernels.add(name.text);
    }
    if (head[0]?.text === 'using') {
      if (head[2]?.text === '=') this.add(head[1]!.text);
      return;
    }
    if (typeWords.has(head[0]?.text ?? '')) {
      const name = head.slice(1).find((t) => t.kind === 'word' && !typeWords.has(t.text));
      if (name !== undefined) this.add(name.text);
      return;
    }
    const isInstance = head[0]?.text === 'template' && head[1]?.text !== '<';
    if (isInstance) return;
    if (parameters > start) {
      const name = this.tokens[parameters - 1]!;
      if (name.kind !== 'word' || notNames.has(name.text)) return;
      this.add(name.text);
      const isTemplate = head[0]?.text === 'template';
      if (isKernel && !isTemplate && body >= 0 && hostName < 0) {
        this.kernels.add([...this.path.filter((p) => p !== ''), name.text].join('::'));
      }
      return;
    }
    const equals = head.findIndex((t, i) => i > 0 && /^(?:=|\[|\[\[)$/.test(t.text));
    const name = head[(equals < 0 ? head.length : equals) - 1];
    if (head.length > 1 && name?.kind === 'word') this.add(name.text);
  }

  /** Names of a namespace are its own. */
  private add(name: string): void {
    this.names.add([...this.path, name].filter((p) => p !== '').join('::'));
  }
}
