/** Argument buffers: structs with members marked `[[id(n)]]`, which `MTLArgumentEncoder` writes by those numbers. */
import type { KernelParameterText, StructText, Structure } from '../../metal-check/structure.ts';
import type { ArgumentBuffer } from './translate.ts';

/** The members of the struct that a parameter points at, when it is an argument buffer. */
export function argumentBuffer(
  { structs }: Structure,
  { tokens }: KernelParameterText,
): ArgumentBuffer | undefined {
  const words = new Set(tokens.map((t) => t.text));
  const found = structs.find((s) => words.has(s.name.text));
  if (found === undefined || !found.fields.some((field) => idOf(field) !== undefined))
    return undefined;
  return { struct: found.name.text, members: membersOf(found) };
}

function membersOf({ fields }: StructText): ArgumentBuffer['members'] {
  let next = 0;
  return fields.flatMap((field) => {
    const end = field.findIndex((t) => t.text === '[');
    const name = field[(end < 0 ? field.length : end) - 1];
    if (name?.kind !== 'word') return [];
    const index = idOf(field) ?? next;
    next = index + 1;
    return [{ name: name.text, index, isPointer: field.some((t) => t.text === '*') }];
  });
}

function idOf(field: StructText['fields'][number]): number | undefined {
  const at = field.findIndex((t, i) => t.text === 'id' && field[i - 1]?.text === '[');
  const index = Number(field[at + 2]?.text);
  return at < 0 || Number.isNaN(index) ? undefined : index;
}
