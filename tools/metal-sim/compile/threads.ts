/** `[[max_total_threads_per_threadgroup(WM * WN * 32)]]`: a number, once the arguments of the template are known. */
import type { KernelText } from '../../metal-check/structure.ts';
import { type Token, tokenize } from '../../metal-check/tokens.ts';

/** 0 where the kernel says nothing, or something else than arithmetic. */
export function threadLimit(
  kernel: KernelText,
  templateArguments: readonly string[],
  tokens: readonly Token[],
): number {
  const text = kernel.attributes.get('max_total_threads_per_threadgroup');
  if (text === undefined) return 0;
  // constants of the source, which the arguments may name
  const constants = new Map<string, number>();
  tokens.forEach((t, i) => {
    if (tokens[i + 1]?.text !== '=' || tokens[i + 3]?.text !== ';') return;
    if (tokens[i + 2]!.kind === 'number') constants.set(t.text, integer(tokens[i + 2]!.text));
  });
  const names = new Map(constants);
  kernel.templateParameters?.forEach((parameter, i) => {
    const equals = parameter.findIndex((t) => t.text === '=');
    const name = parameter[(equals < 0 ? parameter.length : equals) - 1];
    const preset = equals < 0 ? [] : parameter.slice(equals + 1).map((t) => t.text);
    const given = templateArguments[i] ?? preset.join(' ');
    if (name !== undefined) names.set(name.text, new Arithmetic(constants).value(given));
  });
  return Math.trunc(new Arithmetic(names).value(text)) || 0;
}

function integer(text: string): number {
  return Number(text.replace(/[uUlL]+$/, ''));
}

/** Sums and products of integers; NaN for anything else. */
class Arithmetic {
  readonly #names: ReadonlyMap<string, number>;
  #tokens: readonly Token[] = [];
  #at = 0;

  constructor(names: ReadonlyMap<string, number>) {
    this.#names = names;
  }

  value(text: string): number {
    this.#tokens = tokenize(text);
    this.#at = 0;
    const result = this.#sum();
    return this.#at === this.#tokens.length ? result : Number.NaN;
  }

  #takes(...texts: readonly string[]): string | undefined {
    const text = this.#tokens[this.#at]?.text;
    if (text === undefined || !texts.includes(text)) return undefined;
    this.#at++;
    return text;
  }

  #sum(): number {
    let result = this.#product();
    for (let by = this.#takes('+', '-'); by !== undefined; by = this.#takes('+', '-')) {
      const next = this.#product();
      result = by === '+' ? result + next : result - next;
    }
    return result;
  }

  #product(): number {
    let result = this.#factor();
    for (let by = this.#takes('*', '/'); by !== undefined; by = this.#takes('*', '/')) {
      const next = this.#factor();
      result = by === '*' ? result * next : Math.trunc(result / next);
    }
    return result;
  }

  #factor(): number {
    if (this.#takes('(') !== undefined) {
      const inside = this.#sum();
      return this.#takes(')') === undefined ? Number.NaN : inside;
    }
    const token = this.#tokens[this.#at++];
    return token?.kind === 'number'
      ? integer(token.text)
      : (this.#names.get(token?.text ?? '') ?? Number.NaN);
  }
}
