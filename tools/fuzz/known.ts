/** Which functions the prelude has: rules for those that are missing draw something else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../compiler/driver/node-host.ts';
import { intrinsics } from '../../compiler/elaborate/intrinsics/index.ts';

function readNames(): ReadonlySet<string> {
  const folder = join(packageRoot(), 'stdlib', 'prelude');
  const written = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return [...text.matchAll(/^export fn (\w+)/gm)].map((m) => m[1]!);
  });
  return new Set([...intrinsics.keys(), ...written]);
}

export const knownFunctions: ReadonlySet<string> = readNames();
