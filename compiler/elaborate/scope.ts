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
  private readonly names = new Map<string, Binding>();

  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }

  define(name: string, binding: Binding): void {
    this.names.set(name, binding);
  }

  /** The innermost binding of the name. */
  find(name: string): Binding | undefined {
    return this.names.get(name) ?? this.parent?.find(name);
  }

  /** Replaces the binding where the name is defined (assignment to a `var`). */
  reassign(name: string, binding: Binding): void {
    if (this.names.has(name) || this.parent === undefined) this.names.set(name, binding);
    else this.parent.reassign(name, binding);
  }

  /** All names in reach, for "did you mean". */
  *allNames(): Iterable<string> {
    yield* this.names.keys();
    if (this.parent !== undefined) yield* this.parent.allNames();
  }
}
