/** What a request needs of a model, and whether a model has it. */

import { type ChatRequest, type JsonObject, messageText } from './chat-model.ts';
import { askedOutputTokens } from './request-size.ts';
import type { TokenEncoding } from './token-count.ts';
import { countMessageTokens, messageTokenBound, withinBudget } from './token-count.ts';
import type { CountTokens } from './with-counted-usage.ts';

export const capabilities = ['tools', 'vision', 'json_schema'] as const;
export type Capability = (typeof capabilities)[number];

/** What a model can take. */
export interface ModelRoom {
  /** Absent: whatever is asked. */
  capabilities?: readonly Capability[] | undefined;
  contextLength: number;
  encoding: TokenEncoding;
}

export function capabilitiesOf({ messages, params }: ChatRequest): Capability[] {
  const needs: Capability[] = [];
  if (isGiven(params.tools) || isGiven(params.functions)) needs.push('tools');
  if (messages.some(({ content }) => Array.isArray(content) && content.some(isImage))) needs.push('vision');
  if ((params.response_format as JsonObject | undefined)?.type === 'json_schema') needs.push('json_schema');
  return needs;
}

/** Whether a model has what a request needs and room for it: its prompt, and the answer that it asks for. */
export async function canServe(
  request: ChatRequest,
  room: ModelRoom,
  loadCounter: (encoding: TokenEncoding) => Promise<CountTokens>,
): Promise<boolean> {
  const { capabilities: has } = room;
  if (has && capabilitiesOf(request).some((need) => !has.includes(need))) return false;
  const { messages, params } = request;
  const left = room.contextLength - (askedOutputTokens(params) ?? 0);
  // Most prompts fit by their bytes, and need no tokenizer.
  if (sum(messages, messageTokenBound) <= left) return true;
  const count = withinBudget(await loadCounter(room.encoding));
  return sum(messages, (message) => countMessageTokens(message, count)) <= left;
}

/** Whether a quotation, which is plain text, can stand for the answer. */
export function takesPlainText({ params, messages }: ChatRequest): boolean {
  const { response_format: format, tool_choice: choice } = params;
  const wantsText = (format as JsonObject | undefined)?.type ?? 'text';
  const mustCall = choice === 'required' || (typeof choice === 'object' && choice !== null);
  return wantsText === 'text' && !mustCall && messages.some((message) => messageText(message) !== '');
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}

function isGiven(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

function isImage(part: JsonObject): boolean {
  return part.type === 'image_url' || part.type === 'input_image';
}
