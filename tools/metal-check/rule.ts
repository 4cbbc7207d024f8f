/** What a rule is: it looks at the structure of a source and reports what breaks it. */
import type { Structure } from './structure.ts';
import type { Token } from './tokens.ts';

export interface RuleError {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type Rule = (s: Structure) => readonly RuleError[];

export const error = (token: Token, message: string): RuleError => ({
  line: token.line,
  column: token.column,
  message,
});
