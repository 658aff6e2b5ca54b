/**
 * A session over a WebSocket: every turn's events, whoever asked for it, each once and in order, over as many
 * sockets as it takes. Owns the socket and the place in the stream; turns are sent over HTTP, where a key
 * keeps one that is sent twice from being answered twice.
 */
import { closeCodes, SESSION_PROTOCOL, tokenProtocol } from '../protocol/session-socket.ts';
import { backoffMs, type RetryPolicy } from './backoff.ts';
import { EdgewiseError } from './edgewise-error.ts';

/** One event of OpenAI's Responses stream, with the turn it belongs to. */
export interface SessionEvent {
  type: string;
  response_id: string;
  /** Counts a turn's events from 0. */
  sequence_number: number;
  [field: string]: unknown;
}

export interface SessionConnectionOptions {
  /** The socket's address without a query: `wss://chat.example.com/v1/sessions/ID/ws`. */
  url: string;
  token: () => string | Promise<string>;
  retry: RetryPolicy;
  random: () => number;
  wait: (ms: number) => Promise<void>;
  createSocket: (url: string, protocols: string[]) => WebSocket;
  /** Told when the socket opens, and when it is gone and another one is tried. */
  onStatus?: (status: 'open' | 'connecting') => void;
  /** Where to go on: the last event that is known already. */
  last?: Pick<SessionEvent, 'response_id' | 'sequence_number'>;
}

export interface SessionConnection extends AsyncIterable<SessionEvent> {
  /** Makes sure that the socket is alive, as after a sleep: one that does not answer is replaced. */
  check(): void;
  close(): void;
}

/** Between signs of life; twice as long without any, and the socket is taken for dead though it says OPEN. */
const HEARTBEAT_MS = 20_000;
/** How long a socket may take to answer {@link SessionConnection.check}. */
const CHECK_MS = 3000;
/** What may be read before it is acknowledged, in characters; well under what the server lets wait. */
const ACK_CHARS = 128 * 1024;

export function createSessionConnection(options: SessionConnectionOptions): SessionConnection {
  const { token, retry, random, wait, createSocket, onStatus = () => undefined } = options;
  const arrived: SessionEvent[] = [];
  let notice = Promise.withResolvers<void>();
  let socket: WebSocket | undefined;
  let last = options.last;
  let lastSignMs = 0;
  let unackedChars = 0;
  let failures = 0;
  let ended: { error?: EdgewiseError } | undefined;
  let deadline: ReturnType<typeof setTimeout> | undefined;

  function wake(): void {
    notice.resolve();
    notice = Promise.withResolvers();
  }

  function clearDeadline(): void {
    if (deadline !== undefined) clearTimeout(deadline);
  }

  function end(error?: EdgewiseError): void {
    ended ??= error ? { error } : {};
    clearInterval(heartbeat);
    clearDeadline();
    socket?.close();
    wake();
  }

  async function open(): Promise<void> {
    onStatus('connecting');
    const protocols = [SESSION_PROTOCOL, tokenProtocol(await token())];
    if (ended) return;
    const query = last
      ? `?response_id=${encodeURIComponent(last.response_id)}&starting_after=${last.sequence_number}`
      : '';
    const mine = createSocket(options.url + query, protocols);
    socket = mine;
    lastSignMs = Date.now();
    unackedChars = 0;
    mine.addEventListener('open', () => onStatus('open'));
    mine.addEventListener('message', ({ data }) => {
      if (mine === socket) receive(mine, String(data));
    });
    // An error is always followed by a close.
    mine.addEventListener('close', ({ code }) => {
      if (mine === socket) void reopen(code);
    });
  }

  function receive(from: WebSocket, text: string): void {
    lastSignMs = Date.now();
    failures = 0;
    clearDeadline();
    if (text === 'pong') return;
    const event: SessionEvent = JSON.parse(text);
    if (event.response_id === undefined) {
      arrived.push(event);
      wake();
      return;
    }
    const isNew = last?.response_id !== event.response_id || event.sequence_number > last.sequence_number;
    if (isNew) {
      last = { response_id: event.response_id, sequence_number: event.sequence_number };
      arrived.push(event);
      wake();
    }
    unackedChars += text.length;
    if (unackedChars < ACK_CHARS) return;
    unackedChars = 0;
    const { response_id, sequence_number } = event;
    from.send(JSON.stringify({ type: 'edgewise.ack', response_id, sequence_number }));
  }

  async function reopen(code: number): Promise<void> {
    if (ended) return;
    if (code === closeCodes.sessionDeleted) {
      end();
      return;
    }
    socket = undefined;
    if (failures >= retry.attempts) {
      const message = 'The connection of the session is lost.';
      end(new EdgewiseError(message, { code: 'connection_lost', status: 0, retryable: true }));
      return;
    }
    onStatus('connecting');
    await wait(backoffMs(failures++, retry, random));
    if (!ended) await open().catch(() => reopen(0));
  }

  /** A socket can be dead while it says OPEN, and then its `close` comes minutes late. */
  function replace(dead: WebSocket): void {
    if (ended || dead !== socket) return;
    dead.close();
    void reopen(0);
  }

  const heartbeat = setInterval(() => {
    const current = socket;
    if (!current) return;
    if (Date.now() - lastSignMs > 2 * HEARTBEAT_MS) replace(current);
    else if (current.readyState === WebSocket.OPEN) current.send('ping');
  }, HEARTBEAT_MS);

  void open().catch(() => reopen(0));

  return {
    check() {
      const current = socket;
      if (!current || ended) return;
      if (current.readyState === WebSocket.OPEN) current.send('ping');
      clearDeadline();
      deadline = setTimeout(() => replace(current), CHECK_MS);
    },
    close: () => end(),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const event = arrived.shift();
        if (event) yield event;
        else if (ended?.error) throw ended.error;
        else if (ended) return;
        else await notice.promise;
      }
    },
  };
}
