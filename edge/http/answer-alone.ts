import type { ChatRequest } from '../../shared/chat-model.ts';
import type { RequestContext } from '../../shared/request-context.ts';
import { parseCacheControl } from '../cache/cache-control.ts';
import { answerTurn } from '../chat/answer-turn.ts';
import { toTurnResponse } from '../chat/turn-response.ts';
import type { TurnTimings } from '../chat/turn-timings.ts';
import type { EdgeServices } from '../services.ts';
import { type EndedTurn, toArchivedTurn } from '../session/archived-turn.ts';
import { sealedConversationOfTurn } from '../session/sealed-conversation.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import type { EdgeContext } from './edge-hono.ts';

export interface AloneTurn {
  turnId: string;
  request: ChatRequest;
  /** The conversation that the client keeps, sealed. */
  state?: string | undefined;
  wire: WireRequest;
}

/** Answers a prompt that belongs to no session: it lives and ends with its reader. */
export async function answerAlone(
  c: EdgeContext,
  { turnId, request: asked, state, wire }: AloneTurn,
): Promise<Response> {
  const services = c.get('services');
  const { modelsFor, cache, config, now } = services;
  const context = c.get('request');
  const plugins = services.pluginsFor(context);
  const request = await plugins.onPrompt(asked, c.req.raw.signal);
  const timings: TurnTimings = {};
  const startedAtMs = now();
  const reader = new AbortController();
  const deadline = AbortSignal.timeout(config.turnTimeoutMs);
  const signal = AbortSignal.any([reader.signal, deadline, c.req.raw.signal]);
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
    models: modelsFor(context, turnId),
    plugins,
    withCache: cache?.ofTurn({
      context,
      control: parseCacheControl(c.req.header('cache-control')),
      isAgain: false,
      canShare: true,
      waitUntil: (work) => c.executionCtx.waitUntil(work),
    }),
    timings,
    signal,
    now,
    onEnd: (result) =>
      c.executionCtx.waitUntil(tellUsage(services, context, { turnId, result, startedAtMs })),
  });
  const createdAt = Math.floor(now() / 1000);
  return toTurnResponse(turn, {
    turnId,
    wire: createWire(wire, { requestId: context.requestId, ids: false, createdAt }),
    stream: wire.stream,
    after: -1,
    timings,
    heartbeatMs: config.heartbeatMs,
    onCancel: () => reader.abort(),
  });
}

const TELL_ATTEMPTS = 3;
const TELL_WAIT_MS = 1000;

/**
 * Tells the archive what a request that stands alone has used, after its answer. No object remembers it, so what cannot be
 * told within some seconds is not counted.
 */
async function tellUsage(
  { archive, now, wait }: EdgeServices,
  { tenant, user }: RequestContext,
  turn: Pick<EndedTurn, 'turnId' | 'result' | 'startedAtMs'>,
): Promise<void> {
  const { result } = turn;
  // Without an end its reader has left.
  const status = result.status === 'in_progress' ? 'cancelled' : result.status;
  const ended = toArchivedTurn({
    ...turn,
    result: { ...result, status },
    sessionId: null,
    endedAtMs: now(),
    messages: [],
    system: null,
    foldThroughRound: 0,
  });
  for (let attempt = 1; archive && attempt <= TELL_ATTEMPTS; attempt++) {
    try {
      await archive.keep({ tenant, user }, { turns: [ended], notesTokens: 0 });
      return;
    } catch {
      await wait(TELL_WAIT_MS * attempt);
    }
  }
}
