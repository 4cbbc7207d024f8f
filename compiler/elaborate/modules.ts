/** Modules as scopes: the prelude below, then imports, then a module's own names. */
import {
  duplicateName,
  importCycle,
  notExported,
  unknownModule,
} from '../diagnostics/problems/names.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Declaration, FunctionDeclaration, Import, Module } from '../syntax/ast.ts';
import type { LazyModule } from '../syntax/lazy-module.ts';
import type { Elaborator } from './elaborator.ts';
import type { Intrinsic } from './intrinsic.ts';
import { type Binding, Scope } from './scope.ts';
import type { Term } from './value.ts';

export interface LoadedModule {
  readonly module: Module;
  readonly scope: Scope;
}

const constants: ReadonlyMap<string, Term> = new Map<string, Term>([
  ['inf', { kind: 'float', value: Number.POSITIVE_INFINITY }],
  ['nan', { kind: 'float', value: Number.NaN }],
  ['pi', { kind: 'float', value: Math.PI }],
  ['e', { kind: 'float', value: Math.E }],
  ['none', { kind: 'none' }],
]);

/** What is in scope everywhere: the functions written in the compiler, then the modules of the prelude. */
export function preludeScope(
  intrinsics: ReadonlyMap<string, Intrinsic>,
  prelude: readonly LazyModule[],
): Scope {
  const scope = new Scope(undefined);
  const term = (name: string, value: Term): void =>
    scope.define(name, { kind: 'term', term: value, span: undefined, isVar: false });
  for (const [name, value] of constants) term(name, value);
  for (const [name, intrinsic] of intrinsics) {
    term(name, { kind: 'function', form: 'intrinsic', intrinsic });
  }
  for (const module of prelude) {
    const own = new Scope(scope);
    for (const [name, { isExported }] of module.names) {
      const home = isExported ? scope : own;
      home.defineLazily(name, () => {
        const declaration = module.declaration(name);
        return declaration && bindingOf(declaration, own);
      });
    }
  }
  return scope;
}

function bindingOf(declaration: Declaration, scope: Scope): Binding {
  switch (declaration.kind) {
    case 'fn':
      return { kind: 'function', declaration, scope };
    case 'struct':
      return { kind: 'struct', declaration, scope };
    case 'const':
      return { kind: 'const', declaration, scope };
  }
}

/** Defines the module's own names. */
function declare(e: Elaborator, module: Module, scope: Scope): void {
  const first = new Map<string, Span>();
  for (const declaration of module.declarations) {
    const { text, span } = declaration.name;
    if (text === '') continue;
    const before = first.get(text);
    if (before !== undefined) e.error(duplicateName(text, span, before));
    else {
      first.set(text, span);
      scope.define(text, bindingOf(declaration, scope));
    }
    if (declaration.kind === 'fn') requireDistinct(e, declaration);
  }
}

function requireDistinct(e: Elaborator, { parameters }: FunctionDeclaration): void {
  const first = new Map<string, Span>();
  for (const { name } of parameters) {
    const before = first.get(name.text);
    if (before === undefined) first.set(name.text, name.span);
    else if (name.text !== '' && name.text !== '_') {
      e.error(duplicateName(name.text, name.span, before));
    }
  }
}

export type Resolve = (from: string, specifier: string) => Module | undefined;

/** Loads modules once, and reports what cannot be imported. */
export class ModuleLoader {
  readonly loaded: Map<string, LoadedModule> = new Map();
  private readonly open: string[] = [];
  private readonly e: Elaborator;
  private readonly prelude: Scope;
  private readonly resolve: Resolve;

  constructor(e: Elaborator, prelude: Scope, resolve: Resolve) {
    this.e = e;
    this.prelude = prelude;
    this.resolve = resolve;
  }

  load(module: Module): LoadedModule {
    const before = this.loaded.get(module.file);
    if (before !== undefined) return before;
    const imports = new Scope(this.prelude);
    const scope = new Scope(imports);
    const loaded = { module, scope };
    this.loaded.set(module.file, loaded);
    this.open.push(module.file);
    for (const item of module.imports) this.import(module, item, imports);
    this.open.pop();
    declare(this.e, module, scope);
    return loaded;
  }

  private import(module: Module, item: Import, scope: Scope): void {
    const found = this.resolve(module.file, item.from);
    if (found === undefined) {
      this.e.error(unknownModule(item.from, item.fromSpan));
      this.defineErrors(item, scope);
      return;
    }
    const start = this.open.indexOf(found.file);
    if (start >= 0) {
      this.e.error(importCycle([...this.open.slice(start), found.file], item.fromSpan));
      this.defineErrors(item, scope);
      return;
    }
    const { module: other, scope: home } = this.load(found);
    const seen = new Map<string, Span>();
    for (const { name, as } of item.names) {
      const local = as ?? name;
      const declaration = other.declarations.find((d) => d.name.text === name.text);
      const first = seen.get(local.text);
      if (first !== undefined) this.e.error(duplicateName(local.text, local.span, first));
      seen.set(local.text, local.span);
      if (declaration?.isExported === true) {
        scope.define(local.text, bindingOf(declaration, home));
        continue;
      }
      const exported = other.declarations.filter((d) => d.isExported).map((d) => d.name.text);
      const suggestion = suggest(name.text, exported);
      const declared = declaration?.name.span;
      this.e.error(notExported(name.text, item.from, name.span, { declared, suggestion }));
      scope.define(local.text, errorBinding(local.span));
    }
  }

  /** The names exist, so that each use of them is not one more error. */
  private defineErrors(item: Import, scope: Scope): void {
    for (const { name, as } of item.names) {
      const local = as ?? name;
      scope.define(local.text, errorBinding(local.span));
    }
  }
}

function errorBinding(span: Span): Binding {
  return { kind: 'term', term: { kind: 'error' }, span, isVar: false };
}
