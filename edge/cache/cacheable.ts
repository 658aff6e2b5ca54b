/** Decides whether the cache may serve and keep an answer, and gives the reason if not. */
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { CacheControl } from './cache-control.ts';

export interface CacheFacts {
  control: CacheControl;
  /** Rounds of a conversation that the server or the client remembers. */
  earlierRounds: number;
  /** Whether the client wants a new answer to an old question. */
  isAgain: boolean;
}

/** Longest cached question, in characters of JSON; long questions rarely repeat. */
const MAX_QUESTION_CHARS = 64 * 1024;

/** In order: the first that applies is the reason in `x-edgewise-cache`. */
const reasons: readonly [reason: string, holds: (request: ChatRequest, facts: CacheFacts) => boolean][] = [
  ['no-store', (_, { control }) => control.noStore],
  ['session', (_, { earlierRounds }) => earlierRounds > 0],
  ['regenerate', (_, { isAgain }) => isAgain],
  ['knowledge', ({ recall }) => recall?.knowledge === true],
  ['tools', ({ params }) => isGiven(params.tools) || isGiven(params.functions)],
  ['several-answers', ({ params }) => params.n !== undefined && params.n !== null && params.n !== 1],
  ['long-question', ({ messages }) => JSON.stringify(messages).length > MAX_QUESTION_CHARS],
];

/** @returns why the cache is bypassed; `undefined` when it is used */
export function bypassReason(request: ChatRequest, facts: CacheFacts): string | undefined {
  return reasons.find(([, holds]) => holds(request, facts))?.[0];
}

function isGiven(list: unknown): boolean {
  return list !== undefined && list !== null && !(Array.isArray(list) && list.length === 0);
}
