import type { ChatRequest } from '../../shared/chat-model.ts';
import { answerTurn } from '../chat/answer-turn.ts';
import { toTurnResponse } from '../chat/turn-response.ts';
import type { TurnTimings } from '../chat/turn-timings.ts';
import { createWire, type WireRequest } from '../wire/create-wire.ts';
import type { EdgeContext } from './edge-hono.ts';

/** Answers a prompt that belongs to no session: it lives and ends with its reader. */
export async function answerAlone(
  c: EdgeContext,
  turnId: string,
  request: ChatRequest,
  wire: WireRequest,
): Promise<Response> {
  const { modelsFor, config, now } = c.get('services');
  const context = c.get('request');
  const timings: TurnTimings = {};
  const reader = new AbortController();
  const deadline = AbortSignal.timeout(config.turnTimeoutMs);
  const turn = answerTurn({
    turnId,
    request,
    models: modelsFor(context, turnId),
    timings,
    signal: AbortSignal.any([reader.signal, deadline, c.req.raw.signal]),
    now,
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
