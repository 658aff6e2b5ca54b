import { describe, expect, test } from 'vitest';
import { AppError, type ErrorCode } from '../errors.ts';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { type ScriptedModel, type Step, scriptedModel } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts';
import { relayStream } from './event-stream.ts';
import { type Rung, withFallback } from './with-fallback.ts';

const request: ChatRequest = { model: 'smart', messages: [{ role: 'user', content: 'hi' }], params: {} };
const start = (model: string): ChatEvent => ({ type: 'model-start', model, provider: 'test' });
const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const end: ChatEvent = { type: 'turn-end', finishReason: 'stop' };
const fails = (code: ErrorCode): ChatEvent => ({ type: 'error', error: new AppError(code).toInfo() });
const model = (name: string, ...steps: Step[]) => scriptedModel(name, steps);
const rung = (of: ScriptedModel, more: Partial<Rung> = {}): Rung => ({
  model: of,
  canServe: () => true,
  continues: 'message',
  ...more,
});
const run = (...rungs: Rung[]) =>
  readAll(withFallback('smart', rungs).stream(request, new AbortController().signal));
const said = (events: ChatEvent[]) =>
  events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');

describeChatModel('a ladder', {
  answering: () => withFallback('smart', [rung(model('a', start('a'), text('yes'), end))]),
});

describe('before the first word', () => {
  test.each([
    ['throws', true],
    ['ends without saying so', false],
  ])('a layer that %s is passed over', async (_name, throws) => {
    const broken: ChatModel = {
      name: 'broken',
      stream: () =>
        relayStream(async function* () {
          yield [start('broken')];
          if (throws) throw new Error('no');
        }),
    };
    const events = await run(
      { model: broken, canServe: () => true },
      rung(model('b', start('b'), text('yes'), end)),
    );
    expect(events[0]).toMatchObject({ model: 'b', fallback: { from: 'broken', reason: 'internal_error' } });
    expect(said(events)).toBe('yes');
  });

  test.each<ErrorCode>([
    'upstream_unavailable',
    'upstream_overloaded',
    'upstream_error',
    'upstream_cut',
    'upstream_auth_failed',
    'upstream_quota_exhausted',
    'upstream_rate_limited',
    'first_token_timeout',
    'context_length_exceeded',
  ])('%s is not seen: the next model answers', async (code) => {
    const events = await run(
      rung(model('a', start('a'), fails(code))),
      rung(model('b', start('b'), text('hello'), end)),
    );
    expect(events).toEqual([{ ...start('b'), fallback: { from: 'a', reason: code } }, text('hello'), end]);
  });

  test.each<ErrorCode>(['upstream_rejected', 'cancelled', 'deadline_exceeded'])(
    '%s is the caller’s, and ends it',
    async (code) => {
      const second = model('b', start('b'), text('hello'), end);
      expect(await run(rung(model('a', fails(code))), rung(second))).toEqual([fails(code)]);
      expect(second.requests).toHaveLength(0);
    },
  );

  test('when every model fails, the last one says why', async () => {
    const events = await run(
      rung(model('a', fails('upstream_error'))),
      rung(model('b', fails('upstream_overloaded'))),
    );
    expect(events).toEqual([fails('upstream_overloaded')]);
  });

  test('a model that lacks what the request needs is passed over', async () => {
    const small = model('a', start('a'), text('no'), end);
    const events = await run(
      rung(small, { canServe: () => false }),
      rung(model('b', start('b'), text('yes'), end)),
    );
    expect(said(events)).toBe('yes');
    expect(small.requests).toHaveLength(0);
    expect(
      said(await run(rung(model('c', start('c'), text('as I am'), end), { canServe: () => false }))),
    ).toBe('as I am');
  });
});

describe('after the first word', () => {
  const partial = 'The quick brown fox jumps ';
  const broken = () => rung(model('a', start('a'), text(partial), fails('upstream_cut')));

  test('the next model goes on from what was said, and the stream says so', async () => {
    const next = model('b', start('b'), text('over the '), text('lazy dog.'), end);
    const events = await run(broken(), rung(next));
    expect(said(events)).toBe('The quick brown fox jumps over the lazy dog.');
    expect(next.requests[0]?.messages.at(-1)).toEqual({ role: 'assistant', content: partial });
    expect(events).toContainEqual({
      type: 'extra-delta',
      fields: { edgewise: { continued_by: 'b', after: 'upstream_cut' } },
    });
    expect(events.filter(({ type }) => type === 'model-start')).toEqual([start('a')]);
  });

  test.each<[string, string[]]>([
    ['begins again from the start', ['The quick brown fox jumps over the lazy dog.']],
    ['begins again in pieces', ['The quick ', 'brown fox ', 'jumps over ', 'the lazy dog.']],
    ['takes up some words before the end', ['brown fox jumps over the lazy dog.']],
    ['says no more than was said', [partial, 'over the lazy dog.']],
  ])('nothing is said twice when it %s', async (_how, pieces) => {
    const events = await run(broken(), rung(model('b', start('b'), ...pieces.map(text), end)));
    expect(said(events)).toBe('The quick brown fox jumps over the lazy dog.');
  });

  test('a few letters that are the same are no repetition', async () => {
    const events = await run(
      rung(model('a', start('a'), text('a banana'), fails('upstream_cut'))),
      rung(model('b', start('b'), text('na split'), end)),
    );
    expect(said(events)).toBe('a bananana split');
  });

  test('a model that cannot go on is passed over, and without another it ends as the error', async () => {
    const last = model('c', start('c'), text('over.'), end);
    expect(said(await run(broken(), rung(model('b'), { continues: undefined }), rung(last)))).toBe(
      `${partial}over.`,
    );
    const events = await run(broken(), rung(model('b'), { continues: undefined }));
    expect(said(events)).toBe(partial);
    expect(events.at(-1)).toEqual(fails('upstream_cut'));
  });

  test('a tool call that has begun, and reasoning, are not gone on with', async () => {
    for (const begun of [
      { type: 'tool-call-delta', index: 0, id: 'c', name: 'f', arguments: '{' },
      { type: 'reasoning-delta', text: 'hm' },
    ] as ChatEvent[]) {
      const next = model('b', start('b'), text('x'), end);
      const events = await run(rung(model('a', start('a'), begun, fails('upstream_cut'))), rung(next));
      expect(events.at(-1)).toEqual(fails('upstream_cut'));
      expect(next.requests).toHaveLength(0);
    }
  });
});

test('a caller who leaves ends the ladder where it is', async () => {
  const stop = new AbortController();
  const second = model('b', start('b'), text('x'), end);
  const silent = rung(model('a', start('a'), 10_000));
  const reading = readAll(withFallback('smart', [silent, rung(second)]).stream(request, stop.signal));
  // The first model has been asked by now, and is silent.
  await new Promise((resolve) => setTimeout(resolve, 0));
  stop.abort();
  expect((await reading).at(-1)).toEqual(fails('cancelled'));
  expect(second.requests).toHaveLength(0);
});
