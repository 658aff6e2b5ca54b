import { describe, expect, test } from 'vitest';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import type { Plugin, PluginRecord } from '../plugins/plugin.ts';
import { runPromptPlugins } from '../plugins/run-prompt-plugins.ts';
import { withPlugins } from '../plugins/with-plugins.ts';
import { createModerationClient, type Moderate } from './moderation.ts';
import { createModerationPlugin } from './moderation-plugin.ts';

/** A service that flags storms and records the texts it gets. */
function service(): { shown: string[]; moderate: Moderate } {
  const shown: string[] = [];
  return {
    shown,
    async moderate(texts) {
      shown.push(...texts);
      return texts.map((text) => {
        const flagged = text.includes('storm');
        return { flagged, categories: flagged ? ['weather'] : [], scores: { weather: flagged ? 0.7 : 0.1 } };
      });
    },
  };
}

const records: PluginRecord[] = [];
const after: Promise<unknown>[] = [];
const runOf = (plugin: Plugin) => ({
  plugins: [plugin],
  context: { requestId: 'r', tenant: 't', user: 'u', plan: 'free', scopes: [], deadlineMs: 0 },
  record: (record: PluginRecord) => records.push(record),
  now: () => performance.now(),
  waitUntil: (work: Promise<unknown>) => after.push(work),
});
const settings = { onFailure: 'closed', limitMs: 1000, answers: 'off' } as const;
const send = (plugin: Plugin, content: string) =>
  runPromptPlugins(
    {
      model: 'm',
      messages: [
        { role: 'system', content: 'storm' },
        { role: 'user', content },
      ],
      params: {},
    },
    runOf(plugin),
    new AbortController(),
  );
const answer = async (plugin: Plugin, events: ChatEvent[]) =>
  readAll(
    withPlugins(scriptedModel('inner', [modelStart, ...events]), runOf(plugin)).stream(
      { model: 'm', messages: [], params: {} },
      new AbortController().signal,
    ),
  );

describe('the plugin', () => {
  test('refuses a flagged prompt, and sends the service no message of the app', async () => {
    const { moderate, shown } = service();
    const plugin = createModerationPlugin({ ...settings, moderate });
    await expect(send(plugin, 'fair weather')).resolves.toBeDefined();
    await expect(send(plugin, 'a storm comes')).rejects.toMatchObject({ code: 'content_filter' });
    expect(shown).toEqual(['fair weather', 'a storm comes']);
  });

  test('uses thresholds when they are set', async () => {
    const { moderate } = service();
    const at = (weather: number) =>
      createModerationPlugin({ ...settings, moderate, thresholds: { weather } });
    await expect(send(at(0.8), 'a storm comes')).resolves.toBeDefined();
    await expect(send(at(0.7), 'a storm comes')).rejects.toMatchObject({ code: 'content_filter' });
  });

  test('sends a long text in parts', async () => {
    const { moderate, shown } = service();
    await send(createModerationPlugin({ ...settings, moderate }), 'x'.repeat(20_000));
    expect(shown.map(({ length }) => length)).toEqual([8000, 8000, 4000]);
  });

  test('releases an answer window by window, and nothing of a flagged window', async () => {
    const { moderate, shown } = service();
    const plugin = createModerationPlugin({ ...settings, moderate, answers: 'before', windowChars: 8 });
    const deltas = ['fair ', 'days ', 'and a st', 'orm', 'y night'].map(textDelta);
    const events = await answer(plugin, [...deltas, turnEnd]);
    expect(events).toEqual([
      modelStart,
      ...deltas.slice(0, 3),
      { type: 'turn-end', finishReason: 'content_filter' },
    ]);
    expect(shown).toEqual(['fair days ', 'ir days and a st', 'and a stormy night']);
  });

  test('records a flagged answer that was already sent', async () => {
    records.length = 0;
    const { moderate } = service();
    const plugin = createModerationPlugin({ ...settings, moderate, answers: 'after' });
    const events = await answer(plugin, [textDelta('a storm'), turnEnd]);
    expect(events.at(-1)).toEqual(turnEnd);
    await Promise.all(after);
    expect(records).toMatchObject([
      { plugin: 'moderation', hook: 'answer', outcome: 'flag', label: 'weather' },
    ]);
  });
});

describe('the client', () => {
  const client = (reply: Response) => {
    const calls: { url: string; init: RequestInit }[] = [];
    const moderate = createModerationClient({
      url: 'https://moderation.example/v1/moderations',
      apiKey: 'k',
      model: 'm',
      fetch: async (url, init) => {
        calls.push({ url: String(url), init: init ?? {} });
        return reply;
      },
    });
    return { calls, moderate };
  };
  const signal = new AbortController().signal;

  test('sends a request in OpenAI’s form and reads the answer', async () => {
    const result = {
      flagged: true,
      categories: { violence: true, hate: false, illicit: null },
      category_scores: { violence: 0.9, hate: 0.1 },
    };
    const { calls, moderate } = client(Response.json({ id: 'x', model: 'm', results: [result] }));
    expect(await moderate(['text'], signal)).toEqual([
      { flagged: true, categories: ['violence'], scores: { violence: 0.9, hate: 0.1 } },
    ]);
    expect(calls[0]?.init).toMatchObject({ method: 'POST', body: '{"input":["text"],"model":"m"}' });
    expect(calls[0]?.init.headers).toMatchObject({ authorization: 'Bearer k' });
  });

  test.each([
    ['an error', () => Response.json({ error: 'no' }, { status: 500 })],
    ['invalid JSON', () => new Response('hello')],
    ['another form', () => Response.json({ results: [{ flagged: 'no' }] })],
    ['too few results', () => Response.json({ results: [] })],
  ])('throws on %s', async (_, reply) => {
    await expect(client(reply()).moderate(['text'], signal)).rejects.toThrow();
  });
});
