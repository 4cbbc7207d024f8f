/** From the command line to a launch: what is bound where, checked as Metal's debug layer checks it. */
import type { HostTensor } from '../../../compiler/driver/io/host-tensor.ts';
import { toBytes } from '../../../compiler/driver/io/host-tensor.ts';
import { type KernelDescription, type KernelParameter, slots } from '../driver/native.ts';
import { parseBuffer, parseBytes, readNpy, splitName, WrongUsage } from './specification.ts';

export interface Arguments {
  readonly buffer: readonly string[];
  readonly bytes: readonly string[];
  readonly npy: readonly string[];
  readonly threadgroupMemory: readonly string[];
  readonly seed: number;
}

export interface Bound {
  readonly parameter: KernelParameter;
  readonly tensor: HostTensor;
  /** By `--bytes`, as by setBytes. */
  readonly isBytes: boolean;
}

export interface Bindings {
  readonly bound: readonly Bound[];
  readonly threadgroupLengths: readonly number[];
  /** Files that buffers are written to afterwards, by the names of the parameters. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Binds everything that the command line gives. Throws WrongUsage where a name fits nothing. */
export function bind(kernel: KernelDescription, args: Arguments): Bindings {
  const buffers = kernel.parameters.filter((p) => p.kind === 'device' || p.kind === 'constant');
  const locals = kernel.parameters.filter((p) => p.kind === 'threadgroup');
  const bound = new Map<KernelParameter, Bound>();
  const find = (
    name: string | undefined,
    among: readonly KernelParameter[],
    isFree: (p: KernelParameter) => boolean,
    what: string,
  ): KernelParameter => {
    const found =
      name === undefined
        ? among.find((p) => !p.isAbsent && isFree(p))
        : among.find((p) => p.name === name || String(p.index) === name);
    if (found !== undefined) return found;
    const known = among.map((p) => `${p.name} (${p.index})`).join(', ') || 'none';
    throw new WrongUsage(
      name === undefined
        ? `${what}: nothing is left to bind; the kernel has ${known}`
        : `${what}: the kernel has no argument \`${name}\`; it has ${known}`,
    );
  };
  const add = (given: readonly string[], what: string, isBytes: boolean): void => {
    for (const text of given) {
      const { name, value } = splitName(text);
      const isFree = (p: KernelParameter): boolean =>
        !bound.has(p) && (!isBytes || p.kind === 'constant');
      const parameter = find(name, buffers, isFree, `${what} ${text}`);
      if (bound.has(parameter)) throw new WrongUsage(`${parameter.name} is bound twice`);
      const tensor: HostTensor = isBytes
        ? bytesTensor(parseBytes(value))
        : parseBuffer(value, args.seed + parameter.index);
      bound.set(parameter, { parameter, tensor, isBytes });
    }
  };
  // names first: what has none takes what is left
  const hasName = (text: string): boolean => splitName(text).name !== undefined;
  add(args.buffer.filter(hasName), '--buffer', false);
  add(args.bytes.filter(hasName), '--bytes', true);
  const outputs = new Map<string, string>();
  for (const text of args.npy) {
    const { name, value } = splitName(text);
    if (name === undefined) throw new WrongUsage(`--npy ${text}: write NAME=PATH`);
    const parameter = find(name, buffers, () => true, `--npy ${text}`);
    if (bound.has(parameter)) outputs.set(parameter.name, value);
    else bound.set(parameter, { parameter, tensor: readNpy(value), isBytes: false });
  }
  add(
    args.bytes.filter((text) => !hasName(text)),
    '--bytes',
    true,
  );
  add(
    args.buffer.filter((text) => !hasName(text)),
    '--buffer',
    false,
  );

  const threadgroupLengths = new Array<number>(slots).fill(0);
  for (const text of args.threadgroupMemory) {
    const { name, value } = splitName(text);
    const isFree = (p: KernelParameter): boolean => threadgroupLengths[p.index] === 0;
    const parameter = find(name, locals, isFree, `--threadgroup-memory ${text}`);
    if (!/^\d+$/.test(value)) throw new WrongUsage(`--threadgroup-memory ${text}: write bytes`);
    threadgroupLengths[parameter.index] = Number(value);
  }
  return { bound: [...bound.values()], threadgroupLengths, outputs };
}

function bytesTensor(data: Uint8Array): HostTensor {
  return { dtype: 'u8', shape: [data.length], data };
}

const mostThreads = 1024;
const mostThreadgroupMemory = 32_768;
const mostBytes = 4096;

/** What Metal's debug layer would say; undefined when all is well. */
export function refusal(
  name: string,
  kernel: KernelDescription,
  { bound, threadgroupLengths }: Bindings,
  grid: readonly number[],
  threadgroup: readonly number[],
): string | undefined {
  const count = threadgroup.reduce((product, n) => product * n, 1);
  const [w, h, d] = threadgroup;
  const shape = `(threadsPerThreadgroup.width(${w}) * threadsPerThreadgroup.height(${h}) * threadsPerThreadgroup.depth(${d}))(${count})`;
  if (count === 0) return `${shape} must not be 0.`;
  if (grid.includes(0)) return 'the grid must not be 0.';
  if (count > mostThreads)
    return `${shape} must be <= ${mostThreads}. (device threadgroup size limit)`;
  if (kernel.maxThreads > 0 && count > kernel.maxThreads) {
    return `${shape} must be <= ${kernel.maxThreads}. (kernel threadgroup size limit)`;
  }
  const odd = threadgroupLengths.find((length) => length % 16 !== 0);
  if (odd !== undefined) return `length(${odd}) must be a multiple of 16 bytes.`;
  const memory = threadgroupLengths.reduce((sum, n) => sum + n, kernel.threadgroupMemory);
  if (memory > mostThreadgroupMemory) {
    return `Threadgroup memory size (${memory}) exceeds the maximum threadgroup memory allowed (${mostThreadgroupMemory})`;
  }
  for (const p of kernel.parameters) {
    if (p.isAbsent || p.kind === 'builtin') continue;
    if (p.kind === 'threadgroup') {
      if (threadgroupLengths[p.index]! > 0) continue;
      return `Compute Function(${name}): missing threadgroup memory binding at index ${p.index} for ${p.name}[0].`;
    }
    const binding = bound.find((b) => b.parameter.name === p.name);
    if (binding === undefined) {
      return `Compute Function(${name}): missing buffer binding at index ${p.index} for ${p.name}[0].`;
    }
    const { length } = toBytes(binding.tensor.data);
    if (binding.isBytes && length > mostBytes) return `length(${length}) must be <= ${mostBytes}.`;
    if (binding.isBytes && p.isWritable) {
      return `Read-only bytes are being bound at index ${p.index} to a shader argument with write access enabled`;
    }
    if (length < p.size) {
      return `Compute Function(${name}): argument ${p.name}[0] from buffer(${p.index}) with offset(0) and length(${length}) has space for ${length} bytes, but argument has a length(${p.size}).`;
    }
  }
  return undefined;
}
