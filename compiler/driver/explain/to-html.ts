/** An explanation as one page that needs nothing else: three columns, tied together by pointing at them. */
import { showType } from '../../bindings/show-type.ts';
import type { ExplainedFunction, Explanation } from './explanation.ts';
import type { Place } from './places.ts';
import { showBytes, showFlops, showIntensity } from './units.ts';

/** `style` and `script` are the texts of page.css and page.js. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

export function explanationToHtml(explanation: Explanation, assets: PageAssets): string {
  const sections = explanation.functions.map((f, i) => functionToHtml(f, i, explanation.kernels));
  const title = `${escapeHtml(explanation.file)} on ${explanation.target}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
${assets.style}</style>
<h1>${title}</h1>
<p>Point at a line, an operation or a kernel: what belongs together lights up. A kernel's name opens its text.</p>
${sections.join('\n')}
<script>
${assets.script}</script>
</html>
`;
}

function functionToHtml(
  f: ExplainedFunction,
  section: number,
  kernels: Readonly<Record<string, string>>,
): string {
  const parameters = f.signature.parameters.map(({ name, tree }) => `${name}: ${showType(tree)}`);
  const signature = `${f.name}(${parameters.join(', ')}) -> ${showType(f.signature.result)}`;
  const totals = [
    f.dispatches.length === 1 ? '1 dispatch' : `${f.dispatches.length} dispatches`,
    showBytes(f.bytes),
    showFlops(f.flops),
    showIntensity(f.bytes, f.flops),
  ];
  // data-k lists the dispatches that an element belongs to.
  const kernelsOfLine = (at: Place): string =>
    numbersWhere(f, (d) => d.places.some(({ file, line }) => file === at.file && line === at.line));
  const kernelsOfOperation = (op: number): string =>
    numbersWhere(f, (d) => d.operations.includes(op));
  let file: string | undefined;
  const source = f.source.map((place) => {
    const header = place.file === file ? '' : `<li class="file">${escapeHtml(place.file)}</li>`;
    file = place.file;
    const number = `<i>${place.line}</i>`;
    return `${header}<li data-k="${kernelsOfLine(place)}">${number}${escapeHtml(place.text)}</li>`;
  });
  const operations = f.operations.map(({ number, text, place, isFree }) => {
    const from = place === undefined ? '' : ` title="${escapeHtml(place.file)}:${place.line}"`;
    const free = isFree ? ' class="free"' : '';
    return `<li data-k="${kernelsOfOperation(number)}"${free}${from}>${escapeHtml(text)}</li>`;
  });
  const dispatches = f.dispatches.map((d, i) => {
    const cost = [showBytes(d.bytes), showFlops(d.flops), showIntensity(d.bytes, d.flops)].filter(
      (part) => part !== '',
    );
    return `<details data-k="${i}" style="margin-left:${d.depth}em"><summary><b>${i + 1}. ${escapeHtml(d.kernel)}</b> <small>${escapeHtml(d.schedule)}; ${escapeHtml(cost.join(', '))}</small></summary><pre>${escapeHtml(kernels[d.kernel] ?? '')}</pre></details>`;
  });
  const refusals = f.refusals.map(
    (r) =>
      `<li>${escapeHtml(r.producer)} into ${escapeHtml(r.consumer)}: ${escapeHtml(r.reason)} <small>${escapeHtml(showBytes(r.bytes))}</small></li>`,
  );
  return `<section id="f${section}">
<h2>${escapeHtml(signature)}</h2>
<p>${escapeHtml(f.doc)}</p>
<p><small>${escapeHtml(totals.filter((part) => part !== '').join(', '))}</small></p>
<div class="columns">
<div><h3>Source</h3><ul class="code">${source.join('')}</ul></div>
<div><h3>Operations</h3><ul class="code">${operations.join('')}</ul></div>
<div><h3>Kernels</h3>${dispatches.join('')}</div>
</div>
${refusals.length === 0 ? '' : `<details><summary>Not fused: ${refusals.length}</summary><ul>${refusals.join('')}</ul></details>`}
</section>`;
}

function numbersWhere(
  f: ExplainedFunction,
  test: (dispatch: ExplainedFunction['dispatches'][number]) => boolean,
): string {
  return f.dispatches.flatMap((dispatch, i) => (test(dispatch) ? [i] : [])).join(' ');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
