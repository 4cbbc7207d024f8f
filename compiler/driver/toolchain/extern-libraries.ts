/**
 * Kernels of `extern` functions in HLSL and DXIL become libraries of the bundle: dxc, then metal-shaderconverter. Arguments are
 * the registers t0, t1, ..., results u0, u1, ..., the dims the constants b0.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { MlxcError } from '../../../runtime/errors.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import {
  converterRefused,
  kernelRunsBody,
  threadsDiffer,
  unknownRegister,
} from '../../diagnostics/problems/kernels.ts';
import type { Span } from '../../diagnostics/span.ts';
import type { ExternAttrs } from '../../primitives/extern.ts';
import type { Operation } from '../../tensor-ir/program.ts';
import { type ArgumentResource, type KernelLibrary, libraryKey } from '../kernel-libraries.ts';
import type { KernelSource } from '../kernel-sources.ts';
import { dxcArguments, findDxc } from './dxc.ts';
import { parseMessages, toDiagnostics } from './messages.ts';
import { failed, readLibrary } from './metal-compiler.ts';
import { missingConverter, missingDxc } from './missing.ts';
import type { Deployment } from './platforms.ts';
import {
  converterArguments,
  findConverter,
  parseReflection,
  type Reflection,
} from './shader-converter.ts';
import { runTool, type ToolContext } from './tool.ts';

export interface ExternLibraries {
  /** By `libraryKey`. */
  readonly libraries: ReadonlyMap<string, KernelLibrary>;
  /** Errors of the sources; warnings for kernels that a missing tool leaves out. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ExternOptions extends Deployment {
  /** Relative paths start here. */
  readonly cwd: string;
  /** A missing tool is an error, not a warning. */
  readonly mustCompile: boolean;
}

/** A function's kernel is made once, however often it is called. */
export async function compileExterns(
  calls: readonly Operation[],
  sources: ReadonlyMap<string, KernelSource>,
  options: ExternOptions,
  context: ToolContext,
): Promise<ExternLibraries> {
  const libraries = new Map<string, KernelLibrary>();
  const diagnostics: Diagnostic[] = [];
  const seen = new Set<string>();
  for (const op of calls) {
    const attrs = op.attrs as ExternAttrs;
    if (attrs.language === 'metal') continue;
    const key = libraryKey({ source: attrs.source, entry: attrs.kernel });
    if (seen.has(key)) continue;
    seen.add(key);
    const source = sources.get(attrs.source)!;
    const span = op.span ?? { file: attrs.source, start: 0, end: 0 };
    try {
      const file = `extern-${seen.size}-${attrs.kernel.replace(/\W/g, '_')}.metallib`;
      const made = await new ExternCompiler(op, source, span, options, context).run(file);
      diagnostics.push(...made.diagnostics);
      if (made.library !== undefined) libraries.set(key, made.library);
    } catch (error) {
      const isMissing = error instanceof MlxcError && error.code === 'MLX5201';
      if (!isMissing || options.mustCompile) throw error;
      diagnostics.push({
        ...kernelRunsBody(attrs.kernel, error.message, span),
        severity: 'warning',
      });
    }
  }
  return { libraries, diagnostics };
}

/** The words are those of dxc. */
const compilerSays = 'MLX4102';

interface Made {
  readonly library?: KernelLibrary;
  readonly diagnostics: readonly Diagnostic[];
}

class ExternCompiler {
  private readonly attrs: ExternAttrs;
  private readonly op: Operation;
  private readonly source: KernelSource;
  private readonly span: Span;
  private readonly options: ExternOptions;
  private readonly context: ToolContext;

  constructor(
    op: Operation,
    source: KernelSource,
    span: Span,
    options: ExternOptions,
    context: ToolContext,
  ) {
    this.attrs = op.attrs as ExternAttrs;
    this.op = op;
    this.source = source;
    this.span = span;
    this.options = options;
    this.context = context;
  }

  async run(file: string): Promise<Made> {
    const converter = findConverter(this.context);
    if (converter === undefined) throw missingConverter(this.context.platform);
    const work = mkdtempSync(join(tmpdir(), 'mlxc-extern-'));
    try {
      let dxil = join(work, 'kernel.dxil');
      const diagnostics: Diagnostic[] = [];
      if (this.source.language === 'hlsl') {
        const found = await this.compileHlsl(work, dxil);
        diagnostics.push(...found);
        if (found.some((d) => d.severity === 'error')) return { diagnostics };
      } else dxil = resolve(this.options.cwd, this.source.path ?? '');
      const made = await this.convert(converter, dxil, work, file);
      return { ...made, diagnostics: [...diagnostics, ...made.diagnostics] };
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }

  private async compileHlsl(work: string, dxil: string): Promise<readonly Diagnostic[]> {
    const dxc = findDxc(this.context);
    if (dxc === undefined) throw missingDxc();
    const { path, text = '', name } = this.source;
    const input = join(work, 'kernel.hlsl');
    writeFileSync(input, text);
    const values = [...this.op.operands, ...this.op.results];
    const args = dxcArguments(input, dxil, {
      entry: this.attrs.kernel,
      has16BitTypes: values.some(({ type }) => /16$/.test(type.dtype)),
      ...(path === undefined ? {} : { includeFolder: dirname(resolve(this.options.cwd, path)) }),
    });
    const result = await runTool(dxc, args, this.context);
    const texts = [{ printed: 'kernel.hlsl', file: path ?? name, text }];
    const messages = parseMessages(`${result.stderr}\n${result.stdout}`);
    // text in the module has no file that a place could be in
    const found = toDiagnostics(messages, compilerSays, path === undefined ? [] : texts, this.span);
    if (result.status !== 0 && !found.some((d) => d.severity === 'error')) {
      throw failed('dxc', result);
    }
    return found;
  }

  private async convert(
    converter: string,
    dxil: string,
    work: string,
    file: string,
  ): Promise<Made> {
    const { platform, minOs } = this.options;
    const output = join(work, 'kernel.metallib');
    const reflectionFile = join(work, 'kernel.json');
    const args = converterArguments({
      input: dxil,
      output,
      reflectionFile,
      entryPoint: this.attrs.kernel,
      ...(platform.converterName === undefined
        ? {}
        : { deploymentOs: platform.converterName, minimumOs: threeNumbers(minOs) }),
      minimumGpuFamily: 'Metal3',
    });
    const result = await runTool(converter, args, this.context);
    const messages = parseMessages(`${result.stderr}\n${result.stdout}`);
    const errors = messages.filter((m) => m.severity === 'error');
    if (result.status !== 0) {
      if (errors.length === 0) throw failed('metal-shaderconverter', result);
      const said = errors.map((m) => m.text);
      return { diagnostics: said.map((text) => this.error(converterRefused(text, this.span))) };
    }
    const reflection = parseReflection(readText(reflectionFile));
    const problems = this.check(reflection);
    if (problems.length > 0) return { diagnostics: problems };
    const resources = reflection.resources.map(
      ({ offset, slot, kind }): ArgumentResource => ({ offset, slot, register: registers[kind]! }),
    );
    const size = Math.max(0, ...reflection.resources.map((r) => r.offset + r.size));
    const bytes = readLibrary(output);
    return {
      library: { file, bytes, entry: this.attrs.kernel, resources, size },
      diagnostics: [],
    };
  }

  /** Registers that stand for nothing, and another size of threadgroups. */
  private check({ resources, threadgroup }: Reflection): readonly Diagnostic[] {
    const { operands, results } = this.op;
    const { threads, dims } = this.attrs;
    const limits = {
      SRV: operands.length,
      UAV: results.length,
      CBV: dims.length > 0 ? 1 : 0,
      Sampler: 0,
    };
    const found: Diagnostic[] = [];
    for (const { kind, slot, space } of resources) {
      if (space === 0 && slot < limits[kind]) continue;
      const register = `${registers[kind] ?? 's'}${slot}${space === 0 ? '' : `, space${space}`}`;
      found.push(this.error(unknownRegister(register, operands.length, results.length, this.span)));
    }
    const wanted = [threads[0]!, threads[1] ?? 1, threads[2] ?? 1];
    if (threadgroup?.some((n, i) => n !== wanted[i])) {
      found.push(this.error(threadsDiffer(wanted.join(', '), threadgroup.join(', '), this.span)));
    }
    return found;
  }

  private error(problem: Omit<Diagnostic, 'severity'>): Diagnostic {
    return { ...problem, severity: 'error' };
  }
}

const registers: Readonly<Record<string, ArgumentResource['register'] | undefined>> = {
  SRV: 't',
  UAV: 'u',
  CBV: 'b',
};

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new MlxcError('MLX5202', 'metal-shaderconverter wrote no reflection');
  }
}

/** `14.0` to `14.0.0`. */
function threeNumbers(version: string): string {
  return [...version.split('.'), '0', '0'].slice(0, 3).join('.');
}
