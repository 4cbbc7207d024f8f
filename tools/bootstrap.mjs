#!/usr/bin/env node
/**
 * node tools/bootstrap.mjs [--tests] [--quiet]
 *
 * Brings in what a fresh clone needs, says what it does, and does nothing the second time:
 *   1. npm packages (`npm ci`, when package-lock.json is newer than what is installed);
 *   2. the native addon (one call of the C++ compiler, see build-addon.mjs);
 *   3. with --tests: clang 19 and GNUstep, and the simulator built with them, which check and run Metal on machines without it.
 * Where it may not install something it prints the exact line to type and fails. Runs before node_modules exists: no imports
 * but Node's.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const forTests = process.argv.includes('--tests');
const quiet = process.argv.includes('--quiet');

function say(text) {
  if (!quiet) process.stderr.write(`bootstrap: ${text}\n`);
}

function fail(problem, line) {
  process.stderr.write(`bootstrap: ${problem}\n`);
  if (line !== undefined) process.stderr.write(`\n  type this, then try again:\n\n    ${line}\n\n`);
  process.exit(1);
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options }).status === 0;
}

function onPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, command)));
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Node ${process.versions.node} is too old: mlxc needs 20.19 or newer (https://nodejs.org)`);
}

/** The stamp holds the hash of the lockfile that was installed; npm's own marker must be there too. */
function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.cache', 'mlxc-lockfile');
  const marker = join(modules, '.package-lock.json');
  if (existsSync(marker) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('npm ci: the packages of package-lock.json');
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) {
    fail('npm ci failed; see above', 'npm ci');
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

function buildAddon() {
  const status = spawnSync(process.execPath, [join(root, 'tools', 'build-addon.mjs')], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  }).status;
  if (status === 0) return;
  fail(
    'the native addon could not be built (see above); it needs a C++ compiler',
    process.platform === 'darwin' ? 'xcode-select --install' : 'sudo apt-get install -y g++',
  );
}

/** Debian's packages that the tests need and npm does not have, by a sign that they are there. */
const testPackages = [
  ['clang-19', () => onPath('clang-19')],
  ['libgnustep-base-dev', () => existsSync('/usr/include/GNUstep/Foundation/Foundation.h')],
  ['gobjc', hasObjectiveC],
  ['libblocksruntime-dev', () => existsSync('/usr/include/Block.h')],
];

/** GCC's own headers of Objective-C, which Debian's GNUstep uses. */
function hasObjectiveC() {
  const { stdout } = spawnSync('gcc', ['-print-file-name=include'], { encoding: 'utf8' });
  return typeof stdout === 'string' && existsSync(join(stdout.trim(), 'objc', 'objc.h'));
}

function installTestTools() {
  if (process.platform === 'darwin') {
    if (onPath('clang-19') || existsSync('/opt/homebrew/opt/llvm@19/bin/clang')) return;
    fail('the Metal checks of the tests need clang 19', 'brew install llvm@19');
  }
  const missing = testPackages.filter(([, isThere]) => !isThere()).map(([name]) => name);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  const why = `the Metal checks of the tests need ${names}`;
  if (!onPath('apt-get')) fail(`${why} (Debian's names); install them with your package manager`);
  const line = `apt-get install -y --no-install-recommends ${names}`;
  const isRoot = process.getuid?.() === 0;
  const maySudo = !isRoot && onPath('sudo') && spawnSync('sudo', ['-n', 'true']).status === 0;
  if (!isRoot && !maySudo) fail(why, `sudo ${line}`);
  say(`${line}: to check and run Metal kernels without a Mac (about 150 MB)`);
  const prefix = isRoot ? [] : ['sudo', '-n'];
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (args) => {
    const [command, ...rest] = [...prefix, 'apt-get', ...args];
    return run(command, rest, { env: environment });
  };
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  if (!apt(install) && !(apt(['update']) && apt(install))) {
    fail(
      `apt-get could not install ${names}`,
      isRoot ? `apt-get update && ${line}` : `sudo apt-get update && sudo ${line}`,
    );
  }
}

/** Metal for machines without it, which the tests of the Metal runtime use. */
function buildSimulator() {
  if (process.platform === 'darwin') return;
  if (run(process.execPath, [join(root, 'tools', 'build-addon.mjs'), '--tests'])) return;
  fail('the simulator of Metal, or the Metal runtime over it, could not be built (see above)');
}

checkNode();
installPackages();
buildAddon();
if (forTests) {
  installTestTools();
  buildSimulator();
}
say('ready');
