/** Wrong Metal: refused by the compiler, or found when it runs, for the right reason and at the right line. */
import { afterAll, expect, test } from 'vitest';
import { compile, RefusedMetal } from '../../driver/native.ts';
import { found } from './found.ts';
import { refused } from './refused.ts';

let compileTime = 0;
let runTime = 0;

afterAll(() => {
  process.stderr.write(
    `metal-sim: ${compileTime} wrong sources refused, ${runTime} wrong kernels found at run time\n`,
  );
});

test.each(refused)('$name is refused', ({ source, line, message }) => {
  let errors: RefusedMetal | undefined;
  try {
    compile(source);
  } catch (problem) {
    if (!(problem instanceof RefusedMetal)) throw problem;
    errors = problem;
  }
  expect(errors, 'it compiles').toBeDefined();
  const fitting = errors!.errors.find((e) => e.line === line && message.test(e.message));
  expect(fitting, errors!.message).toBeDefined();
  expect(fitting!.column).toBeGreaterThan(0);
  compileTime++;
});

test.each(found)('$name is found', ({ source, kind, lines, message, launch, bytes }) => {
  const library = compile(source);
  for (const seed of [1, 2, 3]) {
    const buffers = (bytes ?? [256, 256]).map((n) => new Uint8Array(n));
    const findings = library.run({
      kernel: 'k',
      buffers,
      grid: [2],
      threadgroup: [32],
      seed,
      ...launch,
    });
    expect(findings.map((f) => f.kind)).toEqual([kind]);
    expect(lines, findings[0]!.message).toContain(findings[0]!.line);
    if (message !== undefined) expect(findings[0]!.message).toMatch(message);
  }
  runTime++;
});
