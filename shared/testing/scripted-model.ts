/** A model that sends the given events, one by one. */

import { AppError } from '../errors.ts';
import type { ChatEvent, ChatModel, ChatRequest } from '../model/chat-model.ts';
import { eventStream } from '../model/event-stream.ts';

/** An event, a pause in milliseconds before the next one, or a promise to wait for. */
export type Step = ChatEvent | number | Promise<unknown>;

export interface ScriptedModel extends ChatModel {
  readonly requests: ChatRequest[];
  /** How many calls were aborted before they had said all. */
  readonly aborted: number;
}

export function scriptedModel(name: string, steps: readonly Step[]): ScriptedModel {
  const requests: ChatRequest[] = [];
  let aborted = 0;
  async function* play(signal: AbortSignal): AsyncGenerator<ChatEvent, void, void> {
    const gone = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    for (const step of steps) {
      if (typeof step === 'number')
        await Promise.race([new Promise((resolve) => setTimeout(resolve, step)), gone]);
      else if (step instanceof Promise) await Promise.race([step, gone]);
      if (signal.aborted) {
        aborted++;
        yield { type: 'error', error: new AppError('cancelled').toInfo() };
        return;
      }
      if (typeof step === 'object' && 'type' in step) yield step;
    }
  }
  return {
    name,
    requests,
    get aborted() {
      return aborted;
    },
    stream(request, signal) {
      requests.push(request);
      return eventStream(signal, play);
    },
  };
}

export const modelStart: ChatEvent = { type: 'model-start', model: 'scripted', provider: 'test' };
export const turnEnd: ChatEvent = { type: 'turn-end', finishReason: 'stop' };

export function textDelta(text: string): ChatEvent {
  return { type: 'text-delta', text };
}
