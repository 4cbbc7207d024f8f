/** What is shown after training: curves, the confusion table, and where to read on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { confusionTable } from './confusion.ts';
import { type Curve, svgPlot, terminalPlot } from './plot.ts';

export interface Results {
  /** Mean loss of each epoch. */
  readonly trainingLoss: readonly number[];
  readonly heldOutLoss: readonly number[];
  /** counts[i][j]: how often digit i was taken for digit j. */
  readonly confusion: readonly (readonly number[])[];
  readonly accuracy: number;
  readonly heldOutCount: number;
}

/** A file of the repository, as one types it. */
function place(file: string): string {
  return relative(process.cwd(), fileURLToPath(new URL(`../../${file}`, import.meta.url)));
}

/** Prints the results and writes the loss curves to build/digits-loss.svg. */
export function report(results: Results): void {
  const training: Curve = {
    name: 'training loss',
    color: '#0969da',
    values: results.trainingLoss,
  };
  const heldOut: Curve = { name: 'held-out loss', color: '#bc4c00', values: results.heldOutLoss };
  const svg = place('build/digits-loss.svg');
  mkdirSync(place('build'), { recursive: true });
  writeFileSync(svg, svgPlot('Loss of the digits classifier', [training, heldOut]));
  const right = Math.round(results.accuracy * results.heldOutCount);
  const source = place('samples/digits/model.mlx');
  console.log(`
training loss
${terminalPlot(training)}
${confusionTable(results.confusion)}
${(100 * results.accuracy).toFixed(2)} % of the held-out images are recognised (${right} of ${results.heldOutCount})

loss curves    ${svg}
program        ${source}
bundle         ${place('samples/digits/model.mlxbundle')}
Metal kernels  ${place('samples/digits/model.mlxbundle/kernels.metal')}
C kernels      ${place('samples/digits/model.mlxbundle/kernels.c')}

Read a function's source, operations and kernels beside each other:
  npx mlxc explain ${source} train_step --dim B=32
  npx mlxc explain ${source} --dim B=32 --html build/digits.html`);
}
