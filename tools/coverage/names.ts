/**
 * The functions of MLX 0.32 and the NumPy functions that MLX lacks, each with our name: the same name in the prelude or in a module of
 * the standard library, unless names.json says otherwise or says why there is none.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { checkSource } from '../../compiler/driver/check-source.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';

interface Exception {
  /** Another name than MLX's. */
  readonly ours?: string;
  readonly note?: string;
  /** Why we have none. */
  readonly absent?: string;
}

interface NamesFile {
  readonly groups: readonly {
    readonly module: string;
    readonly group: string;
    readonly names: readonly string[];
  }[];
  /** By name, in the modules of MLX by `module.name`. */
  readonly mlx: Readonly<Record<string, Exception>>;
  readonly numpy: readonly string[];
  readonly numpyExceptions: Readonly<Record<string, Exception>>;
}

/** What became of one function. */
export interface NamedFunction {
  readonly theirs: string;
  readonly ours: string | undefined;
  /** Where ours is: empty for the prelude, else `std/nn`. */
  readonly module: string;
  /** A remark, or why there is none. */
  readonly note: string;
}

export interface NameGroup {
  readonly title: string;
  readonly functions: readonly NamedFunction[];
}

const file = JSON.parse(readFileSync(new URL('names.json', import.meta.url), 'utf8')) as NamesFile;

const stdlib = new URL('../../stdlib/', import.meta.url);

/** `std/nn` and the others. */
const modules: readonly string[] = readdirSync(stdlib)
  .filter((name) => name.endsWith('.mlx'))
  .map((name) => `std/${name.slice(0, -'.mlx'.length)}`);

/** MLX's groups, in its order. */
export function mlxGroups(): readonly NameGroup[] {
  return resolveGroups(
    file.groups.map(({ module, group, names }) => {
      const prefix = module === 'mlx.core' ? '' : `${group}.`;
      return {
        title: prefix === '' ? group : `\`${module}\``,
        preferred: preferredModule(group),
        wanted: names.map((name) => [`${prefix}${name}`, file.mlx[`${prefix}${name}`]] as const),
      };
    }),
  );
}

/** The NumPy names that MLX lacks. */
export function numpyGroup(): NameGroup {
  const wanted = file.numpy.map((name) => [name, file.numpyExceptions[name]] as const);
  return resolveGroups([{ title: 'NumPy', preferred: '', wanted }])[0]!;
}

/** `random.normal` is looked for in std/random, `fast.rope` in std/nn. */
function preferredModule(group: string): string {
  const module = `std/${group === 'fast' ? 'nn' : group}`;
  return modules.includes(module) ? module : '';
}

interface Wanted {
  readonly title: string;
  readonly preferred: string;
  readonly wanted: readonly (readonly [theirs: string, exception: Exception | undefined])[];
}

function resolveGroups(groups: readonly Wanted[]): readonly NameGroup[] {
  const plain = (theirs: string, exception?: Exception): string =>
    exception?.ours ?? theirs.slice(theirs.lastIndexOf('.') + 1);
  const all = groups.flatMap((g) => g.wanted.map(([theirs, e]) => plain(theirs, e)));
  const known = new Map(['', ...modules].map((module) => [module, knownNames(module, all)]));
  return groups.map(({ title, preferred, wanted }) => ({
    title,
    functions: wanted.map(([theirs, exception]): NamedFunction => {
      const ours = plain(theirs, exception);
      if (exception?.absent !== undefined) {
        return { theirs, ours: undefined, module: '', note: exception.absent };
      }
      const module = [preferred, '', ...modules].find((m) => known.get(m)!.has(ours));
      return {
        theirs,
        ours: module === undefined ? undefined : ours,
        module: module ?? '',
        note: exception?.note ?? '',
      };
    }),
  }));
}

/** Which of the names the compiler finds in a module, or in the prelude. */
export function knownNames(module: string, names: readonly string[]): ReadonlySet<string> {
  const unique = [...new Set(names)];
  const text =
    module === ''
      ? `export fn f() -> i32 {\n${unique.map((name, i) => `  let n${i} = ${name};`).join('\n')}\n  0\n}\n`
      : `${unique.map((name, i) => `import { ${name} as n${i} } from "${module}";`).join('\n')}\nexport fn f() -> i32 { 0 }\n`;
  const { diagnostics } = problemsOf(text);
  const lines = new Set(diagnostics.map((d) => d.line));
  const first = module === '' ? 1 : 0;
  return new Set(unique.filter((_, i) => !lines.has(i + first)));
}

/** Unknown names by line, from 0. */
function problemsOf(text: string): { readonly diagnostics: readonly { line: number }[] } {
  const result = checkSource({ name: 'names.mlx', text }, { host: nodeHost() });
  const list = result.ok ? [] : result.diagnostics.filter((d) => d.code.startsWith('MLX20'));
  return {
    diagnostics: list.map((d) => ({ line: text.slice(0, d.span.start).split('\n').length - 1 })),
  };
}
