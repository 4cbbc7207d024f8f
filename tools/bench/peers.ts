/** The Python side of the CPU benchmark: finds or makes its environment, and asks it for samples. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../compiler/driver/node-host.ts';

const folder = (): string => join(packageRoot(), 'tools', 'bench', 'peers');

/**
 * A Python with the peers: $MLXC_PEERS_PYTHON, else a virtual environment in .cache/bench-peers, made from
 * requirements.txt at the first run. Undefined, with the reason said through `say`, when there is none.
 */
function findPython(say: (line: string) => void): string | undefined {
  const given = process.env['MLXC_PEERS_PYTHON'];
  if (given !== undefined) return given;
  const venv = join(packageRoot(), '.cache', 'bench-peers');
  const python = join(venv, 'bin', 'python');
  const stamp = join(venv, 'installed');
  const requirements = readFileSync(join(folder(), 'requirements.txt'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === requirements) return python;
  say(`peers: making ${venv} with NumPy, SciPy, JAX, MLX and PyTorch (once, about 2 GB)`);
  rmSync(stamp, { force: true });
  if (spawnSync('python3', ['-m', 'venv', venv], { stdio: ['ignore', 2, 2] }).status !== 0) {
    say(
      'peers: no Python 3 with venv here, so there is nothing to compare with (sudo apt-get install -y python3-venv)',
    );
    return undefined;
  }
  const lines = requirements.split('\n').filter((line) => line !== '');
  // One by one: a peer that cannot be installed here does not keep the others out.
  const failed = lines.filter((line) => {
    const pip = spawnSync(python, ['-m', 'pip', 'install', '--quiet', line], {
      stdio: ['ignore', 2, 2],
    });
    return pip.status !== 0;
  });
  for (const line of failed) say(`peers: ${line} could not be installed`);
  if (failed.length < lines.length) writeFileSync(stamp, requirements);
  return failed.length < lines.length ? python : undefined;
}

export class Peers {
  /** Name to version. */
  readonly versions: ReadonlyMap<string, string>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  private constructor(
    child: ChildProcessWithoutNullStreams,
    lines: AsyncIterator<string>,
    versions: ReadonlyMap<string, string>,
  ) {
    this.child = child;
    this.lines = lines;
    this.versions = versions;
  }

  /** Undefined when there is no Python; says which peers are missing. */
  static async start(say: (line: string) => void): Promise<Peers | undefined> {
    const python = findPython(say);
    if (python === undefined) return undefined;
    const child = spawn(python, [join(folder(), 'measure.py')], {
      cwd: folder(),
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    child.stdin.on('error', () => {});
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = `${complaint}${chunk}`.slice(-500);
    });
    child.on('error', (error) => {
      complaint = error.message;
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const bare = new Peers(child, lines, new Map());
    const answer = await bare.ask<{
      peers: Record<string, string>;
      missing: Record<string, string>;
    }>({ peers: true });
    if (answer === undefined) {
      say(`peers: ${python} did not start: ${complaint.trim().split('\n').at(-1) ?? ''}`);
      return undefined;
    }
    for (const [name, reason] of Object.entries(answer.missing))
      say(`peers: skipping ${name}: ${reason}`);
    return new Peers(child, lines, new Map(Object.entries(answer.peers)));
  }

  /** Compiles a case in one framework; the reason when that framework has no such case. */
  async prepare(
    name: string,
    sizes: Readonly<Record<string, number>>,
    peer: string,
  ): Promise<string | undefined> {
    const answer = await this.ask<{ absent?: string }>({ prepare: name, sizes, peer });
    return answer === undefined ? 'the process ended' : answer.absent;
  }

  /** Mean seconds per call. */
  async sample(peer: string, seconds: number): Promise<number | undefined> {
    return (await this.ask<{ seconds: number }>({ sample: peer, seconds }))?.seconds;
  }

  /** Seconds that jax.jit takes to lower and compile a case; the reason when it cannot. */
  async compile(name: string, sizes: Readonly<Record<string, number>>): Promise<number | string> {
    const answer = await this.ask<{ seconds?: number; absent?: string }>({ compile: name, sizes });
    return answer?.seconds ?? answer?.absent ?? 'the process ended';
  }

  stop(): void {
    this.child.stdin.end();
  }

  private async ask<Answer>(request: object): Promise<Answer | undefined> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.lines.next();
    return line.done === true ? undefined : (JSON.parse(line.value) as Answer);
  }
}
