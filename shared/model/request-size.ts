/** How large a request is, and how much answer it asks for: for limits and estimates, without a tokenizer. */

import type { ChatMessage, ChatRequest, JsonObject, JsonValue } from './chat-model.ts';
import { mediaKindOf, mediaTokens, utf8Length } from './token-count.ts';

const BYTES_A_TOKEN = 4;
/** The frame of a message: its role and its separators. */
const MESSAGE_TOKENS = 4;
const REPLY_TOKENS = 3;
/** No model writes more; a request may say any number. */
const MAX_OUTPUT_TOKENS = 10_000_000;
const MAX_ANSWERS = 128;

/** Fields by which services bound an answer. With several of them, which one holds is the service's choice. */
const maximumFields = ['max_tokens', 'max_completion_tokens'] as const;
/** Fields by which services write several answers to one prompt, of which they may show only one. */
const answersFields = ['n', 'best_of', 'num_return_sequences', 'num_completions', 'candidate_count'] as const;

/**
 * About how many input tokens a request takes at a model: all of its messages and all other fields, since a service reads
 * what Edgewise does not know, too. Text counts four bytes a token, media by {@link mediaTokens}. O(bytes).
 */
export function roughRequestTokens({ messages, params }: ChatRequest): number {
  let bytes = 0;
  let tokens = REPLY_TOKENS;
  for (const message of messages) {
    tokens += MESSAGE_TOKENS;
    for (const field in message) {
      if (field === 'role') continue;
      const value = message[field] as JsonValue | undefined;
      if (typeof value === 'string') bytes += utf8Length(value);
      else if (field !== 'content' || !Array.isArray(value)) bytes += jsonBytes(value);
      else {
        for (const part of value as JsonObject[]) {
          const kind = mediaKindOf(part);
          if (kind) tokens += mediaTokens(kind, jsonBytes(part));
          else bytes += typeof part.text === 'string' ? utf8Length(part.text) : jsonBytes(part);
        }
      }
    }
  }
  for (const field in params) bytes += jsonBytes(params[field]);
  return tokens + Math.ceil(bytes / BYTES_A_TOKEN);
}

/** Bytes of what a request sends as JSON, media included; a byte or two off for each string with escapes. O(bytes). */
export function requestBytes({ messages, params }: ChatRequest): number {
  return jsonBytes(messages as unknown as JsonValue) + jsonBytes(params);
}

/** Bytes of a value as JSON, without making its text. */
export function jsonBytes(value: JsonValue | undefined): number {
  if (typeof value === 'string') return utf8Length(value) + 2;
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 4;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) bytes += jsonBytes(item) + 1;
    return bytes;
  }
  for (const key in value) bytes += utf8Length(key) + 4 + jsonBytes(value[key]);
  return bytes;
}

/** Most tokens that one answer may have by the request's own words: the largest bound that it names, if any. */
export function askedOutputTokens(params: JsonObject): number | undefined {
  let asked: number | undefined;
  for (const field of maximumFields) {
    const value = params[field];
    if (typeof value === 'number' && value > 0) asked = Math.max(asked ?? 0, value);
  }
  return asked === undefined ? undefined : Math.min(asked, MAX_OUTPUT_TOKENS);
}

/** How many answers a service may write for one prompt, from 1. */
export function answersAsked(params: JsonObject): number {
  let answers = 1;
  for (const field of answersFields) {
    const value = params[field];
    if (typeof value === 'number' && value > answers) answers = value;
  }
  return Math.min(Math.ceil(answers), MAX_ANSWERS);
}

/** Whether a service may read more for a request than the request holds: media that it looks at, pages that it searches. */
export function readsMoreThanSent({ messages, params }: ChatRequest): boolean {
  const { tools, web_search_options: search, plugins } = params;
  if (search !== undefined || plugins !== undefined) return true;
  if (Array.isArray(tools) && tools.some((tool) => (tool as JsonObject | null)?.type !== 'function'))
    return true;
  return messages.some(hasMedia);
}

function hasMedia({ content }: ChatMessage): boolean {
  return Array.isArray(content) && content.some((part) => mediaKindOf(part) !== undefined);
}
