/** The text of each kernel of a program, without the helpers before them. */
import { kernelMarker } from '../../to-c/print.ts';
import { emitKernel } from '../../to-metal/emit-kernel.ts';
import type { TargetProgram } from '../pipeline.ts';

export function splitKernels(program: TargetProgram): Readonly<Record<string, string>> {
  const { kernels } = program.scheduled;
  if (program.target === 'metal') {
    return Object.fromEntries(
      kernels.map((kernel) => [
        kernel.name,
        kernel.external === undefined
          ? emitKernel(kernel, () => {})
          : (program.sources.get(kernel.external.source)?.text ?? ''),
      ]),
    );
  }
  // printC puts a marker line before each kernel, in order.
  const [, ...texts] = program.text.split(kernelMarker);
  return Object.fromEntries(
    kernels.map((kernel, i) => [kernel.name, `${kernelMarker}${texts[i] ?? ''}`.trimEnd()]),
  );
}
