/** What is bound and never read: warnings, MLX29xx. */
import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../span.ts';

export function unusedImport(name: string, span: Span): Diagnostic {
  return {
    code: 'MLX2901',
    severity: 'warning',
    message: `\`${name}\` is imported and never used`,
    span,
  };
}

/** `hides`: a block around it has the name too, and was perhaps meant. */
export function unusedName(name: string, span: Span, hides: boolean): Diagnostic {
  return {
    code: 'MLX2902',
    severity: 'warning',
    message: `\`${name}\` is never used`,
    span,
    hint: hides
      ? `it hides the \`${name}\` around it: \`${name} = …;\` changes a \`var\``
      : `leave it out, or name it \`_${name}\``,
  };
}
