/** Curves over the epochs, for a terminal and as SVG; both have a logarithmic vertical axis. */

export interface Curve {
  readonly name: string;
  readonly color: string;
  /** One value an epoch, above zero. */
  readonly values: readonly number[];
}

/** Smallest and largest decade that hold all values, as exponents of 10. */
function decades(curves: readonly Curve[]): readonly [number, number] {
  const all = curves.flatMap((curve) => curve.values);
  const low = Math.floor(Math.log10(Math.min(...all)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))))];
}

/** A curve in braille characters, each of 2 by 4 dots, with the decades at the left. */
export function terminalPlot(curve: Curve, columns = 60, rows = 8): string {
  const [low, high] = decades([curve]);
  const cells = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  const bits = [
    [0x01, 0x02, 0x04, 0x40],
    [0x08, 0x10, 0x20, 0x80],
  ];
  const last = Math.max(1, curve.values.length - 1);
  for (let x = 0; x < 2 * columns; x++) {
    const at = (x / (2 * columns - 1)) * last;
    const left = curve.values[Math.floor(at)]!;
    const right = curve.values[Math.min(Math.ceil(at), curve.values.length - 1)]!;
    const value = Math.log10(left) * (1 - (at % 1)) + Math.log10(right) * (at % 1);
    const y = Math.round(((high - value) / (high - low)) * (4 * rows - 1));
    cells[y >> 2]![x >> 1]! |= bits[x % 2]![y % 4]!;
  }
  const lines = cells.map((row, i) => {
    const label = i === 0 ? high : i === rows - 1 ? low : undefined;
    const scale = label === undefined ? '' : String(Number((10 ** label).toPrecision(1)));
    return `${scale.padStart(8)} ┤${row.map((dots) => String.fromCharCode(0x2800 + dots)).join('')}`;
  });
  return `${lines.join('\n')}\n         └${'─'.repeat(columns)} ${curve.values.length} epoch${curve.values.length === 1 ? '' : 's'}\n`;
}

const size = { width: 640, height: 360, left: 64, right: 24, top: 48, bottom: 44 };

/** The curves as an SVG document of 640 by 360. */
export function svgPlot(title: string, curves: readonly Curve[]): string {
  const [low, high] = decades(curves);
  const { width, height, left, right, top, bottom } = size;
  const epochs = Math.max(...curves.map((curve) => curve.values.length));
  const atX = (epoch: number): number =>
    left + ((epoch - 1) / Math.max(1, epochs - 1)) * (width - left - right);
  const atY = (value: number): number =>
    top + ((high - Math.log10(value)) / (high - low)) * (height - top - bottom);
  const point = (value: number, i: number): string =>
    `${atX(i + 1).toFixed(1)},${atY(value).toFixed(1)}`;
  const grid = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)).map(
    (value) =>
      `<path class="grid" d="M${left} ${atY(value)}H${width - right}"/><text x="${left - 8}" y="${atY(value) + 4}" text-anchor="end">${Number(value.toPrecision(1))}</text>`,
  );
  const lines = curves.map(
    ({ name, color, values }, i) =>
      `<polyline points="${values.map(point).join(' ')}" stroke="${color}"/><text x="${width - right}" y="${top + 16 + 18 * i}" text-anchor="end" fill="${color}">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">
<style>.grid { stroke: #ddd } polyline { fill: none; stroke-width: 2 }</style>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${left}" y="28" font-size="16">${title}</text>
${grid.join('\n')}
${lines.join('\n')}
<text x="${left}" y="${height - 14}">epoch 1</text><text x="${width - right}" y="${height - 14}" text-anchor="end">epoch ${epochs}</text>
</svg>
`;
}
