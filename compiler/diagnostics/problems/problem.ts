/** What a factory makes: the phase that reports it adds the severity. */
import type { Diagnostic } from '../diagnostic.ts';

export type Problem = Omit<Diagnostic, 'severity'>;
