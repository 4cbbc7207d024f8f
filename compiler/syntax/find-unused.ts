/**
 * Names that are bound and never read: imports of a module, and `let` and `var` of its functions, each in its own block. A
 * name that starts with `_` is meant to stay unused. They are warnings: the program means what it says.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { unusedImport, unusedName } from '../diagnostics/problems/unused.ts';
import type { Module, Name, Pattern } from './ast.ts';

/** In the order of the source. The module must be free of errors. */
export function findUnused(module: Module): readonly Diagnostic[] {
  const walk = new Walk();
  walk.visit(module.declarations);
  const problems: Diagnostic[] = [];
  for (const { names } of module.imports) {
    for (const { name, as } of names) {
      const local = as ?? name;
      if (!walk.readOutside.has(local.text)) problems.push(unusedImport(local.text, local.span));
    }
  }
  for (const { name, isRead, hides } of walk.bound) {
    if (!name.text.startsWith('_') && !isRead) {
      problems.push(unusedName(name.text, name.span, hides));
    }
  }
  return problems.sort((a, b) => a.span.start - b.span.start);
}

interface Local {
  readonly name: Name;
  /** Whether a `let` or `var` of a block around it has the name. */
  readonly hides: boolean;
  isRead: boolean;
}

/** A node by what it may have; every statement, expression and type is one. */
interface Node {
  readonly kind?: string;
  readonly name?: Name;
  readonly pattern?: Pattern;
  readonly type?: unknown;
  readonly value?: unknown;
  readonly default?: unknown;
  readonly parameters?: readonly Node[];
  readonly iterable?: unknown;
  readonly condition?: unknown;
  readonly body?: unknown;
  readonly statements?: readonly unknown[];
  readonly result?: unknown;
}

/** Every mention of a name reads its innermost binding: the names of fields too, so that no warning is ever wrong. */
class Walk {
  /** `let` and `var`, in the order of the source. */
  readonly bound: Local[] = [];
  /** What is read and bound by no block: names of the module. */
  readonly readOutside: Set<string> = new Set();
  private readonly scopes: Map<string, Local>[] = [];

  visit(node: unknown): void {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const item of node) this.visit(item);
    } else if (isName(node)) this.read(node.text);
    else this.visitNode(node as Node);
  }

  private visitNode(node: Node): void {
    const { kind, name, pattern, parameters = [], ...others } = node;
    switch (kind) {
      case 'let':
        this.visit([node.type, node.value]);
        for (const bound of namesOf(pattern)) this.bind(bound, true);
        return;
      case 'var':
        this.visit([node.type, node.value]);
        this.bind(name!, true);
        return;
      case 'assign':
        this.visit(node.value);
        return;
      case 'fn':
        this.inside(() => {
          for (const p of parameters) {
            this.visit([p.type, p.default]);
            this.bind(p.name!, false);
          }
          this.visitFields(others);
        });
        return;
      case 'lambda':
        this.inside(() => {
          for (const p of parameters) {
            this.visit(p.type);
            for (const bound of namesOf(p.pattern)) this.bind(bound, false);
          }
          this.visit(node.body);
        });
        return;
      case 'for':
        this.visit(node.iterable);
        this.inside(() => {
          for (const bound of namesOf(pattern)) this.bind(bound, false);
          this.visit([node.condition, node.body]);
        });
        return;
      default:
        if (node.statements === undefined) this.visitFields(node);
        else this.inside(() => this.visit([node.statements, node.result]));
    }
  }

  private visitFields(node: Node): void {
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'span') this.visit(value);
    }
  }

  private inside(body: () => void): void {
    this.scopes.push(new Map());
    body();
    this.scopes.pop();
  }

  private bind(name: Name, isReported: boolean): void {
    const hides = this.scopes.slice(0, -1).some((scope) => scope.has(name.text));
    const local = { name, hides, isRead: false };
    this.scopes.at(-1)?.set(name.text, local);
    if (isReported) this.bound.push(local);
  }

  private read(text: string): void {
    const local = this.scopes.findLast((scope) => scope.has(text))?.get(text);
    if (local === undefined) this.readOutside.add(text);
    else local.isRead = true;
  }
}

function isName(node: object): node is Name {
  return 'text' in node && 'span' in node && !('kind' in node);
}

function namesOf(pattern: Pattern | undefined): readonly Name[] {
  switch (pattern?.kind) {
    case 'name':
      return [pattern.name];
    case 'tuple':
      return pattern.items.flatMap(namesOf);
    default:
      return [];
  }
}
