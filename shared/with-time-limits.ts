/** Bounds how long a model may take, step by step. Each limit ends the call with an error of its own. */
import { type ChatEvent, type ChatModel, isTerminal } from './chat-model.ts';
import { AppError, type ErrorCode } from './errors.ts';

/** Milliseconds. */
export interface TimeLimits {
  /** Until the model has taken the request: `connect_timeout`. */
  connectMs: number;
  /** From then to the first delta: `first_token_timeout`. */
  firstTokenMs: number;
  /** Between two events: `idle_timeout`. */
  idleMs: number;
  /** For the whole answer: `deadline_exceeded`. */
  totalMs: number;
}

export const defaultTimeLimits: TimeLimits = {
  connectMs: 10_000,
  firstTokenMs: 60_000,
  idleMs: 30_000,
  totalMs: 600_000,
};

export function withTimeLimits(model: ChatModel, limits: TimeLimits): ChatModel {
  return {
    name: model.name,
    stream(request, signal) {
      const call = new AbortController();
      const events = model.stream(request, AbortSignal.any([signal, call.signal])).getReader();
      let step: { code: ErrorCode; ms: number } = { code: 'connect_timeout', ms: limits.connectMs };
      const whole = timer(limits.totalMs);

      async function next(): Promise<ChatEvent> {
        const reading = timer(step.ms);
        const result = await Promise.race([
          events.read(),
          reading.elapsed.then(() => step.code),
          whole.elapsed.then((): ErrorCode => 'deadline_exceeded'),
        ]);
        reading.clear();
        if (typeof result === 'string') {
          call.abort();
          return { type: 'error', error: new AppError(result).toInfo() };
        }
        const event = result.value ?? { type: 'error', error: new AppError('internal_error').toInfo() };
        step =
          event.type === 'model-start'
            ? { code: 'first_token_timeout', ms: limits.firstTokenMs }
            : { code: 'idle_timeout', ms: limits.idleMs };
        return event;
      }

      return new ReadableStream<ChatEvent>(
        {
          async pull(controller) {
            const event = await next();
            controller.enqueue(event);
            if (!isTerminal(event)) return;
            whole.clear();
            controller.close();
          },
          cancel() {
            whole.clear();
            call.abort();
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
}

/** A clock that can be stopped. `elapsed` never resolves once it is. */
function timer(ms: number): { elapsed: Promise<void>; clear: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handle = setTimeout(resolve, ms);
  return { elapsed: promise, clear: () => clearTimeout(handle) };
}
