#!/usr/bin/env node
/**
 * node tools/metal-sim/build.mjs [--engine] [--flags | --cflags | --libs]
 *
 * Builds the simulator of Metal: build/libmetal_sim.so, the engine that compiled kernels call, build/metal_sim_run.node, which runs kernels
 * from tests without Metal's host API, and build/libmetal_sim_framework.so, that API over GNUstep. Each only when its sources, flags or
 * compiler have changed. Needs clang 19 and GNUstep; says what to install and exits with 2 when they are missing. With --engine GNUstep may
 * be missing: the host API is left out then. Where it can be built it always is, for it must know the same engine as the kernels.
 * --flags prints what compiles and links a host program against the simulator (--cflags and --libs one of the two):
 *
 *   clang++-19 -std=c++20 $(node tools/metal-sim/build.mjs --flags) program.mm -o program
 *   clang-19 -fobjc-arc $(node tools/metal-sim/build.mjs --flags) program.m -o program
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const build = resolve(here, '..', '..', 'build');
const compiler = process.env.METAL_SIM_CXX ?? 'clang++-19';

function missing(what, packages) {
  process.stderr.write(`metal-sim: ${what}; on Debian or Ubuntu: apt-get install ${packages}\n`);
  process.exit(2);
}

function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const version = ask(compiler, ['--version']);
if (version === undefined) missing(`${compiler} is missing`, 'clang-19');
const objc = ask('gcc', ['-print-file-name=include']);
const hasGnustep = existsSync('/usr/include/GNUstep/Foundation/Foundation.h');
const hasObjectiveC = objc !== undefined && existsSync(join(objc, 'objc', 'objc.h'));
if (!process.argv.includes('--engine')) {
  if (!hasGnustep) {
    missing('GNUstep is missing', 'libgnustep-base-dev gobjc libblocksruntime-dev');
  }
  if (!hasObjectiveC) missing("GCC's Objective-C headers are missing", 'gobjc');
}

/** Flags for Objective-C++ over GNUstep; the runtime's files are compiled with them too. */
export const objectiveC = [
  '-x',
  'objective-c++',
  '-fobjc-runtime=gcc',
  '-fblocks',
  '-fexceptions',
  '-fobjc-exceptions',
  '-D_NATIVE_OBJC_EXCEPTIONS',
  '-DGNUSTEP',
  '-DGNUSTEP_BASE_LIBRARY=1',
  '-DGNU_RUNTIME=1',
  '-fconstant-string-class=NSConstantString',
  '-I/usr/include/GNUstep',
  `-I${objc}`,
  `-I${join(here, 'include')}`,
  '-Wno-nullability-completeness',
];
/** A worker of Node closes its addons as it ends, and destructors of its thread, GNUstep's among them, run only after that. */
const staysLoaded = '-Wl,-z,nodelete';
/** What builds code against the simulator, and links it. */
export const simulator = {
  compiler,
  libraries: [
    staysLoaded,
    `-L${build}`,
    '-lmetal_sim_framework',
    '-lmetal_sim',
    `-Wl,-rpath,${build}`,
    // before GNUstep, which has a _Block_copy that copies nothing
    '-lBlocksRuntime',
    '-lgnustep-base',
    '-lobjc',
  ],
};
/**
 * What compiles and links a host program, in Objective-C or Objective-C++ by the ending of its name: as the newer runtime of GNUstep has
 * it, with subscripts, instance variables in implementations, and automatic reference counting where -fobjc-arc asks for it.
 */
export const hostFlags = {
  compile: [
    `-I${join(here, 'objc-runtime', 'include')}`,
    '-fobjc-runtime=gnustep-1.6',
    '-fobjc-legacy-dispatch',
    '-fobjc-weak',
    ...objectiveC.slice(3),
    '-pthread',
  ],
  link: [`-L${build}`, '-lmetal_sim_objc', ...simulator.libraries],
};
const common = ['-std=c++20', '-O2', '-g', '-fPIC', '-pthread', '-Wall', '-Wextra', staysLoaded];

const filesIn = (folder) =>
  readdirSync(join(here, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(here, folder, entry.name));

/** Compiles the sources of a folder into a shared library, unless it is up to date. */
function library(name, folder, extension, flags, libraries, alsoRead) {
  const files = [...filesIn(folder), ...alsoRead].sort();
  const hash = createHash('sha256').update([version, ...common, ...flags, ...libraries].join('\0'));
  for (const file of files) hash.update(file).update(readFileSync(file));
  const digest = hash.digest('hex');
  const out = join(build, name);
  const stamp = `${out}.hash`;
  if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const sources = files.filter(
    (file) => dirname(file) === join(here, folder) && file.endsWith(extension),
  );
  process.stderr.write(`metal-sim: building ${name}\n`);
  mkdirSync(build, { recursive: true });
  const temporary = `${out}.${process.pid}.tmp`;
  const args = [
    ...common,
    ...flags,
    '-shared',
    ...sources,
    '-o',
    temporary,
    `-Wl,-soname,${name}`,
    ...libraries,
  ];
  const { status } = spawnSync(compiler, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
  renameSync(temporary, out);
  writeFileSync(stamp, digest);
}

const require = createRequire(import.meta.url);
const headers = [join(here, 'include', 'metal_sim_abi.h')];
library('libmetal_sim.so', 'engine', '.cc', [], ['-ldl'], headers);
library(
  'metal_sim_run.node',
  'driver',
  '.cc',
  ['-DNAPI_VERSION=8', `-I${require('node-api-headers').include_dir}`],
  [`-L${build}`, '-lmetal_sim', `-Wl,-rpath,${build}`, '-ldl'],
  [...headers, ...filesIn('engine').filter((file) => file.endsWith('.h'))],
);
if (hasGnustep && hasObjectiveC) buildFramework();
const wanted = Object.entries({
  '--flags': [...hostFlags.compile, ...hostFlags.link],
  '--cflags': hostFlags.compile,
  '--libs': hostFlags.link,
}).find(([option]) => process.argv.includes(option));
if (wanted !== undefined) {
  buildCompiler();
  process.stdout.write(`${wanted[1].join(' ')}\n`);
}

/** Host programs have their kernels compiled by what `npm run build` makes. */
function buildCompiler() {
  const root = resolve(build, '..');
  if (existsSync(join(root, 'dist', 'tools', 'metal-sim', 'compile', 'main.js'))) return;
  process.stderr.write('metal-sim: building the compiler of kernels\n');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}

function buildFramework() {
  library(
    'libmetal_sim_objc.so',
    'objc-runtime',
    '.cc',
    [],
    // Foundation's classes are there before its constructors run
    ['-lBlocksRuntime', '-lgnustep-base', '-lobjc', '-ldl'],
    filesIn(join('objc-runtime', 'include', 'objc')),
  );
  library(
    'libmetal_sim_framework.so',
    'framework',
    '.mm',
    objectiveC,
    [
      `-L${build}`,
      '-lmetal_sim',
      `-Wl,-rpath,${build}`,
      // before GNUstep, which has a _Block_copy that copies nothing
      '-lBlocksRuntime',
      '-lgnustep-base',
      '-lobjc',
    ],
    [
      ...headers,
      ...filesIn(join('include', 'Metal')),
      join(here, 'include', 'dispatch', 'dispatch.h'),
      ...filesIn('engine').filter((file) => file.endsWith('.h')),
    ],
  );
}
