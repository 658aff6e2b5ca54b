/** The one way to wrap a {@link ChatModel}. */

import { type LinkedAbortController, linkedAbortController } from '../stream/linked-abort-controller.ts';
import type { ChatModel, ChatRequest } from './chat-model.ts';
import { type LayerGenerator, type ReadInner, relayStream } from './event-stream.ts';

/** One call of a wrapped model. */
export interface LayerCall {
  request: ChatRequest;
  /** The caller's signal, to pass on to the inner model. */
  signal: AbortSignal;
  /**
   * Reads an inner model's stream, in batches of events that came together. When the reader leaves, the stream that
   * was read last is cancelled, and its next batch is the end.
   */
  read: ReadInner;
  /**
   * Aborted with {@link signal}, and when the reader leaves: for what a layer waits for besides the inner model (its
   * turn, a pause). Made at its first use, since most layers need none and it costs a Worker tens of microseconds.
   */
  readonly leaving: AbortSignal;
}

/**
 * A model around another one. `fn` runs once a call and yields batches of events; as for every model, the last one
 * ends with `turn-end` or `error`.
 * @param model Whose name the new model has
 */
export function layer(model: Pick<ChatModel, 'name'>, fn: (call: LayerCall) => LayerGenerator): ChatModel {
  return {
    name: model.name,
    stream(request, signal) {
      let linked: LinkedAbortController | undefined;
      let isLeft = false;
      return relayStream(
        (read) =>
          fn({
            request,
            signal,
            read,
            get leaving() {
              linked ??= linkedAbortController(signal);
              if (isLeft) linked.abort();
              return linked.signal;
            },
          }),
        () => {
          isLeft = true;
          linked?.abort();
          linked?.unfollow();
        },
      );
    },
  };
}
