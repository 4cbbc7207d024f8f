#!/usr/bin/env node
/**
 * node tools/build-addon.mjs [--tests] [--dry-run [--platform darwin|linux]]
 *
 * Builds the native addons, each with one call of a C++ compiler, unless its sources, flags and compiler are those of the last build:
 *
 *   build/mlxc_native.node      the CPU device; $CXX, else c++
 *   build/mlxc_metal.node       the Metal device; on macOS only
 *   build/mlxc_metal_sim.node   the same sources over the simulator of Metal (tools/metal-sim); with --tests, elsewhere
 *
 * Written beside its place and renamed, so that a process that has loaded the old file keeps it. --dry-run prints the command lines as
 * JSON and builds nothing.
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
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const isDry = process.argv.includes('--dry-run');
const forTests = process.argv.includes('--tests');
const platform = process.argv.includes('--platform') ? argument('--platform') : process.platform;
const isMac = platform === 'darwin';

function filesUnder(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    })
    .sort();
}

const common = (name) => [
  '-std=c++20',
  '-O3',
  '-fvisibility=hidden',
  '-DNAPI_VERSION=8',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
  `-DNODE_GYP_MODULE_NAME=${name}`,
  `-I${dirname(require.resolve('node-addon-api'))}`,
  `-I${require('node-api-headers').include_dir}`,
];
const linkForNode = isMac
  ? ['-bundle', '-undefined', 'dynamic_lookup']
  : ['-shared', '-fPIC', '-pthread'];
/** macOS 14 is the first with Metal 3.1, which the kernels are written in. */
const forMetal = ['-mmacosx-version-min=14.0', '-fno-objc-arc', '-Wno-nullability-completeness'];
const compiler = process.env.CXX ?? 'c++';

function nativeAddon() {
  const files = ['cpu', 'node', 'plan'].flatMap((f) => filesUnder(join(root, 'runtime', 'src', f)));
  files.push(join(root, 'runtime', 'src', 'addon.cc'));
  return {
    name: 'mlxc_native',
    compiler,
    flags: [...common('mlxc_native'), ...linkForNode],
    files,
    libraries: isMac ? [] : ['-ldl'],
  };
}

function metalFiles() {
  const shared = ['node', 'plan'].flatMap((f) => filesUnder(join(root, 'runtime', 'src', f)));
  return [...filesUnder(join(root, 'runtime', 'metal')), ...shared];
}

/** Without CoreGraphics, MTLCreateSystemDefaultDevice gives nothing in programs of the command line. */
function metalAddon() {
  const frameworks = ['Metal', 'Foundation', 'CoreGraphics'];
  return {
    name: 'mlxc_metal',
    compiler,
    flags: [...common('mlxc_metal'), ...forMetal, ...linkForNode],
    files: metalFiles(),
    libraries: frameworks.flatMap((framework) => ['-framework', framework]),
  };
}

async function simulatedAddon() {
  // builds the simulator when it has to
  const { objectiveC, simulator } = await import('./metal-sim/build.mjs');
  return {
    name: 'mlxc_metal_sim',
    compiler: simulator.compiler,
    flags: [...common('mlxc_metal_sim'), ...linkForNode, ...objectiveC],
    files: [...metalFiles(), ...filesUnder(join(root, 'tools', 'metal-sim', 'include', 'Metal'))],
    libraries: simulator.libraries,
  };
}

const addons = [nativeAddon()];
if (isMac) addons.push(metalAddon());
else if (forTests) addons.push(await simulatedAddon());

for (const { name, compiler: command, flags, files, libraries } of addons) {
  const extensions = name === 'mlxc_native' ? ['.cc'] : ['.cc', '.mm'];
  const sources = files.filter((file) => extensions.includes(extname(file)));
  const out = join(root, 'build', `${name}.node`);
  const temporary = `${out}.${process.pid}.tmp`;
  const args = [...flags, ...sources, ...libraries, '-o', temporary];
  if (isDry) {
    process.stdout.write(`${JSON.stringify([command, ...args])}\n`);
    continue;
  }
  const hash = createHash('sha256').update(
    [command, platform, process.arch, ...flags, ...libraries].join('\0'),
  );
  for (const file of files) hash.update(relative(root, file)).update(readFileSync(file));
  const digest = hash.digest('hex');
  const stamp = `${out}.hash`;
  if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) continue;
  mkdirSync(dirname(out), { recursive: true });
  process.stderr.write(
    `build-addon: ${command} ${sources.map((file) => relative(root, file)).join(' ')}\n`,
  );
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error !== undefined || status !== 0) {
    const reason =
      error === undefined ? `${command} failed` : `cannot run ${command}: ${error.message}`;
    process.stderr.write(`build-addon: ${reason}\n`);
    process.exit(1);
  }
  renameSync(temporary, out);
  writeFileSync(stamp, digest);
}
