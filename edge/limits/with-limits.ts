/**
 * A model that is asked only when the caller's limits have room: reserved before the call from an estimate, settled
 * after it from what was used, whatever became of it. What the cache answers never comes here, and costs nothing.
 */

import { AppError, type ErrorCode, toAppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest, Usage } from '../../shared/model/chat-model.ts';
import { type LayerGenerator, relayStream } from '../../shared/model/event-stream.ts';
import { answersAsked, askedOutputTokens, roughRequestTokens } from '../../shared/model/request-size.ts';
import { saidText } from '../../shared/model/said-text.ts';
import { utf8Length } from '../../shared/model/token-count.ts';
import {
  type Decision,
  type LimitName,
  type Limits,
  type Reservation,
  type Subject,
  settleLater,
} from './limits.ts';

/** US dollars per million tokens, which is millionths of a dollar per token. */
export interface Price {
  input: number;
  output: number;
}

export interface WithLimitsOptions {
  limits: Limits;
  /** The call's own. */
  id: string;
  tenant: string;
  subjects: Subject[];
  /** @returns what the model costs; nothing when that is not known */
  price: () => Promise<Price>;
  /** How long the turn may take, in milliseconds. */
  holdMs: number;
  /** The call was reserved before a restart: it is only settled. */
  isReserved: boolean;
  /** Work that goes on after the answer. */
  defer: (work: Promise<unknown>) => void;
}

/** Tokens of an answer whose length nobody has limited. */
const USUAL_ANSWER_TOKENS = 1024;

/** Longest time that a call whose caller has left is waited for to say what it used, in milliseconds. */
const LEFT_MS = 2000;
const BYTES_A_TOKEN = 4;
/** Errors of a turn that was ended from our side, whatever its model was doing. */
const stops: ReadonlySet<ErrorCode> = new Set(['cancelled', 'deadline_exceeded', 'generation_lost']);

export function withLimits(model: ChatModel, options: WithLimitsOptions): ChatModel {
  return {
    name: model.name,
    stream(request, signal) {
      const call = new LimitedTurn(options, request);
      // A request that its client has left may end before its answer does: it is kept until the call is settled.
      const onAbort = () => options.defer(call.settledWithin(LEFT_MS));
      signal.addEventListener('abort', onAbort, { once: true });
      return relayStream(
        (read) => limited(call, options, () => read(model.stream(request, signal))),
        () => {
          signal.removeEventListener('abort', onAbort);
          call.settle();
        },
      );
    },
  };
}

async function* limited(
  call: LimitedTurn,
  options: WithLimitsOptions,
  ask: () => AsyncIterable<ChatEvent[]>,
): LayerGenerator {
  const reservation = await call.reservation();
  let decision: Decision = { granted: true };
  if (!options.isReserved) {
    try {
      decision = await options.limits.reserve(reservation);
    } catch (error) {
      return yield [{ type: 'error', error: toAppError(error).toInfo() }];
    }
  }
  if (!decision.granted) return yield [{ type: 'error', error: toLimitError(decision).toInfo() }];

  const { granted: _, ...limits } = decision;
  call.begin();
  try {
    for await (const events of ask()) {
      for (const [at, event] of events.entries()) {
        call.count(event);
        if (event.type === 'model-start') events[at] = { ...event, limits };
      }
      yield events;
    }
  } finally {
    call.settle();
  }
}

/** What one call has come to so far, and its one settlement. */
class LimitedTurn {
  readonly #options: WithLimitsOptions;
  readonly #request: ChatRequest;
  readonly #inputTokens: number;
  #price: Price = { input: 0, output: 0 };
  #usage: Usage | undefined;
  #hasStarted: boolean;
  #failure: ErrorCode | undefined;
  #saidBytes = 0;
  /** `asked`: reserved, and the model may have the prompt. */
  #state: 'new' | 'asked' | 'settled' = 'new';
  #wake: (() => void) | undefined;

  constructor(options: WithLimitsOptions, request: ChatRequest) {
    this.#options = options;
    this.#request = request;
    this.#inputTokens = roughRequestTokens(request);
    this.#hasStarted = options.isReserved;
  }

  async reservation(): Promise<Reservation> {
    this.#price = await this.#options.price();
    return toReservation(this.#options, this.#request, this.#inputTokens, this.#price);
  }

  begin(): void {
    // Who left while it was being reserved has had nothing.
    if (this.#state === 'new') this.#state = 'asked';
  }

  count(event: ChatEvent): void {
    if (event.type === 'usage') this.#usage = event.usage;
    else if (event.type === 'model-start') this.#hasStarted = true;
    else if (event.type === 'error') this.#failure = event.error.code;
    else this.#saidBytes += utf8Length(saidText(event));
  }

  /** Once, and only what was reserved. */
  settle(): void {
    if (this.#state !== 'asked') return;
    this.#state = 'settled';
    // A turn that was stopped or left has no usage of the model's: it costs its prompt, which may be at the model even
    // when nothing of an answer has come, and what was said by then.
    const isOwed = this.#hasStarted || this.#failure === undefined || stops.has(this.#failure);
    const { inputTokens, outputTokens } = this.#usage ?? {
      inputTokens: isOwed ? this.#inputTokens : 0,
      outputTokens: Math.ceil(this.#saidBytes / BYTES_A_TOKEN),
    };
    const { id, tenant } = this.#options;
    const micros = Math.ceil(inputTokens * this.#price.input + outputTokens * this.#price.output);
    settleLater(this.#options, { id, tenant, tokens: inputTokens + outputTokens, micros });
    this.#wake?.();
  }

  /** Settles it when that time is over, at the latest. */
  async settledWithin(ms: number): Promise<void> {
    if (this.#state !== 'asked') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.settle();
  }
}

function toReservation(
  { id, tenant, subjects, holdMs }: WithLimitsOptions,
  { params }: ChatRequest,
  inputTokens: number,
  price: Price,
): Reservation {
  const outputTokens = (askedOutputTokens(params) ?? USUAL_ANSWER_TOKENS) * answersAsked(params);
  return {
    id,
    tenant,
    subjects,
    requests: 1,
    tokens: inputTokens + outputTokens,
    micros: Math.ceil(inputTokens * price.input + outputTokens * price.output),
    holdMs,
  };
}

const subjectTexts: Readonly<Record<string, string>> = {
  tenant: 'organization',
  guests: 'organization for guests',
};

const limitTexts: Record<LimitName, string> = {
  requests: 'requests per minute',
  tokens: 'tokens per minute',
  turns: 'answers at the same time',
  day: 'spend per day',
  month: 'spend per month',
};

/** The error of a refusal. */
export function toLimitError({
  subject,
  name,
  state,
  retryAfterMs,
}: Extract<Decision, { granted: false }>): AppError {
  const isSpend = name === 'day' || name === 'month';
  const whose = subjectTexts[subject] ?? subject.split(':')[0] ?? 'user';
  const amount = isSpend ? `$${state.limit / 1_000_000}` : String(state.limit);
  return new AppError(isSpend ? 'insufficient_quota' : 'rate_limit_exceeded', {
    message: `The limit of ${limitTexts[name]} of this ${whose} is reached: ${amount}.`,
    retryAfterMs,
    ...((name === 'requests' || name === 'tokens') && { limits: { [name]: state } }),
  });
}
