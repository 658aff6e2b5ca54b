import { createLruCache } from '../../shared/lru-cache.ts';
import { type ChatCompletionInput, parseChatCompletionRequest } from '../../shared/wire/chat-schema.ts';
import type { DerivedFromPrompt } from '../chat/prompt-contract.ts';
import type { EdgeContext } from './edge-hono.ts';
import { parseJson, readJsonText } from './json-body.ts';

export interface ChatPrompt {
  /** The body as sent. */
  body: unknown;
  input: ChatCompletionInput;
  /** Derived data, computed once for equal bodies. */
  derived: DerivedFromPrompt;
}

const MAX_CACHED_CHARS = 4096;
const CACHE_TTL_MS = 60_000;

/**
 * Recent bodies, so that an equal one is not parsed and validated again. Body and input are frozen, since several turns
 * can share them.
 */
const recent = createLruCache<ChatPrompt>({ maxEntries: 500, now: () => Date.now() });

/** @throws AppError as `readJson` and `parseChatCompletionRequest` */
export async function readChatPrompt(c: EdgeContext): Promise<ChatPrompt> {
  const text = await readJsonText(c);
  const cached = recent.get(text);
  if (cached) return cached;
  const body = parseJson(text);
  const prompt = { body, input: parseChatCompletionRequest(body), derived: { plugins: {}, question: {} } };
  if (text.length > MAX_CACHED_CHARS) return prompt;
  freeze(prompt.body);
  freeze(prompt.input);
  recent.set(text, prompt, CACHE_TTL_MS);
  return prompt;
}

/** Freezes parsed JSON, which contains no cycles. */
function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
