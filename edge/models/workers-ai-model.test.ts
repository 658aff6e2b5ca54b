import { describe, expect, test } from 'vitest';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { bytesOf, readAll, streamOf } from '../../shared/testing/streams.ts';
import { createWorkersAiModel } from './workers-ai-model.ts';

const modelOf = (text: string) =>
  createWorkersAiModel({ run: async () => streamOf([bytesOf(text)]) }, '@cf/meta/llama-3.1-8b-instruct-fast');
const ask = (text: string) =>
  readAll(
    modelOf(text).stream(
      { model: 'm', messages: [{ role: 'user', content: 'hi' }], params: {} },
      new AbortController().signal,
    ),
  );

const own =
  'data: {"response":"Hel","p":"abc"}\n\ndata: {"response":"lo"}\n\n' +
  'data: {"response":"","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\ndata: [DONE]\n\n';
const chunks =
  'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n' +
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

describe('Workers AI', () => {
  test('in its own form', async () => {
    expect((await ask(own)).map((event) => ('text' in event ? event.text : event.type))).toEqual([
      ...['model-start', 'Hel', 'lo', 'usage', 'turn-end'],
    ]);
  });
  test("in OpenAI's form", async () => expect((await ask(chunks)).at(-1)?.type).toBe('turn-end'));
  test('cut short, in either form, is no whole answer', async () => {
    for (const text of [own, chunks]) {
      const events = await ask(text.slice(0, text.indexOf('\n\n') + 2));
      expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'upstream_cut' } });
    }
  });
});

describeChatModel('the Workers AI model', { answering: () => modelOf(own) });
