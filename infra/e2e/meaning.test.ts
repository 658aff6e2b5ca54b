/** Answers by meaning: given on evidence, refused by rule, and planted by nobody. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

const env = {
  EDGEWISE_CACHE: 'on',
  EDGEWISE_CACHE_SHARED_TENANTS: 'team',
  EDGEWISE_SEMANTIC_TENANTS: 'shop, team',
  EDGEWISE_SEMANTIC_DELTA: '0.1',
};
let system: System;
beforeAll(async () => {
  system = await startSystem({ env });
});
afterAll(() => system.stop());
let topic: string;
beforeEach(() => {
  topic = `thing${crypto.randomUUID().replace(/[^a-z]/g, '')}`;
  system.upstream.calls.length = 0;
  system.upstream.behave(say('Press the red button twice.'));
});

const bearer = async (on: System, claims: object) => ({ authorization: `Bearer ${await on.token(claims)}` });
async function ask(content: string, claims: object = { tenant: 'shop' }, body: object = {}, headers = {}) {
  const answer = await system.chat(content, body, { ...(await bearer(system, claims)), ...headers });
  const { choices } = (await answer.json()) as { choices: [{ message: { content: string } }] };
  return { cache: answer.headers.get('x-edgewise-cache'), text: choices[0].message.content };
}
async function prepare(on: System, body: object, tenant = 'shop') {
  const answer = await on.request('/v1/cache/prepared', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(await bearer(on, { tenant, sub: 'op', scope: 'admin' })),
    },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { paraphrases_refused: string[] };
}
/** Ways to ask how to reset something. */
const wordings = (what: string) =>
  ['', 'please, ', 'hi, ', 'thanks, '].flatMap((opening) =>
    [
      'how do i',
      'how can i',
      'how to',
      'how should i',
      'what is the best way to',
      'what are the steps to',
    ].map((kind) => `${opening}${kind} reset my ${what}`),
  );
/** A question may be asked all the same once in a while: asked twice, it is not both times. */
async function outcomes(content: string, claims: object = { tenant: 'shop' }): Promise<string> {
  const seen = await Promise.all(
    [0, 1, 2].map(() => ask(content, claims, {}, { 'cache-control': 'max-age=100' })),
  );
  return seen.map(({ cache }) => cache).join(' ');
}

describe('a prepared answer', () => {
  test('serves other wordings once the operator has given evidence, and no other question', async () => {
    await prepare(system, { question: `How do I reset my ${topic}?` });
    expect((await ask(`hello, how can I reset my ${topic}`)).cache).not.toBe('semantic');

    const { paraphrases_refused: refused } = await prepare(system, {
      question: `How do I reset my ${topic}?`,
      paraphrases: [...wordings(topic), `How do I reset my other ${topic}?`],
    });
    expect(refused).toEqual([`How do I reset my other ${topic}?`]);
    const calls = system.upstream.calls.length;
    expect(await outcomes(`Could you tell me how to reset my ${topic}?`)).toContain('semantic');
    expect((await ask(`Could you tell me how to reset my ${topic}?`)).text).toBe(
      'Press the red button twice.',
    );
    expect(system.upstream.calls.length - calls).toBeLessThanOrEqual(2);

    for (const other of [
      `How do I not reset my ${topic}?`,
      `How do I reset my 2 ${topic}?`,
      `Why do I reset my ${topic}?`,
      `How do I reset my ${topic} today?`,
      `如何重置 ${topic}`,
    ]) {
      expect(await outcomes(other), other).not.toContain('semantic');
    }
  });

  test('serves nobody of another tenant, no other system prompt, no conversation', async () => {
    await prepare(system, { question: `How do I reset my ${topic}?`, paraphrases: wordings(topic) });
    const wording = `Could you tell me how to reset my ${topic}?`;
    expect(await outcomes(wording, { tenant: 'team' })).not.toContain('semantic');
    expect(await outcomes(wording, { tenant: 'off' })).not.toContain('semantic');
    const messages = [
      { role: 'system', content: 'answer as a pirate' },
      { role: 'user', content: wording },
    ];
    for (let time = 0; time < 3; time++) {
      expect((await ask('', { tenant: 'shop' }, { messages, seed: time })).cache).not.toBe('semantic');
    }
    const headers = { 'x-session-id': crypto.randomUUID() };
    await ask('before', { tenant: 'shop' }, {}, headers);
    expect((await ask(wording, { tenant: 'shop' }, {}, headers)).cache).toBe('bypass;reason=session');
  });

  test('is forgotten with its answers', async () => {
    await prepare(system, { question: `How do I reset my ${topic}?`, paraphrases: wordings(topic) });
    const headers = await bearer(system, { tenant: 'shop', scope: 'admin' });
    await system.request('/v1/cache', { method: 'DELETE', headers });
    expect(await outcomes(`Could you tell me how to reset my ${topic}?`)).not.toContain('semantic');
  });
});

describe('an answer that nobody prepared', () => {
  const member = (name: string) => ({ tenant: 'team', sub: name });

  test('is confirmed by what others are answered, and by its own asker never', async () => {
    await ask(`How do I reset my ${topic}?`, member('mallory'));
    const [first = '', ...others] = wordings(topic);
    for (const wording of others) {
      const { cache } = await ask(wording, member('mallory'));
      expect(cache, wording).not.toBe('semantic');
    }
    expect(await outcomes(`Could you tell me how to reset my ${topic}?`, member('mallory'))).not.toContain(
      'semantic',
    );

    const more = wordings(topic).map((wording) => `ok, ${wording}`);
    for (const [index, wording] of more.entries()) await ask(wording, member(`user${index % 4}`));
    expect(first).not.toBe('');
    await expect
      .poll(() => outcomes(`I want to know how to reset my ${topic} ${'?'.repeat(1)}`, member('zoe')))
      .toContain('semantic');
  });

  test('that turns out wrong for others is not given', async () => {
    await ask(`How do I reset my ${topic}?`, member('ann'));
    let call = 0;
    system.upstream.behave((request, answer) =>
      say(`Another answer, number ${call++}, at length.`)(request, answer),
    );
    for (const [index, wording] of wordings(topic).entries()) await ask(wording, member(`user${index % 4}`));
    expect(await outcomes(`Could you tell me how to reset my ${topic}?`, member('zoe'))).not.toContain(
      'semantic',
    );
  });
});

describe('with embeddings and a judge', () => {
  let embeddings: Server;
  let judged: System;
  beforeAll(async () => {
    // Stands for a paid model: every question about the same thing is near every other one.
    embeddings = createServer(async (request, response) => {
      let text = '';
      for await (const piece of request) text += piece;
      const { input } = JSON.parse(text) as { input: [string] };
      const isAbout = /mattress/.test(input[0]);
      const embedding = [isAbout ? 1 : 0, isAbout ? 0 : 1, 0.1 + (input[0].length % 7) / 100];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: [{ embedding }] }));
    });
    await new Promise<void>((resolve) => embeddings.listen(0, '127.0.0.1', resolve));
    const { port } = embeddings.address() as AddressInfo;
    judged = await startSystem({
      env: {
        ...env,
        EDGEWISE_EMBEDDINGS_BASE_URL: `http://127.0.0.1:${port}/v1`,
        EDGEWISE_EMBEDDINGS_MODEL: 'scripted-embeddings',
        EDGEWISE_JUDGE_MODEL: 'scripted-1',
      },
    });
  });
  afterAll(async () => {
    await judged.stop();
    embeddings.close();
  });

  test('other words are found, a model judges behind the answer, and the rules still refuse', async () => {
    const isJudging = (messages: { content?: unknown }[]) =>
      /compare two answers/.test(String(messages[0]?.content));
    judged.upstream.behave((call, answer) =>
      say(isJudging(call.body.messages) ? 'SAME' : 'Try it for a hundred nights.')(call, answer),
    );
    await prepare(judged, { question: 'How do I choose a mattress?' });
    const askJudged = async (content: string) => {
      const headers = await bearer(judged, { tenant: 'shop' });
      const answer = await judged.chat(content, {}, headers);
      await answer.text();
      return answer.headers.get('x-edgewise-cache');
    };
    for (let time = 0; time < 30; time++)
      await askJudged(`How do people go shopping with a mattress on their mind${'!'.repeat(time)}`);
    await expect
      .poll(() =>
        askJudged(`How do I know a mattress is worth its money${'!'.repeat(Math.ceil(Math.random() * 1e3))}`),
      )
      .toBe('semantic');
    expect(await askJudged('How do I choose 2 mattresses?')).not.toBe('semantic');
    expect(await askJudged('How do I not choose a mattress?')).not.toBe('semantic');
  });
});
