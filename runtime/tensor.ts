/** Tensors outside the language: a dtype, a shape and row-major elements in a typed array. */
import {
  type ElementType,
  isElementType,
  isFloat,
  storageOf,
} from '../compiler/tensor-ir/dtype.ts';
import type { Run } from './device.ts';
import { MlxcError } from './errors.ts';
import {
  dtypesOf,
  holds,
  isTypedArray,
  makeTypedArray,
  readElement,
  type TypedArray,
  writeElement,
} from './typed-array.ts';

/** Numbers, booleans or bigints in arrays of equal length, as deep as the tensor has axes. */
export type NestedArray = number | bigint | boolean | readonly NestedArray[];

/**
 * A tensor. `data` is the memory itself, not a copy: f32 in a Float32Array, f16 and bf16 as bits in a Uint16Array, bool as 0 and
 * 1 in a Uint8Array, 64-bit integers in BigInt arrays, c64 as a Float32Array of real and imaginary parts in turn. After `dispose` or donation every access throws MLX5113.
 *
 * A result of a call is lazy: `dtype`, `shape` and `size` are there at once; `data`, `item()`, `tolist()` and `toString()` wait for the
 * elements, and throw what went wrong when they were computed (MLX5115: out of memory). To wait without reading: `wait()`, or
 * `ready()`, which does not block the thread. Passing, donating or disposing a tensor never waits for it.
 */
export class Tensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  private elements: TypedArray | undefined;
  private free: (() => void) | undefined;
  private gone = 'disposed';
  /** Fills the elements; undefined when they are there. */
  private producer: Run | undefined;
  /** The last run that reads the elements. */
  private reader: Run | undefined;
  /** Whether code outside the runtime can reach the memory: it made it, or has seen `data`. */
  private isExposed = true;
  /** The device whose memory it is; undefined for memory that came from outside. */
  private owner: string | undefined;

  /** `free` is called once, by `dispose`. Use `tensor(...)` to make one. */
  constructor(dtype: ElementType, shape: readonly number[], data: TypedArray, free?: () => void) {
    this.dtype = dtype;
    this.shape = shape;
    this.elements = data;
    this.free = free;
  }

  /**
   * The elements in row-major order, when they are there and no pending call reads them: they may be written to. Later calls that
   * take this tensor copy it when it is small, and otherwise run before they return, for whoever holds the array could change it meanwhile.
   */
  get data(): TypedArray {
    const elements = this.read();
    this.reader?.wait();
    this.reader = undefined;
    this.isExposed = true;
    return elements;
  }

  /** Number of elements. */
  get size(): number {
    return this.memory().length / storageOf(this.dtype).width;
  }

  get isDisposed(): boolean {
    return this.elements === undefined;
  }

  /** The only element of a tensor with one, of c64 as [re, im]; RangeError otherwise. */
  item(): number | bigint | boolean | readonly [number, number] {
    if (this.size !== 1) {
      throw new RangeError(`item() needs one element, ${this.describe()} has ${this.size}`);
    }
    const data = this.read();
    if (this.dtype === 'c64') return [Number(data[0]), Number(data[1])];
    return readElement(this.dtype, data, 0);
  }

  /** The elements as nested arrays of numbers, bigints or booleans; of c64 as pairs [re, im]. */
  tolist(): NestedArray {
    const { dtype, width } = storageOf(this.dtype);
    const shape = width === 1 ? this.shape : [...this.shape, width];
    const data = this.read();
    let next = 0;
    const build = (axis: number): NestedArray =>
      axis === shape.length
        ? readElement(dtype, data, next++)
        : Array.from({ length: shape[axis]! }, () => build(axis + 1));
    return build(0);
  }

  /** Blocks until the elements are there; throws what went wrong when they were computed. */
  wait(): void {
    this.read();
  }

  /** Resolves when the elements are there and rejects with what went wrong, without blocking the thread. */
  async ready(): Promise<void> {
    this.memory();
    await this.producer?.ready();
  }

  /**
   * Gives the memory back now, or when the pending calls that use it have ended, instead of at the next garbage collection. Never waits.
   * Twice is fine.
   */
  dispose(): void {
    const free = this.free;
    this.forget();
    free?.();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * The memory of this tensor for somebody else, who frees it; the tensor is unusable afterwards. For devices: what
   * `donate` does.
   */
  surrender(): { readonly data: TypedArray; readonly free: (() => void) | undefined } {
    const taken = { data: this.memory(), free: this.free };
    this.forget();
    this.gone = 'donated';
    return taken;
  }

  /** The memory as it is, perhaps not filled yet. For the runtime. */
  lend(): {
    readonly data: TypedArray;
    readonly shape: readonly number[];
    readonly tensor: Tensor;
    readonly isExposed: boolean;
    readonly owner: string | undefined;
  } {
    const { shape, isExposed, owner } = this;
    return { data: this.memory(), shape, tensor: this, isExposed, owner };
  }

  /** Says that only the runtime knows the memory, which the device `owner` gave, and that `run` fills it. For the runtime. */
  fillBy(run: Run | undefined, owner: string): this {
    this.producer = run;
    this.owner = owner;
    this.isExposed = false;
    return this;
  }

  /** Says that `run` reads the memory. For the runtime. */
  readBy(run: Run): void {
    this.reader = run;
  }

  /** The run that the elements wait for. Throws what went wrong, if that is known. For the runtime. */
  pendingRun(): Run | undefined {
    if (this.producer?.hasEnded) this.read();
    return this.producer;
  }

  private memory(): TypedArray {
    if (this.elements === undefined) {
      throw new MlxcError('MLX5113', `this tensor was ${this.gone}`, 'use it before, or copy it');
    }
    return this.elements;
  }

  /** The elements, once they are there. */
  private read(): TypedArray {
    const elements = this.memory();
    if (this.producer !== undefined) {
      const problem = this.producer.wait();
      if (problem !== undefined) throw problem;
      this.producer = undefined;
    }
    return elements;
  }

  private forget(): void {
    this.elements = undefined;
    this.free = undefined;
    this.producer = undefined;
    this.reader = undefined;
  }

  /** `f32[2, 3]`. */
  describe(): string {
    return this.shape.length === 0 ? this.dtype : `${this.dtype}[${this.shape.join(', ')}]`;
  }

  toString(): string {
    if (this.elements === undefined) return `Tensor(${this.describe()}, ${this.gone})`;
    const { shape } = this;
    const { dtype, width } = storageOf(this.dtype);
    const data = this.read();
    const show = (index: number): string => {
      if (width === 2) return showComplex(Number(data[2 * index]), Number(data[2 * index + 1]));
      const value = readElement(dtype, data, index);
      return isFloat(dtype) ? `${Number(Number(value).toPrecision(7))}` : `${value}`;
    };
    const edge = 3;
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const build = (axis: number, start: number): string => {
      if (axis === shape.length) return show(start);
      const length = shape[axis]!;
      const isCut = data.length > 1000 * width && length > 2 * edge;
      const indices = isCut
        ? [0, 1, 2, -1, length - 3, length - 2, length - 1]
        : Array.from({ length }, (_, i) => i);
      const items = indices.map((i) =>
        i < 0 ? '...' : build(axis + 1, start + i * strides[axis]!),
      );
      return `[${items.join(', ')}]`;
    };
    return `Tensor(${this.describe()}, ${build(0, 0)})`;
  }
}

/** `1+2j`, as NumPy writes it. */
function showComplex(re: number, im: number): string {
  const [first, second] = [re, im].map((x) => `${Number(x.toPrecision(7))}`);
  return `${first}${second!.startsWith('-') ? '' : '+'}${second}j`;
}

/**
 * A tensor of `data`: a typed array (used as it is, not copied; see `data` of Tensor), a scalar, or nested arrays. `shape` defaults to that of the
 * nesting, or one axis for a typed array. `dtype` defaults to that of the typed array; numbers are f32, booleans bool, bigints i64. For c64 the
 * innermost arrays are pairs [re, im], and a Float32Array holds such pairs; `shape` does not count them.
 * Throws MLX5114 when the data cannot be a tensor of that dtype and shape.
 */
export function tensor(
  data: TypedArray | NestedArray,
  shape?: readonly number[],
  dtype?: ElementType,
): Tensor {
  if (dtype !== undefined && !isElementType(dtype)) throw bad(`there is no dtype ${String(dtype)}`);
  if (isTypedArray(data)) return fromTypedArray(data, shape, dtype);
  const found: number[] = [];
  for (let level: NestedArray | undefined = data; Array.isArray(level); level = level[0]) {
    found.push(level.length);
    if (found.length > 32) throw bad('arrays are nested deeper than 32');
  }
  const flat: (number | bigint | boolean)[] = [];
  flatten(data, found, 0, flat);
  const type = dtype ?? naturalDType(flat[0]);
  const { dtype: wanted, width } = storageOf(type);
  if (width === 2 && found.at(-1) !== 2) throw bad('complex numbers are pairs: `[re, im]`');
  const known = shape ?? (width === 2 ? found.slice(0, -1) : found);
  checkShape(known, flat.length / width);
  const elements = makeTypedArray(wanted, flat.length);
  for (let i = 0; i < flat.length; i++) {
    try {
      writeElement(wanted, elements, i, flat[i]!);
    } catch (error) {
      throw bad(error instanceof Error ? error.message : String(error));
    }
  }
  return new Tensor(type, [...known], elements);
}

function fromTypedArray(
  data: TypedArray,
  shape: readonly number[] | undefined,
  dtype: ElementType | undefined,
): Tensor {
  const wanted = dtype ?? dtypesOf(data)[0]!;
  const { dtype: held, width } = storageOf(wanted);
  const known = shape ?? [data.length / width];
  if (!holds(held, data)) {
    throw bad(`a ${data.constructor.name} does not hold ${wanted}`);
  }
  checkShape(known, data.length / width);
  return new Tensor(wanted, [...known], data);
}

function naturalDType(first: number | bigint | boolean | undefined): ElementType {
  if (typeof first === 'boolean') return 'bool';
  return typeof first === 'bigint' ? 'i64' : 'f32';
}

function flatten(
  data: NestedArray,
  shape: readonly number[],
  axis: number,
  into: (number | bigint | boolean)[],
): void {
  if (axis === shape.length) {
    if (typeof data !== 'number' && typeof data !== 'bigint' && typeof data !== 'boolean') {
      throw bad(
        Array.isArray(data)
          ? 'nested arrays are not equally deep'
          : `${data === null ? 'null' : typeof data} is not an element of a tensor`,
      );
    }
    into.push(data);
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[axis]) {
    throw bad(`nested arrays are not equally long along axis ${axis}: expected ${shape[axis]}`);
  }
  for (const item of data as readonly NestedArray[]) flatten(item, shape, axis + 1, into);
}

function checkShape(shape: readonly number[], elements: number): void {
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw bad(`[${shape.join(', ')}] is not a shape: dims are whole numbers from 0`);
  }
  const wanted = shape.reduce((a, b) => a * b, 1);
  if (wanted !== elements) {
    throw bad(`shape [${shape.join(', ')}] has ${wanted} elements, the data ${elements}`);
  }
}

function bad(message: string): MlxcError {
  return new MlxcError('MLX5114', message);
}
