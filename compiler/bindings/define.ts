/**
 * index.js of a bundle: loads the folder it lies in when imported, and exports its functions.
 *
 *   import { predict } from './model.mlxbundle/index.js';
 */
import type { PlanFunction } from '../plan/plan.ts';
import { safeName } from './safe-name.ts';

/** The module's JavaScript text. */
export function defineBundle(functions: readonly PlanFunction[]): string {
  const exports = functions.map(({ name }) => {
    const local = safeName(name);
    const value = `module.functions[${JSON.stringify(name)}]`;
    return local === name
      ? `export const ${name} = ${value};`
      : `const ${local} = ${value};\nexport { ${local} as ${name} };`;
  });
  return [
    "import { fileURLToPath } from 'node:url';",
    "import { load } from 'mlxc/runtime';",
    '',
    "const module = await load(fileURLToPath(new URL('.', import.meta.url)));",
    ...exports,
    'export default module;',
    '',
  ].join('\n');
}
