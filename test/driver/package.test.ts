/** The package as others use it: the built command, bundles imported by Node, declarations read by TypeScript. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../compiler/driver/node-host.ts';

const main = join(packageRoot(), 'dist', 'compiler', 'driver', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'mlxc-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// `npm test` builds first; a bare `vitest run` in a fresh tree has nothing to test here.
describe.skipIf(!existsSync(main))('the built package', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(packageRoot(), join(folder, 'node_modules', 'mlxc'));
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    writeFileSync(
      join(folder, 'model.mlx'),
      `struct Net<I, O> { w: f32[I, O] }

/// Applies the net.
export fn apply(m: Net<2, 3>, x: f32[B, 2]) -> f32[B, 3] { x @ m.w }
`,
    );
    execFileSync(process.execPath, [main, 'build', 'model.mlx'], { cwd: folder, stdio: 'ignore' });
  });

  test('a bundle imported by Node', () => {
    const script = `import { apply } from './model.mlxbundle/index.js';
console.log(JSON.stringify(apply({ w: [[1, 0, 0], [0, 1, 0]] }, [[4, 5]]).tolist()));`;
    writeFileSync(join(folder, 'use.js'), script);
    const out = execFileSync(process.execPath, ['use.js'], { cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(out)).toEqual([[4, 5, 0]]);
  });

  test('its declarations catch mistakes', async () => {
    const ts = await import('typescript');
    const check = (text: string): readonly string[] => {
      const file = join(folder, 'use.ts');
      writeFileSync(
        file,
        `import { apply, type Net } from './model.mlxbundle/index.js';\n${text}\n`,
      );
      const program = ts.createProgram([file], {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: [],
        lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
        module: ts.ModuleKind.Node20,
        target: ts.ScriptTarget.ES2023,
      });
      const problems = ts.getPreEmitDiagnostics(program);
      return problems.map((p) => ts.flattenDiagnosticMessageText(p.messageText, ' '));
    };
    expect(check('const m: Net<number[][]> = { w: [[1]] }; apply(m, [[1, 2]]).item();')).toEqual(
      [],
    );
    expect(check('apply({ v: [[1]] }, [[1, 2]]);').join()).toContain("'v'");
    expect(check('apply({ w: [[1]] });').join()).toContain('Expected 2 arguments');
  });

  test('a reader that goes away is no error', () => {
    const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(main)} build model.mlx --emit metal | head -n 1; exit 0`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect(stdout).toContain('#include');
    expect(stderr).toBe('');
  });

  test('exit codes reach the shell', () => {
    const code = (...argv: readonly string[]): number | null =>
      spawnSync(process.execPath, [main, ...argv], { cwd: folder }).status;
    expect(code('check', 'model.mlx')).toBe(0);
    expect(code('check', 'absent.mlx')).toBe(1);
    expect(code('nonsense')).toBe(2);
  });
});
