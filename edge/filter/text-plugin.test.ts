import { describe, expect, test } from 'vitest';
import { compileWords } from '../../infra/local/word-lists/compile-words.ts';
import { parseWordList } from '../../infra/local/word-lists/word-list.ts';
import type { ChatEvent, ChatMessage } from '../../shared/model/chat-model.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll, seededRandom } from '../../shared/testing/streams.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { runPromptPlugins } from '../plugins/run-prompt-plugins.ts';
import { skipEvents } from '../plugins/skip-events.ts';
import { withPlugins } from '../plugins/with-plugins.ts';
import { createPersonalDataFilter } from './create-personal-data-filter.ts';
import { createWordFilter } from './create-word-filter.ts';
import { createFolding } from './folding.ts';

const lists: Record<string, string> = {
  t: '[mask]\nhell\n敏感词\n[refuse cards]\nforbidden\n禁止词语',
  other: '[mask]\nheaven',
};
const folding = createFolding();
const words = (source = async (tenant: string): Promise<string | undefined> => lists[tenant]) =>
  createWordFilter({
    source: {
      async read(tenant) {
        const text = await source(tenant);
        return text === undefined ? undefined : { bytes: compileWords(parseWordList(text), folding) };
      },
    },
    loadFolding: async () => folding,
    onFailure: 'closed',
    limitMs: 1000,
    now: () => clock,
  });
let clock = 0;
const personal = createPersonalDataFilter({
  onFailure: 'closed',
  limitMs: 1000,
  labelsFor: () => new Set(['email', 'phone', 'secret'] as const),
});

const runOf = (plugins: Plugin[], tenant = 't') => ({
  plugins,
  context: { requestId: 'r', tenant, user: 'u', plan: 'free', scopes: [], deadlineMs: 0 },
  record: () => undefined,
  now: () => performance.now(),
  waitUntil: () => undefined,
});
const send = (messages: ChatMessage[], plugins = [words(), personal], tenant = 't') =>
  runPromptPlugins({ model: 'm', messages, params: {} }, runOf(plugins, tenant), new AbortController());
const answer = (events: ChatEvent[], plugins = [words(), personal], tenant = 't') =>
  readAll(
    withPlugins(scriptedModel('inner', [modelStart, ...events]), runOf(plugins, tenant)).stream(
      { model: 'm', messages: [], params: {} },
      new AbortController().signal,
    ),
  );

/** The texts that a reader of the stream assembles. */
function fold(events: ChatEvent[]) {
  const said = { text: '', reasoning: '', refusal: '', calls: [] as string[], end: '' };
  for (const event of events) {
    if (event.type === 'text-delta') said.text += event.text;
    if (event.type === 'reasoning-delta') said.reasoning += event.text;
    if (event.type === 'refusal-delta') said.refusal += event.text;
    if (event.type === 'tool-call-delta')
      said.calls[event.index] = (said.calls[event.index] ?? '') + event.arguments;
    if (event.type === 'turn-end') said.end = event.finishReason;
    if (event.type === 'error') said.end = event.error.code;
  }
  return said;
}

describe('prompts', () => {
  test("are masked in every text but the app's own", async () => {
    const { messages } = await send([
      { role: 'system', content: 'never say hell' },
      { role: 'user', content: 'what the hell, mail a@example.com' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 'c',
            type: 'function',
            function: { name: 'f', arguments: '{"q":"\\u654f感词 a@example.com"}' },
          },
        ],
      },
      { role: 'tool', tool_call_id: 'c', content: 'hell' },
    ]);
    expect(messages.map(({ content }) => content)).toEqual([
      'never say hell',
      'what the ***, mail [email]',
      null,
      '***',
    ]);
    expect(messages[2]?.tool_calls?.[0]?.function.arguments).toBe('{"q":"*** a@example.com"}');
  });

  test('are masked across the parts of a message', async () => {
    const { messages } = await send([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'say 敏' },
          { type: 'image_url', image_url: { url: 'data:' } },
          { type: 'text', text: '感词 now' },
        ],
      },
    ]);
    expect(messages[0]?.content).toEqual([
      { type: 'text', text: 'say ' },
      { type: 'image_url', image_url: { url: 'data:' } },
      { type: 'text', text: '*** now' },
    ]);
  });

  test('without findings stay unchanged', async () => {
    const request = {
      model: 'm',
      messages: [{ role: 'user' as const, content: 'a shell 禁止' }],
      params: {},
    };
    const run = runOf([words(), personal]);
    expect(await runPromptPlugins(request, run, new AbortController())).toBe(request);
  });

  test('with a forbidden word are refused, and the error names the field and not the word', async () => {
    const refused = send([
      { role: 'user', content: 'hi' },
      { role: 'user', content: 'a f0rb1dden thing' },
    ]);
    await expect(refused).rejects.toMatchObject({ code: 'content_filter', param: 'messages[1].content' });
    await expect(refused).rejects.not.toThrow(/f.rb.dden/);
  });
});

describe('answers', () => {
  const parts: ChatEvent[] = [
    { type: 'reasoning-delta', text: 'they want hell, ' },
    { type: 'reasoning-delta', text: '敏感词' },
    textDelta('oh hell, write to a@example.com or 13812345678 '),
    {
      type: 'tool-call-delta',
      index: 0,
      id: 'c',
      name: 'f',
      arguments: '{"to":"a@example.com","say":"敏\\u611f词"}',
    },
    { type: 'tool-call-delta', index: 1, id: 'd', name: 'g', arguments: '{"say":"hello hell"}' },
    { type: 'refusal-delta', text: 'no hell' },
  ];
  const expected = {
    text: 'oh ***, write to [email] or [phone] ',
    reasoning: 'they want ***, ***',
    refusal: 'no ***',
    calls: ['{"to":"a@example.com","say":"***"}', '{"say":"hello ***"}'],
    end: 'stop',
  };

  test('are masked in every text, however the deltas are cut and mixed', async () => {
    expect(fold(await answer([...parts, turnEnd]))).toEqual(expected);
    const random = seededRandom(3);
    for (let turn = 0; turn < 200; turn++) {
      const queues = new Map<string, ChatEvent[]>();
      for (const part of parts) {
        const name = part.type === 'tool-call-delta' ? `call ${part.index}` : part.type;
        queues.set(name, [...(queues.get(name) ?? []), ...cut(part, random)]);
      }
      const mixed: ChatEvent[] = [];
      const waiting = [...queues.values()];
      while (waiting.some((queue) => queue.length > 0)) {
        const next = waiting[random(waiting.length)]?.shift();
        if (next) mixed.push(next);
      }
      expect(fold(await answer([...mixed, turnEnd]))).toEqual(expected);
    }
  });

  function cut(event: ChatEvent, random: (bound: number) => number): ChatEvent[] {
    const text = event.type === 'tool-call-delta' ? event.arguments : 'text' in event ? event.text : '';
    const pieces: ChatEvent[] = [];
    for (let at = 0; at < text.length; ) {
      const next = at + 1 + random(6);
      const piece = text.slice(at, next);
      if (event.type === 'tool-call-delta') {
        const { index } = event;
        pieces.push(
          at === 0 ? { ...event, arguments: piece } : { type: event.type, index, arguments: piece },
        );
      } else pieces.push({ ...event, text: piece } as ChatEvent);
      at = next;
    }
    return pieces;
  }

  test('with a forbidden word end before it', async () => {
    const inner = [
      textDelta('write to a@exam'),
      textDelta('ple.com about 禁'),
      textDelta('止'),
      textDelta('词语 now'),
      turnEnd,
    ];
    expect(fold(await answer(inner))).toMatchObject({
      text: 'write to [email] about ',
      end: 'content_filter',
    });
  });

  test('keep the id and name of a tool call whose arguments are held back', async () => {
    const call: ChatEvent = { type: 'tool-call-delta', index: 0, id: 'c', name: 'f', arguments: '敏' };
    expect((await answer([call, turnEnd]))[1]).toEqual({ ...call, arguments: '' });
  });

  test('contain no log probabilities of masked or held-back text', async () => {
    const token = (text: string): ChatEvent => ({
      type: 'text-delta',
      text,
      logprobs: { content: [{ token: text }] },
    });
    const events = await answer(
      [token('ok '), token('敏'), token('锐 '), token('敏'), token('感词'), token(' so'), turnEnd],
      [words()],
    );
    expect(events.slice(1, -1)).toEqual([
      token('ok '),
      { type: 'text-delta', text: '敏锐 ', logprobs: { content: [{ token: '敏' }, { token: '锐 ' }] } },
      textDelta('***'),
      token(' so'),
    ]);
  });

  test('are filtered in fields that Edgewise does not define', async () => {
    const details = (text: string): ChatEvent => ({
      type: 'extra-delta',
      fields: {
        reasoning_details: [{ type: 'reasoning.text', text }],
        note: 'hell',
        signature: 'hell+'.repeat(20),
      },
    });
    const events = await answer([details('the 敏'), details('感词 is 敏'), turnEnd], [words()]);
    const texts = events.flatMap((event) =>
      event.type === 'extra-delta' ? [(event.fields.reasoning_details as { text: string }[])[0]?.text] : [],
    );
    expect(texts).toEqual(['the ', '*** is ', '敏']);
    expect(events[1]).toMatchObject({ fields: { note: '***', signature: 'hell+'.repeat(20) } });
    const refused = await answer(
      [{ type: 'extra-delta', fields: { note: 'forbidden' } }, turnEnd],
      [words()],
    );
    expect(fold(refused).end).toBe('content_filter');
    expect(JSON.stringify(refused)).not.toContain('forbidden');
  });
});

test('an answer resumed after any event continues as if it was never interrupted', async () => {
  const said = ['oh he', 'll, ', '敏', '感', '词', ' mail a@exam', 'ple.com', ' now'].map(textDelta);
  const model = () =>
    withPlugins(scriptedModel('inner', [modelStart, ...said, turnEnd]), runOf([words(), personal]));
  const send = { model: 'm', messages: [], params: {} };
  const signal = new AbortController().signal;
  const whole = await readAll(model().stream(send, signal));
  expect(fold(whole).text).toBe('oh ***, *** mail [email] now');
  for (let known = 1; known < whole.length; known++) {
    expect(await readAll(skipEvents(model(), known).stream(send, signal))).toEqual(whole.slice(known));
  }
});

describe('lists', () => {
  test('are separate for each tenant', async () => {
    const plugins = [words()];
    const said = [textDelta('hell or heaven'), turnEnd];
    expect(fold(await answer(said, plugins)).text).toBe('*** or heaven');
    expect(fold(await answer(said, plugins, 'other')).text).toBe('hell or ***');
    expect(fold(await answer(said, plugins, 'none')).text).toBe('hell or heaven');
  });

  test('are read again after a while; the old one stays in use when that fails', async () => {
    clock = 0;
    let list: string | undefined = '[mask]\none';
    let reads = 0;
    const plugins = [
      words(async () => {
        reads++;
        if (list === undefined) throw new Error('away');
        return list;
      }),
    ];
    const said = async () => fold(await answer([textDelta('one two'), turnEnd], plugins));
    expect((await said()).text).toBe('*** two');
    list = '[mask]\ntwo';
    clock = 599_000;
    expect((await said()).text).toBe('*** two');
    clock = 601_000;
    expect((await said()).text).toBe('one ***');
    list = undefined;
    clock = 2_000_000;
    expect((await said()).text).toBe('one ***');
    expect(reads).toBe(3);
  });

  test('that are invalid or unreadable make a filter that fails closed refuse', async () => {
    for (const source of [async () => '[what]', async () => Promise.reject(new Error('away'))]) {
      await expect(send([{ role: 'user', content: 'hi' }], [words(source)])).rejects.toMatchObject({
        code: 'filter_unavailable',
      });
    }
  });
});
