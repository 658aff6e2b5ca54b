/** OpenAI's Chat Completion object: an answer as a whole. */
import type { Usage } from '../model/chat-model.ts';
import type { ContextReceipt } from '../turn/turn-events.ts';
import { type TurnResult, turnText, turnToolCalls } from '../turn/turn-result.ts';

export function chatCompletionId(turnId: string): string {
  return `chatcmpl-${turnId}`;
}

export function toChatCompletion(result: TurnResult): object {
  const calls = turnToolCalls(result);
  const refusal = turnText(result, 'refusal');
  const text = turnText(result, 'text');
  const reasoning = turnText(result, 'reasoning');
  const logprobs = result.items.flatMap((item) => item.logprobs);
  return {
    id: chatCompletionId(result.turnId),
    object: 'chat.completion',
    created: result.createdAt,
    model: result.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
          refusal: refusal === '' ? null : refusal,
          ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
          ...result.extra,
        },
        logprobs: logprobs.length === 0 ? null : mergeLogprobs(logprobs),
        finish_reason: result.finishReason ?? 'stop',
      },
    ],
    usage: toCompletionUsage(result.usage ?? { inputTokens: 0, outputTokens: 0, estimated: true }),
    ...toExtension(result),
  };
}

export function toCompletionUsage(usage: Usage): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(usage.cachedInputTokens === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: usage.cachedInputTokens } }),
    ...(usage.reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } }),
    ...(usage.estimated ? { estimated: true } : {}),
  };
}

/** What Edgewise adds to OpenAI's object, all under one name. */
export function toExtension(end: { receipt?: ContextReceipt; status: string }): object {
  const fields = {
    ...(end.receipt ? { context: toReceipt(end.receipt) } : {}),
    ...(end.receipt?.state === undefined ? {} : { state: end.receipt.state }),
    ...(end.status === 'cancelled' ? { cancelled: true } : {}),
  };
  return Object.keys(fields).length === 0 ? {} : { edgewise: fields };
}

export function toReceipt(receipt: ContextReceipt): object {
  return {
    rounds: receipt.rounds,
    rounds_dropped: receipt.roundsDropped,
    tokens: receipt.tokens,
    encoding: receipt.encoding,
    summary: receipt.summary,
  };
}

/** A stream's logprobs come in pieces of `{ content: [...] , refusal: [...] }`; whole answers have one. */
function mergeLogprobs(pieces: unknown[]): object {
  const merged: Record<string, unknown[] | null> = { content: null, refusal: null };
  for (const piece of pieces) {
    if (typeof piece !== 'object' || piece === null) continue;
    for (const [key, value] of Object.entries(piece)) {
      if (Array.isArray(value)) merged[key] = [...(merged[key] ?? []), ...value];
    }
  }
  return merged;
}
