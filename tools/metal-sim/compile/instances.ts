/** What is wrong with explicit instantiations of kernels, whose text clang does not see. */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import { angleEnd } from './deduction.ts';

export interface InstanceText {
  /** Of the template. */
  readonly name: string;
  readonly hostName: string;
  readonly line: number;
  /** Undefined where its form gives none, as `decltype(f<T>)` does. */
  readonly parameterCount: number | undefined;
}

/** The first problem of a source. */
export function instanceProblem(
  { kernels, tokens, scopes }: Structure,
  instances: readonly InstanceText[],
): { readonly message: string; readonly line: number } | undefined {
  const taken = new Set<string>();
  for (const { attributes, templateParameters, name } of kernels) {
    const host = attributes.get('host_name');
    if (templateParameters !== undefined) continue;
    if (host?.startsWith('"')) taken.add(String(JSON.parse(host)));
    else if (scopes[tokens.indexOf(name)]!.length === 0) taken.add(name.text);
  }
  for (const { name, hostName, line, parameterCount } of instances) {
    const named = kernels.filter((k) => [k.name.text, `${k.name.text}_`].includes(name));
    const templates = named.filter((k) => k.templateParameters !== undefined);
    // functions of the graphics pipeline are no kernels and may be templates too
    const isOther = (): boolean =>
      tokens.some((t, i) => t.text === name && tokens[i + 1]?.text === '(');
    if (named.length === 0 && !isOther())
      return { message: `explicit instantiation of '${name}', which is no kernel template`, line };
    if (taken.has(hostName))
      return { message: `two kernels have the host name '${hostName}'`, line };
    taken.add(hostName);
    const counts = templates.map((k) => k.parameters.length);
    if (parameterCount !== undefined && counts.length > 0 && !counts.includes(parameterCount)) {
      const message = `explicit instantiation of '${name}' has ${parameterCount} parameters, and its template ${counts[0]}`;
      return { message, line };
    }
  }
  return undefined;
}

/** Of `... f<T>(a, b)`, or of `... f(a, b)`: how many parameters are in the last parentheses. */
export function parameterCount(body: readonly Token[]): number | undefined {
  if (body[body.length - 1]?.text !== ')') return undefined;
  let open = body.length - 1;
  for (let depth = 0; open >= 0; open--) {
    if (body[open]!.text === ')') depth++;
    if (body[open]!.text === '(' && --depth === 0) break;
  }
  const close = body.length - 1;
  const isEmpty = open + 1 === close || (open + 2 === close && body[open + 1]!.text === 'void');
  if (isEmpty) return 0;
  let count = 1;
  for (let i = open + 1; i < close; i++) {
    const { text } = body[i]!;
    if ('([{'.includes(text)) i = closing(body, i);
    else if (text === '<') i = angleEnd(body, i);
    else if (text === ',') count++;
  }
  return count;
}
