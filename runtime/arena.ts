/** Places the temporaries of a plan in one block of memory: those never alive together may share bytes. */
import type { PlanFunction, Step } from '../compiler/plan/plan.ts';

const alignment = 64;

export interface Arena {
  /** Byte offset by buffer index; only temporaries are present. */
  readonly offsets: ReadonlyMap<number, number>;
  readonly bytes: number;
}

interface Lifetime {
  first: number;
  last: number;
}

/** First and last top-level step that touches each buffer; a loop or branch counts as one step. */
export function lifetimes(steps: readonly Step[]): ReadonlyMap<number, Lifetime> {
  const found = new Map<number, Lifetime>();
  const visit = (step: Step, time: number): void => {
    for (const buffer of buffersOf(step)) {
      const known = found.get(buffer);
      if (known === undefined) found.set(buffer, { first: time, last: time });
      else known.last = time;
    }
    if (step.kind === 'loop') for (const inner of step.body) visit(inner, time);
    if (step.kind === 'branch') {
      for (const inner of [...step.then, ...step.otherwise]) visit(inner, time);
    }
  };
  for (const [time, step] of steps.entries()) visit(step, time);
  return found;
}

function buffersOf(step: Step): readonly number[] {
  switch (step.kind) {
    case 'dispatch':
      return step.buffers;
    case 'copy':
      return [step.from, step.to];
    case 'loop':
      return [step.index, step.condition].filter((buffer) => buffer !== undefined);
    case 'branch':
      return [step.condition];
  }
}

/**
 * Greedy by size: the largest temporary first, each at the lowest gap that fits among those alive at the same time
 * (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). `bytes` gives the size of a buffer.
 */
export function placeTemporaries(planned: PlanFunction, bytes: (buffer: number) => number): Arena {
  const live = lifetimes(planned.steps);
  const temporaries = planned.buffers.flatMap((buffer, index) => {
    const lifetime = live.get(index);
    if (buffer.kind !== 'temporary' || lifetime === undefined) return [];
    const size = Math.ceil(bytes(index) / alignment) * alignment;
    return [{ index, size, ...lifetime }];
  });
  temporaries.sort((a, b) => b.size - a.size || a.first - b.first || a.index - b.index);
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  const offsets = new Map<number, number>();
  let total = 0;
  for (const { index, size, first, last } of temporaries) {
    let start = 0;
    // `placed` ascends by start, so the first gap found is the lowest
    for (const other of placed) {
      if (other.last < first || other.first > last || other.end <= start) continue;
      if (other.start >= start + size) break;
      start = other.end;
    }
    offsets.set(index, start);
    total = Math.max(total, start + size);
    const at = placed.findIndex((p) => p.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, { start, end: start + size, first, last });
  }
  return { offsets, bytes: total };
}
