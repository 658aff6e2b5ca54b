/** The rows, in the order of the table. */
import type { BenchRow } from '../row.ts';
import { cachedAnswers } from './cached-answers.ts';
import { passThrough } from './pass-through.ts';
import { streamedTokens } from './streamed-tokens.ts';

export const rows: readonly BenchRow[] = [cachedAnswers, passThrough, streamedTokens];
