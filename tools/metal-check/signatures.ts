/** Rules of kernels' signatures beyond single attributes: types by their other names, indices, guards, function constants. */
import { integerConstants, integerValue } from './integers.ts';
import { error, type Rule, type RuleError } from './rule.ts';
import { closing, type KernelParameterText, type Structure } from './structure.ts';
import { kernelInputs } from './words.ts';

const plainNames: ReadonlyMap<string, string> = new Map([
  ['unsigned', 'uint'],
  ['unsigned int', 'uint'],
  ['uint32_t', 'uint'],
  ['unsigned short', 'ushort'],
  ['uint16_t', 'ushort'],
  ['int32_t', 'int'],
  ['int16_t', 'short'],
  ['int64_t', 'long'],
  ['uint64_t', 'ulong'],
  ['unsigned long', 'ulong'],
  ['signed', 'int'],
  ['signed int', 'int'],
  ['unsigned char', 'uchar'],
  ['uint8_t', 'uchar'],
]);
const knownType =
  /^(?:packed_)?(?:u?(?:int|short|char|long)|bool|half|bfloat|float|size_t|ptrdiff_t)\d?$/;

/** What other names of types stand for. */
function aliases({ tokens }: Structure): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  tokens.forEach((t, i) => {
    if (t.text !== 'typedef' && !(t.text === 'using' && tokens[i + 2]?.text === '=')) return;
    let end = i;
    while (end < tokens.length && tokens[end]!.text !== ';') end++;
    const words = tokens.slice(i, end).map((x) => x.text);
    if (t.text === 'typedef') found.set(words[words.length - 1]!, words.slice(1, -1).join(' '));
    else found.set(words[1]!, words.slice(3).join(' '));
  });
  return found;
}

function plainType(words: readonly string[], names: ReadonlyMap<string, string>): string {
  const text = words.filter((w) => !['metal', '::', 'const', 'thread'].includes(w)).join(' ');
  const known = names.get(text) ?? text;
  const vector = /^vec < (.+) , ([234]) >$/.exec(known);
  if (vector !== null) return `${plainNames.get(vector[1]!) ?? vector[1]!}${vector[2]!}`;
  return plainNames.get(known) ?? known;
}

const isIndirect = (p: KernelParameterText): boolean =>
  p.tokens.some((t) => t.text === '*' || t.text === '&') ||
  p.tokens[p.tokens.length - 1]!.text === ']';

const positions: ReadonlySet<string> = new Set(
  [...kernelInputs.keys()].filter((k) => kernelInputs.get(k)!.length > 2),
);

/** Inputs by other names of their types, and attributes of pointers. */
export const inputTypes: Rule = (s) => {
  const names = aliases(s);
  const structs = new Set(s.structs.map((x) => x.name.text));
  return s.kernels.flatMap((k) => {
    const errors: RuleError[] = [];
    const widths = new Set<string>();
    const types = new Map<string, string>();
    for (const p of k.parameters) {
      const name = p.tokens[p.tokens.length - 1]!;
      const words = p.tokens.map((t) => t.text);
      if (isIndirect(p)) {
        const { attribute } = p;
        const isKnown =
          attribute === undefined ||
          /^(?:buffer|threadgroup|function_constant|texture|sampler|host_name|clang|maybe_unused)/.test(
            attribute,
          );
        if (!isKnown && kernelInputs.has(attribute)) {
          const message = `'${attribute}' attribute only applies to values, not to pointers and references`;
          errors.push(error(name, message));
        } else if (!isKnown)
          errors.push(error(name, `unknown attribute '${attribute}' of a kernel's argument`));
        if (words.includes('thread'))
          errors.push(
            error(name, 'a kernel argument must be in device, constant or threadgroup memory'),
          );
        continue;
      }
      const allowed = p.attribute === undefined ? undefined : kernelInputs.get(p.attribute);
      if (p.attribute === undefined || allowed === undefined) continue;
      const written = words
        .slice(0, -1)
        .filter((w) => w !== 'metal' && w !== '::' && w !== 'const');
      const type = plainType(words.slice(0, -1), names);
      types.set(p.attribute, type);
      if (positions.has(p.attribute) && /^u(?:int|short)[23]?$/.test(type))
        widths.add(type.replace(/^u(?:int|short)/, ''));
      const isReported =
        written.length === 1 && written[0] === type && !/^(?:packed|bfloat|ptrdiff)/.test(type);
      const isWrong = (knownType.test(type) || structs.has(type)) && !allowed.includes(type);
      if (isWrong && (!isReported || structs.has(type))) {
        const message = `invalid type '${type}' for attribute '${p.attribute}': must be of type ${allowed.join(', ')}`;
        errors.push(error(name, message));
      }
    }
    const hasOrigin = [...types.keys()].some((a) => a === 'grid_origin' || a === 'grid_size');
    if (widths.size > 1 && hasOrigin)
      errors.push(error(k.name, 'position attributes of a kernel must share one vector width'));
    const isLocalUint = types.get('thread_position_in_threadgroup')?.startsWith('uint') ?? false;
    if (isLocalUint && types.get('thread_index_in_threadgroup') === 'ushort') {
      const message =
        "'thread_index_in_threadgroup' must be uint where 'thread_position_in_threadgroup' is";
      errors.push(error(k.name, message));
    }
    return errors;
  });
};

/** Bindings without a number, and more of them than there are slots. */
export const bindings: Rule = (s) =>
  s.kernels.flatMap((k) => {
    const errors: RuleError[] = [];
    let buffers = 0;
    for (const p of k.parameters) {
      const name = p.tokens[p.tokens.length - 1]!;
      const isBinding = p.attribute === 'buffer' || p.attribute === 'threadgroup';
      if (isIndirect(p) && !p.tokens.some((t) => t.text === 'threadgroup') && ++buffers === 32)
        errors.push(error(name, 'a kernel has at most 31 buffers'));
      if (!isBinding) continue;
      if (!Number.isInteger(Number(p.attributeArgument || 'none'))) {
        const message = `'${p.attribute}' attribute requires an integer constant`;
        errors.push(error(name, message));
      }
    }
    return errors;
  });

/** Kernels are functions of a namespace. */
export const kernelsAreNoMembers: Rule = (s) =>
  s.kernels.flatMap((k) =>
    s.scopes[s.tokens.indexOf(k.name)]!.includes('struct')
      ? [error(k.name, 'a kernel cannot be a member function')]
      : [],
  );

/** `constant T name [[function_constant(n)]];` has no value of its own, an index of its own, and a bool where it guards. */
export const functionConstants: Rule = (s) => {
  const { tokens, scopes } = s;
  const errors: RuleError[] = [];
  const values = integerConstants(tokens);
  const used = new Set<number>();
  const bools = new Set<string>();
  const others = new Set<string>();
  tokens.forEach((t, i) => {
    if (
      t.text !== 'function_constant' ||
      tokens[i - 2]?.text !== '[' ||
      scopes[i]!.some((k) => k !== 'namespace')
    )
      return;
    // of a parameter, not of a declaration
    const end = closing(tokens, i - 2) + 1;
    if (tokens[end]?.text === ',' || tokens[end]?.text === ')') return;
    if (tokens[end]?.text === '=')
      errors.push(error(tokens[end]!, 'a function constant cannot have an initializer'));
    const index = integerValue(tokens.slice(i + 2, closing(tokens, i + 1)), values);
    if (index !== undefined && used.has(index))
      errors.push(error(t, `function constant index ${index} is used twice`));
    if (index !== undefined) used.add(index);
    const name = tokens[i - 3]!.text;
    (tokens[i - 4]?.text === 'bool' ? bools : others).add(name);
  });
  for (const k of s.kernels) {
    for (const p of k.parameters) {
      if (p.guard === undefined) continue;
      const name = p.tokens[p.tokens.length - 1]!;
      if (others.has(p.guard))
        errors.push(
          error(name, `function constant '${p.guard}' must be a bool to guard an argument`),
        );
      else if (!bools.has(p.guard) && !tokens.some((t) => t.text === p.guard))
        errors.push(error(name, `use of undeclared identifier '${p.guard}'`));
    }
  }
  return errors;
};
