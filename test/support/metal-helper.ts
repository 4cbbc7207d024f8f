import { readFileSync } from 'node:fs';

const folder = new URL('../../compiler/to-metal/helpers/', import.meta.url);

/** The text of a Metal helper function, read as the driver does. */
export function metalHelper(name: string): string {
  return readFileSync(new URL(`${name}.metal`, folder), 'utf8');
}
