/** Reading event streams in tests. */
import { decodeSse, type SseMessage } from '../../shared/stream/sse.ts';

/** Every event of a streamed answer. */
export async function readEvents(response: Response): Promise<SseMessage[]> {
  const events: SseMessage[] = [];
  for await (const event of decodeSse(response.body as ReadableStream<Uint8Array>)) events.push(event);
  return events;
}

/** The first `count` events, and then the connection is dropped. */
export async function readSome(response: Response, count: number): Promise<SseMessage[]> {
  const events: SseMessage[] = [];
  if (count === 0) {
    await response.body?.cancel();
    return events;
  }
  for await (const event of decodeSse(response.body as ReadableStream<Uint8Array>)) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

/** The text of a Chat Completions stream. */
export function textOf(events: SseMessage[]): string {
  let text = '';
  for (const { data } of events) {
    if (data === '[DONE]') continue;
    const chunk: { choices?: { delta?: { content?: string } }[] } = JSON.parse(data);
    text += chunk.choices?.[0]?.delta?.content ?? '';
  }
  return text;
}
