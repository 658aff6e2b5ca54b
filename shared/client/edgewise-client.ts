/**
 * The TypeScript client: turns that survive network failures, over SSE (one turn, as chunks of OpenAI's Chat
 * Completions) or a WebSocket (every turn of a session, as events of OpenAI's Responses). It needs `fetch` and
 * runs in browsers, Workers and Node 20 or newer. This file is the entry of the package `@edgewise/client`.
 */
import { decodeSse } from '../stream/sse.ts';
import { backoffMs, defaultRetryPolicy, type RetryPolicy } from './backoff.ts';
import { EdgewiseError, readError } from './edgewise-error.ts';
import {
  type ConnectOptions,
  createSessionConnection,
  type SessionConnection,
} from './session-connection.ts';

export { defaultRetryPolicy, type RetryPolicy } from './backoff.ts';
export { EdgewiseError, type EdgewiseErrorOptions, readError } from './edgewise-error.ts';
export type { ConnectOptions, SessionConnection, SessionEvent } from './session-connection.ts';

/** Options of {@link createEdgewiseClient}. */
export interface EdgewiseClientOptions {
  /** The address of the edge without a path: `https://chat.example.com`. */
  baseUrl: string;
  /** Returns the bearer token. Called before every request and every socket, so that you can renew the token. */
  token: () => string | Promise<string>;
  /** Used in place of the global `fetch`. */
  fetch?: typeof fetch;
  /** Opens a WebSocket; needed where no global `WebSocket` exists, as in Node 20. */
  createSocket?: (url: string, protocols: string[]) => WebSocket;
  /** When to try again; {@link defaultRetryPolicy} by default. */
  retry?: RetryPolicy;
  /** A number from 0 to below 1, which spreads the retries of many clients; `Math.random` by default. */
  random?: () => number;
  /** Resolves after that many milliseconds; `setTimeout` by default. */
  wait?: (ms: number) => Promise<void>;
  /** A new unique id, for idempotency keys; `crypto.randomUUID` by default. */
  newId?: () => string;
}

/** A turn to send: the user's new messages, and how to answer them. */
export interface ChatTurn {
  /** The session of the turn: 1 to 128 letters, digits, `.`, `_`, `:` or `-`. The first turn creates it. */
  sessionId: string;
  /** Only the new messages, as in Chat Completions: the session remembers the earlier ones. */
  messages: { role: string; content: unknown; [field: string]: unknown }[];
  /** The model; `auto` by default, which lets the server choose. */
  model?: string;
  /** Further fields of the request by their OpenAI names, such as `temperature`. */
  params?: Record<string, unknown>;
  /**
   * The id of the message that the new ones follow; another one than the newest makes a branch. `null` starts a
   * branch at the beginning. By default the new messages follow the newest one.
   */
  parentId?: string | null;
  /** Answers a question again: that of the newest turn (`true`) or of the turn with this id. `messages` is empty then. */
  regenerate?: true | string;
  /**
   * The idempotency key: 1 to 255 printable characters. A turn that is sent again with the same key is answered
   * once. By default each call has a new key.
   */
  idempotencyKey?: string;
  /** Ends the reading. The turn continues on the server; {@link EdgewiseClient.stop} ends the turn. */
  signal?: AbortSignal;
}

/** One chunk of OpenAI's stream. Fields that the client does not use are passed through. */
export interface ChatChunk {
  /** The id of the answer, `chatcmpl-...`, the same in every chunk of a turn. */
  id: string;
  /** The model that answers. */
  model: string;
  /** One choice; empty in the chunk that reports the usage. */
  choices: {
    index: number;
    /** What is new. `content` is the next piece of the text. */
    delta: { content?: string; [field: string]: unknown };
    /** Why the answer ended: `stop`, `length`, `tool_calls` or `content_filter`; `null` before the end. */
    finish_reason: string | null;
  }[];
  /** Token counts, in the last chunk when `params.stream_options.include_usage` is true. */
  usage?: object | null;
  [field: string]: unknown;
}

/** The result of {@link EdgewiseClient.stop}. */
export interface StopResult {
  /** `cancelled` when the turn was running, `finished` when it had already ended. */
  status: 'cancelled' | 'finished';
  /** The text of the answer up to the end of the turn. */
  text: string;
}

export interface EdgewiseClient {
  /**
   * Sends a turn and yields its chunks, each once and in order, over as many connections as it takes. Breaking
   * out of the loop ends the reading; the turn continues on the server.
   * @throws EdgewiseError when the turn is refused or fails, or `connection_lost` when every retry has failed
   *
   * @example
   * const messages = [{ role: 'user', content: 'What is an edge server?' }];
   * for await (const chunk of client.chat({ sessionId: 'support-42', messages })) {
   *   write(chunk.choices[0]?.delta.content ?? '');
   * }
   */
  chat(turn: ChatTurn): AsyncGenerator<ChatChunk, void, void>;
  /**
   * Continues to read the running turn of a session, from its beginning or after `lastEventId`
   * (`TURN_ID:NUMBER`, the `id` of an SSE event). Yields nothing when no turn is running.
   * @throws EdgewiseError as {@link chat}; `turn_expired` when the events are no longer kept
   *
   * @example
   * // After a reload of the page: shows the answer that was still being written.
   * for await (const chunk of client.resume('support-42')) write(chunk.choices[0]?.delta.content ?? '');
   */
  resume(
    sessionId: string,
    lastEventId?: string,
    signal?: AbortSignal,
  ): AsyncGenerator<ChatChunk, void, void>;
  /**
   * Opens a WebSocket and delivers the events of every turn of the session, from any device, live and in one
   * order, until you close it. A lost socket is replaced, and no event is lost or repeated.
   *
   * @example
   * const connection = client.connect('support-42', { onStatus: (status) => showStatus(status) });
   * for await (const event of connection) {
   *   if (event.type === 'response.output_text.delta') write(event.delta);
   * }
   */
  connect(sessionId: string, options?: ConnectOptions): SessionConnection;
  /**
   * Sends a turn without reading its answer: every connection to the session receives it. A request that fails
   * on the network is sent again with the same idempotency key, so the turn is answered once.
   * @returns the id of the response, `resp_...`
   * @throws EdgewiseError when the turn is refused, or `connection_lost` when every retry has failed
   *
   * @example
   * const responseId = await client.send({
   *   sessionId: 'support-42',
   *   messages: [{ role: 'user', content: 'And a core server?' }],
   * });
   */
  send(turn: ChatTurn): Promise<string>;
  /**
   * Stops the running turn of a session, whichever device started it: the model call is aborted, and what was
   * written so far is kept. Not retried.
   * @throws EdgewiseError `turn_not_found` when the session has no turn; TypeError when the network fails
   *
   * @example
   * const { status, text } = await client.stop('support-42');
   */
  stop(sessionId: string): Promise<StopResult>;
}

/**
 * Creates a client. It opens no connection until a method is called, and keeps none between calls.
 *
 * @example
 * import { createEdgewiseClient } from '@edgewise/client';
 *
 * const client = createEdgewiseClient({
 *   baseUrl: 'https://chat.example.com',
 *   token: async () => (await fetch('/my-back-end/token')).text(),
 * });
 */
// long: the methods of one client share its options; each is short
export function createEdgewiseClient(options: EdgewiseClientOptions): EdgewiseClient {
  const {
    fetch: fetchResponse = globalThis.fetch,
    createSocket = (url, protocols) => new WebSocket(url, protocols),
    retry = defaultRetryPolicy,
    random = Math.random,
    wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    newId = () => crypto.randomUUID(),
  } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '');

  async function request(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await options.token()}`);
    const response = await fetchResponse(baseUrl + path, { ...init, headers });
    if (!response.ok) throw await readError(response);
    return response;
  }

  /** Reads the turn's stream, and opens it again after a failure, until the turn has ended. */
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
        throw new Error('The stream ended before the turn did.');
      } catch (error) {
        if (signal?.aborted) throw error;
        if (error instanceof EdgewiseError && !error.retryable) throw error;
        if (failures >= retry.attempts) throw toConnectionLost(error, sessionId);
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
    chat({ sessionId, messages, model = 'auto', params = {}, idempotencyKey, signal, ...branch }) {
      // A request that fails before its first event is sent again, with the same key, so it is answered once.
      const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey ?? newId() };
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

    connect: (sessionId, connectOptions = {}) =>
      createSessionConnection({
        ...connectOptions,
        url: `${baseUrl.replace(/^http/, 'ws')}/v1/sessions/${encodeURIComponent(sessionId)}/ws`,
        token: options.token,
        retry,
        random,
        wait,
        createSocket,
      }),

    async send({ sessionId, messages, model = 'auto', params = {}, idempotencyKey, signal, ...branch }) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey ?? newId() };
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
          if (failures >= retry.attempts) throw toConnectionLost(error, sessionId);
          const serverMs = error instanceof EdgewiseError ? (error.retryAfterMs ?? 0) : 0;
          await wait(Math.max(serverMs, backoffMs(failures, retry, random)));
        }
      }
    },

    async stop(sessionId) {
      const response = await request(`/v1/sessions/${encodeURIComponent(sessionId)}/stop`, {
        method: 'POST',
      });
      return response.json() as Promise<StopResult>;
    },
  };
}

function toBranch({ parentId, regenerate }: Pick<ChatTurn, 'parentId' | 'regenerate'>): object {
  return { ...(parentId !== undefined && { parent_id: parentId }), ...(regenerate && { regenerate }) };
}

function toConnectionLost(cause: unknown, sessionId: string): EdgewiseError {
  if (cause instanceof EdgewiseError) return cause;
  const message = `The connection to session ${sessionId} is lost.`;
  return new EdgewiseError(message, { code: 'connection_lost', status: 0, retryable: true, cause });
}
