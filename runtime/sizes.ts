/** Integer expressions of a plan, read once and evaluated for the dims of a call. */
import { evaluate, type Int } from '../compiler/symbolic/integer.ts';
import { parseInteger } from '../compiler/symbolic/parse-integer.ts';
import { MlxcError } from './errors.ts';

export type Dims = ReadonlyMap<string, number>;

/** The largest count or size that is exact everywhere. */
const largest = 2 ** 52;

export class Sizes {
  private readonly parsed = new Map<string, Int>();

  /** MLX5102 when the text is no integer expression. */
  parse(text: string): Int {
    let value = this.parsed.get(text);
    if (value === undefined) {
      try {
        value = parseInteger(text);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new MlxcError('MLX5102', `plan.json holds a bad size: ${reason}`, rebuild);
      }
      this.parsed.set(text, value);
    }
    return value;
  }

  /** The value under `dims`; MLX5112 when a division leaves a rest or the value is beyond 2^52. */
  evaluate(text: string, dims: Dims, iteration?: number): number {
    let value: number;
    try {
      value = evaluate(this.parse(text), (name) =>
        name === '$iteration' ? iteration : dims.get(name),
      );
    } catch (error) {
      if (error instanceof MlxcError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new MlxcError('MLX5112', `${text} has no value for ${showDims(dims)}: ${reason}`);
    }
    if (!(Math.abs(value) <= largest)) {
      throw new MlxcError('MLX5112', `${text} is too large for ${showDims(dims)}`);
    }
    return value;
  }

  /** A value that counts something: MLX5112 when it is negative. */
  count(text: string, dims: Dims): number {
    const value = this.evaluate(text, dims);
    if (value >= 0) return value;
    throw new MlxcError('MLX5112', `the size ${text} is ${value} for ${showDims(dims)}`);
  }

  /** As `count` where guards have been checked: what is negative still belongs to a branch that is not taken, so none. */
  countOrNone(text: string, dims: Dims): number {
    return Math.max(0, this.evaluate(text, dims));
  }
}

export const rebuild = 'build the bundle again with `mlxc build`';

/** `B = 32, N = 4`. */
export function showDims(dims: Dims): string {
  if (dims.size === 0) return 'no dims';
  return [...dims].map(([name, value]) => `${name} = ${value}`).join(', ');
}
