/**
 * A small pretty-printing algebra (P. Wadler, "A prettier printer", 2003; C. Lindig, "Strictly Pretty", 2000): a
 * group is printed on one line when it fits, otherwise each of its own lines breaks.
 */

export type Doc =
  | string
  | { readonly kind: 'line'; readonly flat: string; readonly isHard: boolean }
  /** Text that waits for the end of the output line: a comment. The groups around it break. */
  | { readonly kind: 'suffix'; readonly text: string; readonly isHard: true }
  | { readonly kind: 'concat'; readonly parts: readonly Doc[]; readonly isHard: boolean }
  | { readonly kind: 'indent'; readonly body: Doc; readonly isHard: boolean }
  | { readonly kind: 'group'; readonly body: Doc; readonly isHard: boolean }
  /** `broken` in a group that breaks, nothing in a flat one. */
  | { readonly kind: 'if-broken'; readonly broken: string; readonly isHard: false };

/** A blank, or a break. */
export const line: Doc = { kind: 'line', flat: ' ', isHard: false };
/** Nothing, or a break. */
export const softLine: Doc = { kind: 'line', flat: '', isHard: false };
/** Always a break; all groups around it break. */
export const hardLine: Doc = { kind: 'line', flat: '', isHard: true };

/** Must every group that holds this break? */
export function isHard(doc: Doc): boolean {
  return typeof doc !== 'string' && doc.isHard;
}

export function concat(...parts: readonly Doc[]): Doc {
  return { kind: 'concat', parts, isHard: parts.some(isHard) };
}

export function indent(body: Doc): Doc {
  return { kind: 'indent', body, isHard: isHard(body) };
}

export function group(body: Doc): Doc {
  return { kind: 'group', body, isHard: isHard(body) };
}

export function suffix(text: string): Doc {
  return { kind: 'suffix', text, isHard: true };
}

export function ifBroken(broken: string): Doc {
  return { kind: 'if-broken', broken, isHard: false };
}

interface Task {
  readonly doc: Doc;
  readonly indent: number;
  readonly isFlat: boolean;
}

/** Prints within `width` columns where the document allows it; lines end without blanks. */
export function printDoc(doc: Doc, width: number): string {
  const tasks: Task[] = [{ doc, indent: 0, isFlat: false }];
  const lines: string[] = [];
  let current = '';
  let waiting: string[] = [];
  const breakLine = (indentation: number): void => {
    const margin = ' '.repeat(indentation);
    // two comments do not share a line: the second would become part of the first
    lines.push(`${current}${waiting[0] ?? ''}`.trimEnd());
    for (const text of waiting.slice(1)) lines.push(margin + text.trimStart());
    current = margin;
    waiting = [];
  };
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { doc: item, indent: level, isFlat } = task;
    if (typeof item === 'string') {
      current += item;
      continue;
    }
    switch (item.kind) {
      case 'line':
        if (isFlat && !item.isHard) current += item.flat;
        else breakLine(level);
        break;
      case 'suffix':
        waiting.push(item.text);
        break;
      case 'concat':
        for (let i = item.parts.length - 1; i >= 0; i--) {
          tasks.push({ doc: item.parts[i]!, indent: level, isFlat });
        }
        break;
      case 'indent':
        tasks.push({ doc: item.body, indent: level + 2, isFlat });
        break;
      case 'group': {
        const flat = { doc: item.body, indent: level, isFlat: true };
        const isFit = !item.isHard && (isFlat || fits(flat, tasks, width - current.length));
        tasks.push(isFit ? flat : { ...flat, isFlat: false });
        break;
      }
      case 'if-broken':
        if (!isFlat) current += item.broken;
        break;
    }
  }
  breakLine(0);
  return lines.join('\n');
}

/** Does `first`, and what follows it up to the next break, fit into `room` columns? */
function fits(first: Task, rest: readonly Task[], room: number): boolean {
  const tasks: Task[] = [first];
  let next = rest.length - 1;
  let left = room;
  while (left >= 0) {
    const task = tasks.pop() ?? (next >= 0 ? rest[next--] : undefined);
    if (task === undefined) return true;
    const { doc, indent: level, isFlat } = task;
    if (typeof doc === 'string') {
      left -= doc.length;
      continue;
    }
    switch (doc.kind) {
      case 'line':
        if (!isFlat || doc.isHard) return true;
        left -= doc.flat.length;
        break;
      case 'concat':
        for (let i = doc.parts.length - 1; i >= 0; i--) {
          tasks.push({ doc: doc.parts[i]!, indent: level, isFlat });
        }
        break;
      case 'indent':
        tasks.push({ doc: doc.body, indent: level, isFlat });
        break;
      case 'group':
        tasks.push({ doc: doc.body, indent: level, isFlat: isFlat && !doc.isHard });
        break;
      case 'if-broken':
        if (!isFlat) left -= doc.broken.length;
        break;
      case 'suffix':
        break;
    }
  }
  return false;
}
