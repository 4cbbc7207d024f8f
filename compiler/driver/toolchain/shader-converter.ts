/**
 * Apple's `metal-shaderconverter`: DXIL to a Metal library, and what it says of the kernel's arguments.
 *
 *   metal-shaderconverter kernel.dxil -o kernel.metallib --output-reflection-file=kernel.json --entry-point=main
 *     --deployment-os=macOS --minimum-os-build-version=14.0.0 --minimum-gpu-family=Metal3
 */
import { MlxcError } from '../../../runtime/errors.ts';
import { findOnPath, runTool, type ToolContext } from './tool.ts';

/** The options of the command line that mlxc has a use for, by their names there. */
export interface ConverterOptions {
  readonly input: string;
  readonly output: string;
  readonly reflectionFile?: string;
  readonly entryPoint?: string;
  readonly renameEntryPoint?: string;
  /** A root signature as JSON: then arguments lie as it says. */
  readonly rootSignature?: string;
  readonly deploymentOs?: string;
  /** `14.0.0`: three numbers. */
  readonly minimumOs?: string;
  /** `Metal3`, `Apple7`, … */
  readonly minimumGpuFamily?: string;
  readonly ignoreDebugInformation?: boolean;
}

export function converterArguments(options: ConverterOptions): readonly string[] {
  const flag = (name: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [`--${name}=${value}`];
  return [
    options.input,
    '-o',
    options.output,
    ...flag('output-reflection-file', options.reflectionFile),
    ...flag('entry-point', options.entryPoint),
    ...(options.renameEntryPoint === undefined
      ? []
      : ['-rename-entry-point', options.renameEntryPoint]),
    ...flag('root-signature', options.rootSignature),
    ...flag('deployment-os', options.deploymentOs),
    ...flag('minimum-os-build-version', options.minimumOs),
    ...flag('minimum-gpu-family', options.minimumGpuFamily),
    ...(options.ignoreDebugInformation === true ? ['--ignore-debug-information'] : []),
  ];
}

const places: readonly string[] = [
  '/opt/metal-shaderconverter/bin/metal-shaderconverter',
  '/usr/local/bin/metal-shaderconverter',
];

/** `$METAL_SHADERCONVERTER`, the search path, or where its installer puts it. */
export function findConverter({ env }: ToolContext): string | undefined {
  const chosen = env['METAL_SHADERCONVERTER'];
  if (chosen !== undefined && chosen !== '') return findOnPath(chosen, env);
  const names = ['metal-shaderconverter', ...places];
  for (const name of names) {
    const path = findOnPath(name, env);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** `2.0.1`, as `--version` prints it somewhere in its text; undefined when it prints none. */
export async function converterVersion(
  command: string,
  context: ToolContext,
): Promise<string | undefined> {
  const { stdout, stderr } = await runTool(command, ['--version'], context);
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}\n${stderr}`)?.[0];
}

/** One resource of the top-level argument buffer. */
export interface ReflectedResource {
  /** Bytes into the buffer. */
  readonly offset: number;
  readonly size: number;
  /** The number of the HLSL register: 1 of `t1`. */
  readonly slot: number;
  readonly space: number;
  /** Shader resource `t`, unordered access `u`, constants `b`, sampler `s`. */
  readonly kind: 'SRV' | 'UAV' | 'CBV' | 'Sampler';
}

export interface Reflection {
  readonly resources: readonly ReflectedResource[];
  /** Threads of a threadgroup, `numthreads` of the source; undefined when it is not said. */
  readonly threadgroup: readonly [number, number, number] | undefined;
}

/** Reads the JSON of `--output-reflection-file`. MLX5204 when it is not what the converter is known to write. */
export function parseReflection(text: string): Reflection {
  const wrong = (what: string): never => {
    throw new MlxcError(
      'MLX5204',
      `the reflection of metal-shaderconverter cannot be used: ${what}`,
      'report it with the version that `mlxc doctor` shows',
    );
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const list = findKey(json, 'TopLevelArgumentBuffer');
  if (!Array.isArray(list)) return wrong('it has no TopLevelArgumentBuffer');
  const resources = list.map((item: unknown, i): ReflectedResource => {
    const number = (name: string): number => {
      const value = isRecord(item) ? item[name] : undefined;
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
      return wrong(`TopLevelArgumentBuffer[${i}].${name} is ${JSON.stringify(value)}`);
    };
    const type = isRecord(item) ? item['Type'] : undefined;
    const kind = kinds.find((name) => name === type);
    if (kind === undefined) {
      return wrong(`TopLevelArgumentBuffer[${i}].Type is ${JSON.stringify(type)}`);
    }
    return {
      offset: number('EltOffset'),
      size: number('Size'),
      slot: number('Slot'),
      space: number('Space'),
      kind,
    };
  });
  return { resources, threadgroup: readThreads(findKey(json, 'tg_size')) };
}

const kinds = ['SRV', 'UAV', 'CBV', 'Sampler'] as const;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key at any depth: where groups of keys stand differs by version. */
function findKey(json: unknown, key: string): unknown {
  if (!isRecord(json)) return undefined;
  if (Object.hasOwn(json, key)) return json[key];
  for (const inner of Object.values(json)) {
    const found = findKey(inner, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readThreads(value: unknown): readonly [number, number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [x, y, z]: readonly unknown[] = value;
  const isCount = (n: unknown): n is number => typeof n === 'number' && n >= 1;
  return isCount(x) && isCount(y) && isCount(z) ? [x, y, z] : undefined;
}
