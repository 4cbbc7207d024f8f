/** Names in reach: a chain of tables, innermost first. */
import type { Span } from '../diagnostics/span.ts';
import type { Declaration, FunctionDeclaration, StructDeclaration } from '../syntax/ast.ts';
import type { GenericArgument, Term } from './value.ts';

export type Binding =
  | {
      readonly kind: 'term';
      readonly term: Term;
      readonly span: Span | undefined;
      readonly isVar: boolean;
    }
  | { readonly kind: 'function'; readonly declaration: FunctionDeclaration; readonly scope: Scope }
  | { readonly kind: 'struct'; readonly declaration: StructDeclaration; readonly scope: Scope }
  | {
      readonly kind: 'generic';
      readonly argument: GenericArgument;
      readonly span: Span | undefined;
    }
  /** A module constant, elaborated at its first use. */
  | {
      readonly kind: 'const';
      readonly declaration: Declaration & { readonly kind: 'const' };
      readonly scope: Scope;
    };

export class Scope {
  readonly parent: Scope | undefined;
  /** The body of a lambda: what is outside can be read, not assigned. */
  readonly isLambda: boolean;
  private readonly names = new Map<string, Binding>();
  private readonly ended = new Set<string>();
  private readonly pending = new Map<string, () => Binding | undefined>();

  constructor(parent: Scope | undefined, isLambda = false) {
    this.parent = parent;
    this.isLambda = isLambda;
  }

  define(name: string, binding: Binding): void {
    this.names.set(name, binding);
  }

  /** Remembers the names of a block that has ended: what they were is a hint when they are looked for later. */
  end(block: Scope): void {
    for (const name of block.names.keys()) this.ended.add(name);
  }

  /** Whether a block that has ended had the name. */
  hasEnded(name: string): boolean {
    return this.ended.has(name) || (this.parent?.hasEnded(name) ?? false);
  }

  /** Defines a name whose binding is made when it is first looked up. */
  defineLazily(name: string, make: () => Binding | undefined): void {
    this.pending.set(name, make);
  }

  /** The innermost binding of the name. */
  find(name: string): Binding | undefined {
    return this.findHere(name) ?? this.parent?.find(name);
  }

  /** Replaces the binding where the name is defined (assignment to a `var`). */
  reassign(name: string, binding: Binding): void {
    if (this.names.has(name) || this.parent === undefined) this.names.set(name, binding);
    else this.parent.reassign(name, binding);
  }

  /** The binding in this table alone. */
  findHere(name: string): Binding | undefined {
    const known = this.names.get(name);
    if (known !== undefined || this.pending.size === 0) return known;
    const made = this.pending.get(name)?.();
    this.pending.delete(name);
    if (made !== undefined) this.names.set(name, made);
    return made;
  }

  /** Whether the name is defined outside the innermost lambda. */
  isBeyondLambda(name: string): boolean {
    if (this.names.has(name)) return false;
    return this.isLambda || (this.parent?.isBeyondLambda(name) ?? false);
  }

  /** All names in reach, for "did you mean". */
  *allNames(): Iterable<string> {
    yield* this.names.keys();
    yield* this.pending.keys();
    if (this.parent !== undefined) yield* this.parent.allNames();
  }
}
