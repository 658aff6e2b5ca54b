import { describe, expect, test } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { someContext } from '../../shared/testing/request-context.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../../shared/testing/scripted-model.ts';
import { readAll } from '../../shared/testing/streams.ts';
import type { AnswerHook, Plugin, PluginRecord, PluginRun } from './plugin.ts';
import { runPromptPlugins } from './run-prompt-plugins.ts';
import { withPlugins } from './with-plugins.ts';

const context = someContext({ deadlineMs: 0 });
const request = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };
const never = new Promise<never>(() => undefined);

function run(...plugins: Plugin[]): PluginRun & { records: PluginRecord[]; after: Promise<unknown>[] } {
  const records: PluginRecord[] = [];
  const after: Promise<unknown>[] = [];
  return {
    plugins,
    context,
    records,
    after,
    record: (record) => records.push(record),
    now: () => performance.now(),
    waitUntil: (work) => after.push(work),
  };
}

function plugin(name: string, parts: Partial<Plugin>): Plugin {
  return { name, onFailure: 'closed', limitMs: 1000, ...parts };
}

/** Holds back the last character, and turns what goes out into capitals. */
function shouting(): AnswerHook {
  let held = '';
  return {
    push(event) {
      if (event.type !== 'text-delta') return { events: [event] };
      const text = held + event.text;
      held = text.slice(-1);
      return { events: [textDelta(text.slice(0, -1).toUpperCase()) as never], masked: 1 };
    },
    end: () => ({ events: held === '' ? [] : [textDelta(held.toUpperCase()) as never] }),
    held: () => (held === '' ? [] : [textDelta(held) as never]),
  };
}

const hookOf = (parts: Partial<AnswerHook>): AnswerHook => ({
  push: (event) => ({ events: [event] }),
  end: () => ({ events: [] }),
  held: () => [],
  ...parts,
});

async function answer(model: ChatModel, plugins: PluginRun): Promise<ChatEvent[]> {
  return readAll(withPlugins(model, plugins).stream(request, new AbortController().signal));
}
const textOf = (events: ChatEvent[]) =>
  events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
const usage: ChatEvent = { type: 'usage', usage: { inputTokens: 3, outputTokens: 4, estimated: true } };

describe('prompts', () => {
  test('go from plugin to plugin, and each is recorded', async () => {
    const add = (text: string) =>
      plugin(text, {
        onPrompt: (asked) => ({
          outcome: 'change',
          request: { ...asked, messages: [...asked.messages, { role: 'user', content: text }] },
        }),
      });
    const plugins = run(add('a'), plugin('silent', {}), add('b'));
    const changed = await runPromptPlugins(request, plugins, new AbortController());
    expect(changed.messages.map(({ content }) => content)).toEqual(['hi', 'a', 'b']);
    expect(plugins.records.map(({ plugin, outcome }) => [plugin, outcome])).toEqual([
      ['a', 'change'],
      ['b', 'change'],
    ]);
  });

  test('that are refused are an error of the caller, and later plugins do not see them', async () => {
    const seen: string[] = [];
    const plugins = run(
      plugin('strict', {
        onPrompt: () => ({ outcome: 'refuse', label: 'cards', param: 'messages[0].content' }),
      }),
      plugin('later', {
        onPrompt: () => {
          seen.push('prompt');
          return { outcome: 'pass' };
        },
      }),
    );
    const refused = runPromptPlugins(request, plugins, new AbortController());
    await expect(refused).rejects.toMatchObject({
      code: 'content_filter',
      status: 400,
      param: 'messages[0].content',
    });
    expect(seen).toEqual([]);
    expect(plugins.records).toMatchObject([{ plugin: 'strict', outcome: 'refuse', label: 'cards' }]);
  });

  const broken: [string, Plugin['onPrompt'], string][] = [
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'threw',
    ],
    ['rejects', () => Promise.reject(new Error('broken')), 'threw'],
    ['never answers', () => never, 'slow'],
  ];
  test.each(broken)('a plugin that %s follows its setting', async (_, onPrompt, outcome) => {
    for (const onFailure of ['open', 'closed'] as const) {
      const plugins = run(plugin('broken', { onFailure, limitMs: 20, ...(onPrompt && { onPrompt }) }));
      const asked = runPromptPlugins(request, plugins, new AbortController());
      if (onFailure === 'open') await expect(asked).resolves.toBe(request);
      else await expect(asked).rejects.toMatchObject({ code: 'filter_unavailable', status: 503 });
      expect(plugins.records).toMatchObject([{ plugin: 'broken', hook: 'prompt', outcome }]);
    }
  });

  test('a plugin that is given up is notified', async () => {
    let given: AbortSignal | undefined;
    const slow = plugin('slow', {
      limitMs: 10,
      onFailure: 'open',
      onPrompt: (_, { signal }) => {
        given = signal;
        return never;
      },
    });
    await runPromptPlugins(request, run(slow), new AbortController());
    expect(given?.aborted).toBe(true);
  });
});

describe('answers', () => {
  test('without plugins are the model itself', () => {
    const model = scriptedModel('inner', []);
    expect(withPlugins(model, run())).toBe(model);
  });

  test('pass every hook in order, and what is held comes before the end', async () => {
    const marking = plugin('marking', {
      onDelta: () =>
        hookOf({
          push: (event) => ({
            events: event.type === 'text-delta' ? [{ ...event, text: `<${event.text}>` }] : [event],
          }),
          end: () => ({ events: [textDelta('.') as never] }),
        }),
    });
    const plugins = run(plugin('shouting', { onDelta: shouting }), marking);
    const model = scriptedModel('inner', [modelStart, textDelta('ab'), textDelta('cd'), usage, turnEnd]);
    const events = await answer(model, plugins);
    expect(events).toEqual([
      modelStart,
      textDelta('<A>'),
      textDelta('<BC>'),
      usage,
      textDelta('<D>'),
      textDelta('.'),
      turnEnd,
    ]);
    expect(plugins.records).toMatchObject([
      { plugin: 'shouting', hook: 'delta', outcome: 'mask', masked: 2 },
      { plugin: 'marking', hook: 'delta', outcome: 'pass' },
    ]);
  });

  test('that fail keep what was held, and their error', async () => {
    const failure: ChatEvent = { type: 'error', error: new AppError('upstream_cut').toInfo() };
    const model = scriptedModel('inner', [modelStart, textDelta('ab'), failure]);
    const events = await answer(model, run(plugin('shouting', { onDelta: shouting })));
    expect(textOf(events)).toBe('AB');
    expect(events.at(-1)).toEqual(failure);
  });

  test('that are refused end as content_filter; the model is stopped, and its usage is kept', async () => {
    const refusing = plugin('refusing', {
      onDelta: () =>
        hookOf({
          push: (event) =>
            event.type === 'text-delta' && event.text.includes('!')
              ? { events: [{ ...event, text: event.text.split('!')[0] ?? '' }], refuse: 'loud' }
              : { events: [event] },
        }),
    });
    const plugins = run(refusing, plugin('shouting', { onDelta: shouting }));
    let aborted = false;
    const model: ChatModel = {
      name: 'paid',
      stream: (_, signal) =>
        new ReadableStream<ChatEvent>({
          start(controller) {
            for (const event of [modelStart, textDelta('ab'), textDelta('c!d')]) controller.enqueue(event);
            signal.addEventListener('abort', () => {
              aborted = true;
              controller.enqueue(usage);
              controller.enqueue({ type: 'error', error: new AppError('cancelled').toInfo() });
              controller.close();
            });
          },
        }),
    };
    const events = await answer(model, plugins);
    expect(textOf(events)).toBe('ABC');
    expect(events.slice(-2)).toEqual([usage, { type: 'turn-end', finishReason: 'content_filter' }]);
    expect(aborted).toBe(true);
    expect(plugins.records[0]).toMatchObject({ plugin: 'refusing', outcome: 'refuse', label: 'loud' });
  });

  const failing: [string, () => AnswerHook][] = [
    [
      'throws',
      () => {
        const hook = shouting();
        let pushes = 0;
        return {
          ...hook,
          push: (event) => {
            if (++pushes === 2) throw new Error('broken');
            return hook.push(event);
          },
        };
      },
    ],
    [
      'never answers',
      () => {
        const hook = shouting();
        let pushes = 0;
        return { ...hook, push: (event) => (++pushes === 2 ? never : hook.push(event)) };
      },
    ],
  ];
  test.each(failing)('a hook that %s follows its setting', async (_, onDelta) => {
    const script = [modelStart, textDelta('ab'), textDelta('cd'), textDelta('ef'), turnEnd];
    const open = run(plugin('broken', { onFailure: 'open', limitMs: 20, onDelta }));
    const events = await answer(scriptedModel('inner', script), open);
    expect(textOf(events)).toBe('Abcdef');
    expect(events.at(-1)).toEqual(turnEnd);
    expect(open.records).toMatchObject([{ plugin: 'broken', hook: 'delta' }]);
    expect(['threw', 'slow']).toContain(open.records[0]?.outcome);

    const inner = scriptedModel('inner', [...script.slice(0, 3), never]);
    const closed = await answer(inner, run(plugin('broken', { limitMs: 20, onDelta })));
    expect(textOf(closed)).toBe('A');
    expect(closed.at(-1)).toMatchObject({ type: 'error', error: { code: 'filter_unavailable' } });
    expect(inner.aborted).toBe(1);
  });

  test('are not begun when a plugin that fails closed cannot begin', async () => {
    const model = scriptedModel('inner', [modelStart, turnEnd]);
    const events = await answer(
      model,
      run(plugin('broken', { onDelta: () => Promise.reject(new Error('no')) })),
    );
    expect(events).toMatchObject([{ type: 'error', error: { code: 'filter_unavailable' } }]);
    expect(model.requests).toHaveLength(0);
  });

  test('are shown whole after their end, and nobody waits for that', async () => {
    const heard: unknown[] = [];
    const plugins = run(
      plugin('shouting', { onDelta: shouting }),
      plugin('audit', {
        onAnswer: async (whole) => {
          heard.push(whole);
          return 'odd';
        },
      }),
      plugin('stuck', { limitMs: 20, onAnswer: () => never }),
    );
    const call: ChatEvent = { type: 'tool-call-delta', index: 0, id: 'c', name: 'f', arguments: '{}' };
    const model = scriptedModel('inner', [modelStart, textDelta('ab'), call, turnEnd]);
    const events = await answer(model, plugins);
    expect(events.at(-1)).toEqual(turnEnd);
    await Promise.all(plugins.after);
    expect(heard).toEqual([
      { text: 'AB', reasoning: '', refusal: '', toolArguments: ['{}'], finishReason: 'stop' },
    ]);
    expect(plugins.records.filter(({ hook }) => hook === 'answer')).toMatchObject([
      { plugin: 'audit', outcome: 'flag', label: 'odd' },
      { plugin: 'stuck', outcome: 'slow' },
    ]);
  });
});

const through = () => run(plugin('through', { onDelta: () => hookOf({}) }));
describeChatModel('withPlugins', {
  answering: () =>
    withPlugins(scriptedModel('inner', [modelStart, textDelta('a'), usage, turnEnd]), through()),
  silent: () => withPlugins(scriptedModel('inner', [modelStart, never]), through()),
});
