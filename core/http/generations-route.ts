/** `shared/protocol/generation-protocol.ts`, served. */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import type { ChatMessage, JsonObject } from '../../shared/model/chat-model.ts';
import {
  encodeGenerationEvent,
  type GenerationRequest,
  type NumberedChatEvent,
} from '../../shared/protocol/generation-protocol.ts';
import { encodeSseComment, SSE_CONTENT_TYPE } from '../../shared/stream/sse.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { CoreConfig } from '../env.ts';
import type { Generations } from '../generations/generations.ts';
import type { CoreContext, CoreHandler } from './core-hono.ts';
import { parseBodyJson } from './parse-body-json.ts';

const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,128}$/, 'is no generation id'));
const schema = v.object({
  id,
  model: v.string(),
  messages: v.array(v.looseObject({ role: v.string() })),
  params: v.record(v.string(), v.unknown()),
  detached: v.boolean(),
  background: v.optional(v.boolean()),
  recall: v.optional(
    v.object({
      sessionId: v.optional(v.string()),
      throughRound: v.pipe(v.number(), v.integer(), v.minValue(0)),
      knowledge: v.boolean(),
      tokens: v.pipe(v.number(), v.minValue(0)),
    }),
  ),
});

export function generationsRoute({
  generations,
  config,
}: {
  generations: Generations;
  config: CoreConfig;
}): Record<'start' | 'events' | 'cancel', CoreHandler> {
  return {
    async start(c) {
      const events = await generations.start(
        c.get('request'),
        parseRequest(parseBodyJson(c)),
        c.req.raw.signal,
      );
      return eventResponse(events, config.heartbeatMs);
    },
    async events(c) {
      const after = parseAfter(c);
      const events = await generations.attach(c.get('request'), parseId(c), after, c.req.raw.signal);
      return eventResponse(events, config.heartbeatMs);
    },
    async cancel(c) {
      return c.json(await generations.cancel(c.get('request'), parseId(c)));
    },
  };
}

function parseRequest(json: unknown): GenerationRequest {
  const request = parseInput(schema, json);
  // The edge has checked the messages field by field; the signature says that it was the edge.
  return { ...request, messages: request.messages as ChatMessage[], params: request.params as JsonObject };
}

function parseId(c: CoreContext): string {
  return parseInput(id, c.req.param('id'));
}

function parseAfter(c: CoreContext): number {
  const after = c.req.query('after') ?? '-1';
  if (!/^(?:-1|\d{1,15})$/.test(after)) throw new AppError('invalid_value', { param: 'after' });
  return Number(after);
}

const heartbeat = encodeSseComment('ping');

function eventResponse(events: ReadableStream<NumberedChatEvent>, heartbeatMs: number): Response {
  const reader = events.getReader();
  const utf8 = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        timer = setInterval(() => controller.enqueue(utf8.encode(heartbeat)), heartbeatMs);
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            timer?.refresh();
            controller.enqueue(utf8.encode(encodeGenerationEvent(value)));
            return;
          }
          clearInterval(timer);
          controller.close();
        } catch (error) {
          // A heartbeat into a stream that has failed would throw with nobody to catch it.
          clearInterval(timer);
          throw error;
        }
      },
      async cancel() {
        clearInterval(timer);
        await reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': SSE_CONTENT_TYPE, 'cache-control': 'no-store' } });
}
