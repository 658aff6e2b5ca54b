import { expect, test } from 'vitest';
import type { ChatRequest } from '../../shared/model/chat-model.ts';
import { someContext } from '../../shared/testing/request-context.ts';
import type { Plugin, PluginRecord, PromptMemo, PromptVerdict } from './plugin.ts';
import { runPromptPlugins } from './run-prompt-plugins.ts';

const context = someContext();

interface Setting {
  edition?: object | undefined;
  verdict: PromptVerdict | Error;
}

/** One plugin that counts the prompts it is shown, and what its runs are recorded as. */
function setUp(given: Setting, onFailure: Plugin['onFailure'] = 'open') {
  const setting = { ...given };
  const records: PluginRecord['outcome'][] = [];
  const memos = new Map<ChatRequest, PromptMemo>();
  let shown = 0;
  const plugin: Plugin = {
    name: 'filter',
    onFailure,
    limitMs: 1000,
    edition: () => setting.edition,
    onPrompt() {
      shown++;
      if (setting.verdict instanceof Error) throw setting.verdict;
      return setting.verdict;
    },
  };
  const run = {
    plugins: [plugin],
    context,
    record: ({ outcome }: PluginRecord) => void records.push(outcome),
    now: () => 0,
    waitUntil: () => undefined,
  };
  return {
    setting,
    records,
    shown: () => shown,
    ask(request: ChatRequest, memo = memos.get(request) ?? {}) {
      memos.set(request, memo);
      return runPromptPlugins(request, { ...run, memo }, new AbortController());
    },
  };
}
const prompt = (): ChatRequest => ({ model: 'm', messages: [{ role: 'user', content: 'hi' }], params: {} });
const pass = { outcome: 'pass' } as const;

test('a request that passed is not looked at twice, and counts each time', async () => {
  const { ask, shown, records } = setUp({ edition: {}, verdict: pass });
  const request = prompt();
  for (let time = 0; time < 3; time++) expect(await ask(request)).toBe(request);
  expect(shown()).toBe(1);
  expect(records).toEqual(['pass', 'pass', 'pass']);
});

test('another list looks again, and its verdict holds', async () => {
  const { ask, shown, setting } = setUp({ edition: {}, verdict: pass });
  const request = prompt();
  await ask(request);
  setting.edition = {};
  setting.verdict = { outcome: 'refuse', label: 'new word' };
  await expect(ask(request)).rejects.toMatchObject({ code: 'content_filter' });
  await expect(ask(request)).rejects.toMatchObject({ code: 'content_filter' });
  expect(shown()).toBe(3);
});

test.each<[string, Setting]>([
  ['one that judges by more than the words', { edition: undefined, verdict: pass }],
  ['one that masks', { edition: {}, verdict: { outcome: 'mask', request: prompt() } }],
  ['one that failed', { edition: {}, verdict: new Error('broken') }],
])('%s is asked each time', async (_name, setting) => {
  const { ask, shown } = setUp(setting);
  const request = prompt();
  await ask(request);
  await ask(request);
  expect(shown()).toBe(2);
});

test('the same words in another request are looked at', async () => {
  const { ask, shown } = setUp({ edition: {}, verdict: pass });
  await ask(prompt());
  await ask(prompt());
  expect(shown()).toBe(2);
});

test('a copy of a prompt keeps what is known of it', async () => {
  const { ask, shown } = setUp({ edition: {}, verdict: pass });
  const request = prompt();
  const memo: PromptMemo = {};
  await ask(request, memo);
  await ask({ ...request }, memo);
  expect(shown()).toBe(1);
});
