/** Which wire a client asked for, as data that can travel to a Session object, and the wire for it. */
import { createChatCompletionsWire } from './chat-completions.ts';
import type { Wire } from './wire.ts';

export interface WireRequest {
  kind: 'chat-completions';
  stream: boolean;
  includeUsage: boolean;
}

export interface WireContext {
  requestId: string;
  /** Whether events carry an `id`, which makes them resumable. */
  ids: boolean;
}

export function createWire(request: WireRequest, { requestId, ids }: WireContext): Wire {
  return createChatCompletionsWire({ includeUsage: request.includeUsage, ids, requestId });
}
