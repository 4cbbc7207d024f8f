/**
 * A strict front-end check of Metal source on a machine without Metal, in two halves:
 *
 *  - rules.ts: what Metal refuses and OpenCL C++ does not (kernel signatures, limits, words);
 *  - clang 19 in OpenCL C++ mode without the generic address space, which has Metal's rules for address spaces, against
 *    our declarations of Metal's library (include/metal_stdlib). Tokens are renamed on the way: `device` is `__global`.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx/core';
import { checkLanguage } from './language.ts';
import { checkRules } from './rules.ts';
import { analyse, closing } from './structure.ts';
import { type Token, tokenize } from './tokens.ts';
import { openClOnlyWords } from './words.ts';

export interface MetalCheck {
  readonly ok: boolean;
  /** `line: what is wrong`, rules first. */
  readonly errors: readonly string[];
}

/** Clang 19 is absent: an environment problem, never a pass. */
export class MissingClang extends Error {
  override readonly name: string = 'MissingClang';
}

const homebrewClang = '/opt/homebrew/opt/llvm@19/bin/clang';
const clang = existsSync(homebrewClang) ? homebrewClang : 'clang-19';

const clangArguments: readonly string[] = [
  '-x',
  'clcpp',
  '-cl-std=clc++2021',
  '-Xclang',
  '-cl-ext=-__opencl_c_generic_address_space,-__opencl_c_pipes,-__opencl_c_device_enqueue,+cl_khr_fp16',
  '-target',
  'x86_64-linux-gnu',
  // Only our own declarations: none of OpenCL's functions and vector types.
  '-cl-no-stdinc',
  '-cl-single-precision-constant',
  '-fsyntax-only',
  '-ferror-limit=0',
  '-fno-caret-diagnostics',
  '-fbracket-depth=1024',
  '-Werror',
  '-Wall',
  '-Wshadow',
  '-Wsign-compare',
  '-Wimplicit-float-conversion',
  // Metal's attributes are checked by our rules.
  '-Wno-unknown-attributes',
  '-Wno-unknown-pragmas',
];

const renamed: ReadonlyMap<string, string> = new Map([
  ['device', '__global'],
  ['threadgroup', '__local'],
  ['thread', '__private'],
]);

/**
 * Metal tokens as OpenCL C++ tokens; lines stay where they are, and includes go (the caller includes our header).
 * Kernels get a suffix: OpenCL gives them C linkage, so a namespace does not keep them apart.
 */
function translate(
  source: string,
  tokens: readonly Token[],
  kernels: ReadonlySet<string>,
  suffix: string,
): string {
  let text = '';
  let at = 0;
  let keywordAfter = -1;
  for (const [i, token] of tokens.entries()) {
    let to: string | undefined;
    if (token.kind === 'word') {
      const isAttribute = tokens[i - 1]?.text === '[' && tokens[i - 2]?.text === '[';
      if (isAttribute && token.text === 'kernel') {
        // as a keyword after the attributes: OpenCL has no such attribute
        to = 'mlxc_kernel';
        keywordAfter = closing(tokens, i - 2);
      } else if (!isAttribute) to = renamed.get(token.text);
      if (openClOnlyWords.has(token.text)) to = `${token.text}_`;
      if (kernels.has(token.text)) to = token.text + suffix;
    } else if (token.kind === 'directive' && /^#\s*(include|pragma|line)/.test(token.text)) to = '';
    if (i === keywordAfter) to = `${token.text} __kernel `;
    if (to === undefined) continue;
    text += source.slice(at, token.start) + to;
    at = token.start + token.text.length;
  }
  return text + source.slice(at);
}

/** Checks one source. Throws MissingClang when clang-19 is not installed. */
export async function checkMetal(source: string): Promise<MetalCheck> {
  return (await checkMetalBatch([source]))[0]!;
}

/**
 * Checks many sources with one run of clang: each in a namespace of its own, so names may repeat. `command` is the compiler.
 * Throws MissingClang when it is not installed.
 */
export async function checkMetalBatch(
  sources: readonly string[],
  command: string = clang,
): Promise<readonly MetalCheck[]> {
  const errors: string[][] = sources.map(() => []);
  const all = sources.map((_, i) => i);
  await checkWithClang(sources, all, errors, command);
  // Clang looks for unused variables and the like only in a unit without errors.
  const clean = all.filter((i) => errors[i]!.length === 0);
  if (clean.length < all.length && clean.length > 0) {
    await checkWithClang(sources, clean, errors, command);
  }
  return sources.map((source, i) => {
    const list = [...rulesOf(source), ...errors[i]!];
    return { ok: list.length === 0, errors: list };
  });
}

/** Our own kernels come first; behind a `#line` are those of users, which are held to Metal's rules alone. */
function rulesOf(source: string): readonly string[] {
  const end = source.search(/^#line /m);
  const ours = end < 0 ? source : source.slice(0, end);
  const last = ours.split('\n').length;
  const theirs =
    end < 0 ? [] : checkLanguage(analyse(tokenize(source))).filter((e) => e.line >= last);
  return [...checkRules(analyse(tokenize(ours))), ...theirs].map((e) => `${e.line}: ${e.message}`);
}

async function checkWithClang(
  sources: readonly string[],
  which: readonly number[],
  errors: readonly string[][],
  command: string,
): Promise<void> {
  let unit = '#include <metal_stdlib>\n';
  for (const i of which) {
    const tokens = tokenize(sources[i]!);
    const kernels = new Set(analyse(tokens).kernels.map((k) => k.name.text));
    const text = translate(sources[i]!, tokens, kernels, `_${i}`);
    unit += `namespace mlxc_source_${i} {\n#line 1 "source-${i}"\n${text}\n}\n`;
  }
  const lines = (await runClang(unit, command)).split('\n');
  lines.forEach((line, at) => {
    const message = /(?:error|warning): (.*)$/.exec(line)?.[1];
    if (message === undefined) return;
    // An error inside our header belongs to the source that the notes below it name.
    for (const place of [line, ...notesAfter(lines, at)]) {
      const match = /^source-(\d+):(\d+):/.exec(place);
      if (match) {
        errors[Number(match[1])]!.push(`${match[2]}: ${message}`);
        return;
      }
    }
    for (const i of which) errors[i]!.push(line);
  });
}

function notesAfter(lines: readonly string[], at: number): readonly string[] {
  const next = lines.findIndex((l, i) => i > at && /(?:error|warning): /.test(l));
  return lines.slice(at + 1, next < 0 ? undefined : next);
}

/** What a shell answers for a program that it does not find. */
const commandNotFound = 127;

const run = $({ nothrow: true, quiet: true });

async function runClang(unit: string, command: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'metal-check-'));
  const file = join(folder, 'unit.clcpp');
  const include = fileURLToPath(new URL('include', import.meta.url));
  try {
    await writeFile(file, unit);
    const { exitCode, stderr, message } =
      await run`${command} ${clangArguments} -I${include} ${file}`;
    if (exitCode === commandNotFound) {
      throw new MissingClang(
        `${command} is needed to check Metal source and is not installed.\n` +
          'On Debian or Ubuntu: apt-get install clang-19 (or run `npm run bootstrap -- --tests`).',
      );
    }
    if (exitCode === null) throw new Error(`${command} was interrupted: ${message}`);
    return stderr;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
