/** The key of a question: a canonical hash over everything that decides its answer. */

import { createLruCache } from '../../shared/lru-cache.ts';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { ModelChoice } from '../models/model-choice.ts';

export interface AnswerQuestion {
  tenant: string;
  /** The concrete model to which the request's name resolves now. */
  model: string;
  /** A new value, set by the operator, invalidates every answer. */
  policy: string;
  request: ChatRequest;
  memo?: QuestionMemo | undefined;
}

/** The text from which the key of a prompt is computed, kept with the prompt, so that it is created once. */
export interface QuestionMemo {
  text?: string;
}

/** A question as the Worker sends it to the objects. */
export interface CacheQuestion {
  key: string;
  /** Scopes whose answers may be served, best first; a new answer is kept for the last. */
  scopes: string[];
  /** Only an answer of this model is kept. */
  model: string;
  policy: string;
  /** Largest age of an answer, in milliseconds. */
  maxAgeMs: number | undefined;
  choice: ModelChoice;
  request: ChatRequest;
  context: RequestContext;
}

/** Fields that do not affect the answer. */
const silentParams: ReadonlySet<string> = new Set([
  'user',
  'metadata',
  'store',
  'safety_identifier',
  'prompt_cache_key',
]);

/** Keys of recent short questions, so that the key of a frequent one is computed once. */
const keys = createLruCache<string>({ maxEntries: 500, now: () => 0 });
const MAX_REMEMBERED_CHARS = 4096;

/** @returns 64 hex digits: SHA-256 over JSON texts with sorted names (in the manner of RFC 8785) */
export async function answerKey({ tenant, model, policy, request, memo }: AnswerQuestion): Promise<string> {
  const text = `${JSON.stringify(['1', tenant, model, policy])}${questionText(request, memo)}`;
  const cached = keys.get(text);
  if (cached) return cached;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const key = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (text.length <= MAX_REMEMBERED_CHARS) keys.set(text, key);
  return key;
}

function questionText(request: ChatRequest, memo: QuestionMemo = {}): string {
  if (memo.text !== undefined) return memo.text;
  const params = Object.entries(request.params).filter(
    ([name, value]) => value !== undefined && value !== null && !silentParams.has(name),
  );
  memo.text = canonicalJson([request.messages, Object.fromEntries(params)]);
  return memo.text;
}

/**
 * JSON with sorted names and without `undefined` members. Written by hand: RFC 8785 must fail on a lone surrogate, which
 * a request may contain.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = value as Record<string, unknown>;
  let text = '';
  for (const name of Object.keys(members).sort()) {
    if (members[name] === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(members[name])}`;
  }
  return `{${text}}`;
}
