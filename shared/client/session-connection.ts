/**
 * A session over a WebSocket: the events of every turn, whoever started it, each once and in order, over as many
 * sockets as it takes. Owns the socket and the position in the stream. Turns are sent over HTTP, where an
 * idempotency key prevents a second answer to a turn that is sent twice.
 */
import { closeCodes, SESSION_PROTOCOL, tokenProtocol } from '../protocol/session-socket.ts';
import { backoffMs, type RetryPolicy } from './backoff.ts';
import { EdgewiseError } from './edgewise-error.ts';

/** One event of OpenAI's Responses stream, with the response that it belongs to. */
export interface SessionEvent {
  /** The name of the event: `response.output_text.delta`, `response.completed` ... */
  type: string;
  /** The response that the event belongs to: `resp_...`. An `error` event of the connection has none. */
  response_id: string;
  /** The number of the event in its turn, from 0 without gaps. */
  sequence_number: number;
  [field: string]: unknown;
}

/** Options of {@link EdgewiseClient.connect}. */
export interface ConnectOptions {
  /** Called with `open` when a socket opens, and with `connecting` before each try to open one. */
  onStatus?: (status: 'open' | 'connecting') => void;
  /** The last event that you already have; the connection delivers what follows it. */
  resumeAfter?: Pick<SessionEvent, 'response_id' | 'sequence_number'>;
}

export interface SessionConnectionOptions extends ConnectOptions {
  /** The socket's address without a query: `wss://chat.example.com/v1/sessions/ID/ws`. */
  url: string;
  token: () => string | Promise<string>;
  retry: RetryPolicy;
  random: () => number;
  wait: (ms: number) => Promise<void>;
  createSocket: (url: string, protocols: string[]) => WebSocket;
}

/**
 * The events of a session, for `for await`. One reader at a time; events wait in memory until they are read.
 * Reading ends when you call `close`, or when the session is deleted. It throws {@link EdgewiseError}
 * `connection_lost` when every retry has failed.
 */
export interface SessionConnection extends AsyncIterable<SessionEvent> {
  /** Tests whether the socket still works, for example after the device slept. No answer in 3 s: it is replaced. */
  check(): void;
  /** Closes the socket. Running turns continue. */
  close(): void;
}

/** Between two pings. A socket that is silent for twice as long is replaced, even when its state is OPEN. */
const HEARTBEAT_MS = 20_000;
/** How long a socket may take to answer {@link SessionConnection.check}. */
const CHECK_MS = 3000;
/** Characters received between two acknowledgements; well below the limit at which the server closes the socket. */
const ACK_CHARS = 128 * 1024;
/** `WebSocket.OPEN`. Node 20 has no global `WebSocket`, so the socket may come from a package. */
const OPEN = 1;

// long: the methods of one connection share its state; each is short
export function createSessionConnection(options: SessionConnectionOptions): SessionConnection {
  const { token, retry, random, wait, createSocket, onStatus = () => undefined } = options;
  const arrived: SessionEvent[] = [];
  // Node 20 and Safari before 17.4 have no `Promise.withResolvers`.
  let wake: () => void = () => undefined;
  let socket: WebSocket | undefined;
  let last = options.resumeAfter;
  let lastMessageMs = 0;
  let unackedChars = 0;
  let failures = 0;
  let ended: { error?: EdgewiseError } | undefined;
  let deadline: ReturnType<typeof setTimeout> | undefined;

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
    lastMessageMs = Date.now();
    unackedChars = 0;
    mine.addEventListener('open', () => onStatus('open'));
    mine.addEventListener('message', ({ data }) => {
      if (mine === socket) receive(mine, String(data));
    });
    // A socket that fails emits `error` and then `close`.
    mine.addEventListener('close', ({ code }) => {
      if (mine === socket) void reopen(code);
    });
  }

  function receive(from: WebSocket, text: string): void {
    lastMessageMs = Date.now();
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
      const message = 'The connection to the session is lost.';
      end(new EdgewiseError(message, { code: 'connection_lost', status: 0, retryable: true }));
      return;
    }
    onStatus('connecting');
    await wait(backoffMs(failures++, retry, random));
    if (!ended) await open().catch(() => reopen(0));
  }

  /** A dead socket can stay OPEN for minutes before its `close` event. */
  function replace(dead: WebSocket): void {
    if (ended || dead !== socket) return;
    dead.close();
    void reopen(0);
  }

  const heartbeat = setInterval(() => {
    const current = socket;
    if (!current) return;
    if (Date.now() - lastMessageMs > 2 * HEARTBEAT_MS) replace(current);
    else if (current.readyState === OPEN) current.send('ping');
  }, HEARTBEAT_MS);

  void open().catch(() => reopen(0));

  return {
    check() {
      const current = socket;
      if (!current || ended) return;
      if (current.readyState === OPEN) current.send('ping');
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
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
