import { type ChatCompletionInput, parseChatCompletionRequest } from '../../shared/wire/chat-schema.ts';
import { createLruCache } from '../cache/lru-cache.ts';
import type { EdgeContext } from './edge-hono.ts';
import { parseJson, readJsonText } from './json-body.ts';

export interface ChatPrompt {
  /** As it was sent. */
  body: unknown;
  input: ChatCompletionInput;
}

const MAX_REMEMBERED_CHARS = 4096;
const LONGEST_STAY_MS = 60_000;

/**
 * Bodies that came a moment ago: the same one again need not be parsed and checked again, and whoever remembers
 * something of a request meets the same object. They are frozen, since several turns may hold one.
 */
const recent = createLruCache<ChatPrompt>({ maxCopies: 500, now: () => Date.now() });

/** @throws AppError as `readJson` and `parseChatCompletionRequest` */
export async function readChatPrompt(c: EdgeContext): Promise<ChatPrompt> {
  const text = await readJsonText(c);
  const known = recent.get(text);
  if (known) return known;
  const body = parseJson(text);
  const prompt = { body, input: parseChatCompletionRequest(body) };
  if (text.length <= MAX_REMEMBERED_CHARS) recent.set(text, freeze(prompt), LONGEST_STAY_MS);
  return prompt;
}

/** Of JSON, so without circles. */
function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
