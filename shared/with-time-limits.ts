/** Bounds how long a model may take, step by step. Each limit ends the call with an error of its own. */
import type { ChatModel } from './chat-model.ts';
import { AppError, type ErrorCode } from './errors.ts';
import { type EventGenerator, type InnerBatches, relayStream } from './event-stream.ts';
import { createPatience } from './patience.ts';

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
  async function* limit(batches: InnerBatches): EventGenerator {
    let step: { code: ErrorCode; ms: number } = { code: 'connect_timeout', ms: limits.connectMs };
    let late: ErrorCode | undefined;
    const giveUp = (code: ErrorCode) => {
      late = code;
      void batches.return();
    };
    const patience = createPatience(() => giveUp(step.code));
    const whole = setTimeout(() => giveUp('deadline_exceeded'), limits.totalMs);
    try {
      patience.expect(step.ms);
      for await (const events of batches) {
        // The time that the reader takes is not the model's.
        patience.rest();
        yield events;
        step =
          events.at(-1)?.type === 'model-start'
            ? { code: 'first_token_timeout', ms: limits.firstTokenMs }
            : { code: 'idle_timeout', ms: limits.idleMs };
        patience.expect(step.ms);
      }
      if (late) yield { type: 'error', error: new AppError(late).toInfo() };
    } finally {
      patience.stop();
      clearTimeout(whole);
    }
  }
  return {
    name: model.name,
    stream: (request, signal) => relayStream((read) => limit(read(model.stream(request, signal)))),
  };
}
