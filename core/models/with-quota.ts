/** Waits for a call's turn at its upstream, and settles what it used. */

import { toAppError } from '../../shared/errors.ts';
import type { ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { messageTokenBound } from '../../shared/model/token-count.ts';
import { eventStream } from '../../shared/stream/event-stream.ts';
import type { Priority } from '../quota/fair-queue.ts';
import type { Admission, Quota } from '../quota/quota.ts';
import type { QuotaScope } from '../quota/quota-store.ts';

export interface QuotaUse {
  quota: Quota;
  /** Without any, nothing is waited for. */
  scopes: readonly QuotaScope[];
  tenant: string;
  priority: Priority;
  /** Unix time in milliseconds until which a call may wait. */
  untilMs: number;
  /** Longest time that a turn may run, in milliseconds. */
  holdMs: number;
  newId: () => string;
}

/** What a request that names no bound is taken to say. */
const USUAL_OUTPUT_TOKENS = 500;
const BYTES_A_TOKEN = 4;
/** How long an upstream that refuses without saying so is left alone. */
const UNSAID_BLOCK_MS = 1000;

export function withQuota(model: ChatModel, use: QuotaUse): ChatModel {
  if (use.scopes.length === 0) return model;
  return {
    name: model.name,
    stream: (request, signal) =>
      eventStream(signal, async function* (inner) {
        const tokens = estimateTokens(request);
        let admission: Admission;
        try {
          admission = await use.quota.admit({ ...use, id: use.newId(), tokens }, inner);
        } catch (error) {
          return yield { type: 'error', error: toAppError(error).toInfo() };
        }
        let used: number | undefined;
        let hasStarted = false;
        try {
          for await (const event of model.stream(request, inner)) {
            if (event.type === 'model-start') hasStarted = true;
            if (event.type === 'usage') used = event.usage.inputTokens + event.usage.outputTokens;
            if (event.type === 'error' && !hasStarted) used = 0;
            if (event.type === 'error' && event.error.code === 'upstream_rate_limited')
              admission.block(event.error.retryAfterMs ?? UNSAID_BLOCK_MS);
            yield event;
          }
        } finally {
          // An answer that was left in the middle has used what nobody will ever tell.
          admission.settle(used ?? tokens);
        }
      }),
  };
}

/** Prompt and answer, before the call. */
export function estimateTokens({ messages, params }: ChatRequest): number {
  const prompt = messages.reduce((sum, message) => sum + messageTokenBound(message), 0) / BYTES_A_TOKEN;
  const bound = params.max_completion_tokens ?? params.max_tokens;
  return Math.ceil(prompt + (typeof bound === 'number' ? bound : USUAL_OUTPUT_TOKENS));
}
