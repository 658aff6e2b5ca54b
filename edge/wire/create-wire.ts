/** Which wire a client asked for, as data that can travel to a Session object, and the wire for it. */
import type { JsonObject } from '../../shared/model/chat-model.ts';
import { createChatCompletionsWire } from './chat-completions.ts';
import { createResponsesWire } from './responses.ts';
import { createUiMessagesWire } from './ui-messages.ts';
import type { Wire } from './wire.ts';

export type WireRequest = { stream: boolean } & (
  | { kind: 'chat-completions'; includeUsage: boolean }
  | { kind: 'responses'; responseId: string; echo: JsonObject }
  | { kind: 'ui-messages' }
);

export interface WireContext {
  requestId: string;
  /** Whether events carry an `id`, which makes them resumable. */
  ids: boolean;
  /** Unix time in seconds at which the turn was asked for. */
  createdAt: number;
}

export function createWire(request: WireRequest, context: WireContext): Wire {
  switch (request.kind) {
    case 'chat-completions':
      return createChatCompletionsWire({ ...context, includeUsage: request.includeUsage });
    case 'responses':
      return createResponsesWire({ ...context, responseId: request.responseId, echo: request.echo });
    case 'ui-messages':
      return createUiMessagesWire();
  }
}
