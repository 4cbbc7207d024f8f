/**
 * The space of `this`. Clang knows member functions of all global memory, not of the parts of it that `device` and `constant` are, and
 * its temporaries are in no space that has a name.
 */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';
import { type Forwarder, forwarder } from './forwarders.ts';
import { statementStart } from './spaces.ts';

interface Member {
  readonly kind: 'constructor' | 'operator' | 'function';
  /** Of the declaration, of its `(`, of the token after its parameters and qualifiers. */
  readonly start: number;
  readonly open: number;
  readonly after: number;
  /** The address space after the parameters. */
  readonly space: string | undefined;
  /** Whether it stands in its struct. */
  readonly isInside: boolean;
}

const spaces: readonly string[] = ['device', 'constant', 'thread', 'threadgroup'];

/**
 * Member functions without an address space after their parameters are for objects of the thread; clang would take any. Constructors
 * are left to it, and operators that cannot be forwarded. Of one that there is for `device` and for `constant`, one is left.
 */
export function memberFunctions(
  structure: Structure,
  isForwarding: boolean,
): { readonly edits: readonly Edit[]; readonly forwarders: readonly Forwarder[] } {
  const { tokens } = structure;
  const members = membersOf(structure);
  const forwarders: Forwarder[] = [];
  const nameOf = (m: Member): string => {
    let name = m.open - 1;
    if (m.kind === 'operator') while (tokens[name]!.text !== 'operator') name--;
    return tokens
      .slice(name, m.open)
      .map((t) => t.text)
      .join('');
  };
  const outside = new Set(members.filter((m) => !m.isInside).map(nameOf));
  const others = new Map<string, Set<string>>();
  for (const m of isForwarding ? members : []) {
    if (!m.isInside || m.space === undefined) continue;
    const key = `${structAt(tokens, m.start)} ${nameOf(m)}`;
    others.set(key, (others.get(key) ?? new Set()).add(m.space));
  }
  const forward = (m: Member): boolean => {
    const { kind, start, open, after, isInside } = m;
    if (!isForwarding || kind === 'constructor' || !isInside) return false;
    if (kind === 'operator' && outside.has(nameOf(m))) return false;
    const found = forwarder(structure, {
      kind,
      start,
      open,
      after,
      end: endOfMember(tokens, after),
      others: others.get(`${structAt(tokens, start)} ${nameOf(m)}`) ?? new Set(),
    });
    if (found !== undefined) forwarders.push(found);
    return found !== undefined;
  };
  const ofDevice = new Set(
    members.filter((m) => m.space === 'device').map((m) => signature(structure, m)),
  );
  const edits: Edit[] = [];
  for (const member of members) {
    const { kind, start, open, after, space } = member;
    if (space === 'constant' && ofDevice.has(signature(structure, member))) {
      edits.push({ from: start, to: endOfMember(tokens, after + 1) + 1, text: '' });
    } else if (space === 'device' || space === 'constant') {
      if (kind === 'constructor' && space === 'constant')
        edits.push({ from: after, to: after + 1, text: '__global' });
      for (let i = start; i < open; i++) {
        const isOfResult = tokens[i]!.text === space && referenceBefore(tokens, i, open);
        if (isOfResult) edits.push({ from: i, to: i + 1, text: '__global' });
      }
    } else if (space === 'thread') {
      if (forward(member)) continue;
      // one that gives a reference to a part of its object has to say where that is
      const isPart = tokens.slice(start, open).some((t) => t.text === 'thread');
      if (kind !== 'function' && !isPart) edits.push({ from: after, to: after + 1, text: '' });
    } else if (space === undefined && (forward(member) || kind === 'function')) {
      const last = tokens[after - 1]!;
      edits.push({ from: after - 1, to: after, text: `${last.text} __private` });
    }
  }
  return { edits, forwarders };
}

function membersOf({ tokens, scopes }: Structure): readonly Member[] {
  const structs = new Set<string>();
  tokens.forEach((t, i) => {
    if (t.text === 'struct' || t.text === 'class') structs.add(tokens[i + 1]?.text ?? '');
  });
  const members: Member[] = [];
  let end = 0;
  tokens.forEach((token, i) => {
    const scope = scopes[i]!;
    if (i < end || token.text !== '(') return;
    const isInside = scope[scope.length - 1] === 'struct';
    if (
      !isInside &&
      (scope.some((k) => k !== 'namespace') || !isDefinedOutside(tokens, i, structs))
    )
      return;
    const kind = kindOf(tokens, i, structs);
    if (kind === undefined) return;
    let after = closing(tokens, i) + 1;
    while (['const', 'volatile'].includes(tokens[after]?.text ?? '')) after++;
    const next = tokens[after]?.text ?? '';
    const isQualified = spaces.includes(next);
    const first = isQualified ? tokens[after + 1]?.text : next;
    if (!['{', ';', '-', '->', '=', ':', 'noexcept'].includes(first ?? '')) return;
    if (first === ':') end = endOfMember(tokens, after + (isQualified ? 1 : 0));
    members.push({
      kind,
      start: statementStart(tokens, i),
      open: i,
      after,
      space: isQualified ? next : undefined,
      isInside,
    });
  });
  return members;
}

/** Of what the parenthesis at `i` begins the parameters; undefined when it does not. */
function kindOf(
  tokens: readonly Token[],
  i: number,
  structs: ReadonlySet<string>,
): Member['kind'] | undefined {
  const head = tokens.slice(statementStart(tokens, i), i);
  const has = (texts: readonly string[]): boolean => head.some((t) => texts.includes(t.text));
  if (has(['static', 'friend', 'typedef', 'using', 'static_assert', '~'])) return undefined;
  if (has(['operator'])) {
    const isCall = tokens[i - 1]?.text === ')' && tokens[i - 3]?.text === 'operator';
    return tokens[i - 1]?.text === 'operator' && !isCall ? undefined : 'operator';
  }
  const name = tokens[i - 1]!;
  if (name.kind !== 'word') return undefined;
  if (has(['=', '(']) && !has(['template'])) return undefined;
  return structs.has(name.text) ? 'constructor' : 'function';
}

/** Whether the name before `(` is that of a member: `X::f(`, `X<T>::operator()(`. */
function isDefinedOutside(
  tokens: readonly Token[],
  i: number,
  structs: ReadonlySet<string>,
): boolean {
  let colons = i - 2;
  for (let at = i - 1; at > i - 4; at--) if (tokens[at]?.text === 'operator') colons = at - 1;
  if (tokens[colons]?.text !== '::') return false;
  let name = colons - 1;
  for (let depth = 0; name > 0; name--) {
    if (tokens[name]!.text === '>') depth++;
    if (tokens[name]!.text === '<') depth--;
    else if (depth === 0) break;
  }
  return structs.has(tokens[name]!.text);
}

/** A function's own words, but for its address space. */
function signature({ tokens }: Structure, { start, open, after }: Member): string {
  const brace = structAt(tokens, start);
  const texts = tokens.slice(start, after).map((t) => t.text);
  const head = texts.slice(0, open - start).map((t) => (t === 'constant' ? 'device' : t));
  return [brace, ...head, ...texts.slice(open - start)].join(' ');
}

/** The `{` of the struct around `start`. */
function structAt(tokens: readonly Token[], start: number): number {
  let brace = start;
  for (let depth = 0; brace > 0; brace--) {
    if (tokens[brace]!.text === '}') depth++;
    if (tokens[brace]!.text === '{' && --depth < 0) break;
  }
  return brace;
}

/** The last token of a member whose parameters and qualifiers end before `at`: of its body, or `;`. */
function endOfMember(tokens: readonly Token[], at: number): number {
  let i = at;
  if (tokens[i]?.text === ':') {
    // x(a), y{b} {
    while (i < tokens.length) {
      i++;
      while (i < tokens.length && !['(', '{'].includes(tokens[i]!.text)) i++;
      i = closing(tokens, i) + 1;
      if (tokens[i]?.text !== ',') break;
    }
  }
  while (i < tokens.length && tokens[i]!.text !== '{' && tokens[i]!.text !== ';') i++;
  return tokens[i]?.text === '{' ? closing(tokens, i) : i;
}

/** Whether a reference stands between `i` and the name before `open`. */
function referenceBefore(tokens: readonly Token[], i: number, open: number): boolean {
  return tokens.slice(i, open).some((t) => t.text === '&');
}
