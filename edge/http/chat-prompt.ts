import { createLruCache } from '../../shared/lru-cache.ts';
import { type ChatCompletionInput, parseChatCompletionRequest } from '../../shared/wire/chat-schema.ts';
import type { DerivedFromPrompt } from '../chat/prompt-contract.ts';
import type { EdgeContext } from './edge-hono.ts';
import { parseJson, readJsonText } from './json-body.ts';

export interface ChatPrompt {
  /** As it was sent. */
  body: unknown;
  input: ChatCompletionInput;
  /** What is derived from it on its way, so that the same body again is not worked out again. */
  derived: DerivedFromPrompt;
}

const MAX_REMEMBERED_CHARS = 4096;
const LONGEST_STAY_MS = 60_000;

/**
 * Bodies that came a moment ago: the same one again need not be parsed and checked again. Body and input are frozen, since
 * several turns may hold them.
 */
const recent = createLruCache<ChatPrompt>({ maxEntries: 500, now: () => Date.now() });

/** @throws AppError as `readJson` and `parseChatCompletionRequest` */
export async function readChatPrompt(c: EdgeContext): Promise<ChatPrompt> {
  const text = await readJsonText(c);
  const known = recent.get(text);
  if (known) return known;
  const body = parseJson(text);
  const prompt = { body, input: parseChatCompletionRequest(body), derived: { plugins: {}, question: {} } };
  if (text.length > MAX_REMEMBERED_CHARS) return prompt;
  freeze(prompt.body);
  freeze(prompt.input);
  recent.set(text, prompt, LONGEST_STAY_MS);
  return prompt;
}

/** Of JSON, so without circles. */
function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
