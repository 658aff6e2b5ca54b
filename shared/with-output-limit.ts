/** Ends an answer that grows past a number of tokens: nobody may be there to see that it has gone astray. */
import type { ChatEvent, ChatModel, ChatStream } from './chat-model.ts';
import { eventStream } from './event-stream.ts';
import type { TokenEncoding } from './generation-protocol.ts';
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
  async function* limit(events: ChatStream): AsyncGenerator<ChatEvent, void, void> {
    let tokens = 0;
    for await (const event of events) {
      yield event;
      const said = event.type === 'tool-call-delta' ? event.arguments : 'text' in event ? event.text : '';
      if (said === '') continue;
      const counter = loadCounter(encoding);
      tokens += (counter instanceof Promise ? await counter : counter)(said);
      if (tokens >= maxTokens) return yield { type: 'turn-end', finishReason: 'length' };
    }
  }
  return {
    name: model.name,
    stream: (request, signal) => eventStream(signal, (inner) => limit(model.stream(request, inner))),
  };
}
