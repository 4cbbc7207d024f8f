/** The text of one stage, for `build --emit`. */
import { printKernels } from '../../kernel-ir/print.ts';
import { printProgram } from '../../tensor-ir/print.ts';
import type { Stages } from '../compile.ts';

export type Emit = 'ast' | 'ir' | 'kernels' | 'metal' | 'c' | 'plan';

export function emitStage(stages: Stages, emit: Emit): string {
  const { programs } = stages;
  switch (emit) {
    case 'ast':
      return JSON.stringify(stages.module, withoutSpans, 2);
    case 'ir':
      // with the kernels that somebody wrote, where the target has them
      return printProgram(programs.at(-1)?.simple ?? stages.simple);
    case 'kernels':
      return programs
        .map((p) => `// target ${p.target}\n\n${printKernels(p.scheduled.kernels)}`)
        .join('\n');
    case 'metal':
    case 'c':
      return programs.map((p) => p.text).join('\n');
    case 'plan': {
      const plans = Object.fromEntries(programs.map((p) => [p.target, p.planned.plan]));
      return JSON.stringify(plans, null, 2);
    }
  }
}

/** Spans would be most of the text. */
function withoutSpans(key: string, value: unknown): unknown {
  return key === 'span' || key.endsWith('Span') ? undefined : value;
}
