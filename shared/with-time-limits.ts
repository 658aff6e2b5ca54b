/** Bounds how long a model may take, step by step. Each limit ends the call with an error of its own. */
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts';
import { AppError, type ErrorCode } from './errors.ts';
import { eventStream } from './event-stream.ts';

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
  async function* limit(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent, void, void> {
    const call = new AbortController();
    const events = model.stream(request, AbortSignal.any([signal, call.signal])).getReader();
    let step: { code: ErrorCode; ms: number } = { code: 'connect_timeout', ms: limits.connectMs };
    const whole = timer(limits.totalMs);
    try {
      for (;;) {
        const reading = timer(step.ms);
        const result = await Promise.race([
          events.read(),
          reading.elapsed.then(() => step.code),
          whole.elapsed.then((): ErrorCode => 'deadline_exceeded'),
        ]);
        reading.clear();
        if (typeof result === 'string') return yield { type: 'error', error: new AppError(result).toInfo() };
        if (result.done) return;
        yield result.value;
        step =
          result.value.type === 'model-start'
            ? { code: 'first_token_timeout', ms: limits.firstTokenMs }
            : { code: 'idle_timeout', ms: limits.idleMs };
      }
    } finally {
      whole.clear();
      call.abort();
    }
  }
  return {
    name: model.name,
    stream: (request, signal) => eventStream(signal, (inner) => limit(request, inner)),
  };
}

/** A clock that can be stopped. `elapsed` never resolves once it is. */
function timer(ms: number): { elapsed: Promise<void>; clear: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handle = setTimeout(resolve, ms);
  return { elapsed: promise, clear: () => clearTimeout(handle) };
}
