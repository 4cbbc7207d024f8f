/**
 * npm run bench -- compile|call|cpu [--json] [--only NAME] [--seconds S] [--no-peers] [--peers]
 *
 *   compile   a GPT-2 training step from source to Metal kernels and plan; --peers also times jax.jit on the same step
 *   call      microseconds per call of a small function from Node on the CPU device
 *   cpu       kernels and training steps on the CPU device, against NumPy, PyTorch, JAX and MLX in the same run
 *
 * Results go to standard output, one a line, or with --json as a list of `{ name, value, unit, peer?, ratio? }`; a ratio
 * above 1 says how many times faster than the peer. What is skipped is said on standard error.
 */
import { parseArgs } from 'node:util';
import { type BenchResult, showResult } from './result.ts';

export interface BenchOptions {
  readonly only: string | undefined;
  /** Seconds for a sample; several are taken. */
  readonly seconds: number;
  /** Undefined: as the benchmark does by default. */
  readonly peers: boolean | undefined;
  /** A line on standard error. */
  readonly say: (line: string) => void;
  /** Takes each result when it is known. */
  readonly emit: (result: BenchResult) => void;
}

type Benchmark = (options: BenchOptions) => Promise<void>;

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  compile: async () => (await import('./compile-bench.ts')).benchCompile,
  call: async () => (await import('./call-bench.ts')).benchCall,
  cpu: async () => (await import('./cpu-bench.ts')).benchCpu,
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      seconds: { type: 'string', default: '0.2' },
      peers: { type: 'boolean' },
      'no-peers': { type: 'boolean', default: false },
    },
  });
  const [name = ''] = positionals;
  const open = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  const seconds = Number(values.seconds);
  if (open === undefined || positionals.length !== 1 || !(seconds > 0)) {
    console.error(
      'usage: npm run bench -- compile|call|cpu [--json] [--only NAME] [--seconds S] [--no-peers] [--peers]',
    );
    return 2;
  }
  const results: BenchResult[] = [];
  const benchmark = await open();
  await benchmark({
    only: values.only,
    seconds,
    peers: values['no-peers'] ? false : values.peers,
    say: (line) => console.error(line),
    emit: (result) => {
      results.push(result);
      if (!values.json) console.log(showResult(result));
    },
  });
  if (values.json) console.log(JSON.stringify(results, null, 2));
  return 0;
}

// A benchmark that goes on after a failed case sets the exit code itself.
const code = await main();
if (code !== 0) process.exitCode = code;
