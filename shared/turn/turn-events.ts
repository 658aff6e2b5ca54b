/**
 * A turn as its clients see it: the model's events with their structure spelled out and numbered from 0.
 *
 * The grain is that of the finest wire, so that one number is a cursor on every wire: each turn event is
 * exactly one event of OpenAI's Responses stream and one chunk of the AI SDK's UI message stream, and at
 * most one chunk of a Chat Completions stream.
 */

import type { ErrorInfo } from '../errors.ts';
import type { LimitMark } from '../limit-mark.ts';
import type {
  CacheMark,
  FallbackMark,
  FinishReason,
  JsonObject,
  JsonValue,
  Usage,
} from '../model/chat-model.ts';

export type TurnItem =
  | { kind: 'message' }
  | { kind: 'reasoning' }
  | { kind: 'tool-call'; callId: string; name: string; toolIndex: number };

/** How a turn ended. `incomplete`: cut by a limit (`finishReason: length` or `content_filter`). */
export type TurnStatus = 'completed' | 'incomplete' | 'cancelled' | 'failed';

/** What of the conversation went to the model. */
export interface ContextReceipt {
  /** Whole rounds (a user message and all up to the next) kept besides the newest one. */
  rounds: number;
  /** Rounds of the conversation that were left out. */
  roundsDropped: number;
  /** Tokens of the prompt, counted with `encoding`. */
  tokens: number;
  encoding: string;
  /** Whether a summary of the dropped rounds stands in the prompt. */
  summary: boolean;
  /** The conversation sealed for the client to keep, where it is kept nowhere else. */
  state?: string;
}

/** Where a turn is answered, and the router's reason in a few words. */
export interface TurnRoute {
  place: 'edge' | 'core';
  reason: string;
}

export type PartKind = 'text' | 'refusal' | 'reasoning';

export type TurnEvent =
  | {
      type: 'turn-start';
      turnId: string;
      model: string;
      /** Unix time in seconds. */
      createdAt: number;
      route: TurnRoute;
      cache?: CacheMark;
      limits?: LimitMark;
      fallback?: FallbackMark;
    }
  | { type: 'turn-progress' }
  /** `item` counts the turn's items from 0. */
  | { type: 'item-start'; item: number; head: TurnItem }
  | { type: 'part-start'; item: number; part: PartKind }
  | { type: 'text-delta'; item: number; text: string; logprobs?: JsonValue }
  | { type: 'refusal-delta'; item: number; text: string }
  | { type: 'reasoning-delta'; item: number; text: string }
  | { type: 'tool-call-delta'; item: number; arguments: string }
  | { type: 'extra-delta'; fields: JsonObject }
  | { type: 'text-done'; item: number; part: PartKind }
  | { type: 'part-done'; item: number; part: PartKind }
  | { type: 'tool-call-done'; item: number }
  /** `finishReason` stands on the last item only. */
  | { type: 'item-done'; item: number; complete: boolean; finishReason?: FinishReason }
  | {
      type: 'turn-end';
      status: TurnStatus;
      finishReason?: FinishReason;
      usage: Usage;
      error?: ErrorInfo;
      receipt?: ContextReceipt;
    };

export interface NumberedTurnEvent {
  seq: number;
  event: TurnEvent;
}

/** The usage of a turn that asked no model. */
export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, estimated: true };

/** Whether a reader learns more by it than that the turn is under way. */
export function saysSomething(event: TurnEvent): boolean {
  return event.type !== 'turn-start' && event.type !== 'turn-progress';
}
