/** What an upstream says that an answer used, and what a client that leaves pays: neither is taken on anybody's word. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../shared/model/chat-model.ts';
import { readSome } from './read-stream.ts';
import {
  type Behaviour,
  chunk,
  openStream,
  type ScriptedUpstream,
  startScriptedUpstream,
} from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

const metricsToken = 'a-token-to-read-metrics';
const plans = {
  // 800 kB of tools cost 25 cents, a megabyte of output $2.50.
  prompt: { user: { usd_per_day: 0.4 } },
  output: { user: { usd_per_day: 2 } },
  company: { user: { tokens_per_minute: 1_000_000 }, tenant: { usd_per_month: 200 } },
};

let light: ScriptedUpstream;
let system: System;
beforeAll(async () => {
  light = await startScriptedUpstream();
  system = await startSystem({
    env: {
      EDGEWISE_LIMITS: 'on',
      EDGEWISE_ARCHIVE: 'on',
      // Opening it later would hold up a request for seconds.
      EDGEWISE_OPEN_DATABASE: 'on',
      EDGEWISE_PLANS: JSON.stringify(plans),
      EDGEWISE_METRICS_TOKEN: metricsToken,
      EDGEWISE_LIGHT_BASE_URL: light.baseUrl,
      EDGEWISE_LIGHT_MODEL: 'tiny',
      // The scripted model under a name that has a price.
      OPENAI_MODEL: '',
    },
  });
});
afterAll(async () => {
  await system?.stop();
  await light?.close();
});

let tenant: string;
beforeEach(() => {
  tenant = crypto.randomUUID();
});
const headersOf = async (sub: string) => ({
  authorization: `Bearer ${await system.token({ sub, tenant, plan: 'company' })}`,
});
async function ask(sub: string, body: object = {}) {
  const answer = await system.chat('Say it.', { model: 'gpt-5', ...body }, await headersOf(sub));
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** Answers `one two three`, and says this of what it used. @param usage JSON */
function report(usage: string): Behaviour {
  return (_call, answer) => {
    openStream(answer);
    answer.write(chunk({ content: 'one two three' }));
    answer.write(chunk({}, 'stop'));
    answer.end(`data: {"choices":[],"usage":${usage}}\n\ndata: [DONE]\n\n`);
  };
}
const own = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13, estimated: true };

describe.each(['gpt-5', 'tiny'])('a usage that cannot be, of %s', (model) => {
  test.each(['1e18', '1e308', '3e9', '1e999', '"7"', 'null', '-1', '0.5', '0'])(
    'a count of %s is replaced by our own, and locks nobody out',
    async (count) => {
      const lie = report(`{"prompt_tokens":${count},"completion_tokens":${count}}`);
      system.upstream.behave(lie);
      light.behave(lie);
      const first = await ask('ann', { model });
      expect(first.body).toMatchObject({ usage: own });
      expect((await ask('ann', { model })).status).toBe(200);
      expect((await ask('ben', { model })).status).toBe(200);
    },
  );
});

describe('a client that leaves after the first word', () => {
  const tools = [{ type: 'function', function: { name: 'f', description: 'word '.repeat(160_000) } }];
  /** Says a word, then this, and goes on without an end. */
  const goOn =
    (delta: JsonObject): Behaviour =>
    (_call, answer) => {
      openStream(answer);
      answer.write(chunk({ content: 'one' }));
      answer.write(chunk(delta));
    };
  /** A user whose day is worth what one such call costs, and not two. */
  const headers = async (plan: string) => ({
    authorization: `Bearer ${await system.token({ sub: 'ann', tenant, plan })}`,
  });
  async function leave(plan: string, body: object, events: number) {
    const asked = { model: 'gpt-5', stream: true, ...body };
    const answer = await system.chat('Say it.', asked, await headers(plan));
    expect(answer.status).toBe(200);
    await readSome(answer, events);
    await system.upstream.calls.at(-1)?.aborted;
  }
  async function askAgain(plan: string, body: object) {
    const answer = await system.chat('Say it.', { model: 'gpt-5', ...body }, await headers(plan));
    const { error } = (await answer.json()) as { error?: { code: string } };
    return error?.code;
  }

  test('pays its whole prompt', async () => {
    system.upstream.behave(goOn({}));
    await leave('prompt', { tools }, 2);
    system.upstream.behave(report('{"prompt_tokens":9,"completion_tokens":3}'));
    for (let times = 0; times < 3; times++) {
      expect(await askAgain('prompt', { tools })).toBe('insufficient_quota');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });

  test('pays for output in fields that Edgewise does not know', async () => {
    system.upstream.behave(goOn({ reasoning_details: [{ text: 'word '.repeat(200_000) }] }));
    await leave('output', {}, 3);
    system.upstream.behave(report('{"prompt_tokens":9,"completion_tokens":3}'));
    await expect
      .poll(() => askAgain('output', { max_tokens: 1 }), { timeout: 5000 })
      .toBe('insufficient_quota');
  });
});

test('a lie is counted by the metrics of the core and of the edge', async () => {
  const authorization = `Bearer ${metricsToken}`;
  const read = async (address: string) =>
    (await fetch(`${address}/metrics`, { headers: { authorization } })).text();
  const line = (name: string) =>
    new RegExp(
      `edgewise_usage_rejected_total\\{gen_ai_operation_name="chat",gen_ai_request_model="${name}",gen_ai_token_type="output",reason="too_large"\\} \\d`,
    );
  expect(await read(system.coreAddress)).toMatch(line('gpt-5'));
  await expect.poll(() => read(system.address), { timeout: 10_000 }).toMatch(line('tiny'));
});

test('a session whose upstream lied is archived and exported', async () => {
  system.upstream.behave(report('{"prompt_tokens":3e9,"completion_tokens":3e9}'));
  await ask('ann', { session_id: 'lied-to' });
  system.upstream.behave(report('{"prompt_tokens":9,"completion_tokens":3}'));
  await ask('ann', { session_id: 'lied-to' });
  const exported = async () => {
    const answer = await system.request('/v1/export', { headers: await headersOf('ann') });
    return [answer.status, (await answer.text()).match(/one two three/g)?.length ?? 0];
  };
  await expect.poll(exported, { timeout: 10_000 }).toEqual([200, 2]);
});
