/** Names of the language that JavaScript reserves. */

const reserved = new Set(
  'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let module new null package private protected public return static super switch this throw true try typeof undefined var void while with yield'.split(
    ' ',
  ),
);

/** The name itself, or with an underscore when it cannot be a local name in a generated module. */
export function safeName(name: string): string {
  return reserved.has(name) || name === 'load' || name === 'fileURLToPath' ? `${name}_` : name;
}
