/** The edge's light model on the platform's own GPUs, through the Workers AI binding. */

import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, JsonObject } from '../../shared/model/chat-model.ts';
import { toUpstreamBody } from '../../shared/wire/chat-schema.ts';
import { CompletionChunkReader } from '../../shared/wire/completion-chunks.ts';
import { type ChunkReader, completionStream } from './light-model.ts';

/** What is used of the binding: `run` with `stream: true` answers with an event stream. */
export interface WorkersAiBinding {
  run(model: string, inputs: JsonObject, options?: { signal?: AbortSignal }): Promise<unknown>;
}

/** @param model A text-generation model of the platform: `@cf/meta/llama-3.1-8b-instruct-fast`. */
export function createWorkersAiModel(ai: WorkersAiBinding, model: string): ChatModel {
  return {
    name: model,
    stream: (request, signal) =>
      completionStream({
        model,
        chunks: new WorkersAiChunkReader(),
        open: async (inner) => {
          const answer = await ai.run(model, toUpstreamBody(request, model), { signal: inner });
          if (!(answer instanceof ReadableStream)) throw new AppError('upstream_invalid');
          return answer;
        },
        signal,
      }),
  };
}

/**
 * Newer models of the platform stream OpenAI's chunks; older ones `{ response, usage? }` without a finish
 * reason, where `[DONE]` alone says that the answer is whole.
 */
class WorkersAiChunkReader implements ChunkReader {
  readonly #chunks = new CompletionChunkReader();
  #sawOwnForm = false;

  push(chunk: unknown): ChatEvent[] {
    if (typeof chunk !== 'object' || chunk === null || !('response' in chunk))
      return this.#chunks.push(chunk);
    this.#sawOwnForm = true;
    const usage = 'usage' in chunk ? chunk.usage : null;
    return this.#chunks.push({ choices: [{ index: 0, delta: { content: chunk.response } }], usage });
  }

  end(complete: boolean): ChatEvent[] {
    if (!complete || !this.#sawOwnForm) return this.#chunks.end();
    const finish = this.#chunks.push({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    return [...finish, ...this.#chunks.end()];
  }
}
