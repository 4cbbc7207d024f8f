/**
 * The rules of our own kernels: Metal's (language.ts), and stricter ones that a printer can keep, so that what it prints is right on every
 * Metal and every order of threads.
 */
import {
  addressSpaceOnPointers,
  addressSpaces,
  kernelNames,
  noForbiddenWords,
  noLambdas,
  noStaticLocals,
  programScopeIsConstant,
} from './language.ts';
import { error, type Rule, type RuleError } from './rule.ts';
import { closing, type KernelText, type Structure } from './structure.ts';
import type { Token } from './tokens.ts';
import { kernelInputs, reservedNames, reservedPatterns } from './words.ts';

const noUsingNamespace: Rule = ({ tokens }) =>
  tokens.flatMap((t, i) =>
    t.text === 'using' && tokens[i + 1]?.text === 'namespace'
      ? [error(t, 'no `using namespace`: write metal:: before each name')]
      : [],
  );

/** `auto` may deduce a space in Metal; what is printed says it. */
const addressSpaceOnAuto: Rule = ({ tokens }) =>
  tokens.flatMap((t, i) =>
    (t.text === '*' || t.text === '&') &&
    tokens[i - 1]?.text === 'auto' &&
    !addressSpaces.has(tokens[i - 2]?.text ?? '')
      ? [error(t, 'pointer type must have explicit address space qualifier')]
      : [],
  );

const reservedDeclarations: Rule = (s) =>
  s.tokens.flatMap((t, i) => {
    const before = s.tokens[i - 1];
    const after = s.tokens[i + 1];
    if (t.kind !== 'word' || before === undefined || after === undefined) return [];
    const followsType =
      s.typeNames.has(before.text) ||
      before.text === 'struct' ||
      ((before.text === '*' || before.text === '&') &&
        (s.typeNames.has(s.tokens[i - 2]?.text ?? '') ||
          addressSpaces.has(s.tokens[i - 2]?.text ?? '')));
    if (!followsType || !['=', ';', ',', ')', '[', '(', '{', '<'].includes(after.text)) return [];
    const isReserved = reservedNames.has(t.text) || reservedPatterns.some((p) => p.test(t.text));
    return isReserved ? [error(t, `${t.text} is a reserved word in Metal`)] : [];
  });

// ---------------------------------------------------------------------------------------------------------
// Kernels

const threadLimit: Rule = ({ kernels }) =>
  kernels.flatMap((k) => {
    const text = k.attributes.get('max_total_threads_per_threadgroup');
    if (text === undefined) {
      return [error(k.name, 'missing [[max_total_threads_per_threadgroup(n)]]')];
    }
    const threads = Number(text);
    return threads >= 32 && threads <= 1024 && threads % 32 === 0
      ? []
      : [error(k.name, 'threads per threadgroup must be a multiple of 32 up to 1024')];
  });

const kernelParameters: Rule = (s) => s.kernels.flatMap((k) => parametersOf(s, k));

function parametersOf(s: Structure, kernel: KernelText): RuleError[] {
  const errors: RuleError[] = [];
  const bound = new Set<number>();
  const widths = new Set<string>();
  for (const p of kernel.parameters) {
    const words = p.tokens.map((t) => t.text);
    const name = p.tokens[p.tokens.length - 1]!;
    const isIndirect = words.includes('*') || words.includes('&');
    if (words.includes('size_t') || words.includes('ptrdiff_t')) {
      errors.push(error(name, 'size_t and ptrdiff_t are invalid in kernel arguments'));
    }
    if (isIndirect) {
      if (p.attribute !== 'buffer' && p.attribute !== 'threadgroup') {
        errors.push(error(name, 'kernel argument needs an explicit [[buffer(n)]]'));
        continue;
      }
      const index = Number(p.attributeArgument);
      if (!Number.isInteger(index) || index < 0 || index > 30) {
        errors.push(
          error(name, "'buffer' attribute parameter is out of bounds: must be between 0 and 30"),
        );
      } else if (p.attribute === 'buffer') {
        if (bound.has(index)) errors.push(error(name, `buffer index ${index} is used twice`));
        bound.add(index);
      }
      const struct = s.structs.find((x) => words.includes(x.name.text));
      if (struct !== undefined && words.includes('constant')) {
        errors.push(...structErrors(struct));
      }
      continue;
    }
    const type = words.slice(0, -1).filter((w) => w !== 'metal' && w !== '::' && w !== 'const');
    const allowed = p.attribute === undefined ? undefined : kernelInputs.get(p.attribute);
    if (p.attribute === undefined) {
      errors.push(error(name, `invalid type '${type}' for input declaration in a kernel function`));
    } else if (allowed === undefined) {
      errors.push(error(name, `unknown kernel input [[${p.attribute}]]`));
    } else if (!allowed.includes(type.join(' '))) {
      errors.push(error(name, `[[${p.attribute}]] must be of type ${allowed.join(', ')}`));
    } else if (p.attribute.includes('position') || p.attribute.endsWith('per_grid')) {
      widths.add(type.join('').replace(/^u(int|short)/, ''));
    }
  }
  if (widths.size > 1) {
    errors.push(error(kernel.name, 'position attributes of a kernel must share one vector width'));
  }
  return errors;
}

const fieldBytes: Readonly<Record<string, number>> = {
  int: 4,
  uint: 4,
  float: 4,
  long: 8,
  ulong: 8,
};

/** Structs set by setBytes: whole numbers only, at most 4096 bytes. Tables of addresses hold pointers only. */
function structErrors(struct: Structure['structs'][number]): RuleError[] {
  const errors: RuleError[] = [];
  const isTable = struct.fields.every((f) => f.some((t) => t.text === '*'));
  if (isTable) return [];
  let bytes = 0;
  for (const field of struct.fields) {
    const size = fieldBytes[field[0]!.text];
    if (size === undefined) {
      errors.push(
        error(
          field[0]!,
          `field of type ${field[0]!.text} in a params struct: only int, uint, long`,
        ),
      );
      continue;
    }
    const bracket = field.findIndex((t) => t.text === '[');
    const count = bracket < 0 ? 1 : Number(field[bracket + 1]?.text);
    bytes = Math.ceil(bytes / size) * size + size * count;
  }
  if (bytes > 4096) {
    errors.push(error(struct.name, `params of ${bytes} bytes: setBytes takes 4096`));
  }
  return errors;
}

const elementBytes: Readonly<Record<string, number>> = {
  bool: 1,
  char: 1,
  uchar: 1,
  short: 2,
  ushort: 2,
  half: 2,
  bfloat: 2,
  int: 4,
  uint: 4,
  float: 4,
  long: 8,
  ulong: 8,
};

const threadgroupMemory: Rule = ({ kernels, tokens }) =>
  kernels.flatMap((k) => {
    const errors: RuleError[] = [];
    let bytes = 0;
    for (let i = k.bodyStart; i < k.bodyEnd; i++) {
      if (tokens[i]!.text !== 'threadgroup') continue;
      const type = tokens[i + 1]!;
      if (tokens[i + 2]?.text === '*' || tokens[i + 2]?.text === '&') continue;
      let size = elementBytes[type.text];
      if (size === undefined) {
        errors.push(error(type, `threadgroup memory of type ${type.text}`));
        continue;
      }
      for (let at = i + 3; tokens[at]?.text === '['; at = closing(tokens, at) + 1) {
        const text = tokens.slice(at + 1, closing(tokens, at)).map((t) => t.text);
        const isLiteral = text.every((x) => /^\d+u?$/.test(x) || x === '*');
        if (!isLiteral)
          errors.push(error(tokens[at]!, 'threadgroup array length is not a literal'));
        else {
          const factors = text.filter((x) => x !== '*').map((x) => Number.parseInt(x, 10));
          size *= factors.reduce((a, b) => a * b, 1);
        }
      }
      bytes += size;
    }
    if (bytes > 32768) {
      errors.push(error(k.name, `${bytes} bytes of threadgroup memory: 32768 is the limit`));
    }
    return errors;
  });

const noReturnBeforeBarrier: Rule = ({ kernels, tokens }) =>
  kernels.flatMap((k) => {
    const body = tokens.slice(k.bodyStart, k.bodyEnd);
    const early = body.findIndex((t) => t.text === 'return');
    const isCollective = (t: Token): boolean =>
      t.text === 'threadgroup_barrier' || t.text.startsWith('simd');
    return early >= 0 && body.slice(early).some(isCollective)
      ? [error(body[early]!, 'return before a barrier or a simdgroup function')]
      : [];
  });

const rules: readonly Rule[] = [
  noForbiddenWords,
  noUsingNamespace,
  noStaticLocals,
  noLambdas,
  addressSpaceOnPointers,
  addressSpaceOnAuto,
  programScopeIsConstant,
  reservedDeclarations,
  kernelNames,
  threadLimit,
  kernelParameters,
  threadgroupMemory,
  noReturnBeforeBarrier,
];

/** All that the rules find, in order of lines. */
export function checkRules(s: Structure): RuleError[] {
  return rules.flatMap((rule) => rule(s)).sort((a, b) => a.line - b.line);
}
