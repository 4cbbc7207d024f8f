/** A failure of a seed as a small program that anybody can run. */
import { optionsOf } from './fuzz.ts';
import { drawProgram } from './generator.ts';
import { Worker } from './pool.ts';
import { type FuzzCase, type FuzzProgram, makeCase, printProgram } from './program.ts';
import type { Failure, FuzzDevice } from './run.ts';
import { shrink } from './shrink.ts';

export interface Reduced {
  readonly program: FuzzProgram;
  readonly failure: Failure;
}

/** The smallest program found that fails as the seed does; undefined when the seed does not fail. */
export async function reduceSeed(
  seed: number,
  device: FuzzDevice = 'cpu',
  milliseconds = 120_000,
): Promise<Reduced | undefined> {
  const worker = new Worker({ seconds: 60, perProgram: 1 });
  const options = { ...optionsOf(seed, device), metalEvery: 1 };
  const check = async (programs: readonly FuzzProgram[]): Promise<readonly Failure[]> => {
    const cases = programs.flatMap((program, i) => caseOf({ ...program, name: `f${i}` }) ?? []);
    return (await worker.run({ cases, options })).failures;
  };
  try {
    const program = drawProgram(seed);
    const [first] = await check([program]);
    if (first === undefined) return undefined;
    let failure = first;
    const smallest = await shrink(
      program,
      async (candidates) => {
        const same = (await check(candidates)).filter((f) => isSameKind(f, first));
        const [earliest] = same.sort((a, b) => placeOf(a) - placeOf(b));
        if (earliest === undefined) return -1;
        failure = earliest;
        return placeOf(earliest);
      },
      { milliseconds },
    );
    return { program: smallest, failure };
  } finally {
    worker.stop();
  }
}

function placeOf({ name }: Failure): number {
  return Number(name.slice(1));
}

/** Undefined when a size is negative. */
function caseOf(program: FuzzProgram): FuzzCase | undefined {
  try {
    return makeCase(program);
  } catch {
    return undefined;
  }
}

function isSameKind(a: Failure, b: Failure): boolean {
  return a.stage === b.stage && a.problem === b.problem;
}

/** The program, how to call it, what went wrong, and the command that shows it again. */
export function showReduced(
  seed: number,
  { program, failure }: Reduced,
  device: FuzzDevice = 'cpu',
): string {
  const { calls } = makeCase(program);
  const inputs = calls.map(({ arguments: args }) =>
    program.parameters.map((p, i) => `//   ${p.name} = [${args[i]!.data.join(', ')}]`).join('\n'),
  );
  return [
    `// ${failure.stage}: ${failure.message.split('\n')[0]}`,
    ...calls.map(({ dims }, i) => `// called with ${JSON.stringify(dims)}\n${inputs[i]}`),
    `// npm run fuzz -- --seed ${seed} --programs 1 --reduce${device === 'cpu' ? '' : ` --device ${device}`}`,
    printProgram(program),
  ].join('\n');
}
