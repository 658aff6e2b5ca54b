/** `GET /v1/sessions`, `GET` and `DELETE /v1/sessions/:id`: the conversations of the caller only. */
import * as v from 'valibot';
import { AppError } from '../../shared/errors.ts';
import { parseSessionId } from '../../shared/wire/chat-schema.ts';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { ConversationKey, StoredMessage } from '../session/context-store.ts';
import { directoryOf, type SessionEntry } from '../session/directory-object.ts';
import { sessionOf, type TurnCursor } from '../session/session-stub.ts';
import { type CacheRemoval, removeAnswers } from './cache-route.ts';
import type { EdgeContext } from './edge-hono.ts';
import { readJson } from './json-body.ts';
import { parseInteger } from './query.ts';
import { sessionKeyOfCaller } from './session-of-caller.ts';

/** The path of a session, or one below it. */
type SessionPath =
  | '/v1/sessions/:id'
  | '/v1/sessions/:id/stream'
  | '/v1/sessions/:id/stop'
  | '/v1/sessions/:id/forget';

const TURN_ID = /^[0-9a-f]{32}$/;
const DEFAULT_PAGE = 100;
const MAX_PAGE = 500;

export interface SessionsRouteOptions {
  sessionTtlMs: number;
  /** Unix time in milliseconds. */
  now: () => number;
}

export function sessionsRoute({ sessionTtlMs, now }: SessionsRouteOptions) {
  return {
    /** Newest first. `limit` (1 to 500) and `after` (an id) page through them. */
    async list(c: EdgeContext): Promise<Response> {
      const limit = parseInteger(c.req.query('limit'), 'limit', {
        fallback: DEFAULT_PAGE,
        min: 1,
        max: MAX_PAGE,
      });
      const after = c.req.query('after');
      const page = await directoryOf(c.env, c.get('request')).list({
        limit,
        after: after === undefined ? undefined : parseSessionId(after, 'after'),
        sinceMs: now() - sessionTtlMs,
      });
      return c.json({ object: 'list', data: page.sessions.map(toSession), has_more: page.hasMore });
    },
  };
}

/** @param cache the tenant's cached answers; `undefined` when the cache is switched off */
export function sessionRoute({ cache }: { cache: CacheRemoval | undefined }) {
  return {
    /** The newest `limit` messages, oldest first; `before` (a message's position) pages back. */
    async read(c: EdgeContext<'/v1/sessions/:id'>): Promise<Response> {
      const key = keyOf(c);
      const limit = parseInteger(c.req.query('limit'), 'limit', {
        fallback: DEFAULT_PAGE,
        min: 1,
        max: MAX_PAGE,
      });
      const before = c.req.query('before');
      const reply = await sessionOf(c.env, key).history(
        key,
        limit,
        before === undefined
          ? undefined
          : parseInteger(before, 'before', { fallback: 0, min: 1, max: Number.MAX_SAFE_INTEGER }) - 1,
      );
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      const { version, messages, first } = reply.value;
      return c.json({
        id: key.sessionId,
        object: 'session',
        message_count: version,
        messages: messages.map((message, index) => toMessage(message, first + index)),
        has_more: first > 1,
      });
    },

    /**
     * Joins the stream of a turn: the one in `Last-Event-ID` or `turn`, else the running one; 204 when none runs. With a
     * cursor (`Last-Event-ID`, `starting_after`) the stream begins after it. 410 when the events have expired.
     */
    async stream(c: EdgeContext<'/v1/sessions/:id/stream'>): Promise<Response> {
      const reply = await sessionOf(c.env, keyOf(c)).attach(parseCursor(c));
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      return reply.value ? new Response(reply.value.body, reply.value) : c.body(null, 204);
    },

    /** Stops the running turn, or the one in the body's `turn_id`. Idempotent. */
    async stop(c: EdgeContext<'/v1/sessions/:id/stop'>): Promise<Response> {
      const turnId = parseStop(await readJson(c, {}));
      const reply = await sessionOf(c.env, keyOf(c)).stopTurn(turnId);
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      const { status, text, usage, ...stopped } = reply.value;
      return c.json({
        object: 'session.stop',
        turn_id: stopped.turnId,
        status,
        text,
        usage: {
          prompt_tokens: usage.inputTokens,
          completion_tokens: usage.outputTokens,
          total_tokens: usage.inputTokens + usage.outputTokens,
          ...(usage.estimated ? { estimated: true } : {}),
        },
      });
    },

    /** Removes the turn in the body's `turn_id` from the session, the archive and the memory. */
    async forget(c: EdgeContext<'/v1/sessions/:id/forget'>): Promise<Response> {
      const key = keyOf(c);
      const { turn_id: turnId } = parseInput(forgetSchema, await readJson(c));
      const reply = await sessionOf(c.env, key).forgetTurn(key, turnId);
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      if (reply.value !== undefined) await removeAnswers(c, cache, { key: reply.value });
      return c.json({ object: 'session.turn.forgotten', session_id: key.sessionId, turn_id: turnId });
    },

    async remove(c: EdgeContext<'/v1/sessions/:id'>): Promise<Response> {
      const key = keyOf(c);
      const reply = await sessionOf(c.env, key).remove(key);
      if (!reply.ok) throw AppError.fromInfo(reply.error);
      return c.json({ id: key.sessionId, object: 'session.deleted', deleted: true });
    },
  };
}

export const forgetSchema = v.looseObject({ turn_id: v.pipe(v.string(), v.regex(TURN_ID, 'is no turn id')) });

export const stopSchema = v.looseObject({
  turn_id: v.optional(v.pipe(v.string(), v.regex(TURN_ID, 'is no turn id'))),
});

function parseStop(body: unknown): string | undefined {
  return parseInput(stopSchema, body).turn_id;
}

/** `Last-Event-ID: <turn>:<number>`, or `turn` and `starting_after` in the query. */
function parseCursor(c: EdgeContext): TurnCursor {
  const lastEventId = c.req.header('last-event-id');
  if (lastEventId !== undefined) {
    const [, turnId, number] = /^([0-9a-f]{32}):(\d{1,15})$/.exec(lastEventId) ?? [];
    if (turnId === undefined) {
      throw new AppError('invalid_value', {
        param: 'Last-Event-ID',
        message: "'Last-Event-ID' is no id of ours.",
      });
    }
    return { turnId, after: Number(number) };
  }
  const turnId = c.req.query('turn');
  if (turnId !== undefined && !TURN_ID.test(turnId)) {
    throw new AppError('invalid_value', { param: 'turn', message: "'turn' is no turn id." });
  }
  const range = { fallback: -1, min: 0, max: Number.MAX_SAFE_INTEGER };
  return { turnId, after: parseInteger(c.req.query('starting_after'), 'starting_after', range) };
}

function keyOf(c: EdgeContext<SessionPath>): ConversationKey {
  return sessionKeyOfCaller(c, parseSessionId(c.req.param('id'), 'id'));
}

function toSession(entry: SessionEntry): object {
  return {
    id: entry.id,
    object: 'session',
    created_at: Math.floor(entry.createdAtMs / 1000),
    updated_at: Math.floor(entry.updatedAtMs / 1000),
    rounds: entry.rounds,
  };
}

function toMessage(stored: StoredMessage, position: number): object {
  return {
    position,
    id: stored.id,
    parent_id: stored.parentId,
    turn_id: stored.turnId,
    created_at: Math.floor(stored.createdAtMs / 1000),
    ...stored.message,
  };
}
