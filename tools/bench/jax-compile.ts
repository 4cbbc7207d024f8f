/** jax.jit on the same training step: lower and compile, without running it. */
import { Peers } from './peers.ts';

/** Seconds; undefined, with the reason said, when JAX is not here. */
export async function measureJaxCompile(
  sizes: Readonly<Record<string, number>>,
  say: (line: string) => void,
): Promise<number | undefined> {
  const peers = await Peers.start(say);
  if (peers === undefined) return undefined;
  try {
    const answer = await peers.compile('gpt_step', sizes);
    if (typeof answer === 'string') say(`peers: jax.jit: ${answer}`);
    return typeof answer === 'string' ? undefined : answer;
  } finally {
    peers.stop();
  }
}
