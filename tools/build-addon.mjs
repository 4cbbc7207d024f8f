#!/usr/bin/env node
/**
 * node tools/build-addon.mjs
 *
 * Builds build/mlxc_native.node from runtime/src with one call of the C++ compiler ($CXX, else c++), unless the sources, flags and
 * compiler are those of the last build. Written beside its place and renamed, so that a process that has loaded the old file keeps it.
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
const isMac = process.platform === 'darwin';

function filesUnder(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    })
    .sort();
}

const files = filesUnder(join(root, 'runtime', 'src'));
const extensions = isMac ? ['.cc', '.mm'] : ['.cc'];
const sources = files.filter((file) => extensions.includes(extname(file)));
if (sources.length === 0) {
  process.stderr.write('build-addon: runtime/src holds no sources\n');
  process.exit(0);
}

const compiler = process.env.CXX ?? 'c++';
const flags = [
  '-std=c++20',
  '-O3',
  '-fvisibility=hidden',
  '-DNAPI_VERSION=8',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_GYP_MODULE_NAME=mlxc_native',
  `-I${dirname(require.resolve('node-addon-api'))}`,
  `-I${require('node-api-headers').include_dir}`,
  ...(isMac
    ? ['-bundle', '-undefined', 'dynamic_lookup', '-framework', 'Metal', '-framework', 'Foundation']
    : ['-shared', '-fPIC', '-pthread']),
];
const libraries = isMac ? [] : ['-ldl'];

const hash = createHash('sha256').update(
  [compiler, process.platform, process.arch, ...flags].join('\0'),
);
for (const file of files) hash.update(relative(root, file)).update(readFileSync(file));
const digest = hash.digest('hex');

const out = join(root, 'build', 'mlxc_native.node');
const stamp = `${out}.hash`;
if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) process.exit(0);

mkdirSync(dirname(out), { recursive: true });
const temporary = `${out}.${process.pid}.tmp`;
const args = [...flags, ...sources, '-o', temporary, ...libraries];
process.stderr.write(
  `build-addon: ${compiler} ${sources.map((file) => relative(root, file)).join(' ')}\n`,
);
const { status, error } = spawnSync(compiler, args, { stdio: ['ignore', 2, 2] });
if (error !== undefined || status !== 0) {
  process.stderr.write(
    `build-addon: ${error === undefined ? `${compiler} failed` : `cannot run ${compiler}: ${error.message}`}\n`,
  );
  process.exit(1);
}
renameSync(temporary, out);
writeFileSync(stamp, digest);
