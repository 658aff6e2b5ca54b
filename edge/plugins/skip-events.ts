/** Continues an answer that was sent in part: the model repeats it, and what is known is skipped. */
import {
  type ChatEvent,
  type ChatModel,
  type ChatStream,
  isTerminal,
} from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';

/**
 * For a turn that was cut off behind {@link withPlugins}: what its hooks held back is lost, so the model's events
 * are read again from the first one, and those that went out are skipped.
 * @param count How many events went out already.
 */
export function skipEvents(model: ChatModel, count: number): ChatModel {
  async function* rest(events: ChatStream): AsyncGenerator<ChatEvent, void, void> {
    let seen = 0;
    // The end was never sent: a turn that has ended does not continue.
    for await (const event of events) if (seen++ >= count || isTerminal(event)) yield event;
  }
  return {
    name: model.name,
    stream: (request, signal) => eventStream(signal, (inner) => rest(model.stream(request, inner))),
  };
}
