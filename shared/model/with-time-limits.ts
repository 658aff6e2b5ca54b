/** Bounds how long a model may take, step by step. Each limit ends the call with an error of its own. */

import { AppError, type ErrorCode } from '../errors.ts';
import { createIdleTimer } from '../stream/idle-timer.ts';
import { type ChatModel, isTerminal, type TimeBudget } from './chat-model.ts';
import type { InnerBatches, LayerGenerator } from './event-stream.ts';
import { layer } from './layer.ts';

/** Milliseconds. */
export interface TimeLimits {
  /** Until the model has taken the request, or its ladder's time is over: `connect_timeout`. */
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
  async function* limit(batches: InnerBatches, budget: TimeBudget | undefined): LayerGenerator {
    const startMs = Date.now();
    const endsAtMs = startMs + limits.totalMs;
    let isSilent = true;
    /** What a model takes after its first token is not of its ladder's time. */
    const takeBudget = () => {
      if (budget && isSilent) budget.leftMs -= Date.now() - startMs;
      isSilent = false;
    };
    let code: ErrorCode = 'connect_timeout';
    let late: ErrorCode | undefined;
    const timer = createIdleTimer(() => {
      late = code;
      void batches.return();
    });
    /** The step's own limit, or what is left of the whole. */
    const expect = (stepCode: ErrorCode, stepMs: number) => {
      const leftMs = endsAtMs - Date.now();
      code = leftMs < stepMs ? 'deadline_exceeded' : stepCode;
      timer.expect(Math.max(0, Math.min(stepMs, leftMs)));
    };
    try {
      expect('connect_timeout', Math.min(limits.connectMs, budget?.leftMs ?? limits.connectMs));
      for await (const events of batches) {
        // The time that the reader takes is not the model's.
        timer.rest();
        const last = events.at(-1);
        if (last?.type !== 'model-start') takeBudget();
        yield events;
        if (last && isTerminal(last)) return;
        if (last?.type === 'model-start') expect('first_token_timeout', limits.firstTokenMs);
        else expect('idle_timeout', limits.idleMs);
      }
      if (late) yield [{ type: 'error', error: new AppError(late).toInfo() }];
    } finally {
      takeBudget();
      timer.stop();
    }
  }
  return layer(model, ({ request, signal, read }) =>
    limit(read(model.stream(request, signal)), request.firstTokenBudget),
  );
}
