/**
 * Members for objects of the thread, called on temporaries: clang has those in no space that has a name. Beside each such member goes
 * one for any memory that calls it with the object taken for one of the thread, and deleted ones for memory that it is not for.
 */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import { vectorName } from './constructors.ts';
import { angleEnd } from './deduction.ts';
import type { EditsText } from './edit.ts';

export interface ForwardedMember {
  readonly kind: 'operator' | 'function';
  /** Of the declaration, of its `(`, of the token after its parameters and qualifiers, of its last. */
  readonly start: number;
  readonly open: number;
  readonly after: number;
  readonly end: number;
  /** Spaces of this member's name that the source has members for. */
  readonly others: ReadonlySet<string>;
}

/** Before the token `at` goes a text made of strings and of edited ranges of tokens. */
export interface Forwarder {
  readonly at: number;
  readonly text: EditsText;
}

/** Undefined where parameters have no names, or are of a form that is not followed. */
export function forwarder(structure: Structure, member: ForwardedMember): Forwarder | undefined {
  const { tokens } = structure;
  const { kind, start, open, after, end, others } = member;
  const close = closing(tokens, open);
  const isConstexpr = tokens.slice(start, open).some((t) => t.text === 'constexpr');
  const declaration = tokens.slice(start, end + 1);
  if (declaration.some((t) => t.kind === 'directive')) return undefined;
  let name = open - 1;
  if (kind === 'operator') while (tokens[name]!.text !== 'operator') name--;
  const isConversion = kind === 'operator' && tokens[name + 1]!.kind === 'word';
  const isAssignment = kind === 'operator' && open === name + 2 && tokens[name + 1]!.text === '=';
  if (isConversion || isAssignment || (isConstexpr && kind === 'operator')) return undefined;
  const arguments_ = namesOf(structure, open + 1, close);
  const templateArguments = templateArgumentsOf(tokens, start);
  if (arguments_ === undefined || templateArguments === undefined) return undefined;
  let brace = after;
  while (brace < end && tokens[brace]!.text !== '{') brace++;
  const isThread = tokens[after]!.text === 'thread';
  if (tokens.slice(after, brace).some((t) => t.text === '=')) return undefined;
  const qualifiers = tokens
    .slice(close + 1, after)
    .map((t) => t.text)
    .join(' ');
  const head: EditsText[number][] = [];
  for (let i = start, from = start; i <= close; i++) {
    if (tokens[i]!.text !== 'constexpr' && i < close) continue;
    head.push({ from, to: i });
    from = i + 1;
  }
  head.push(`) ${qualifiers} `);
  const result = { from: isThread ? after + 1 : after, to: brace };
  const called = tokens
    .slice(name, open)
    .map((t) => t.text)
    .join(' ');
  const call =
    templateArguments.length > 0
      ? `template ${called}<${templateArguments.join(', ')}>`
      : `${called}`;
  const text: EditsText[number][] = [
    ' ',
    ...head,
    result,
    ` { return metal_sim::own(this).${call}(${arguments_.join(', ')}); }`,
  ];
  const deleted = (space: string): void => {
    text.push(' ', ...head, `${space} `, result, ' = delete;');
  };
  if (!others.has('device') && !others.has('constant')) deleted('__global');
  if (!others.has('threadgroup')) deleted('__local');
  return { at: end + 1, text };
}

/** What is passed on for the parameters between two tokens. */
function namesOf(
  { tokens, typeNames }: Structure,
  from: number,
  close: number,
): readonly string[] | undefined {
  if (from === close || (tokens[from]!.text === 'void' && from + 1 === close)) return [];
  const names: string[] = [];
  for (let at = from; at < close; ) {
    let to = at;
    let end: number | undefined;
    for (; to < close && tokens[to]!.text !== ','; to++) {
      const { text } = tokens[to]!;
      if (text === '=') end ??= to;
      if (text === '(' && end === undefined) return undefined;
      if ('([{'.includes(text)) {
        if (text === '[' && end === undefined) end = to;
        to = closing(tokens, to);
      } else if (text === '<') to = angleEnd(tokens, to);
    }
    end ??= to;
    const name = tokens[end - 1]!;
    const before = tokens[end - 2]?.text ?? '';
    const isType = typeNames.has(name.text) || vectorName.test(name.text);
    const isNamed = end - at > 1 && name.kind === 'word' && !isType && before !== '::';
    if (!isNamed || ['const', 'volatile', 'restrict'].includes(name.text)) return undefined;
    names.push(before === '.' || before === '...' ? `${name.text}...` : name.text);
    at = to + 1;
  }
  return names;
}

/** The parameters of `template <...>` as arguments of another; undefined where one has no name. */
function templateArgumentsOf(
  tokens: readonly Token[],
  start: number,
): readonly string[] | undefined {
  if (tokens[start]!.text !== 'template') return [];
  if (tokens[start + 1]?.text !== '<') return undefined;
  const close = angleEnd(tokens, start + 1);
  if (tokens[close + 1]?.text === 'template') return undefined;
  const names: string[] = [];
  for (let at = start + 2; at < close; ) {
    let to = at;
    let end: number | undefined;
    for (; to < close && tokens[to]!.text !== ','; to++) {
      const { text } = tokens[to]!;
      if (text === 'template' || (text === '(' && end === undefined)) return undefined;
      if (text === '=') end ??= to;
      if (text === '(') to = closing(tokens, to);
      else if (text === '<') to = angleEnd(tokens, to);
    }
    end ??= to;
    const name = tokens[end - 1]!;
    const before = tokens[end - 2]!.text;
    if (end - at < 2 || name.kind !== 'word' || before === '::') return undefined;
    names.push(before === '.' || before === '...' ? `${name.text}...` : name.text);
    at = to + 1;
  }
  return names;
}
