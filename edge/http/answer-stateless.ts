import type { ChatRequest } from '../../shared/model/chat-model.ts';
import { linkedAbortController } from '../../shared/stream/linked-abort-controller.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import { parseCacheControl } from '../cache/cache-control.ts';
import { answerAtOnce } from '../chat/answer-at-once.ts';
import { answerTurn } from '../chat/answer-turn.ts';
import type { ModelChoice } from '../chat/choose-model.ts';
import { toKnownResponse, toTurnResponse } from '../chat/turn-response.ts';
import type { TurnTimings } from '../chat/turn-timings.ts';
import { sealedConversationOfTurn } from '../session/sealed-conversation.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import { answerHeaders, authTiming } from './answer-headers.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface StatelessTurn {
  turnId: string;
  request: ChatRequest;
  /** The conversation that the client keeps, sealed. */
  state?: string | undefined;
  wire: WireRequest;
}

/** Answers a prompt that belongs to no session: it lives and ends with its reader. */
export async function answerStateless(
  c: EdgeContext,
  { turnId, request: asked, state, wire }: StatelessTurn,
): Promise<Response> {
  const services = c.get('services');
  const { modelsFor, cache, config, now } = services;
  const context = c.get('request');
  const plugins = services.pluginsFor(context);
  const filtered = await plugins.onPrompt(asked, c.req.raw);
  const timings: TurnTimings = {};
  const startedAtMs = now();
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const tellUsage = (result: () => TurnResult) =>
    services.usage.tell(context, { turnId, startedAtMs, endedAtMs: now(), result }, waitUntil);
  const cached = {
    context,
    control: parseCacheControl(c.req.header('cache-control')),
    isAgain: false,
    canShare: true,
    waitUntil,
  };
  const response = {
    turnId,
    wire: createWire(wire, { requestId: context.requestId, ids: false, createdAt: Math.floor(now() / 1000) }),
    stream: wire.stream,
    after: -1,
    timings,
    headers: { ...answerHeaders(c), 'server-timing': authTiming(c) },
    heartbeatMs: config.heartbeatMs,
  };
  const made = (answer: Response) => {
    c.set('madeWithHeaders', answer);
    return answer;
  };
  let choice: ModelChoice | undefined;
  if (cache && state === undefined) {
    const find = (chosen: ModelChoice) => cache.findNear({ ...cached, choice: chosen }, filtered);
    const { lightModel } = services;
    const known = await answerAtOnce({
      turnId,
      request: filtered,
      lightModel,
      find,
      plugins,
      timings,
      now,
      onEnd(answer, result) {
        services.observer.answeredAtOnce(answer);
        tellUsage(result);
      },
    });
    if (known.events) return made(await toKnownResponse(known.events, response));
    choice = known.choice;
  }
  const request = wire.stream ? filtered : { ...filtered, isWhole: true };
  const reader = linkedAbortController(c.req.raw.signal);
  const { signal } = reader;
  // It goes with the request, should that end before.
  setTimeout(() => reader.abort(), config.turnTimeoutMs);
  const conversation =
    state === undefined
      ? undefined
      : sealedConversationOfTurn(c.env, services, { context, turnId, request, state });
  // Nobody reads a turn to its end whose reader is gone, and its state must be of use again.
  if (conversation)
    signal.addEventListener('abort', () => c.executionCtx.waitUntil(conversation.release()), { once: true });
  const turn = answerTurn({
    turnId,
    request,
    ...(conversation && { conversation }),
    choice,
    models: modelsFor(context, turnId),
    plugins,
    withCache: cache?.ofTurn(cached),
    timings,
    signal,
    now,
    onEnd(facts) {
      services.observer.turnEnded(context, facts);
      tellUsage(() => facts.result);
    },
  });
  return made(await toTurnResponse(turn, { ...response, onCancel: () => reader.abort() }));
}
