/** A turn while it is being answered, and what is known of it afterwards; fed by the events of the session's socket. */
import { type Signal, signal } from '@preact/signals';
import type { SessionEvent } from '../../../shared/client/session-connection.ts';
import type { Annotation } from './message-tree.ts';

export type TurnState = 'running' | 'completed' | 'incomplete' | 'cancelled' | 'failed';

/** What stands in the small line under an answer. */
export interface TurnDetails {
  model?: string;
  place?: 'edge' | 'core';
  reason?: string;
  cache?: string;
  fallbackFrom?: string;
  inputTokens?: number;
  outputTokens?: number;
  estimated?: boolean;
  firstWordMs?: number;
  totalMs?: number;
}

export interface LiveTurn {
  readonly responseId: string;
  readonly turnId: string;
  readonly state: Signal<TurnState>;
  readonly text: Signal<string>;
  readonly reasoning: Signal<string>;
  readonly details: Signal<TurnDetails>;
  readonly annotations: Signal<Annotation[]>;
  readonly error: Signal<{ code: string; message: string } | undefined>;
  /** What its sender wrote on it. */
  key: string | undefined;
  /** The turn whose question it answers once more. */
  again: string | undefined;
  /** When it was asked, here; when it was first heard of for a turn of another device. Unix milliseconds. */
  askedAtMs: number;
  /** Its place among the tree's nodes. */
  order: number;
}

interface ResponseBody {
  status?: string;
  model?: string;
  output_text?: string;
  output?: { content?: { annotations?: Annotation[] }[] }[];
  metadata?: Record<string, string>;
  usage?: { input_tokens: number; output_tokens: number; estimated?: boolean } | null;
  error?: { code: string; message: string } | null;
  incomplete_details?: { reason: string } | null;
  edgewise?: {
    route?: { place: 'edge' | 'core'; reason: string };
    cache?: { outcome: string };
    fallback?: { from: string };
    error?: { code: string; message: string };
  };
}

export function createLiveTurn(responseId: string, askedAtMs: number, order: number): LiveTurn {
  return {
    responseId,
    turnId: turnIdOf(responseId),
    state: signal<TurnState>('running'),
    text: signal(''),
    reasoning: signal(''),
    details: signal<TurnDetails>({}),
    annotations: signal<Annotation[]>([]),
    error: signal(undefined),
    key: undefined,
    again: undefined,
    askedAtMs,
    order,
  };
}

export function turnIdOf(responseId: string): string {
  return responseId.split('_')[1] ?? responseId;
}

/** Takes an event in. Text is given to `append`, which may gather it. */
export function foldEvent(
  turn: LiveTurn,
  event: SessionEvent,
  append: (to: Signal<string>, text: string) => void,
  nowMs: number,
): void {
  switch (event.type) {
    case 'response.created':
    case 'response.in_progress':
      foldResponse(turn, event.response as ResponseBody);
      return;
    case 'response.output_text.delta':
    case 'response.refusal.delta':
      if (turn.details.value.firstWordMs === undefined)
        turn.details.value = { ...turn.details.value, firstWordMs: nowMs - turn.askedAtMs };
      append(turn.text, String(event.delta));
      return;
    case 'response.reasoning_text.delta':
      append(turn.reasoning, String(event.delta));
      return;
    case 'response.output_item.done': {
      const item = event.item as NonNullable<ResponseBody['output']>[number];
      foldAnnotations(turn, [item]);
      return;
    }
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed': {
      const response = event.response as ResponseBody;
      foldResponse(turn, response);
      if (response.output_text) turn.text.value = response.output_text;
      turn.details.value = { ...turn.details.value, totalMs: nowMs - turn.askedAtMs };
      turn.state.value = toState(response.status);
    }
  }
}

function foldResponse(turn: LiveTurn, response: ResponseBody): void {
  const { model, usage, edgewise, metadata, error } = response;
  turn.key ??= metadata?.edgewise_key;
  turn.again ??= metadata?.edgewise_again;
  foldAnnotations(turn, response.output ?? []);
  const told = edgewise?.error ?? error;
  if (told) turn.error.value = { code: told.code, message: told.message };
  turn.details.value = {
    ...turn.details.value,
    ...(model && { model }),
    ...(edgewise?.route && { place: edgewise.route.place, reason: edgewise.route.reason }),
    ...(edgewise?.cache && { cache: edgewise.cache.outcome }),
    ...(edgewise?.fallback && { fallbackFrom: edgewise.fallback.from }),
    ...(usage && {
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      estimated: usage.estimated ?? false,
    }),
  };
}

function foldAnnotations(turn: LiveTurn, items: NonNullable<ResponseBody['output']>): void {
  const found = items.flatMap(({ content = [] }) => content.flatMap(({ annotations = [] }) => annotations));
  if (found.length > 0) turn.annotations.value = found;
}

function toState(status: string | undefined): TurnState {
  return status === 'completed' || status === 'incomplete' || status === 'cancelled' ? status : 'failed';
}
