/**
 * Event streams (WHATWG HTML, "Server-sent events"): the only place where stream bytes are made or read.
 */
import { createParser } from 'eventsource-parser';
import { TooLargeError } from './bounded-bytes.ts';

export const SSE_CONTENT_TYPE = 'text/event-stream; charset=utf-8';

export interface SseMessage {
  data: string;
  event?: string | undefined;
  id?: string | undefined;
}

/**
 * One event as text. Any `data` makes exactly one event: CRLF, CR and LF each begin a new `data:` line, as
 * a decoder would otherwise end the field there.
 * @throws TypeError when `event` or `id` holds a line break or NUL, which have no encoding.
 */
export function encodeSse(message: SseMessage): string {
  let out = '';
  if (message.event !== undefined) out += `event: ${field('event', message.event)}\n`;
  if (message.id !== undefined) out += `id: ${field('id', message.id)}\n`;
  if (!/[\r\n]/.test(message.data)) return `${out}data: ${message.data}\n\n`;
  for (const line of message.data.split(/\r\n|\r|\n/)) out += `data: ${line}\n`;
  return `${out}\n`;
}

/**
 * A comment line, which every decoder skips: the heartbeat that keeps a silent connection open. No blank line follows it: some
 * decoders (openai-python up to 2.37, openai-go before 3.43) take that for an event without data once an `id` was seen.
 */
export function encodeSseComment(text: string): string {
  return `: ${field('comment', text)}\n`;
}

function field(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw new TypeError(`an SSE ${name} cannot hold a line break or NUL`);
  return value;
}

/** Longest event that a decoder holds, in characters of undelivered text. Upstreams send a few thousand. */
export const MAX_SSE_EVENT_CHARS = 4 * 1024 * 1024;

/**
 * Bytes to events, correct for any chunking of UTF-8 and of CRLF. Comments are skipped; an event that was
 * not ended by a blank line is dropped, as the standard says. Memory is bounded by
 * {@link MAX_SSE_EVENT_CHARS}: a longer event is an error. Ending it early cancels the bytes.
 * @throws EventTooLargeError
 */
export async function* decodeSse(bytes: ReadableStream<Uint8Array>): AsyncGenerator<SseMessage, void, void> {
  for await (const messages of decodeSseChunks(bytes.getReader())) {
    for (const message of messages) yield message;
  }
}

/** How bytes are read; a stream's own reader is one. */
export interface ByteReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** One event is longer than {@link MAX_SSE_EVENT_CHARS}. */
export class EventTooLargeError extends TooLargeError {
  readonly type = 'max-buffer-size-exceeded';

  constructor() {
    super('an event', `${MAX_SSE_EVENT_CHARS} characters`);
  }
}

/**
 * As {@link decodeSse}: the events that each chunk of bytes has completed, together.
 * @param maxBytes Most bytes of the whole stream, after its compression is undone
 * @throws EventTooLargeError, TooLargeError
 */
export async function* decodeSseChunks(
  reader: ByteReader,
  maxBytes: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<SseMessage[], void, void> {
  const decoder = new TextDecoder();
  let messages: SseMessage[] = [];
  let isTooLong = false;
  let bytes = 0;
  const parser = createParser({
    maxBufferSize: MAX_SSE_EVENT_CHARS,
    onEvent(message) {
      messages.push(message);
      // One that came in one piece was never held.
      isTooLong ||= message.data.length > MAX_SSE_EVENT_CHARS;
    },
    onError: (error) => {
      // A line that is no field is ignored by the standard; only an event too long to hold ends the stream.
      if (error.type === 'max-buffer-size-exceeded') isTooLong = true;
    },
  });
  let isRead = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isRead = done;
      if (done) return;
      bytes += value?.byteLength ?? 0;
      if (bytes > maxBytes) throw new TooLargeError('the answer', `${maxBytes} bytes`);
      parser.feed(decoder.decode(value, { stream: true }));
      if (isTooLong) throw new EventTooLargeError();
      if (messages.length > 0) yield messages;
      messages = [];
    }
  } finally {
    // Nobody waits for it: one branch of a stream that was teed is cancelled when the other one is, too.
    if (!isRead) void reader.cancel().catch(() => undefined);
  }
}
