/** "Did you mean" for names on the command line. */
import { suggest } from '../elaborate/suggest.ts';

/** `did you mean `name`?`, or undefined when no name is near. */
export function didYouMean(wrong: string, names: Iterable<string>): string | undefined {
  const name = suggest(wrong, names);
  return name === undefined ? undefined : `did you mean \`${name}\`?`;
}
