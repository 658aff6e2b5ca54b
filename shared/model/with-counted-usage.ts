/** Gives every answer a usage: what the model reports, or what we count, marked as an estimate. */

import { type ChatEvent, type ChatModel, type ChatRequest, isTerminal } from './chat-model.ts';
import type { LayerGenerator } from './event-stream.ts';
import { layer } from './layer.ts';
import type { TokenEncoding } from './token-count.ts';
import { countMessageTokens, REPLY_PRIMING_TOKENS } from './token-count.ts';

export type CountTokens = (text: string) => number;

/** @param loadCounter The tokenizer for the model's family; loaded when it is first needed. */
export function withCountedUsage(
  model: ChatModel,
  encoding: TokenEncoding,
  loadCounter: (encoding: TokenEncoding) => Promise<CountTokens>,
): ChatModel {
  async function* count(batches: AsyncIterable<ChatEvent[]>, request: ChatRequest): LayerGenerator {
    let said = '';
    let begun = false;
    let reported = false;
    for await (const events of batches) {
      for (const event of events) {
        if (event.type === 'model-start') begun = true;
        if (event.type === 'usage') reported = true;
        said += textOf(event);
      }
      const last = events.at(-1);
      if (!last || !isTerminal(last) || !begun || reported) {
        yield events;
        continue;
      }
      // A turn that is cut or stopped has cost something, too. What was said does not wait for the counter.
      if (events.length > 1) yield events.slice(0, -1);
      yield [usageEvent(request, said, await loadCounter(encoding)), last];
    }
  }
  return layer(model, ({ request, signal, read }) => count(read(model.stream(request, signal)), request));
}

function textOf(event: ChatEvent): string {
  if (event.type === 'tool-call-delta') return (event.name ?? '') + event.arguments;
  return 'text' in event ? event.text : '';
}

function usageEvent(request: ChatRequest, said: string, count: CountTokens): ChatEvent {
  const prompt = request.messages.reduce(
    (sum, message) => sum + countMessageTokens(message, count),
    REPLY_PRIMING_TOKENS,
  );
  return { type: 'usage', usage: { inputTokens: prompt, outputTokens: count(said), estimated: true } };
}
