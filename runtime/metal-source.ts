/** Finds the kernel that a line of Metal source belongs to. */

const kernelStart = /^\[\[kernel\b.*\]\]\s*void\s+(\w+)\s*\(|^kernel\s+void\s+(\w+)\s*\(/;

/** The kernel whose text holds line `line`, counted from 1; undefined before the first one. */
export function kernelAt(source: string, line: number): string | undefined {
  const lines = source.split('\n').slice(0, line);
  for (const text of lines.reverse()) {
    const match = kernelStart.exec(text);
    if (match !== null) return match[1] ?? match[2];
  }
  return undefined;
}
