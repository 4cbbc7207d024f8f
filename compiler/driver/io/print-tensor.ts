/** Tensors for people: NumPy's layout, long axes cut in the middle. */
import { isFloat, storageOf } from '../../tensor-ir/dtype.ts';
import { asNumbers, elementAt, type HostTensor } from './host-tensor.ts';

const edge = 3;
const longest = 1000;

function showNumber(value: number | bigint | boolean, digits: number): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return String(value).replace('Infinity', 'inf').replace('NaN', 'nan');
  }
  const text = value.toPrecision(digits);
  const short = String(Number(text));
  return short.includes('.') || short.includes('e') ? short : `${short}.`;
}

/** `f32[2, 3]` and below it the elements; one line for scalars. */
export function printTensor(tensor: HostTensor): string {
  const { dtype, shape, data } = tensor;
  const digits = dtype === 'f64' ? 10 : dtype === 'f16' || dtype === 'bf16' ? 4 : 7;
  const numbers = asNumbers(tensor);
  const show = (index: number): string => {
    if (dtype === 'c64') {
      const [re, im] = [0, 1].map((i) => showNumber(elementAt(numbers, 2 * index + i), digits));
      return `${re}${im!.startsWith('-') ? '' : '+'}${im}j`;
    }
    const value = elementAt(numbers, index);
    return isFloat(dtype) ? showNumber(value, digits) : String(value);
  };
  if (shape.length === 0) return `${show(0)}  ${dtype}`;
  const isCut = data.length > longest * storageOf(dtype).width;
  const kept = (length: number): readonly (number | undefined)[] => {
    if (!isCut || length <= 2 * edge) return Array.from({ length }, (_, i) => i);
    const head = Array.from({ length: edge }, (_, i) => i);
    return [...head, undefined, ...head.map((i) => length - edge + i)];
  };
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const cells = new Map<number, string>();
  const collect = (axis: number, start: number): void => {
    if (axis === shape.length) cells.set(start, show(start));
    else
      for (const i of kept(shape[axis]!))
        if (i !== undefined) collect(axis + 1, start + i * strides[axis]!);
  };
  collect(0, 0);
  const width = Math.max(0, ...[...cells.values()].map((cell) => cell.length));
  const build = (axis: number, start: number): string => {
    if (axis === shape.length) return cells.get(start)!.padStart(width);
    const isInner = axis === shape.length - 1;
    const parts = kept(shape[axis]!).map((i) =>
      i === undefined ? '...' : build(axis + 1, start + i * strides[axis]!),
    );
    const gap = isInner ? ', ' : `,${'\n'.repeat(shape.length - 1 - axis)}${' '.repeat(axis + 1)}`;
    return `[${parts.join(gap)}]`;
  };
  return `${dtype}[${shape.join(', ')}]\n${data.length === 0 ? '[]' : build(0, 0)}`;
}
