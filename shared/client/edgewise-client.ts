/**
 * The TypeScript client: turns that survive the network, over SSE (one turn, as OpenAI's Chat Completions
 * chunks) or a WebSocket (every turn of a session, as OpenAI's Responses events), by choice. It needs `fetch`
 * and an SSE parser, nothing else.
 */
import { decodeSse } from '../stream/sse.ts';
import { backoffMs, type RetryPolicy, usualRetryPolicy } from './backoff.ts';
import { EdgewiseError, readError } from './edgewise-error.ts';
import {
  createSessionConnection,
  type SessionConnection,
  type SessionConnectionOptions,
} from './session-connection.ts';

export interface EdgewiseClientOptions {
  /** The edge's address without a path: `https://chat.example.com`. */
  baseUrl: string;
  /** Asked before every request, so that a token can be renewed. */
  token: () => string | Promise<string>;
  fetch?: typeof fetch;
  createSocket?: (url: string, protocols: string[]) => WebSocket;
  retry?: RetryPolicy;
  /** From 0 to below 1; spreads the waits of many clients. */
  random?: () => number;
  wait?: (ms: number) => Promise<void>;
  newId?: () => string;
}

export interface ChatTurn {
  sessionId: string;
  /** Only what is new: the session remembers the rest. */
  messages: { role: string; content: unknown; [field: string]: unknown }[];
  model?: string;
  /** More fields of the request, by their OpenAI names. */
  params?: Record<string, unknown>;
  /** The message that the new ones follow, which makes a branch; `null` for the beginning. The newest without it. */
  parentId?: string | null;
  /** Answers a turn's question once more (the newest turn's: `true`); there are no new messages then. */
  regenerate?: true | string;
  /** The turn's idempotency key, for who sends it again after this client has given up; a new one without it. */
  key?: string;
  /** Ends the reading. The turn goes on; see {@link EdgewiseClient.stop}. */
  signal?: AbortSignal;
}

/** One chunk of OpenAI's stream, as far as this client looks into it. */
export interface ChatChunk {
  id: string;
  model: string;
  choices: {
    index: number;
    delta: { content?: string; [field: string]: unknown };
    finish_reason: string | null;
  }[];
  usage?: object | null;
  [field: string]: unknown;
}

export interface EdgewiseClient {
  /**
   * Sends a turn and yields its chunks, each once and in order, over as many connections as it takes.
   * @throws EdgewiseError when the turn is refused or fails, or the network stays away for too long
   */
  chat(turn: ChatTurn): AsyncGenerator<ChatChunk, void, void>;
  /**
   * Goes on with a session's running turn, from its beginning or after `lastEventId`. Yields nothing when
   * none is running. @throws EdgewiseError as {@link chat}
   */
  resume(
    sessionId: string,
    lastEventId?: string,
    signal?: AbortSignal,
  ): AsyncGenerator<ChatChunk, void, void>;
  /**
   * Every turn of a session over a WebSocket, from any device, live and in one order, until it is closed.
   * Reading throws EdgewiseError `connection_lost` when the network stays away for too long.
   */
  connect(
    sessionId: string,
    options?: Pick<SessionConnectionOptions, 'onStatus' | 'last'>,
  ): SessionConnection;
  /**
   * Sends a turn without reading it: whoever is connected to the session sees it. Sent again after a lost
   * connection it is the same turn. @returns the response's id @throws EdgewiseError
   */
  send(turn: ChatTurn): Promise<string>;
  /** Stops the running turn of a session, from whatever device it was started. @throws EdgewiseError */
  stop(sessionId: string): Promise<{ status: 'cancelled' | 'finished'; text: string }>;
}

export function createEdgewiseClient(options: EdgewiseClientOptions): EdgewiseClient {
  const {
    fetch: ask = globalThis.fetch,
    createSocket = (url, protocols) => new WebSocket(url, protocols),
    retry = usualRetryPolicy,
    random = Math.random,
    wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    newId = () => crypto.randomUUID(),
  } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '');

  async function request(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await options.token()}`);
    const response = await ask(baseUrl + path, { ...init, headers });
    if (!response.ok) throw await readError(response);
    return response;
  }

  /** Reads one stream after the other until the turn has ended. */
  async function* follow(
    sessionId: string,
    open: (lastEventId: string | undefined) => Promise<Response>,
    lastEventId: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ChatChunk, void, void> {
    let last = lastEventId;
    for (let failures = 0; ; ) {
      try {
        const response = await open(last);
        if (response.status === 204 || !response.body) return;
        for await (const { id, data } of decodeSse(response.body)) {
          if (data === '[DONE]') return;
          const chunk: ChatChunk & { error?: object } = JSON.parse(data);
          if (id) last = id;
          failures = 0;
          if (chunk.error) throw EdgewiseError.fromBody(chunk, response.status);
          yield chunk;
        }
        throw new Error('the stream was cut off');
      } catch (error) {
        if (signal?.aborted) throw error;
        if (error instanceof EdgewiseError && !error.retryable) throw error;
        if (failures >= retry.attempts) throw toLost(error, sessionId);
        await wait(error instanceof EdgewiseError ? (error.retryAfterMs ?? 0) : 0);
      }
      await wait(backoffMs(failures++, retry, random));
    }
  }

  const streamOf = (sessionId: string, lastEventId: string | undefined, signal: AbortSignal | undefined) =>
    request(`/v1/sessions/${encodeURIComponent(sessionId)}/stream`, {
      headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      ...(signal && { signal }),
    });

  return {
    chat({ sessionId, messages, model = 'auto', params = {}, key, signal, ...branch }) {
      // Sent again before its first event came back, the turn must not be asked twice.
      const headers = { 'content-type': 'application/json', 'idempotency-key': key ?? newId() };
      const turn = { ...params, ...toBranch(branch), model, messages, session_id: sessionId, stream: true };
      const body = JSON.stringify(turn);
      const open = (last: string | undefined) =>
        last === undefined
          ? request('/v1/chat/completions', { method: 'POST', headers, body, ...(signal && { signal }) })
          : streamOf(sessionId, last, signal);
      return follow(sessionId, open, undefined, signal);
    },

    resume: (sessionId, lastEventId, signal) =>
      follow(sessionId, (last) => streamOf(sessionId, last, signal), lastEventId, signal),

    connect: (sessionId, more = {}) =>
      createSessionConnection({
        ...more,
        url: `${baseUrl.replace(/^http/, 'ws')}/v1/sessions/${encodeURIComponent(sessionId)}/ws`,
        token: options.token,
        retry,
        random,
        wait,
        createSocket,
      }),

    async send({ sessionId, messages, model = 'auto', params = {}, key, signal, ...branch }) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key ?? newId() };
      const input = messages.length > 0 ? { input: messages } : {};
      const turn = {
        ...params,
        ...input,
        ...toBranch(branch),
        model,
        conversation: sessionId,
        background: true,
      };
      const init = { method: 'POST', headers, body: JSON.stringify(turn), ...(signal && { signal }) };
      for (let failures = 0; ; failures++) {
        try {
          const response = await request('/v1/responses', init);
          return ((await response.json()) as { id: string }).id;
        } catch (error) {
          if (signal?.aborted || (error instanceof EdgewiseError && !error.retryable)) throw error;
          if (failures >= retry.attempts) throw toLost(error, sessionId);
          const toldMs = error instanceof EdgewiseError ? (error.retryAfterMs ?? 0) : 0;
          await wait(Math.max(toldMs, backoffMs(failures, retry, random)));
        }
      }
    },

    async stop(sessionId) {
      const response = await request(`/v1/sessions/${encodeURIComponent(sessionId)}/stop`, {
        method: 'POST',
      });
      return response.json() as Promise<{ status: 'cancelled' | 'finished'; text: string }>;
    },
  };
}

function toBranch({ parentId, regenerate }: Pick<ChatTurn, 'parentId' | 'regenerate'>): object {
  return { ...(parentId !== undefined && { parent_id: parentId }), ...(regenerate && { regenerate }) };
}

function toLost(cause: unknown, sessionId: string): EdgewiseError {
  if (cause instanceof EdgewiseError) return cause;
  const message = `The connection of session ${sessionId} is lost.`;
  return new EdgewiseError(message, { code: 'connection_lost', status: 0, retryable: true, cause });
}
