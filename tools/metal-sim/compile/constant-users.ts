/**
 * Which kernels use function constants, themselves or through what they call: those must be fetched with values. Names alone decide; two
 * functions of one name count as one.
 */
import { closing, type KernelText, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';

interface Definition {
  readonly name: string;
  readonly words: ReadonlySet<string>;
}

/** Names of constants, and of all that mentions one of these names. */
export function constantUsers(
  structure: Structure,
  constants: readonly string[],
): ReadonlySet<string> {
  const users = new Set(constants);
  if (users.size === 0) return users;
  const definitions = definitionsOf(structure);
  for (let size = -1; size !== users.size; ) {
    size = users.size;
    for (const { name, words } of definitions) {
      if (!users.has(name) && [...words].some((word) => users.has(word))) users.add(name);
    }
  }
  return users;
}

export function usesAny(
  { tokens }: Structure,
  { parameters, bodyStart, bodyEnd }: KernelText,
  users: ReadonlySet<string>,
): boolean {
  return (
    tokens.slice(bodyStart, bodyEnd).some((t) => users.has(t.text)) ||
    parameters.some(
      ({ guard, attributeArgument, tokens: own }) =>
        users.has(guard ?? '') ||
        users.has(attributeArgument ?? '') ||
        own.some((t) => users.has(t.text)),
    )
  );
}

/** Functions and types by their bodies, aliases and variables by the whole of their statements. */
function definitionsOf({ tokens, scopes }: Structure): readonly Definition[] {
  const definitions: Definition[] = [];
  const isOutside = (i: number): boolean => scopes[i]!.every((kind) => kind === 'namespace');
  let start = 0;
  for (let i = 0; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    if (text === '}') start = i + 1;
    if (text !== ';' && text !== '{') continue;
    if (!isOutside(i)) continue;
    const head = tokens.slice(start, i);
    if (text === '{' && !head.some((t) => t.text === 'namespace')) {
      const end = closing(tokens, i);
      if (!head.some((t) => t.text === 'kernel')) add(definitions, head, tokens.slice(i, end));
      i = end;
    } else if (text === ';') add(definitions, head, []);
    start = i + 1;
  }
  return definitions;
}

function add(definitions: Definition[], head: readonly Token[], body: readonly Token[]): void {
  const texts = head.map((t) => t.text);
  // what comes before `=`, `(` or `[`, else the last word: but a constant's `[[function_constant(n)]]` is no array
  const first = (mark: string): number => texts.indexOf(mark);
  const marks = [first('='), first('('), first('[')].filter((at) => at > 0);
  const keyword = texts.findIndex((t) => t === 'struct' || t === 'class' || t === 'enum');
  const at = body.length > 0 && keyword >= 0 ? keyword + 1 : Math.min(texts.length, ...marks) - 1;
  const name = texts[at];
  if (name === undefined) return;
  const words = new Set([...head, ...body].filter((t) => t !== head[at]).map((t) => t.text));
  definitions.push({ name, words });
}
