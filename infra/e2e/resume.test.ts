/** What a network does to a stream, and what the client still gets. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SseMessage } from '../../shared/stream/sse.ts';
import { readEvents, readSome, textOf } from './read-stream.ts';
import { openStream, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let sessionId: string;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());
beforeEach(() => {
  sessionId = crypto.randomUUID();
  system.upstream.calls.length = 0;
  system.upstream.behave(say('one two three four five six seven eight', { paceMs: 10 }));
});

const ask = (signal?: AbortSignal) =>
  system.chat(
    'count',
    { stream: true, stream_options: { include_usage: true } },
    { 'x-session-id': sessionId },
    signal,
  );

function resume(lastEventId: string): Promise<Response> {
  return system.request(`/v1/sessions/${sessionId}/stream`, { headers: { 'last-event-id': lastEventId } });
}

/** What differs between two runs of the same turn: ids and times. */
function normalise(events: SseMessage[]): SseMessage[] {
  return events.map(({ id, data }) => ({
    ...(id === undefined ? {} : { id: id.replace(/^\w+/, 'turn') }),
    data: data.replace(/chatcmpl-\w+/, 'chatcmpl-turn').replace(/"created":\d+/, '"created":0'),
  }));
}

describe('a connection that drops', () => {
  test('after any event is taken up again: no gap, no repeat, one model call', async () => {
    const whole = await readEvents(await ask());
    expect(textOf(whole)).toBe('one two three four five six seven eight');
    for (let dropAfter = 1; dropAfter < whole.length; dropAfter++) {
      sessionId = crypto.randomUUID();
      const seen = await readSome(await ask(), dropAfter);
      const rest = await readEvents(await resume(seen.at(-1)?.id ?? ''));
      expect(normalise([...seen, ...rest])).toEqual(normalise(whole));
    }
    expect(system.upstream.calls).toHaveLength(whole.length);
  });

  test('can be taken up again long after the end, with the same bytes', async () => {
    const whole = await readEvents(await ask());
    const [first] = whole;
    const replay = await readEvents(await resume(first?.id ?? ''));
    expect(replay).toEqual(whole.slice(1));
    const turn = first?.id?.split(':')[0];
    const bytes = await (await system.request(`/v1/sessions/${sessionId}/stream?turn=${turn}`)).text();
    const again = await (
      await system.request(`/v1/sessions/${sessionId}/stream?turn=${turn}&starting_after=0`)
    ).text();
    expect(bytes.endsWith(again)).toBe(true);
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('is joined without a cursor while the turn runs; when nothing runs there is nothing to join', async () => {
    const [live, joined] = await Promise.all([ask().then(readEvents), joinSoon()]);
    expect(joined).toEqual(live);
    expect((await system.request(`/v1/sessions/${sessionId}/stream`)).status).toBe(204);
  });

  test('with a cursor that means nothing gets a clear error', async () => {
    expect((await resume('nonsense')).status).toBe(400);
    const gone = await resume(`${'0'.repeat(32)}:3`);
    expect(gone.status).toBe(410);
    expect(await gone.json()).toMatchObject({ error: { code: 'turn_expired' } });
  });
});

async function joinSoon(): Promise<SseMessage[]> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await system.request(`/v1/sessions/${sessionId}/stream`);
    if (response.status === 200) return readEvents(response);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('no turn was running');
}

describe('a crash', () => {
  test('of workerd in mid-answer costs nothing: the core goes on, the client gets the rest, one model call', async () => {
    system.upstream.behave(say('one two three four five six seven eight nine ten', { paceMs: 100 }));
    const leave = new AbortController();
    const seen = await readSome(await ask(leave.signal), 4);
    await system.killEdge();
    leave.abort();
    await system.restartEdge();
    const rest = await readEvents(await resume(seen.at(-1)?.id ?? ''));
    expect(textOf([...seen, ...rest])).toBe('one two three four five six seven eight nine ten');
    const numbers = [...seen, ...rest].slice(0, -1).map(({ id }) => Number(id?.split(':')[1]));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(rest.at(-1)?.data).toBe('[DONE]');
    expect(system.upstream.calls).toHaveLength(1);
    expect(await history()).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'one two three four five six seven eight nine ten' },
    ]);
  });

  test('of the core ends the turn properly: the partial answer is kept, and nothing is called again by itself', async () => {
    system.upstream.behave(say('one two three four five six seven eight nine ten', { paceMs: 100 }));
    const response = await ask();
    const reading = readEvents(response);
    await expect.poll(async () => system.upstream.calls.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 350));
    await system.killCore();
    await system.restartCore();
    const events = await reading;
    const error = JSON.parse(events.at(-2)?.data ?? '{}');
    expect(error).toMatchObject({ error: { code: 'generation_lost' } });
    expect(events.at(-1)?.data).toBe('[DONE]');
    const partial = textOf(events.slice(0, -2));
    expect('one two three four five six seven eight nine ten').toContain(partial);
    expect(partial).not.toBe('');
    expect(system.upstream.calls).toHaveLength(1);
    expect(await history()).toMatchObject([{ role: 'user' }, { role: 'assistant', content: partial }]);
    system.upstream.behave(say('still here'));
    expect(textOf(await readEvents(await ask()))).toBe('still here');
  });
});

describe('stop', () => {
  const stop = async (body?: object) => {
    const response = await system.request(`/v1/sessions/${sessionId}/stop`, {
      method: 'POST',
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('cancels the model call, ends the stream as cancelled, keeps what was said', async () => {
    system.upstream.behave(say('word '.repeat(200), { paceMs: 20 }));
    const reading = readEvents(await ask());
    await new Promise((resolve) => setTimeout(resolve, 200));
    const stopped = await stop();
    expect(stopped.body).toMatchObject({ status: 'cancelled', usage: { estimated: true } });
    const events = await reading;
    expect(stopped.body.text).toBe(textOf(events));
    const finish =
      events.map(({ data }) => data).find((data) => data.includes('"finish_reason":"stop"')) ?? '{}';
    expect(JSON.parse(finish)).toMatchObject({ edgewise: { cancelled: true } });
    expect(events.at(-1)?.data).toBe('[DONE]');
    await system.upstream.calls[0]?.aborted;
    expect(await history()).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: stopped.body.text },
    ]);
    expect((stopped.body.usage as { completion_tokens: number }).completion_tokens).toBeGreaterThan(0);
  });

  test('is idempotent, and says when the turn had already ended', async () => {
    await readEvents(await ask());
    const first = await stop();
    expect(first.body).toMatchObject({ status: 'finished', text: 'one two three four five six seven eight' });
    expect(await stop()).toEqual(first);
  });

  test('works before the model has said a word', async () => {
    system.upstream.behave((_call, answer) => openStream(answer));
    const reading = ask().then(async (response) => ({
      status: response.status,
      text: await response.text(),
    }));
    await expect.poll(() => system.upstream.calls.length).toBe(1);
    expect((await stop()).body).toMatchObject({ status: 'cancelled', text: '' });
    expect((await reading).status).toBe(200);
  });

  test('of what never was is 404', async () => {
    expect((await stop()).status).toBe(404);
    expect((await stop({ turn_id: 'x' })).status).toBe(400);
  });
});

async function history(): Promise<object[]> {
  return ((await (await system.request(`/v1/sessions/${sessionId}`)).json()) as { messages: object[] })
    .messages;
}
