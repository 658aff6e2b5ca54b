/** Ends an answer that grows past a number of tokens: nobody may be there to see that it has gone astray. */

import type { ChatEvent, ChatModel } from './chat-model.ts';
import type { LayerGenerator } from './event-stream.ts';
import { layer } from './layer.ts';
import { saidText } from './said-text.ts';
import type { TokenEncoding } from './token-count.ts';
import type { CountTokens } from './with-counted-usage.ts';

/**
 * The answer ends as `length`, with what was said until then, and the call upstream is aborted.
 * @param maxTokens Counted delta by delta, which comes out a little high.
 */
export function withOutputLimit(
  model: ChatModel,
  maxTokens: number,
  encoding: TokenEncoding,
  loadCounter: (encoding: TokenEncoding) => CountTokens | Promise<CountTokens>,
): ChatModel {
  async function* limit(batches: AsyncIterable<ChatEvent[]>): LayerGenerator {
    let tokens = 0;
    for await (const events of batches) {
      for (const [at, event] of events.entries()) {
        const said = saidText(event);
        if (said === '') continue;
        const counter = loadCounter(encoding);
        tokens += (counter instanceof Promise ? await counter : counter)(said);
        if (tokens < maxTokens) continue;
        return yield [...events.slice(0, at + 1), { type: 'turn-end', finishReason: 'length' }];
      }
      yield events;
    }
  }
  return layer(model, ({ request, signal, read }) => limit(read(model.stream(request, signal))));
}
