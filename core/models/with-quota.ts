/** Waits for a call's turn at its upstream, and settles what it used. */

import { toAppError } from '../../shared/errors.ts';
import type { ChatModel, ChatRequest } from '../../shared/model/chat-model.ts';
import { layer } from '../../shared/model/layer.ts';
import { answersAsked, askedOutputTokens, roughRequestTokens } from '../../shared/model/request-size.ts';
import { upstreamPauseMs } from '../../shared/model/upstream-errors.ts';
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

export function withQuota(model: ChatModel, use: QuotaUse): ChatModel {
  if (use.scopes.length === 0) return model;
  return layer(model, async function* ({ request, signal, read, leaving }) {
    const tokens = estimateTokens(request);
    let admission: Admission;
    try {
      admission = await use.quota.admit({ ...use, id: use.newId(), tokens }, leaving);
    } catch (error) {
      return yield [{ type: 'error', error: toAppError(error).toInfo() }];
    }
    let used: number | undefined;
    let hasStarted = false;
    try {
      for await (const events of read(model.stream(request, signal))) {
        for (const event of events) {
          if (event.type === 'model-start') hasStarted = true;
          if (event.type === 'usage') used = event.usage.inputTokens + event.usage.outputTokens;
          const pauseMs = event.type === 'error' ? upstreamPauseMs(event.error) : undefined;
          if (pauseMs !== undefined) admission.block(pauseMs);
        }
        yield events;
      }
    } finally {
      // A call that was cut after its start has used what nobody will report.
      admission.settle(hasStarted ? (used ?? tokens) : 0);
    }
  });
}

/** Prompt and answers, before the call. */
export function estimateTokens(request: ChatRequest): number {
  const { params } = request;
  const output = (askedOutputTokens(params) ?? USUAL_OUTPUT_TOKENS) * answersAsked(params);
  return roughRequestTokens(request) + output;
}
