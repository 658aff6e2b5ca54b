/**
 * A model that is asked only when the caller's limits have room: reserved before the call from an estimate, settled
 * after it from what was used, whatever became of it. What the cache answers never comes here, and costs nothing.
 */

import { AppError, toAppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel, ChatRequest, Usage } from '../../shared/model/chat-model.ts';
import { messageText } from '../../shared/model/chat-model.ts';
import { type LayerGenerator, relayStream } from '../../shared/model/event-stream.ts';
import { roughTokens } from '../../shared/model/token-count.ts';
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

export function withLimits(model: ChatModel, options: WithLimitsOptions): ChatModel {
  return {
    name: model.name,
    stream: (request, signal) =>
      relayStream((read) => limited(options, request, () => read(model.stream(request, signal)))),
  };
}

async function* limited(
  options: WithLimitsOptions,
  request: ChatRequest,
  ask: () => AsyncIterable<ChatEvent[]>,
): LayerGenerator {
  const price = await options.price();
  const inputTokens = request.messages.reduce(
    (sum, message) => sum + roughTokens(messageText(message)) + 4,
    3,
  );
  let decision: Decision = { granted: true };
  if (!options.isReserved) {
    try {
      decision = await options.limits.reserve(toReservation(options, request, inputTokens, price));
    } catch (error) {
      return yield [{ type: 'error', error: toAppError(error).toInfo() }];
    }
  }
  if (!decision.granted) return yield [{ type: 'error', error: toLimitError(decision).toInfo() }];

  const { granted: _, ...limits } = decision;
  let usage: Usage | undefined;
  let hasBegun = options.isReserved;
  let saidTokens = 0;
  try {
    for await (const events of ask()) {
      for (const [at, event] of events.entries()) {
        if (event.type === 'usage') usage = event.usage;
        else if ('text' in event) saidTokens += roughTokens(event.text);
        if (event.type !== 'model-start') continue;
        hasBegun = true;
        events[at] = { ...event, limits };
      }
      yield events;
    }
  } finally {
    // A turn that was stopped or left has no usage of the model's: what was said by then is what it cost.
    const used = usage ?? { inputTokens: hasBegun ? inputTokens : 0, outputTokens: saidTokens };
    const { id, tenant } = options;
    settleLater(options, {
      id,
      tenant,
      tokens: used.inputTokens + used.outputTokens,
      micros: Math.ceil(used.inputTokens * price.input + used.outputTokens * price.output),
    });
  }
}

function toReservation(
  { id, tenant, subjects, holdMs }: WithLimitsOptions,
  { params }: ChatRequest,
  inputTokens: number,
  price: Price,
): Reservation {
  const asked = params.max_completion_tokens ?? params.max_tokens;
  const outputTokens = typeof asked === 'number' ? asked : USUAL_ANSWER_TOKENS;
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

const limitTexts: Record<LimitName, string> = {
  requests: 'requests per minute',
  tokens: 'tokens per minute',
  turns: 'answers at the same time',
  day: 'spend per day',
  month: 'spend per month',
};

/** What the caller is told of a refusal. */
export function toLimitError({
  subject,
  name,
  state,
  retryAfterMs,
}: Extract<Decision, { granted: false }>): AppError {
  const isSpend = name === 'day' || name === 'month';
  const whose = subject === 'tenant' ? 'organization' : (subject.split(':')[0] ?? 'user');
  const amount = isSpend ? `$${state.limit / 1_000_000}` : String(state.limit);
  return new AppError(isSpend ? 'insufficient_quota' : 'rate_limit_exceeded', {
    message: `The limit of ${limitTexts[name]} of this ${whose} is reached: ${amount}.`,
    retryAfterMs,
    ...((name === 'requests' || name === 'tokens') && { limits: { [name]: state } }),
  });
}
