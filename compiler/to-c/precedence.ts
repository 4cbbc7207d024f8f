/** C text with the precedence of its outermost operator, so that parentheses appear only where they are needed. */

export interface Text {
  readonly text: string;
  readonly precedence: number;
}

/** From loosest to tightest, as in the C standard. */
export const level = {
  conditional: 1,
  or: 4,
  xor: 5,
  and: 6,
  equality: 7,
  relation: 8,
  shift: 9,
  sum: 10,
  product: 11,
  unary: 12,
  atom: 14,
} as const;

export function atom(text: string): Text {
  return { text, precedence: level.atom };
}

/** `text`, in parentheses when it binds looser than `minimum`. */
export function within(value: Text, minimum: number): string {
  return value.precedence < minimum ? `(${value.text})` : value.text;
}

/** A left-associative infix operator. Comparisons and bit operators parenthesise each other: few know their order. */
export function infix(left: Text, operator: string, right: Text, precedence: number): Text {
  const guard = precedence <= level.relation ? level.shift : precedence;
  const chains = precedence <= level.and || precedence >= level.sum;
  const leftText = within(left, chains && left.precedence === precedence ? precedence : guard);
  return { text: `${leftText} ${operator} ${within(right, guard + 1)}`, precedence };
}

export function cast(type: string, value: Text): Text {
  return { text: `(${type})${within(value, level.unary)}`, precedence: level.unary };
}

export function call(name: string, args: readonly Text[]): Text {
  return atom(`${name}(${args.map((a) => a.text).join(', ')})`);
}
