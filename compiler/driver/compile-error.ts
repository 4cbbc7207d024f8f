/** A source with mistakes, as an exception. */
import { MlxcError } from '../../runtime/errors.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../diagnostics/render.ts';
import type { CompileFailure } from './check-source.ts';

/** Thrown where a bundle is asked for and the source has errors; the message is what `mlxc check` prints. */
export class CompileError extends MlxcError {
  override readonly name: string = 'CompileError';
  readonly diagnostics: readonly Diagnostic[];

  constructor({ diagnostics, sources }: CompileFailure) {
    const first = diagnostics.find((d) => d.severity === 'error');
    const rendered = diagnostics.map((d) =>
      renderDiagnostic(d, (file) => sources.get(file), { color: false }),
    );
    super(first?.code ?? 'MLX9000', `the source has errors\n\n${rendered.join('\n\n')}`);
    this.diagnostics = diagnostics;
  }
}
