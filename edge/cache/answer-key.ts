/** The name of a question: everything that decides the answer, as a canonical hash. */

import { createLruCache } from '../../shared/lru-cache.ts';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { ModelChoice } from '../models/model-choice.ts';

export interface AnswerQuestion {
  tenant: string;
  /** The model that the name in the request stands for now. */
  model: string;
  /** Changed by the operator to let every answer go. */
  policy: string;
  request: ChatRequest;
  memo?: QuestionMemo | undefined;
}

/** What a prompt asks, as text: kept beside the prompt by whoever keeps it, so that it is made once. */
export interface QuestionMemo {
  text?: string;
}

/** A question as the Worker passes it to the objects. */
export interface AskedQuestion {
  key: string;
  /** Whose answers will do, best first; a new one is kept for the last. */
  scopes: string[];
  /** The model that must answer for the answer to be kept. */
  model: string;
  policy: string;
  /** Oldest answer that will do, in milliseconds. */
  maxAgeMs: number | undefined;
  choice: ModelChoice;
  request: ChatRequest;
  context: RequestContext;
}

/** Fields that decide nothing about the answer. */
const silentParams: ReadonlySet<string> = new Set([
  'user',
  'metadata',
  'store',
  'safety_identifier',
  'prompt_cache_key',
]);

/** Names of short questions that were asked a moment ago: a frequent one is named once. */
const keys = createLruCache<string>({ maxEntries: 500, now: () => 0 });
const MAX_REMEMBERED_CHARS = 4096;

/** @returns 64 hex digits: SHA-256 over JSON texts with sorted names (in the manner of RFC 8785) */
export async function answerKey({ tenant, model, policy, request, memo }: AnswerQuestion): Promise<string> {
  const text = `${JSON.stringify(['1', tenant, model, policy])}${askedText(request, memo)}`;
  const known = keys.get(text);
  if (known) return known;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const key = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (text.length <= MAX_REMEMBERED_CHARS) keys.set(text, key);
  return key;
}

function askedText(request: ChatRequest, memo: QuestionMemo = {}): string {
  if (memo.text !== undefined) return memo.text;
  const params = Object.entries(request.params).filter(
    ([name, value]) => value !== undefined && value !== null && !silentParams.has(name),
  );
  memo.text = canonicalJson([request.messages, Object.fromEntries(params)]);
  return memo.text;
}

/**
 * JSON in which the order of an object's names does not matter. `undefined` members are left out.
 * By hand: RFC 8785 must fail on a lone surrogate, which a request may hold, and a key needs only sorted names.
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
