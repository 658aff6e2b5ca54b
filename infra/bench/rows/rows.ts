/** The rows, in the order of the table. */
import type { BenchRow } from '../row.ts';
import { abort } from './abort.ts';
import { bundle } from './bundle.ts';
import { cachedAnswers } from './cached-answers.ts';
import { cost } from './cost.ts';
import { firstToken } from './first-token.ts';
import { growth } from './growth.ts';
import { identicalPrompts } from './identical-prompts.ts';
import { openStreams } from './open-streams.ts';
import { passThrough } from './pass-through.ts';
import { sessionTurn } from './session-turn.ts';
import { streamedTokens } from './streamed-tokens.ts';

export const rows: readonly BenchRow[] = [
  cachedAnswers,
  passThrough,
  firstToken,
  streamedTokens,
  abort,
  identicalPrompts,
  sessionTurn,
  bundle,
  cost,
  growth,
  // Last: it leaves thousands of connections behind, which the system takes a minute to forget.
  openStreams,
];
