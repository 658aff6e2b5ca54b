/** Embeddings, speech, transcriptions, moderations and images, by OpenAI's own client through edge and core. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type System, startSystem } from './system.ts';
import { scriptedVector, startTaskUpstream, type TaskUpstream } from './task-upstream.ts';

const models = (one: string, two: string) => `
[dispatch]
max_retries = 1
[providers.one]
kind = "openai"
base_url = "${one}"
api_key_env = "ONE_KEY"
[providers.two]
kind = "openai"
base_url = "${two}"
[models.embed-small]
provider = "one"
model = "upstream-embed"
offers = ["embeddings"]
price = { input = 0.02, output = 0 }
[models.voice]
provider = "one"
offers = ["speech", "transcriptions"]
[models.voice-two]
provider = "two"
offers = ["speech", "transcriptions"]
[models.judge]
provider = "one"
offers = ["moderations"]
[models.painter]
provider = "one"
offers = ["images"]
[aliases]
voices = ["voice", "voice-two"]
`;
const plans = { two: { user: { requests_per_minute: 2 } }, few: { user: { tokens_per_minute: 400 } } };

let one: TaskUpstream;
let two: TaskUpstream;
let system: System;
let openai: OpenAI;
beforeAll(async () => {
  [one, two] = await Promise.all([startTaskUpstream(), startTaskUpstream()]);
  const path = join(tmpdir(), `edgewise-tasks-${process.pid}.toml`);
  await writeFile(path, models(one.baseUrl, two.baseUrl));
  system = await startSystem({
    model: false,
    env: {
      EDGEWISE_MODELS_FILE: path,
      ONE_KEY: 'sk-one',
      EDGEWISE_LIMITS: 'on',
      EDGEWISE_PLANS: JSON.stringify(plans),
      EDGEWISE_MAX_UPLOAD_BYTES: '300000',
    },
  });
  openai = await clientOf({ plan: 'pro' });
});
afterAll(async () => {
  await system?.stop();
  await Promise.all([one?.close(), two?.close()]);
});
beforeEach(() => {
  one.calls.length = 0;
  two.calls.length = 0;
  one.fail(0, 0);
});
async function clientOf(claims: object): Promise<OpenAI> {
  const apiKey = await system.token({ sub: crypto.randomUUID(), ...claims });
  return new OpenAI({ baseURL: `${system.address}/v1`, apiKey, maxRetries: 0 });
}
/** As a 32-bit float holds them, which is how the client asks for them. */
const asFloat32 = (text: string) => [...new Float32Array(scriptedVector(text))];

describe('embeddings', () => {
  test('of one text and of several, with their usage', async () => {
    const single = await openai.embeddings.create({ model: 'embed-small', input: 'hello' });
    expect(single.data[0]?.embedding).toEqual(asFloat32('hello'));
    const several = await openai.embeddings.create({
      model: 'embed-small',
      input: ['a', '你好', 'c'],
      encoding_format: 'float',
    });
    expect(several.data.map(({ embedding }) => embedding)).toEqual(['a', '你好', 'c'].map(scriptedVector));
    expect(several.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(several).toMatchObject({ object: 'list', model: 'embed-small', usage: { prompt_tokens: 3 } });
    expect(one.calls[0]).toMatchObject({ authorization: 'Bearer sk-one', body: { model: 'upstream-embed' } });
  });

  test('1,000 calls at the same time are a few upstream, each with its own vectors', {
    timeout: 60_000,
  }, async () => {
    const texts = Array.from({ length: 1000 }, (_, index) => `text number ${index % 900}`);
    const callers = await Promise.all(Array.from({ length: 20 }, () => clientOf({ plan: 'unlimited' })));
    const answers = await Promise.all(
      texts.map((input, index) =>
        (callers[index % 20] as OpenAI).embeddings.create({ model: 'embed-small', input }),
      ),
    );
    for (const [index, { data }] of answers.entries())
      expect(data[0]?.embedding).toEqual(asFloat32(texts[index] as string));
    const sent = one.calls.flatMap(({ body }) => body.input as string[]);
    // The rest is a matter of what is on its way together.
    expect(one.calls.length).toBeLessThan(250);
    expect(sent.length).toBeLessThanOrEqual(1000);
    for (const { body } of one.calls) expect((body.input as string[]).length).toBeLessThanOrEqual(256);
  });

  test.each<[string, object, string]>([
    ['no model', { input: 'x' }, 'model'],
    ['no input', { model: 'embed-small' }, 'input'],
    ['an empty text', { model: 'embed-small', input: ['a', ''] }, 'input'],
    ['numbers for texts', { model: 'embed-small', input: [[1, 2]] }, 'input'],
    [
      'a format that is none',
      { model: 'embed-small', input: 'x', encoding_format: 'hex' },
      'encoding_format',
    ],
    ['a model that does not embed', { model: 'judge', input: 'x' }, 'model'],
    ['a model that is not there', { model: 'nobody', input: 'x' }, 'model'],
  ])('with %s names the field', async (_, body, param) => {
    const response = await system.request('/v1/embeddings', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    const { error } = (await response.json()) as { error: { param: string } };
    expect(error.param).toMatch(new RegExp(`^${param}`));
    expect(one.calls).toHaveLength(0);
  });
});

test('speech streams as it is spoken, and ends when its listener leaves', async () => {
  const response = await openai.audio.speech.create({
    model: 'voice',
    voice: 'alloy',
    input: 'one two three',
  });
  expect(response.headers.get('content-type')).toBe('audio/mpeg');
  const pieces: string[] = [];
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
    pieces.push(new TextDecoder().decode(chunk));
  expect(pieces.join('')).toBe('[one][two][three]');
  expect(pieces.length).toBeGreaterThan(1);

  const leave = new AbortController();
  const long = await openai.audio.speech.create(
    { model: 'voice', voice: 'alloy', input: 'word '.repeat(500) },
    { signal: leave.signal },
  );
  await long.body?.getReader().read();
  leave.abort();
  await one.calls.at(-1)?.aborted;
});

test('a recording is written down', async () => {
  const file = new File([new Uint8Array(200_000)], 'talk.mp3', { type: 'audio/mpeg' });
  const { text } = await openai.audio.transcriptions.create({ model: 'voice', file, language: 'zh' });
  expect(text).toBe('talk.mp3 of 200000 bytes');
  expect(one.calls[0]?.body).toMatchObject({ model: 'voice', language: 'zh' });
});

test('an upload that is too large, or no form, or without a file, is told', async () => {
  const file = new File([new Uint8Array(400_000)], 'long.mp3');
  await expect(openai.audio.transcriptions.create({ model: 'voice', file })).rejects.toMatchObject({
    status: 413,
  });
  const send = (body: BodyInit, headers = {}) =>
    system.request('/v1/audio/transcriptions', { method: 'POST', body, headers });
  expect((await send('{}', { 'content-type': 'application/json' })).status).toBe(415);
  const form = new FormData();
  form.append('model', 'voice');
  expect(await (await send(form)).json()).toMatchObject({ error: { param: 'file' } });
  expect(one.calls).toHaveLength(0);
});

test('moderations and images go through', async () => {
  expect((await openai.moderations.create({ model: 'judge', input: 'x' })).results).toHaveLength(1);
  const image = await openai.images.generate({ model: 'painter', prompt: 'a river' });
  expect(image.data?.[0]?.b64_json).toBe('aW1hZ2U=');
  expect(one.calls.map(({ path }) => path)).toEqual(['/v1/moderations', '/v1/images/generations']);
});

describe('a service that fails', () => {
  const speak = (model: string) => openai.audio.speech.create({ model, voice: 'a', input: 'hi' });

  test('is asked once more, and nobody sees it', async () => {
    one.fail(500, 1);
    expect(await (await speak('voice')).text()).toBe('[hi]');
    expect(one.calls).toHaveLength(2);
  });

  test('leaves it to the next one of its alias', async () => {
    one.fail(503, 2);
    const response = await speak('voices');
    expect(response.headers.get('x-edgewise-model')).toBe('voice-two');
    expect(await response.text()).toBe('[hi]');
    expect([one.calls.length, two.calls.length]).toEqual([2, 1]);
    expect(two.calls[0]?.authorization).toBeUndefined();
  });

  test('is told as its error, without its words', async () => {
    one.fail(401, 9);
    await expect(speak('voice')).rejects.toMatchObject({ status: 502, code: 'upstream_auth_failed' });
    expect(one.calls).toHaveLength(1);
  });
});

describe('limits', () => {
  test('count these calls as any other', async () => {
    const limited = await clientOf({ plan: 'two' });
    const ask = () => limited.moderations.create({ model: 'judge', input: 'x' });
    await ask();
    await ask();
    await expect(ask()).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(one.calls).toHaveLength(2);
  });

  test('count what was used, and give back the rest', async () => {
    const limited = await clientOf({ plan: 'few' });
    const input = 'long '.repeat(200);
    const ask = () => limited.embeddings.create({ model: 'embed-small', input }).withResponse();
    const { response } = await ask();
    expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('400');
    expect(Number(response.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(200);
    // One token was used.
    await expect
      .poll(
        () =>
          ask().then(
            () => 'again',
            () => 'refused',
          ),
        { timeout: 3000 },
      )
      .toBe('again');
  });
});

test('the list of models says what each offers', async () => {
  const { data } = await openai.models.list();
  const offers = Object.fromEntries(
    data.map((model) => [
      model.id,
      (model as unknown as { edgewise: { offers?: string[] } }).edgewise.offers,
    ]),
  );
  expect(offers).toMatchObject({
    'embed-small': ['embeddings'],
    voices: ['speech', 'transcriptions'],
  });
});

test('without a token there is nothing', async () => {
  for (const path of [
    'embeddings',
    'audio/speech',
    'audio/transcriptions',
    'moderations',
    'images/generations',
  ])
    expect((await fetch(`${system.address}/v1/${path}`, { method: 'POST', body: '{}' })).status).toBe(401);
});
