/** One line of a batch, answered by the models as if it had been asked alone, behind everybody who waits. */

import { AppError, toAppError, toOpenAIError } from '../../shared/errors.ts';
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { TurnExpander } from '../../shared/turn/turn-expander.ts';
import { emptyTurnResult, foldTurnEvent } from '../../shared/turn/turn-result.ts';
import { toChatCompletion } from '../../shared/wire/chat-completion.ts';
import { parseChatCompletionRequest } from '../../shared/wire/chat-schema.ts';
import type { Embeddings } from '../embeddings/embeddings.ts';
import type { Caller } from '../models/caller.ts';

export interface AnsweredLine {
  status: number;
  /** OpenAI's object, or its error. */
  body: object;
  /** Set when asking again later may help. */
  retryAfterMs?: number;
}

export type AnswerLine = (
  line: { endpoint: string; body: string; id: string },
  caller: Caller,
  signal: AbortSignal,
) => Promise<AnsweredLine>;

export interface AnswerLineOptions {
  resolve: (model: string, caller: Caller) => ChatModel;
  embeddings: Pick<Embeddings, 'answer'>;
  now: () => number;
}

const RETRY_MS = 2000;

/** Never rejects. */
export function createAnswerLine({ resolve, embeddings, now }: AnswerLineOptions): AnswerLine {
  async function complete(body: unknown, id: string, caller: Caller, signal: AbortSignal): Promise<object> {
    const { request } = parseChatCompletionRequest(body);
    const route = { place: 'core', reason: 'batch' } as const;
    const expander = new TurnExpander({ turnId: id, route, createdAt: Math.floor(now() / 1000) });
    const result = emptyTurnResult();
    for await (const event of resolve(request.model, caller).stream(request, signal)) {
      if (event.type === 'error') throw AppError.fromInfo(event.error);
      for (const expanded of expander.push(event)) foldTurnEvent(result, expanded);
    }
    return toChatCompletion(result);
  }

  return async (line, caller, signal) => {
    try {
      const body: unknown = JSON.parse(line.body);
      const answer =
        line.endpoint === '/v1/embeddings'
          ? await embeddings.answer(body, caller, signal)
          : await complete(body, line.id, caller, signal);
      return { status: 200, body: answer };
    } catch (thrown) {
      const error = toAppError(thrown);
      return {
        status: error.status,
        body: toOpenAIError(error.toInfo()),
        ...(error.retryable && { retryAfterMs: error.retryAfterMs ?? RETRY_MS }),
      };
    }
  };
}
