import { type ChatEvent, isTerminal } from './chat-model.ts';
import { AppError } from './errors.ts';

/**
 * A generator of events as a model's stream: pulled one event at a time, closed after the terminal one,
 * and never errored. Cancelling the stream aborts the signal that the generator is given; a generator that
 * ends or throws without a terminal event is our own fault and ends the stream as `internal_error`.
 */
export function eventStream(
  outer: AbortSignal,
  generate: (signal: AbortSignal) => AsyncGenerator<ChatEvent, void, void>,
): ReadableStream<ChatEvent> {
  const reading = new AbortController();
  const signal = AbortSignal.any([outer, reading.signal]);
  const events = generate(signal);

  async function next(): Promise<ChatEvent> {
    try {
      const { value } = await events.next();
      if (value) return value;
      return failure(new AppError('internal_error'));
    } catch (cause) {
      return failure(new AppError('internal_error', { cause }));
    }
  }

  return new ReadableStream<ChatEvent>(
    {
      async pull(controller) {
        const event = await next();
        controller.enqueue(event);
        if (!isTerminal(event)) return;
        controller.close();
        reading.abort();
        await events.return();
      },
      cancel() {
        reading.abort();
        // It tidies up when it can: one that waits is woken by the abort, and nobody waits for it here.
        void events.return().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function failure(error: AppError): ChatEvent {
  return { type: 'error', error: error.toInfo() };
}
