/**
 * Checks plan.json field by field: it may be truncated, hostile or of another version. After this the rest of the runtime relies on
 * its types, its indices and the order of its buffers.
 */
import { type Plan, planVersion } from '../compiler/plan/plan.ts';
import { isDType } from '../compiler/tensor-ir/dtype.ts';
import { MlxcError } from './errors.ts';
import { rebuild } from './sizes.ts';

type Json = Readonly<Record<string, unknown>>;

/** Deepest nesting of trees and of steps. */
const maxDepth = 64;
/** Threads of a threadgroup on Metal. */
const maxThreads = 1024;
const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;

/** The plan itself, when it is well-formed. MLX5102 with the place of the first problem, MLX5103 for another version. */
export function validatePlan(value: unknown): Plan {
  const plan = object(value, 'plan');
  if (plan['version'] !== planVersion) {
    const found = JSON.stringify(plan['version'])?.slice(0, 40);
    throw new MlxcError(
      'MLX5103',
      `the bundle has plan version ${found}, this mlxc reads version ${planVersion}`,
      rebuild,
    );
  }
  if (plan['target'] !== 'cpu' && plan['target'] !== 'metal') {
    throw damaged('plan.target', 'is neither cpu nor metal');
  }
  const kernels = list(plan['kernels'], 'kernels').map((k, i) => checkKernel(k, `kernels[${i}]`));
  const names = new Set<string>();
  for (const [i, item] of list(plan['functions'], 'functions').entries()) {
    const name = new FunctionChecker(`functions[${i}]`, kernels).check(item);
    if (names.has(name)) throw damaged(`functions[${i}].name`, `\`${name}\` appears twice`);
    names.add(name);
  }
  return value as Plan;
}

interface KernelShape {
  readonly bindings: readonly { readonly dtype: string; readonly access: string }[];
  readonly integers: number;
}

function checkKernel(value: unknown, place: string): KernelShape {
  const kernel = object(value, place);
  // the name becomes a symbol of a library
  if (!identifier.test(text(kernel['name'], `${place}.name`))) {
    throw damaged(`${place}.name`, 'is no identifier');
  }
  const bindings = list(kernel['bindings'], `${place}.bindings`).map((item, i) => {
    const at = `${place}.bindings[${i}]`;
    const binding = object(item, at);
    text(binding['name'], `${at}.name`);
    const access = text(binding['access'], `${at}.access`);
    if (!['read', 'write', 'read-write'].includes(access))
      throw damaged(`${at}.access`, 'is unknown');
    return { dtype: dtype(binding['dtype'], `${at}.dtype`), access };
  });
  text(kernel['scratchBytes'], `${place}.scratchBytes`);
  const integers = list(kernel['integers'], `${place}.integers`);
  for (const [i, name] of integers.entries()) text(name, `${place}.integers[${i}]`);
  if (kernel['external'] !== undefined) {
    checkExternal(kernel['external'], bindings.length, `${place}.external`);
  }
  return { bindings, integers: integers.length };
}

/** A kernel of a user: how it is found, launched and given its arguments. */
function checkExternal(value: unknown, bindings: number, place: string): void {
  const external = object(value, place);
  text(external['entry'], `${place}.entry`);
  const threads = list(external['threadgroup'], `${place}.threadgroup`);
  if (threads.length !== 3) throw damaged(`${place}.threadgroup`, 'has not three sizes');
  for (const [i, size] of threads.entries()) {
    index(size, maxThreads + 1, `${place}.threadgroup[${i}]`);
    if (size === 0) throw damaged(`${place}.threadgroup[${i}]`, 'is 0');
  }
  if (external['library'] !== undefined) {
    const name = text(external['library'], `${place}.library`);
    // it is looked for in the folder of the bundle
    if (/[\\/]/.test(name)) throw damaged(`${place}.library`, 'is no file of the bundle');
  }
  if (external['arguments'] === undefined) return;
  const table = object(external['arguments'], `${place}.arguments`);
  index(table['index'], 31, `${place}.arguments.index`);
  index(table['size'], 1 << 20, `${place}.arguments.size`);
  const entries = list(table['entries'], `${place}.arguments.entries`);
  for (const [i, item] of entries.entries()) {
    const at = `${place}.arguments.entries[${i}]`;
    const { offset, binding } = object(item, at);
    index(offset, Number(table['size']) - 23, `${at}.offset`);
    if (binding !== undefined) index(binding, bindings, `${at}.binding`);
  }
}

interface CheckedBuffer {
  readonly kind: string;
  readonly dtype: string;
  readonly isAlias: boolean;
}

class FunctionChecker {
  private readonly place: string;
  private readonly kernels: readonly KernelShape[];
  private buffers: readonly CheckedBuffer[] = [];

  constructor(place: string, kernels: readonly KernelShape[]) {
    this.place = place;
    this.kernels = kernels;
  }

  /** Gives the name of the function. */
  check(value: unknown): string {
    const { place } = this;
    const planned = object(value, place);
    const name = text(planned['name'], `${place}.name`);
    if (!identifier.test(name)) throw damaged(`${place}.name`, 'is no identifier');
    text(planned['doc'], `${place}.doc`);
    const seen = new Set<string>();
    const parameters = list(planned['parameters'], `${place}.parameters`).flatMap((item, i) => {
      const at = `${place}.parameters[${i}]`;
      const parameter = object(item, at);
      const parameterName = text(parameter['name'], `${at}.name`);
      if (seen.has(parameterName)) throw damaged(`${at}.name`, 'appears twice');
      seen.add(parameterName);
      return leaves(parameter['tree'], `${at}.tree`, 0);
    });
    const results = leaves(planned['result'], `${place}.result`, 0);
    for (const [i, dim] of list(planned['dims'], `${place}.dims`).entries()) {
      text(dim, `${place}.dims[${i}]`);
    }
    this.checkGuards(planned['guards']);
    this.buffers = this.checkBuffers(planned['buffers'], parameters, results);
    this.checkSteps(planned['steps'], `${place}.steps`, 0);
    return name;
  }

  private checkGuards(value: unknown): void {
    for (const [i, item] of list(value, `${this.place}.guards`).entries()) {
      const at = `${this.place}.guards[${i}]`;
      const guard = object(item, at);
      if (!['equal', 'at-least', 'divisible'].includes(text(guard['relation'], `${at}.relation`))) {
        throw damaged(`${at}.relation`, 'is unknown');
      }
      for (const field of ['left', 'right', 'message']) text(guard[field], `${at}.${field}`);
    }
  }

  /** Parameters first, one a leaf, then results, then constants, then temporaries. */
  private checkBuffers(
    value: unknown,
    parameters: readonly string[],
    results: readonly string[],
  ): readonly CheckedBuffer[] {
    const order = ['parameter', 'result', 'constant', 'temporary'];
    const expected = [...parameters, ...results];
    let stage = 0;
    const items = list(value, `${this.place}.buffers`);
    const buffers = items.map((item, i): CheckedBuffer => {
      const at = `${this.place}.buffers[${i}]`;
      const buffer = object(item, at);
      const kind = text(buffer['kind'], `${at}.kind`);
      if (order.indexOf(kind) < stage) throw damaged(`${at}.kind`, 'is out of order or unknown');
      stage = order.indexOf(kind);
      const isParameter = kind === 'parameter';
      if (
        isParameter !== i < parameters.length ||
        (kind === 'result') !== (!isParameter && i < expected.length)
      ) {
        throw damaged(at, 'does not match the leaves of the signature');
      }
      text(buffer['name'], `${at}.name`);
      text(buffer['size'], `${at}.size`);
      const found = dtype(buffer['dtype'], `${at}.dtype`);
      if (i < expected.length && found !== expected[i]) {
        throw damaged(`${at}.dtype`, `is ${found} where the signature has ${expected[i]}`);
      }
      if (kind === 'constant') text(buffer['constant'], `${at}.constant`);
      const { sameAs, mayReuse } = buffer;
      if (sameAs !== undefined) {
        if (kind !== 'result') throw damaged(`${at}.sameAs`, 'is for results only');
        index(sameAs, i, `${at}.sameAs`);
      }
      if (mayReuse !== undefined) {
        if (kind !== 'result') throw damaged(`${at}.mayReuse`, 'is for results only');
        index(mayReuse, parameters.length, `${at}.mayReuse`);
      }
      return { kind, dtype: found, isAlias: sameAs !== undefined };
    });
    if (buffers.length < expected.length) {
      throw damaged(`${this.place}.buffers`, 'has fewer buffers than the signature has leaves');
    }
    for (const [i, item] of items.entries()) {
      const { sameAs } = item as Json;
      if (typeof sameAs === 'number' && buffers[sameAs]!.dtype !== buffers[i]!.dtype) {
        throw damaged(`${this.place}.buffers[${i}].sameAs`, 'has another dtype');
      }
    }
    return buffers;
  }

  private checkSteps(value: unknown, place: string, depth: number): void {
    if (depth > maxDepth) throw damaged(place, 'is nested too deeply');
    for (const [i, item] of list(value, place).entries()) {
      this.checkStep(object(item, `${place}[${i}]`), `${place}[${i}]`, depth);
    }
  }

  private checkStep(step: Json, place: string, depth: number): void {
    switch (step['kind']) {
      case 'dispatch':
        this.checkDispatch(step, place);
        return;
      case 'loop':
        text(step['count'], `${place}.count`);
        if (typeof step['reverse'] !== 'boolean')
          throw damaged(`${place}.reverse`, 'is no boolean');
        if (step['index'] !== undefined) this.writable(step['index'], 'i32', `${place}.index`);
        if (step['condition'] !== undefined)
          this.buffer(step['condition'], 'bool', `${place}.condition`);
        this.checkSteps(step['body'], `${place}.body`, depth + 1);
        return;
      case 'branch':
        this.buffer(step['condition'], 'bool', `${place}.condition`);
        this.checkSteps(step['then'], `${place}.then`, depth + 1);
        this.checkSteps(step['otherwise'], `${place}.otherwise`, depth + 1);
        return;
      case 'copy': {
        const from = this.buffer(step['from'], undefined, `${place}.from`);
        this.writable(step['to'], from.dtype, `${place}.to`);
        for (const field of ['fromOffset', 'toOffset', 'size'])
          text(step[field], `${place}.${field}`);
        return;
      }
      default:
        throw damaged(`${place}.kind`, 'is unknown');
    }
  }

  private checkDispatch(step: Json, place: string): void {
    const kernel = this.kernels[index(step['kernel'], this.kernels.length, `${place}.kernel`)]!;
    const buffers = list(step['buffers'], `${place}.buffers`);
    if (buffers.length !== kernel.bindings.length) {
      throw damaged(
        `${place}.buffers`,
        `has ${buffers.length} entries, the kernel ${kernel.bindings.length}`,
      );
    }
    for (const [i, buffer] of buffers.entries()) {
      const binding = kernel.bindings[i]!;
      const at = `${place}.buffers[${i}]`;
      if (binding.access === 'read') this.buffer(buffer, binding.dtype, at);
      else this.writable(buffer, binding.dtype, at);
    }
    const integers = list(step['integers'], `${place}.integers`);
    if (integers.length !== kernel.integers) {
      throw damaged(
        `${place}.integers`,
        `has ${integers.length} entries, the kernel ${kernel.integers}`,
      );
    }
    for (const [i, integer] of integers.entries()) text(integer, `${place}.integers[${i}]`);
    for (const [i, extent] of list(step['grid'], `${place}.grid`).entries()) {
      text(extent, `${place}.grid[${i}]`);
    }
    text(step['bytes'], `${place}.bytes`);
    text(step['flops'], `${place}.flops`);
  }

  private buffer(value: unknown, wanted: string | undefined, place: string): CheckedBuffer {
    const buffer = this.buffers[index(value, this.buffers.length, place)]!;
    if (buffer.isAlias) throw damaged(place, 'names a result that has no memory of its own');
    if (wanted !== undefined && buffer.dtype !== wanted) {
      throw damaged(place, `names a ${buffer.dtype} buffer where ${wanted} is needed`);
    }
    return buffer;
  }

  private writable(value: unknown, wanted: string, place: string): void {
    const { kind } = this.buffer(value, wanted, place);
    if (kind === 'parameter' || kind === 'constant') throw damaged(place, `writes to a ${kind}`);
  }
}

/** The dtypes in which the leaves of a tree are held, in order. */
function leaves(value: unknown, place: string, depth: number): string[] {
  if (depth > maxDepth) throw damaged(place, 'is nested too deeply');
  const tree = object(value, place);
  switch (tree['kind']) {
    case 'leaf': {
      const leaf = object(tree['leaf'], `${place}.leaf`);
      for (const [i, dim] of list(leaf['shape'], `${place}.leaf.shape`).entries()) {
        text(dim, `${place}.leaf.shape[${i}]`);
      }
      return [leaf['dtype'] === 'c64' ? 'f32' : dtype(leaf['dtype'], `${place}.leaf.dtype`)];
    }
    case 'struct': {
      text(tree['name'], `${place}.name`);
      const seen = new Set<string>();
      return list(tree['fields'], `${place}.fields`).flatMap((item, i) => {
        const at = `${place}.fields[${i}]`;
        const field = object(item, at);
        const name = text(field['name'], `${at}.name`);
        if (!identifier.test(name) || name === '__proto__' || seen.has(name)) {
          throw damaged(`${at}.name`, 'is no identifier or appears twice');
        }
        seen.add(name);
        return leaves(field['tree'], `${at}.tree`, depth + 1);
      });
    }
    case 'tuple':
    case 'array':
      return list(tree['items'], `${place}.items`).flatMap((item, i) =>
        leaves(item, `${place}.items[${i}]`, depth + 1),
      );
    default:
      throw damaged(`${place}.kind`, 'is unknown');
  }
}

function object(value: unknown, place: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw damaged(place, 'is no object');
}

function list(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(place, 'is no list');
}

function text(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw damaged(place, 'is no text');
}

function dtype(value: unknown, place: string): string {
  const name = text(value, place);
  if (isDType(name)) return name;
  throw damaged(place, `is no dtype: ${name.slice(0, 40)}`);
}

function index(value: unknown, length: number, place: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < length) {
    return value;
  }
  throw damaged(place, `is no index below ${length}`);
}

function damaged(place: string, reason: string): MlxcError {
  const problem = { place, message: reason };
  return new MlxcError('MLX5102', `plan.json is damaged: ${place} ${reason}`, rebuild, [problem]);
}
