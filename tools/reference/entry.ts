/** What the reference says of one function beside its doc comment. */

export interface IntrinsicReference {
  /** As the function would be declared: parameters with their types and defaults, and what it gives. */
  readonly signature: string;
  /** An expression of the language. */
  readonly example: string;
  /** The name of the function that it is another name for. */
  readonly aliasOf?: string;
}

export type Reference = Readonly<Record<string, IntrinsicReference>>;

/** One signature for several functions, each with its own example. */
export function alike(signature: string, examples: Readonly<Record<string, string>>): Reference {
  return Object.fromEntries(
    Object.entries(examples).map(([name, example]) => [name, { signature, example }]),
  );
}

/** Other names: `{ absolute: 'abs' }`. */
export function withAliases(
  reference: Reference,
  aliases: Readonly<Record<string, string>>,
): Reference {
  const others = Object.entries(aliases).map(([name, aliasOf]) => {
    const original = reference[aliasOf];
    if (original === undefined) throw new Error(`no function is called ${aliasOf}`);
    return [name, { ...original, aliasOf }] as const;
  });
  return { ...reference, ...Object.fromEntries(others) };
}
