/**
 * npm run fuzz -- [--programs N] [--seed S] [--time 10m] [--reduce] [--processes P] [--device D] [--show] [--help]
 *
 * Draws programs of the language at random and holds the CPU device, and the Metal schedules in their simulator, to the evaluator. Programs are
 * numbered: `--seed S --programs N` runs those from S to S + N - 1, and a failure names its number.
 *
 *   --programs N   how many (1000)
 *   --seed S       the first (1)
 *   --time T       no new batch after 30s, 10m, 2h
 *   --reduce       make the first failure of each kind small
 *   --processes P  side by side (2)
 *   --device D     cpu (with every third program through the schedules for Metal), or metal-sim: Metal's runtime over its simulator
 *   --show         print the programs instead of running them
 *
 * Exits with 1 when a program failed.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { drawProgram } from './generator.ts';
import { makeCase } from './program.ts';
import { reduceSeed, showReduced } from './reduce.ts';
import type { BatchReport, Failure, FuzzDevice } from './run.ts';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      programs: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      time: { type: 'string' },
      processes: { type: 'string', default: '2' },
      device: { type: 'string', default: 'cpu' },
      reduce: { type: 'boolean', default: false },
      show: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const programs = Number(values.programs);
  const seed = Number(values.seed);
  const processes = Number(values.processes);
  const milliseconds = values.time === undefined ? Infinity : parseTime(values.time);
  const isUsable = [programs, seed, processes].every((n) => Number.isSafeInteger(n) && n >= 0);
  const { device } = values;
  if (device !== 'cpu' && device !== 'metal-sim') {
    console.error(usage());
    return 2;
  }
  if (values.help || !isUsable || Number.isNaN(milliseconds)) {
    console.error(usage());
    return values.help ? 0 : 2;
  }
  if (values.show) {
    for (let i = 0; i < programs; i++) console.log(makeCase(drawProgram(seed + i)).source);
    return 0;
  }
  const started = performance.now();
  const report = await fuzz({
    seed,
    programs,
    milliseconds,
    processes,
    device,
    progress: showProgress,
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const kinds = failuresByKind(report.failures);
  for (const failures of kinds) {
    const [first] = failures;
    const others = failures.length > 1 ? `, and ${failures.length - 1} more like it` : '';
    console.log(`seed ${first!.name.slice(1)}${others}: ${first!.stage}: ${first!.message}\n`);
    if (!values.reduce) continue;
    const number = Number(first!.name.slice(1));
    const reduced = await reduceSeed(number, device);
    console.log(
      reduced === undefined ? 'alone it does not fail\n' : showReduced(number, reduced, device),
    );
  }
  console.log(summarize(report, seed, device, (performance.now() - started) / 1000));
  return report.failures.length === 0 ? 0 : 1;
}

/** The comment at the start of this file. */
function usage(): string {
  const text = readFileSync(new URL(import.meta.url), 'utf8');
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(text)?.[1] ?? '';
  return comment.replace(/^ \* ?/gm, '');
}

const units: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3 };

function parseTime(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  return amount === undefined ? Number.NaN : Number(amount) * units[unit!]!;
}

function showProgress({ programs, failures }: BatchReport): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[K${programs} programs, ${failures.length} failed`);
}

function failuresByKind(failures: readonly Failure[]): readonly (readonly Failure[])[] {
  const kinds = new Map<string, Failure[]>();
  for (const failure of failures) {
    const kind = `${failure.stage}: ${failure.problem}`;
    const same = kinds.get(kind);
    if (same === undefined) kinds.set(kind, [failure]);
    else same.push(failure);
  }
  return [...kinds.values()].sort((a, b) => b.length - a.length);
}

/** A line that says what was run. */
function summarize(report: BatchReport, seed: number, device: FuzzDevice, seconds: number): string {
  const { programs, calls, refused, compared, skipped, onMetal, failures, primitives, features } =
    report;
  return (
    `${programs} programs from seed ${seed}: ${calls} calls (${onMetal} ${device === 'cpu' ? 'through the schedules for Metal' : `programs on ${device}`}, ${refused} refused by a ` +
    `guard), ${compared} elements compared, ${skipped} ill-conditioned; ${Object.keys(primitives).length} primitives and ` +
    `${Object.keys(features).length} features hit; ${failures.length} failed; ${seconds.toFixed(0)} s`
  );
}

process.exitCode = await main();
