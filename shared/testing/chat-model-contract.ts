/** The rules of `chat-model.ts`, for every model there is. */
import { describe, expect, test } from 'vitest';
import { type ChatEvent, type ChatModel, type ChatStreamReader, isTerminal } from '../model/chat-model.ts';
import { readAll } from './streams.ts';

export interface ModelUnderTest {
  /** A model that answers with a text. */
  answering: () => ChatModel | Promise<ChatModel>;
  /** A model that takes the request and then stays silent until it is aborted; left out where that cannot be. */
  silent?: () => ChatModel | Promise<ChatModel>;
}

const request = {
  model: 'm',
  messages: [{ role: 'user' as const, content: 'What is Edgewise?' }],
  params: {},
};

export function describeChatModel(name: string, { answering, silent }: ModelUnderTest): void {
  describe(`${name}, as a ChatModel`, () => {
    test('begins with model-start, ends with one terminal event, has at most one usage', async () => {
      const events = await readAll((await answering()).stream(request, new AbortController().signal));
      expect(events[0]?.type).toBe('model-start');
      expect(events.filter(isTerminal)).toHaveLength(1);
      expect(events.at(-1)?.type).toBe('turn-end');
      expect(events.filter(({ type }) => type === 'usage').length).toBeLessThanOrEqual(1);
      expect(events.some(({ type }) => type === 'text-delta')).toBe(true);
    });

    test('aborted before it begins, ends as cancelled', async () => {
      const events = await readAll((await answering()).stream(request, AbortSignal.abort()));
      expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
    });

    test('can be asked twice', async () => {
      const model = await answering();
      const texts = [];
      for (let turn = 0; turn < 2; turn++) {
        texts.push(textOf(await readAll(model.stream(request, new AbortController().signal))));
      }
      expect(texts[0]).toBe(texts[1]);
      expect(texts[0]).not.toBe('');
    });

    test('does not mind a reader that leaves', async () => {
      const reader = (await answering()).stream(request, new AbortController().signal).getReader();
      await reader.read();
      await reader.cancel();
    });

    if (!silent) return;
    test('aborted while it is silent, ends as cancelled at once', async () => {
      const stop = new AbortController();
      const model = await silent();
      const reader = model.stream(request, stop.signal).getReader();
      expect((await reader.read()).value?.type).toBe('model-start');
      const rest = readRest(reader);
      stop.abort();
      expect((await rest).at(-1)).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
    });
  });
}

async function readRest(reader: ChatStreamReader): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return events;
    events.push(value);
  }
}

function textOf(events: ChatEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}
