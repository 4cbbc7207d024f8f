/** Modules as scopes: the prelude below, then imports, then a module's own names. */
import {
  duplicateName,
  importCycle,
  notExported,
  unknownClass,
  unknownModule,
} from '../diagnostics/problems/names.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Declaration, Generic, Import, Module, Name } from '../syntax/ast.ts';
import type { LazyModule } from '../syntax/lazy-module.ts';
import type { Elaborator } from './elaborator.ts';
import { hintForValue } from './foreign-names.ts';
import type { Intrinsic } from './intrinsic.ts';
import { type Binding, Scope } from './scope.ts';
import { genericClasses, isConstraintName } from './types.ts';
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
  for (const { text, span } of module.unreadable) scope.define(text, errorBinding(span));
  for (const declaration of module.declarations) {
    const { text, span } = declaration.name;
    if (text === '') continue;
    const before = first.get(text);
    if (before !== undefined) e.error(duplicateName(text, span, before));
    else {
      first.set(text, span);
      scope.define(text, bindingOf(declaration, scope));
    }
    if (declaration.kind === 'fn') requireDistinct(e, declaration.parameters);
    else if (declaration.kind === 'struct') requireDistinct(e, declaration.fields);
    if (declaration.kind !== 'const') checkGenerics(e, declaration.generics);
  }
}

function requireDistinct(e: Elaborator, items: readonly { readonly name: Name }[]): void {
  const first = new Map<string, Span>();
  for (const { name } of items) {
    const before = first.get(name.text);
    if (before === undefined) first.set(name.text, name.span);
    else if (name.text !== '' && name.text !== '_') {
      e.error(duplicateName(name.text, name.span, before));
    }
  }
}

function checkGenerics(e: Elaborator, generics: readonly Generic[]): void {
  requireDistinct(e, generics);
  for (const { constraint } of generics) {
    if (constraint === undefined || isConstraintName(constraint.text)) continue;
    e.error(
      unknownClass(constraint.text, constraint.span, suggest(constraint.text, genericClasses)),
    );
  }
}

/** The modules of the standard library: where a name that nobody imported may come from. */
export const libraryModules: readonly string[] = [
  'std/nn',
  'std/random',
  'std/losses',
  'std/optim',
  'std/linalg',
  'std/fft',
];

export type Resolve = (from: string, specifier: string) => Module | undefined;

/** Loads modules once, and reports what cannot be imported. */
export class ModuleLoader {
  readonly loaded: Map<string, LoadedModule> = new Map();
  private readonly open: string[] = [];
  /** What the module that is being loaded has imported so far. */
  private imported = new Map<string, Span>();
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
    const outer = this.imported;
    this.imported = new Map();
    for (const item of module.imports) this.import(module, item, imports);
    this.imported = outer;
    this.open.pop();
    declare(this.e, module, scope);
    return loaded;
  }

  private import(module: Module, item: Import, scope: Scope): void {
    const found = this.resolve(module.file, item.from);
    if (found === undefined) {
      this.e.error(
        unknownModule(item.from, item.fromSpan, this.nearModule(module.file, item.from)),
      );
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
    for (const { name, as } of item.names) {
      const local = as ?? name;
      const declaration = other.declarations.find((d) => d.name.text === name.text);
      const first = this.imported.get(local.text);
      if (first !== undefined) {
        this.e.error(duplicateName(local.text, local.span, first));
        scope.define(local.text, errorBinding(local.span));
        continue;
      }
      this.imported.set(local.text, local.span);
      if (declaration?.isExported === true) {
        scope.define(local.text, bindingOf(declaration, home));
        continue;
      }
      const exported = other.declarations.filter((d) => d.isExported).map((d) => d.name.text);
      const suggestion = suggest(name.text, exported);
      const elsewhere = this.e.importHint(name.text) ?? hintForValue(name.text);
      const declared = declaration?.name.span;
      const problem = notExported(name.text, item.from, name.span, { declared, suggestion });
      const isElsewhere = declared === undefined && elsewhere !== undefined;
      this.e.error(isElsewhere ? { ...problem, hint: elsewhere } : problem);
      scope.define(local.text, errorBinding(local.span));
    }
  }

  /** The module that was meant: with its extension, its folder, or its letters in order. */
  private nearModule(file: string, specifier: string): string | undefined {
    const path = specifier.replaceAll('.', '/').replace(/^\/+/, '');
    const candidates = [
      `${specifier}.mlx`,
      `./${specifier}`,
      `./${specifier}.mlx`,
      path,
      `std/${path}`,
    ];
    const found = candidates.find((name) => this.resolve(file, name) !== undefined);
    const longer = libraryModules.find((module) => specifier.startsWith(module));
    return found ?? longer ?? suggest(specifier, libraryModules);
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
