/** Small executables in the place of tools that are not there: they write down how they are called, and do as the test says. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Call {
  readonly tool: string;
  readonly argv: readonly string[];
  /** The text of arguments that are files, by their index. */
  readonly files: Readonly<Record<number, string>>;
}

export class StandIns {
  /** The only folder on the search path, but for that of node. */
  readonly folder: string;
  private readonly record: string;

  constructor(parent: string) {
    this.folder = join(parent, 'tools');
    this.record = join(parent, 'calls.jsonl');
    mkdirSync(this.folder, { recursive: true });
  }

  get env(): Record<string, string> {
    return { PATH: this.folder, HOME: process.env['HOME'] ?? '/' };
  }

  /**
   * Makes the tool `name`. `body` is JavaScript that sees `argv`, `after(flag)` (the argument behind a flag, or behind `flag=`),
   * `write(path, text)`, `say(text)` on standard error, and ends with `exit(status)` when it is not 0.
   */
  add(name: string, body: string): void {
    const path = join(this.folder, name);
    const text = `#!${process.execPath}
const fs = require('node:fs');
const argv = process.argv.slice(2);
const files = {};
argv.forEach((arg, i) => { try { if (fs.statSync(arg).isFile()) files[i] = fs.readFileSync(arg, 'utf8'); } catch {} });
fs.appendFileSync(${JSON.stringify(this.record)}, JSON.stringify({ tool: ${JSON.stringify(name)}, argv, files }) + '\\n');
const after = (flag) => {
  const joined = argv.find((arg) => arg.startsWith(flag + '='));
  return joined === undefined ? argv[argv.indexOf(flag) + 1] : joined.slice(flag.length + 1);
};
const write = (path, text) => fs.writeFileSync(path, text);
const say = (text) => fs.writeSync(2, text);
const exit = (status) => process.exit(status);
${body}
`;
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }

  /** What was called so far, in order; forgets it. */
  takeCalls(): readonly Call[] {
    if (!existsSync(this.record)) return [];
    const lines = readFileSync(this.record, 'utf8').trim().split('\n');
    writeFileSync(this.record, '');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Call);
  }
}
