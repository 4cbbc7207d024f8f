/**
 * kernels.c to a shared library with the system's C compiler, kept in a cache by content.
 *
 * Flags: -O2 with the loop passes of -O3 that pay (-ftree-vectorize by its dynamic cost model, -funswitch-loops): two and a half times
 * faster to compile than -O3, kernels within 3 % of it. -march=native; -fopenmp-simd for the vector loops (no OpenMP runtime); -ffp-contract=fast, so that a*b + c is one
 * rounding where the machine has it (helpers that rely on exact products say fma themselves); -fno-math-errno and
 * -fno-trapping-math, without which neither sqrt nor comparisons vectorise; -fwrapv, because integers wrap; -fno-ssa-phiopt,
 * because GCC 12 mistakes nested selections of indices under it (`i == 1 ? a : b == i ? 1 : b`, then a clamp; test/numeric/gcc.test.ts). Not
 * -ffast-math: NaN, infinities and -0 keep their meaning.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { MlxcError } from './errors.ts';
import { makeFolders } from './make-folders.ts';

const flags: readonly string[] = [
  '-std=gnu11',
  '-O2',
  '-ftree-vectorize',
  '-fvect-cost-model=dynamic',
  '-funswitch-loops',
  '-march=native',
  '-fopenmp-simd',
  '-ffp-contract=fast',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fwrapv',
  '-fno-ssa-phiopt',
  '-fPIC',
  '-w',
];

/** Above this size a file is compiled in parts, side by side. */
const charactersOfAPart = 60_000;
const mostParts = 8;

/** A line that starts each kernel, see `kernelMarker` of compiler/to-c/print.ts. */
const partBoundary = /^(?=\/\/ kernel )/m;

/** The flags for kernels on this machine. */
export function kernelFlags(): readonly string[] {
  // compilers prefer half the width of AVX-512 for fear of older chips
  return process.arch === 'x64' ? [...flags, '-mprefer-vector-width=512'] : flags;
}

export interface CompileOptions {
  /** The compiler to use before `$CC`, `cc`, `gcc` and `clang`. */
  readonly cc?: string;
  /** The folder of the cache before `$MLXC_CACHE` and the XDG cache folder. */
  readonly cacheFolder?: string;
  /** Flags after those for kernels: `-O0` for tests that compile more than they run. */
  readonly moreFlags?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

interface Compiler {
  readonly command: string;
  readonly prefix: readonly string[];
  readonly version: string;
  readonly flags: readonly string[];
  readonly path: string;
}

/**
 * The path of the library; compiles unless the cache has it. Two processes that compile the same source at once both
 * succeed: each writes under a name of its own and renames. Errors: MLX5104 (no compiler), MLX5105 (it failed, or the
 * cache cannot be written).
 */
export async function compileKernels(
  source: string,
  options: CompileOptions = {},
): Promise<string> {
  const environment = options.environment ?? process.env;
  const found = findCompiler(options.cc, environment);
  const compiler = { ...found, flags: [...found.flags, ...(options.moreFlags ?? [])] };
  const hash = createHash('sha256');
  for (const part of [compiler.version, ...compiler.flags, machine()])
    hash.update(part).update('\0');
  const name = hash.update(source).digest('hex').slice(0, 32);
  const folder = cacheFolder(options.cacheFolder, environment);
  const path = join(folder, `${name}.so`);
  if (existsSync(path)) return path;
  const work = join(folder, `${name}.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(work, { mode: 0o700 });
  } catch (error) {
    throw unusableCache(folder, error instanceof Error ? error.message : String(error));
  }
  try {
    await build(compiler, splitSource(source), work);
    renameSync(join(work, 'kernels.so'), path);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return path;
}

/** -march=native depends on the processor: a cache shared between machines must not mix them. */
function machine(): string {
  const features =
    process.platform === 'linux' && existsSync('/proc/cpuinfo')
      ? /^(flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0]
      : undefined;
  return `${process.platform} ${process.arch} ${features ?? cpus()[0]?.model ?? ''}`;
}

function cacheFolder(
  wanted: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const base = environment['XDG_CACHE_HOME'];
  const cache = base === undefined || base === '' ? join(homedir(), '.cache') : base;
  const folder = wanted ?? environment['MLXC_CACHE'] ?? join(cache, 'mlxc');
  let owner: number;
  try {
    makeFolders(folder, 0o700);
    const { mode, uid } = statSync(folder);
    owner = uid;
    const isOwn = process.getuid === undefined || uid === process.getuid();
    if (isOwn && (mode & 0o077) !== 0) chmodSync(folder, 0o700);
  } catch (error) {
    throw unusableCache(folder, error instanceof Error ? error.message : String(error));
  }
  // code is loaded from here: whoever owns the folder could put some of theirs in
  if (process.getuid !== undefined && owner !== process.getuid()) {
    throw unusableCache(folder, 'it belongs to another user');
  }
  return folder;
}

function unusableCache(folder: string, reason: string): MlxcError {
  return new MlxcError(
    'MLX5105',
    `cannot use the cache folder ${folder}: ${reason}`,
    'set MLXC_CACHE to a folder of your own',
  );
}

const compilers = new Map<string, Compiler>();

/** The first C compiler that answers to `--version`. */
function findCompiler(
  wanted: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Compiler {
  const chosen = wanted ?? environment['CC'];
  const candidates = chosen === undefined || chosen === '' ? ['cc', 'gcc', 'clang'] : [chosen];
  const path = environment['PATH'] ?? '';
  for (const candidate of candidates) {
    const key = `${candidate}\0${path}`;
    const known = compilers.get(key);
    if (known !== undefined) return known;
    // CC may carry words of its own, such as `ccache gcc`
    const [command = candidate, ...prefix] = candidate.split(/\s+/).filter((word) => word !== '');
    const probe = spawnSync(command, [...prefix, '--version'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path, LC_ALL: 'C' },
    });
    if (probe.status !== 0) continue;
    const compiler: Compiler = {
      command,
      prefix,
      version: probe.stdout,
      flags: kernelFlags(),
      path,
    };
    compilers.set(key, compiler);
    return compiler;
  }
  throw new MlxcError(
    'MLX5104',
    `no C compiler found (tried ${candidates.join(', ')}): the CPU device compiles its kernels`,
    `${installLine()}; or run without one: \`--device interp\``,
  );
}

function installLine(): string {
  if (process.platform === 'darwin') return 'install one with `xcode-select --install`';
  return 'install one, such as `sudo apt-get install gcc` or `sudo dnf install gcc`, or set CC';
}

/** The head (helpers) and groups of kernels of about equal length. */
export function splitSource(source: string): readonly string[] {
  const [head = '', ...kernels] = source.split(partBoundary);
  const wanted = Math.min(mostParts, kernels.length, Math.ceil(source.length / charactersOfAPart));
  if (wanted <= 1) return [source];
  const parts: string[][] = Array.from({ length: wanted }, () => []);
  const lengths = parts.map(() => 0);
  for (const kernel of kernels) {
    const least = lengths.indexOf(Math.min(...lengths));
    parts[least]!.push(kernel);
    lengths[least]! += kernel.length;
  }
  return parts.map((part) => head + part.join(''));
}

async function build(compiler: Compiler, parts: readonly string[], work: string): Promise<void> {
  const library = join(work, 'kernels.so');
  const sources = parts.map((text, i) => {
    const path = join(work, `kernels-${i}.c`);
    writeFileSync(path, text);
    return path;
  });
  if (sources.length === 1) {
    return await invoke(compiler, [
      ...compiler.flags,
      '-shared',
      sources[0]!,
      '-o',
      library,
      '-lm',
    ]);
  }
  const objects = sources.map((path) => path.replace(/c$/, 'o'));
  const waiting = sources.map((_, i) => i);
  const compileParts = async (): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
      await invoke(compiler, [...compiler.flags, '-c', sources[i]!, '-o', objects[i]!]);
    }
  };
  await Promise.all(cpus().map(compileParts));
  await invoke(compiler, ['-shared', ...objects, '-o', library, '-lm']);
}

function invoke(compiler: Compiler, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler.command, [...compiler.prefix, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: compiler.path, LC_ALL: 'C' },
    });
    let output = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (chunk: string) => {
      if (output.length < 20_000) output += chunk;
    });
    child.on('error', (error) => reject(compilerFailed(compiler, error.message)));
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(compilerFailed(compiler, output.trim()));
    });
  });
}

function compilerFailed(compiler: Compiler, output: string): MlxcError {
  return new MlxcError(
    'MLX5105',
    `the C compiler ${compiler.command} failed:\n${output}`,
    'set CC to gcc 10 or newer, or to clang 12 or newer',
  );
}
