/**
 * Event streams (WHATWG HTML, "Server-sent events"): the only place where stream bytes are made or read.
 */
import { createParser } from 'eventsource-parser';

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

/** A comment line, which every decoder skips: the heartbeat that keeps a silent connection open. */
export function encodeSseComment(text: string): string {
  return `: ${field('comment', text)}\n\n`;
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
 * {@link MAX_SSE_EVENT_CHARS}: a longer event errors the stream.
 */
export function decodeSse(bytes: ReadableStream<Uint8Array>): ReadableStream<SseMessage> {
  return bytes.pipeThrough(new TransformStream(sseTransformer()));
}

function sseTransformer(): Transformer<Uint8Array, SseMessage> {
  const decoder = new TextDecoder();
  let controller!: TransformStreamDefaultController<SseMessage>;
  const parser = createParser({
    maxBufferSize: MAX_SSE_EVENT_CHARS,
    onEvent: (message) => controller.enqueue(message),
    onError: (error) => {
      // A line that is no field is ignored by the standard; only an event too long to hold ends the stream.
      if (error.type === 'max-buffer-size-exceeded') controller.error(error);
    },
  });
  return {
    transform(chunk, current) {
      controller = current;
      parser.feed(decoder.decode(chunk, { stream: true }));
    },
  };
}
