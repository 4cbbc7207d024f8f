/**
 * Runs scalar expressions of the Metal printer as C++ on this machine, over a few lines that stand for Metal's library (metal-on-host.h).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DType, integerRange, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { Element } from '../../compiler/tensor-ir/nd-array.ts';
import { valueType } from '../../compiler/to-metal/types.ts';
import { metalHelper } from './metal-helpers.ts';

const shim = fileURLToPath(new URL('./metal-on-host.h', import.meta.url));

/** A C++ literal with exactly this value. */
export function hostLiteral(dtype: DType, value: Element): string {
  if (!isFloat(dtype)) {
    const { min } = integerRange(dtype);
    const big = BigInt(value);
    const text =
      big === min && min < 0n ? `(${big + 1n}l - 1)` : `${big}${big > 2n ** 62n ? 'ul' : 'l'}`;
    return `(${valueType(dtype)})${text}`;
  }
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, Number(value));
  return `f(0x${bits.getUint32(0).toString(16)}u)`;
}

/** The values of expressions, computed by one program: f32 or integers, as the printer writes them, with the helpers that they need. */
export function runOnHost(
  expressions: readonly string[],
  helpers: Iterable<string>,
): readonly (number | bigint)[] {
  const files = new Set<string>();
  const text: string[] = [];
  const include = (name: string): void => {
    if (files.has(name)) return;
    files.add(name);
    const source = metalHelper(name);
    for (const other of /^\/\/ needs: (.*)\n/.exec(source)?.[1]?.split(' ') ?? []) include(other);
    text.push(source);
  };
  for (const name of helpers) include(name);
  const parts = chunk(expressions, 500);
  const source = `#include "${shim}"
static float f(uint bits) { float x; std::memcpy(&x, &bits, 4); return x; }
static void show(float x) { uint b; std::memcpy(&b, &x, 4); std::printf("f%u\\n", b); }
template <typename T> static void show(T x) {
  if (std::is_signed<T>::value) std::printf("%ld\\n", (long)x);
  else std::printf("%lu\\n", (ulong)x);
}
${text.join('\n')}
${parts.map((part, i) => `static void part_${i}() {\n${part.map((e) => `show(${e});`).join('\n')}\n}`).join('\n')}
int main() {
${parts.map((_, i) => `part_${i}();`).join('\n')}
}
`;
  const folder = mkdtempSync(join(tmpdir(), 'metal-on-host-'));
  try {
    const [file, program] = [join(folder, 'source.cc'), join(folder, 'program')];
    writeFileSync(file, source);
    execFileSync('c++', ['-std=c++17', '-O0', '-w', '-fwrapv', '-o', program, file]);
    const output = execFileSync(program, { encoding: 'utf8', maxBuffer: 1 << 26 });
    return output
      .trimEnd()
      .split('\n')
      .map((line) => (line.startsWith('f') ? floatOfBits(Number(line.slice(1))) : BigInt(line)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function floatOfBits(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

function chunk<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}
