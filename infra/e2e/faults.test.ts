/**
 * The table of faults: what goes wrong with the first model of a ladder, before or after its first word, streamed or not,
 * and exactly what the client gets and how often which upstream is called.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readEvents, textOf } from './read-stream.ts';
import { type Behaviour, type ScriptedUpstream, say, startScriptedUpstream } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';
import {
  cut,
  drip,
  failWithin,
  garble,
  hang,
  hugeEvent,
  neverAccept,
  packedAnswer,
  packedRefusal,
  refusals,
  stopShort,
} from './upstream-faults.ts';

const models = (one: string, two: string) => `
[dispatch]
max_retries = 1
breaker = { failures = 1000, open_ms = 300 }
[providers.one]
kind = "openai"
base_url = "${one}"
[providers.two]
kind = "openai"
base_url = "${two}"
[models.first]
provider = "one"
context_length = 8000
time_limits = { connect_ms = 250, first_token_ms = 250, idle_ms = 250 }
[models.patient]
provider = "one"
context_length = 8000
[models.goes-on]
provider = "two"
context_length = 8000
continues = "message"
[models.starts-anew]
provider = "two"
context_length = 8000
[aliases]
smart = ["first", "goes-on"]
fast = ["first", "starts-anew"]
unhurried = ["patient", "goes-on"]
`;

const SECOND = 'An answer of the second model.';
const SAID = 'Once upon a time';
const REST = ' there was a river.';

let one: ScriptedUpstream;
let two: ScriptedUpstream;
let system: System;
beforeAll(async () => {
  [one, two] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  const path = join(tmpdir(), `edgewise-faults-${process.pid}.toml`);
  await writeFile(path, models(one.baseUrl, two.baseUrl));
  system = await startSystem({ model: false, env: { EDGEWISE_MODELS_FILE: path } });
});
afterAll(async () => {
  await system?.stop();
  await Promise.all([one?.close(), two?.close()]);
});
afterEach(() => {
  one.calls.length = 0;
  two.calls.length = 0;
});

interface Told {
  status: number;
  text: string;
  model: string | null;
  fallback: string | null;
  error: string | undefined;
}

async function ask(model: string, stream: boolean): Promise<Told> {
  const response = await system.chat('Tell me a story.', { model, stream });
  const told = {
    status: response.status,
    model: response.headers.get('x-edgewise-model'),
    fallback: response.headers.get('x-edgewise-fallback'),
  };
  if (stream && response.ok) {
    const events = await readEvents(response);
    const errors = events.filter(({ data }) => data.includes('"error"'));
    expect(errors.length).toBeLessThanOrEqual(1);
    const error = errors[0] && JSON.parse(errors[0].data).error.code;
    expect(events.at(-1)?.data).toBe('[DONE]');
    return { ...told, text: textOf(events.filter((event) => !errors.includes(event))), error };
  }
  const body = (await response.json()) as {
    choices?: { message: { content: string } }[];
    error?: { code: string };
  };
  return { ...told, text: body.choices?.[0]?.message.content ?? '', error: body.error?.code };
}

describe.each([true, false])('streamed: %s', (stream) => {
  describe('before the first word', () => {
    test.each<[string, Behaviour, string, number]>([
      ['an error', refusals.error, 'upstream_error', 2],
      ['an overload', refusals.overloaded, 'upstream_overloaded', 2],
      ['a throttle for a moment', refusals.throttled, 'upstream_rate_limited', 2],
      ['a throttle for long', refusals.throttledForLong, 'upstream_rate_limited', 1],
      ['a quota that is used up', refusals.quotaUsedUp, 'upstream_quota_exhausted', 1],
      ['a key that is refused', refusals.wrongKey, 'upstream_auth_failed', 1],
      ['a model that is not there', refusals.missing, 'upstream_model_missing', 1],
      ['a request that is not taken', neverAccept, 'connect_timeout', 2],
      ['silence', hang(''), 'first_token_timeout', 2],
      ['a cut', cut(''), 'upstream_cut', 2],
      ['an end too soon', stopShort(''), 'upstream_cut', 2],
      ['garbage', garble(''), 'upstream_invalid', 2],
      ['an error in the stream', failWithin(''), 'upstream_error', 2],
    ])('%s is not seen: the next model answers', async (_, fault, reason, calls) => {
      one.behave(fault);
      two.behave(say(SECOND));
      expect(await ask('smart', stream)).toEqual({
        status: 200,
        text: SECOND,
        model: 'goes-on',
        fallback: `first;reason=${reason}`,
        error: undefined,
      });
      expect([one.calls.length, two.calls.length]).toEqual([calls, 1]);
    });

    test('a request that is wrong is told, and asked of nobody else', async () => {
      one.behave(refusals.badRequest);
      expect(await ask('smart', stream)).toMatchObject({ status: 400, error: 'upstream_rejected', text: '' });
      expect([one.calls.length, two.calls.length]).toEqual([1, 0]);
    });

    test('a fault that passes is not seen at all', async () => {
      one.behave((call, answer) => (one.calls.length === 1 ? refusals.error : say('Hello.'))(call, answer));
      const told = { status: 200, text: 'Hello.', model: 'first', fallback: null, error: undefined };
      expect(await ask('smart', stream)).toEqual(told);
      expect([one.calls.length, two.calls.length]).toEqual([2, 0]);
    });

    test('when every model fails, the knowledge base is quoted', async () => {
      one.behave(refusals.error);
      two.behave(refusals.quotaUsedUp);
      const told = await ask('smart', stream);
      expect(told).toMatchObject({
        status: 200,
        model: 'edgewise-extractive',
        fallback: 'first;reason=upstream_quota_exhausted',
      });
      expect(told.text).toMatch(/^No language model answered this/);
      expect([one.calls.length, two.calls.length]).toEqual([2, 1]);
    });

    test('who names a model gets that model, or its error', async () => {
      one.behave(refusals.throttledForLong);
      expect(await ask('first', stream)).toMatchObject({ status: 503, error: 'upstream_rate_limited' });
      expect([one.calls.length, two.calls.length]).toEqual([1, 0]);
    });
  });

  describe('more than an answer may have', () => {
    const MEGABYTE = 1024 * 1024;

    test.each<[string, Behaviour, string, number]>([
      ['an event', hugeEvent('', 5 * MEGABYTE), 'upstream_too_large', 1],
      ['an unpacked answer', packedAnswer(70 * MEGABYTE), 'upstream_too_large', 1],
      ['an unpacked refusal', packedRefusal(500, 70 * MEGABYTE), 'upstream_error', 2],
    ])('%s: the next model answers, and it is not asked for again', async (_, fault, reason, calls) => {
      one.behave(fault);
      two.behave(say(SECOND));
      expect(await ask('unhurried', stream)).toMatchObject({
        status: 200,
        text: SECOND,
        fallback: `patient;reason=${reason}`,
      });
      expect([one.calls.length, two.calls.length]).toEqual([calls, 1]);
    });

    test('after the first word: the next model goes on', async () => {
      one.behave(hugeEvent(SAID, 5 * MEGABYTE));
      two.behave(say(REST));
      expect(await ask('unhurried', stream)).toMatchObject({ status: 200, text: SAID + REST });
      expect([one.calls.length, two.calls.length]).toEqual([1, 1]);
    });

    test('who names the model is told so', async () => {
      one.behave(hugeEvent('', 5 * MEGABYTE));
      expect(await ask('patient', stream)).toMatchObject({ status: 502, error: 'upstream_too_large' });
      expect(one.calls).toHaveLength(1);
    });
  });

  describe('after the first word', () => {
    const faults: [string, Behaviour, string, number][] = [
      ['silence', hang(SAID), 'idle_timeout', 504],
      ['a cut', cut(SAID), 'upstream_cut', 502],
      ['an end too soon', stopShort(SAID), 'upstream_cut', 502],
      ['garbage', garble(SAID), 'upstream_invalid', 502],
      ['an error in the stream', failWithin(SAID), 'upstream_error', 502],
    ];

    test.each(faults)('%s: a model that can goes on from there', async (_, fault) => {
      one.behave(fault);
      two.behave(say(REST));
      const told = await ask('smart', stream);
      expect(told).toMatchObject({ status: 200, text: SAID + REST, model: 'first', error: undefined });
      expect([one.calls.length, two.calls.length]).toEqual([1, 1]);
      expect(two.calls[0]?.body.messages.at(-1)).toEqual({ role: 'assistant', content: SAID });
    });

    test.each(faults)(
      '%s: where none can, it ends as an error, what was said kept',
      async (_, fault, code, status) => {
        one.behave(fault);
        const told = await ask('fast', stream);
        if (stream) expect(told).toMatchObject({ status: 200, text: SAID, error: code });
        else expect(told).toMatchObject({ status, error: code });
        expect([one.calls.length, two.calls.length]).toEqual([1, 0]);
      },
    );

    test('a model that begins again from the start is not heard twice', async () => {
      one.behave(cut(SAID));
      two.behave(say(SAID + REST));
      expect((await ask('smart', stream)).text).toBe(SAID + REST);
    });
  });

  test('an answer that drips in byte by byte is whole', async () => {
    one.behave(drip('Slow, but 慢慢 sure. \u{1F422}'));
    const told = {
      status: 200,
      text: 'Slow, but 慢慢 sure. \u{1F422}',
      model: 'first',
      fallback: null,
      error: undefined,
    };
    expect(await ask('smart', stream)).toEqual(told);
    expect([one.calls.length, two.calls.length]).toEqual([1, 0]);
  });
});

test('that another model goes on is marked in the stream', async () => {
  one.behave(cut(SAID));
  two.behave(say(REST));
  const events = await readEvents(await system.chat('Tell me.', { model: 'smart', stream: true }));
  const marks = events.filter(({ data }) => data.includes('continued_by'));
  expect(marks).toHaveLength(1);
  expect(JSON.parse(marks[0]?.data ?? '').choices[0].delta.edgewise).toEqual({
    continued_by: 'goes-on',
    after: 'upstream_cut',
  });
});

test('from a client that leaves to the upstream that hears it: under 100 ms at the median', async () => {
  one.behave(say('word '.repeat(5000), { paceMs: 2 }));
  const delaysMs: number[] = [];
  for (let count = 0; count < 21; count++) {
    const leave = new AbortController();
    const session = count % 3 === 0 ? {} : { session_id: `leaves-${count}` };
    // In a session a client that leaves is only gone; who wants an end says stop.
    const response = await system.chat(
      'Go on.',
      { model: 'first', stream: true, ...session },
      {},
      leave.signal,
    );
    const reader = response.body?.getReader();
    await reader?.read();
    const startMs = Date.now();
    if (count % 3 === 0) leave.abort();
    else await system.request(`/v1/sessions/leaves-${count}/stop`, { method: 'POST' });
    delaysMs.push(((await one.calls.at(-1)?.aborted) ?? Number.POSITIVE_INFINITY) - startMs);
  }
  expect(delaysMs.sort((a, b) => a - b)[10]).toBeLessThan(100);
});

test('two models that take no request cost a ladder its budget, not six connects', {
  timeout: 30_000,
}, async () => {
  const path = join(tmpdir(), `edgewise-budget-${process.pid}.toml`);
  const text = models(one.baseUrl, two.baseUrl)
    .replace('max_retries = 1', 'max_retries = 2\nfirst_token_budget_ms = 3000')
    .replaceAll(/time_limits.*/g, '');
  await writeFile(path, text);
  const other = await startSystem({ model: false, env: { EDGEWISE_MODELS_FILE: path } });
  try {
    one.behave(neverAccept);
    two.behave(neverAccept);
    const startMs = Date.now();
    const answer = await other.chat('Tell me.', { model: 'unhurried' });
    expect(answer.headers.get('x-edgewise-model')).toBe('edgewise-extractive');
    expect(answer.headers.get('x-edgewise-fallback')).toBe('patient;reason=connect_timeout');
    expect(Date.now() - startMs).toBeLessThan(8000);
    expect([one.calls.length, two.calls.length]).toEqual([1, 1]);
  } finally {
    await other.stop();
  }
});

describe('a breaker', () => {
  test('is told in the list of models, keeps calls away, and lets one try', { timeout: 20_000 }, async () => {
    const alone = await startScriptedUpstream();
    const path = join(tmpdir(), `edgewise-breaker-${process.pid}.toml`);
    const text = models(alone.baseUrl, two.baseUrl).replace(
      'failures = 1000, open_ms = 300',
      'failures = 2, open_ms = 2500',
    );
    await writeFile(path, text.replace('max_retries = 1', 'max_retries = 0'));
    const metricsToken = 'a-token-to-read-metrics';
    const other = await startSystem({
      model: false,
      env: { EDGEWISE_MODELS_FILE: path, EDGEWISE_METRICS_TOKEN: metricsToken },
    });
    const metrics = async (bearer: string) =>
      (
        await fetch(`${other.coreAddress}/metrics`, { headers: { authorization: `Bearer ${bearer}` } })
      ).text();
    const stateOf = async () => {
      const { data } = (await (await other.request('/v1/models')).json()) as {
        data: { id: string; edgewise: { breaker?: string } }[];
      };
      return data.find(({ id }) => id === 'first')?.edgewise.breaker;
    };
    const smart = async () => (await other.chat('hi', { model: 'smart' })).headers.get('x-edgewise-model');
    try {
      two.behave(say(SECOND));
      expect(await stateOf()).toBe('closed');
      alone.behave(refusals.error);
      expect([await smart(), await smart(), await smart()]).toEqual(['goes-on', 'goes-on', 'goes-on']);
      expect(alone.calls).toHaveLength(2);
      await expect.poll(stateOf, { timeout: 3000 }).toBe('open');
      expect(await metrics(metricsToken)).toContain('edgewise_breaker_state{gen_ai_request_model="first"} 2');
      expect(await metrics(metricsToken)).toContain(
        'edgewise_fallbacks_total{from="first",to="goes-on",reason="upstream_error"} 2',
      );
      expect(await metrics('another')).toContain('invalid_token');
      const refused = await other.chat('hi', { model: 'first' });
      expect([refused.status, alone.calls.length]).toEqual([503, 2]);
      alone.behave(say('Back.'));
      await expect.poll(smart, { timeout: 6000 }).toBe('first');
      await expect.poll(stateOf, { timeout: 3000 }).toBe('closed');
    } finally {
      await other.stop();
      await alone.close();
    }
  });
});
