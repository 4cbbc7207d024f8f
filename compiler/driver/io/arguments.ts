/**
 * `name=VALUE` of the command line, against the parameters of a function. VALUE is JSON, or `@file`:
 *
 *   x=[[1, 2], [3, 4]]     x=@x.npy     x=@xs.npz:key     m=@w.safetensors     m=@w.npz     m=@all.npz:model
 *
 * A tree takes the dotted keys of a file (`hidden.w`), after the prefix if one is given (`model.hidden.w`).
 */
import { resolve } from 'node:path';
import { numberToBf16 } from '../../../runtime/typed-array.ts';
import { showType } from '../../bindings/show-type.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import type { PlanLeaf, PlanParameter } from '../../plan/plan.ts';
import { FileProblem, UsageError } from '../errors.ts';
import { readBytes } from './files.ts';
import type { HostTensor } from './host-tensor.ts';
import { tensorFromJson } from './json-tensor.ts';
import { parseNpy } from './npy.ts';
import { readHostTensors } from './save.ts';
import { type LeafPlace, leafPlaces } from './tree.ts';

/** The leaves of each parameter, in order. */
export type Arguments = ReadonlyMap<string, readonly HostTensor[]>;

/**
 * Reads all arguments. Errors: usage (malformed, unknown, given twice, missing), MLX5001 (file), MLX5010–5012 (format), MLX5020 (JSON),
 * MLX5021 (absent key), MLX5022 (dtype or rank).
 */
export async function readArguments(
  given: readonly string[],
  parameters: readonly PlanParameter[],
  cwd: string,
  isPartial = false,
): Promise<Arguments> {
  const texts = splitArguments(given, parameters);
  const missing = parameters.filter((parameter) => !texts.has(parameter.name));
  if (missing.length > 0 && !isPartial) {
    const list = missing.map(({ name, tree }) => `${name}: ${showType(tree)}`).join(', ');
    throw new UsageError(
      `no value for ${list}`,
      `give it as ${missing[0]!.name}=VALUE (JSON, @file.npy, @file.npz:key, @file.safetensors)`,
    );
  }
  const files = new Map<string, Promise<ReadonlyMap<string, HostTensor>>>();
  const values = new Map<string, readonly HostTensor[]>();
  for (const parameter of parameters) {
    const text = texts.get(parameter.name);
    if (text === undefined) continue;
    const leaves = text.startsWith('@')
      ? await readFromFile(text.slice(1), parameter, cwd, files)
      : readFromJson(text, parameter);
    values.set(parameter.name, leaves);
  }
  return values;
}

function splitArguments(
  given: readonly string[],
  parameters: readonly PlanParameter[],
): ReadonlyMap<string, string> {
  const names = parameters.map((parameter) => parameter.name);
  const texts = new Map<string, string>();
  for (const item of given) {
    const at = item.indexOf('=');
    if (at <= 0) throw new UsageError(`\`${item}\` is not of the form name=VALUE`);
    const name = item.slice(0, at);
    if (!names.includes(name)) {
      throw new UsageError(
        `the function has no parameter \`${name}\``,
        didYouMean(name, names) ??
          (names.length === 0 ? 'it has no parameters' : `its parameters: ${names.join(', ')}`),
      );
    }
    if (texts.has(name)) throw new UsageError(`\`${name}\` is given twice`);
    texts.set(name, item.slice(at + 1));
  }
  return texts;
}

function readFromJson(text: string, parameter: PlanParameter): readonly HostTensor[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FileProblem(
      'MLX5020',
      parameter.name,
      `is not JSON: ${reason}`,
      'quote it for the shell, or write @ before the name of a file',
    );
  }
  refuseExtras(value, leafPlaces(parameter.tree), [], parameter);
  return leafPlaces(parameter.tree).map((place) => {
    let part = value;
    for (const step of place.path) {
      const isContainer = typeof part === 'object' && part !== null && Object.hasOwn(part, step);
      if (!isContainer) {
        throw new FileProblem(
          'MLX5020',
          parameter.name,
          `has no \`${place.path.join('.')}\``,
          `it is a ${showType(parameter.tree)}: an object for a struct, a list for a tuple`,
        );
      }
      part = (part as Record<string, unknown>)[step];
    }
    return tensorFromJson(part, place.leaf, [parameter.name, ...place.path].join('.'));
  });
}

/** Keys of a JSON object, or items of a list, that the parameter has no place for. */
function refuseExtras(
  value: unknown,
  places: readonly LeafPlace[],
  path: readonly string[],
  parameter: PlanParameter,
): void {
  const inside = places.filter((place) => path.every((step, i) => place.path[i] === step));
  const known = [...new Set(inside.flatMap((place) => place.path[path.length] ?? []))];
  const isLeaf = known.length === 0;
  if (isLeaf || typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (known.includes(key)) {
      refuseExtras(part, places, [...path, key], parameter);
      continue;
    }
    throw new FileProblem(
      'MLX5020',
      parameter.name,
      `has \`${[...path, key].join('.')}\`, which a ${showType(parameter.tree)} has no place for`,
      didYouMean(key, known) ?? `it has ${known.map((k) => `\`${k}\``).join(', ')}`,
    );
  }
}

async function readFromFile(
  reference: string,
  parameter: PlanParameter,
  cwd: string,
  files: Map<string, Promise<ReadonlyMap<string, HostTensor>>>,
): Promise<readonly HostTensor[]> {
  const { path, key } = splitReference(reference);
  if (path.endsWith('.npy')) {
    const [place, ...others] = leafPlaces(parameter.tree);
    if (place === undefined || others.length > 0 || key !== '') {
      throw new FileProblem(
        'MLX5021',
        path,
        `a .npy file holds one array; \`${parameter.name}\` is a ${showType(parameter.tree)}`,
        'use a .npz or .safetensors file with dotted keys',
      );
    }
    return [conform(parseNpy(readBytes(resolve(cwd, path), path), path), place.leaf, path)];
  }
  let opened = files.get(path);
  if (opened === undefined) {
    opened = readHostTensors(resolve(cwd, path), path);
    files.set(path, opened);
  }
  return pickLeaves(await opened, path, key, parameter);
}

/** `all.npz:model`: a path, then a key or prefix. Only a colon after a known suffix counts, so `C:\x.npz` is a path. */
function splitReference(reference: string): { path: string; key: string } {
  const match = /^(.*\.(?:npz|npy|safetensors)):(.*)$/.exec(reference);
  return match === null ? { path: reference, key: '' } : { path: match[1]!, key: match[2]! };
}

function pickLeaves(
  tensors: ReadonlyMap<string, HostTensor>,
  path: string,
  prefix: string,
  parameter: PlanParameter,
): readonly HostTensor[] {
  const places = leafPlaces(parameter.tree);
  return places.map((place) => {
    const key = keyOf(place, prefix, tensors, parameter.name);
    const tensor = tensors.get(key);
    if (tensor === undefined) {
      const keys = [...tensors.keys()];
      throw new FileProblem(
        'MLX5021',
        path,
        `holds no \`${key}\` (for ${parameter.name}: ${showType(parameter.tree)})`,
        didYouMean(key, keys) ?? `it holds ${shorten(keys)}`,
      );
    }
    return conform(tensor, place.leaf, `${path}:${key}`);
  });
}

/** A single tensor without a key: the only one in the file, or the one named like the parameter. */
function keyOf(
  place: LeafPlace,
  prefix: string,
  tensors: ReadonlyMap<string, HostTensor>,
  name: string,
): string {
  const key = [...(prefix === '' ? [] : [prefix]), ...place.path].join('.');
  if (key !== '') return key;
  const [only, ...others] = tensors.keys();
  return only !== undefined && others.length === 0 ? only : name;
}

function shorten(keys: readonly string[]): string {
  if (keys.length === 0) return 'nothing';
  const shown = keys
    .slice(0, 8)
    .map((key) => `\`${key}\``)
    .join(', ');
  return keys.length > 8 ? `${shown} and ${keys.length - 8} more` : shown;
}

const numpyNames: Readonly<Record<string, string>> = {
  bool: 'bool_', i8: 'int8', i16: 'int16', i32: 'int32', i64: 'int64', u8: 'uint8', u16: 'uint16', u32: 'uint32', u64: 'uint64', f16: 'float16', f32: 'float32', f64: 'float64', c64: 'complex64',
}; // biome-ignore format: a table

/** Checks dtype and rank. An f32 array serves a bf16 parameter, since that is how bf16 is saved in .npz. */
function conform(tensor: HostTensor, leaf: PlanLeaf, place: string): HostTensor {
  const wanted = `${leaf.dtype}[${leaf.shape.join(', ')}]`;
  if (tensor.shape.length !== leaf.shape.length) {
    throw new FileProblem(
      'MLX5022',
      place,
      `expected ${wanted}, found ${tensor.dtype}[${tensor.shape.join(', ')}]: ${leaf.shape.length} axes, not ${tensor.shape.length}`,
    );
  }
  if (tensor.dtype === leaf.dtype) return tensor;
  if (leaf.dtype === 'bf16' && tensor.dtype === 'f32') {
    return {
      dtype: 'bf16',
      shape: tensor.shape,
      data: Uint16Array.from(tensor.data as Float32Array, numberToBf16),
    };
  }
  const numpy = numpyNames[leaf.dtype];
  throw new FileProblem(
    'MLX5022',
    place,
    `expected ${wanted}, found ${tensor.dtype}`,
    numpy === undefined ? undefined : `convert it with .astype(numpy.${numpy})`,
  );
}
