/**
 * Operators between a vector and a scalar of a wider type, `half4 * float` or `ushort2 + int`. Metal converts the scalar to the vector's
 * elements; clang's OpenCL mode refuses. Which operators they are only clang knows, so it is asked: those that it complains about
 * become operators of classes, `a * metal_sim::mixed() * b`, which bind as they did. Choices, `c ? vector : 0.0f`, go through a macro.
 */
import { closing } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import { conditionStart } from './conditions.ts';
import type { Edit } from './edit.ts';

/** What clang says of them, and of choices between an object and a value that is no object. */
export const mixedMessage: RegExp =
  /^(?:scalar operand type has greater rank than the type of the vector element|incompatible operand types)/;

const operators: ReadonlySet<string> = new Set(
  ['*', '/', '%', '+', '-', '<<', '>>', '&', '|', '^', '<', '>', '<=', '>=', '==', '!='].flatMap(
    (text) => [text, `${text}=`],
  ),
);
const comparisons: ReadonlySet<string> = new Set(['<', '>', '<=', '>=', '==', '!=']);

/** The operator at token `i`, which `>>` spells in two. */
function operatorAt(tokens: readonly Token[], i: number): { text: string; count: number } {
  const { text, start } = tokens[i]!;
  const next = tokens[i + 1];
  const isShift = text === '>' && next?.start === start + 1 && /^>=?$/.test(next.text);
  return isShift ? { text: text + next!.text, count: 2 } : { text, count: 1 };
}

/** The token of an operator at a place of the source; undefined when there is none. */
export function operatorToken(
  tokens: readonly Token[],
  line: number,
  column: number,
): number | undefined {
  const found = tokens.findIndex((t) => t.line === line && t.column === column);
  if (found < 0) return undefined;
  const { text } = operatorAt(tokens, found);
  return text === '?' || operators.has(text) ? found : undefined;
}

export function mixedOperators(
  tokens: readonly Token[],
  places: ReadonlySet<number>,
): readonly Edit[] {
  return [...places].flatMap((i) => {
    const { text, count } = operatorAt(tokens, i);
    if (text === '?') return choice(tokens, i);
    const isAssignment = text.endsWith('=') && !comparisons.has(text);
    const operator = isAssignment ? text.slice(0, -1) : text;
    const replacement = isAssignment
      ? `${operator} metal_sim::assigned() =`
      : `${operator} metal_sim::mixed() ${operator}`;
    return [{ from: i, to: i + count, text: replacement }];
  });
}

/** `c ? a : b` as METAL_SIM_CHOOSE((c), (a), (b)), where its parts are found. */
function choice(tokens: readonly Token[], question: number): readonly Edit[] {
  const start = conditionStart(tokens, question);
  const colon = partEnd(tokens, question + 1, ':');
  if (start === undefined || tokens[colon]?.text !== ':') return [];
  const end = partEnd(tokens, colon + 1, undefined);
  return [
    { from: start, to: start, text: 'METAL_SIM_CHOOSE((' },
    { from: question, to: question + 1, text: '), (' },
    { from: colon, to: colon + 1, text: '), (' },
    { from: end, to: end, text: '))' },
  ];
}

/** Where the part of a choice ends that begins at `from`: at its `:`, or with the expression around it. */
function partEnd(tokens: readonly Token[], from: number, wanted: ':' | undefined): number {
  let choices = 0;
  let at = from;
  for (; at < tokens.length; at++) {
    const { text } = tokens[at]!;
    if (['(', '[', '{'].includes(text)) at = closing(tokens, at);
    else if (text === '?') choices++;
    else if (text === ':') {
      if (choices === 0) break;
      choices--;
    } else if ([')', ']', '}', ';'].includes(text) || (text === ',' && wanted === undefined)) break;
  }
  return at;
}
