/** A turn folded into what it amounts to: the one place that adds deltas up. */

import type { ErrorInfo } from '../errors.ts';
import type { LimitMark } from '../limit-mark.ts';
import type {
  CacheMark,
  ChatMessage,
  FallbackMark,
  FinishReason,
  JsonObject,
  JsonValue,
  ToolCall,
  Usage,
} from '../model/chat-model.ts';
import type { ContextReceipt, PartKind, TurnEvent, TurnItem, TurnRoute, TurnStatus } from './turn-events.ts';

export interface TurnResultItem {
  head: TurnItem;
  part?: PartKind;
  /** The text, refusal or reasoning of a message; the arguments of a tool call. */
  text: string;
  logprobs: JsonValue[];
  done: boolean;
  complete: boolean;
}

export interface TurnResult {
  turnId: string;
  model: string;
  /** Unix time in seconds. */
  createdAt: number;
  route?: TurnRoute;
  cache?: CacheMark;
  limits?: LimitMark;
  fallback?: FallbackMark;
  items: TurnResultItem[];
  extra: JsonObject;
  /** `in_progress` until the turn's end was folded in. */
  status: TurnStatus | 'in_progress';
  finishReason?: FinishReason;
  usage?: Usage;
  error?: ErrorInfo;
  receipt?: ContextReceipt;
}

export function emptyTurnResult(): TurnResult {
  return { turnId: '', model: '', createdAt: 0, items: [], extra: {}, status: 'in_progress' };
}

/** Folds one event in, in place. O(1), and the text grows by concatenation. */
export function foldTurnEvent(result: TurnResult, event: TurnEvent): void {
  switch (event.type) {
    case 'turn-start':
      result.turnId = event.turnId;
      result.model = event.model;
      result.createdAt = event.createdAt;
      result.route = event.route;
      if (event.cache) result.cache = event.cache;
      if (event.limits) result.limits = event.limits;
      if (event.fallback) result.fallback = event.fallback;
      return;
    case 'item-start':
      result.items[event.item] = { head: event.head, text: '', logprobs: [], done: false, complete: false };
      return;
    case 'part-start':
      itemOf(result, event.item).part = event.part;
      return;
    case 'text-delta':
      itemOf(result, event.item).text += event.text;
      if (event.logprobs !== undefined) itemOf(result, event.item).logprobs.push(event.logprobs);
      return;
    case 'refusal-delta':
    case 'reasoning-delta':
      itemOf(result, event.item).text += event.text;
      return;
    case 'tool-call-delta':
      itemOf(result, event.item).text += event.arguments;
      return;
    case 'extra-delta':
      foldExtra(result.extra, event.fields);
      return;
    case 'item-done': {
      const item = itemOf(result, event.item);
      item.done = true;
      item.complete = event.complete;
      return;
    }
    case 'turn-end':
      result.status = event.status;
      result.usage = event.usage;
      if (event.finishReason) result.finishReason = event.finishReason;
      if (event.error) result.error = event.error;
      if (event.receipt) result.receipt = event.receipt;
      return;
    case 'turn-progress':
    case 'text-done':
    case 'part-done':
    case 'tool-call-done':
      return;
  }
}

/** A field that comes again replaces the one before; citations are added to. */
function foldExtra(extra: JsonObject, fields: JsonObject): void {
  const { annotations } = extra;
  Object.assign(extra, fields);
  if (Array.isArray(annotations) && Array.isArray(fields.annotations))
    extra.annotations = [...annotations, ...fields.annotations];
}

/** The whole text of one kind of part, over all items. */
export function turnText(result: TurnResult, part: PartKind): string {
  let text = '';
  for (const item of result.items) if (item.part === part) text += item.text;
  return text;
}

export function turnToolCalls(result: TurnResult): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const { head, text } of result.items) {
    if (head.kind !== 'tool-call') continue;
    calls.push({ id: head.callId, type: 'function', function: { name: head.name, arguments: text } });
  }
  return calls;
}

/** The assistant's message for the history, or `undefined` when nothing was said. Reasoning is not kept. */
export function toAssistantMessage(result: TurnResult): ChatMessage | undefined {
  const text = turnText(result, 'text');
  const refusal = turnText(result, 'refusal');
  // A tool call whose arguments were cut off cannot be answered, and OpenAI refuses a history that holds one.
  const calls = result.status === 'completed' ? turnToolCalls(result) : [];
  if (text === '' && refusal === '' && calls.length === 0) return undefined;
  const message: ChatMessage = { role: 'assistant', content: text === '' ? null : text };
  if (refusal !== '') message.refusal = refusal;
  if (calls.length > 0) message.tool_calls = calls;
  if (Array.isArray(result.extra.annotations)) message.annotations = result.extra.annotations;
  if (message.content === null && calls.length === 0) message.content = '';
  return message;
}

function itemOf(result: TurnResult, index: number): TurnResultItem {
  const item = result.items[index];
  if (!item) throw new Error(`turn event names item ${index}, which has not begun`);
  return item;
}
