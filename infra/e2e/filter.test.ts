/** The content filter on the way of a prompt and of its answer, through the running edge. */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFolding } from '../../edge/filter/folding.ts';
import { SESSION_PROTOCOL, tokenProtocol } from '../../shared/protocol/session-socket.ts';
import { assetsDir } from '../local/bundle-paths.ts';
import { characterTable } from '../local/filter-assets.ts';
import { compileWords } from '../local/word-lists/compile-words.ts';
import { parseWordList } from '../local/word-lists/word-list.ts';
import { readEvents, readSome, textOf } from './read-stream.ts';
import { say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

/** A tenant whose list no build of this machine knows. */
const tenant = 'filter-test';
const asset = join(assetsDir, 'policy', `words.${tenant}.bin`);
let system: System;
let moderation: Server;
beforeAll(async () => {
  const entries = parseWordList('[mask]\nfiddlesticks\n大笨蛋\n[refuse gambling]\nlucky slots\n');
  await mkdir(join(assetsDir, 'policy'), { recursive: true });
  await writeFile(asset, new Uint8Array(compileWords(entries, createFolding(await characterTable()))));
  // Stands for a paid service: it minds one word.
  moderation = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const { input } = JSON.parse(text) as { input: string | string[] };
    const results = [input].flat().map((part) => {
      const flagged = part.includes('unspeakable');
      return { flagged, categories: { violence: flagged }, category_scores: { violence: flagged ? 1 : 0 } };
    });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: 'modr', model: 'scripted', results }));
  });
  await new Promise<void>((resolve) => moderation.listen(0, '127.0.0.1', resolve));
  const { port } = moderation.address() as AddressInfo;
  system = await startSystem({
    env: {
      EDGEWISE_MASK_PERSONAL_DATA: 'email,bank-card',
      EDGEWISE_MODERATION_URL: `http://127.0.0.1:${port}/v1/moderations`,
      EDGEWISE_CACHE: 'on',
    },
  });
});
afterAll(async () => {
  await system.stop();
  moderation.close();
  await rm(asset, { force: true });
});
beforeEach(() => {
  system.upstream.calls.length = 0;
  system.upstream.behave(say('a decent answer'));
});

const headersOf = async (more: object = {}) => ({
  authorization: `Bearer ${await system.token({ tenant, ...more })}`,
});
const ask = async (content: string, body: object = {}) => system.chat(content, body, await headersOf());
const asked = () => system.upstream.calls.at(-1)?.body.messages.at(-1)?.content;

describe('a prompt', () => {
  test('is masked before it goes anywhere, the history included', async () => {
    await (
      await ask('Oh f.i.d.d.l.e.s.t.i.c.k.s, write to ann@example.com', { session_id: 'masked' })
    ).text();
    expect(asked()).toBe('Oh ***, write to [email]');
    const history = await system.request('/v1/sessions/masked', { headers: await headersOf() });
    const text = await history.text();
    expect(text).toContain('Oh ***, write to [email]');
    expect(text).not.toContain('ann@example.com');
  });

  test('is refused by a word, and by the moderation service, and costs no call', async () => {
    for (const prompt of ['where are the ＬＵＣＫＹ  slots?', 'something unspeakable']) {
      const answer = await ask(prompt, { stream: true, session_id: crypto.randomUUID() });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: { code: 'content_filter', type: 'invalid_request_error' },
      });
    }
    expect(system.upstream.calls).toHaveLength(0);
  });

  test('over a socket is treated alike', async () => {
    const address = `${system.address.replace('http', 'ws')}/v1/sessions/socket/ws`;
    const socket = new WebSocket(address, [SESSION_PROTOCOL, tokenProtocol(await system.token({ tenant }))]);
    const frames: { type: string; error?: { code: string } }[] = [];
    socket.addEventListener('message', ({ data }) => frames.push(JSON.parse(String(data))));
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
    socket.send(JSON.stringify({ type: 'response.create', input: 'lucky slots please' }));
    await expect.poll(() => frames.at(-1)?.error?.code).toBe('content_filter');
    socket.send(JSON.stringify({ type: 'response.create', input: 'fiddlesticks' }));
    await expect.poll(() => frames.at(-1)?.type).toBe('response.completed');
    expect(asked()).toBe('***');
    socket.close();
  });

  test('of a tenant without a list is left alone', async () => {
    await (await system.chat('fiddlesticks and lucky slots')).text();
    expect(asked()).toBe('fiddlesticks and lucky slots');
  });
});

describe('an answer', () => {
  test('is masked, however it comes', async () => {
    system.upstream.behave(
      say('oh f i d d l e s t i c k s, you 大 笨 蛋: card 4111 1111 1111 1111 it is', { paceMs: 3 }),
    );
    const masked = 'oh ***, you ***: card [bank-card] it is';
    const streamed = textOf(await readEvents(await ask(crypto.randomUUID(), { stream: true })));
    expect(streamed).toBe(masked);
    const whole = (await (await ask(crypto.randomUUID())).json()) as {
      choices: [{ message: { content: string } }];
    };
    expect(whole.choices[0].message.content).toBe(masked);
  });

  test('is ended by a word that is refused, with what was said before, and its call is too', async () => {
    system.upstream.behave(say(`try the lucky slots ${'and more '.repeat(300)}`, { paceMs: 10 }));
    const events = await readEvents(await ask(crypto.randomUUID(), { stream: true }));
    expect(textOf(events)).not.toContain('lucky');
    expect(textOf(events)).toMatch(/^try the/);
    expect(events.at(-2)?.data).toContain('"finish_reason":"content_filter"');
    await expect.poll(() => system.upstream.calls[0]?.isAborted).toBe(true);
  });

  test('from the cache is filtered, too', async () => {
    const question = crypto.randomUUID();
    system.upstream.behave(say('oh fiddlesticks'));
    await (await ask(question)).text();
    const again = await ask(question);
    expect(again.headers.get('x-edgewise-cache')).toBe('hit');
    expect(await again.text()).toContain('oh ***');
  });

  test('goes on after a crash of the edge as if nothing had been, with one call', async () => {
    const words = 'one two f i d d l e s t i c k s three four fiddlesticks five six '.repeat(12);
    system.upstream.behave(say(words, { paceMs: 15 }));
    const headers = await headersOf();
    const body = { stream: true, session_id: 'crash' };
    const first = await readSome(await system.chat('go', body, headers), 20);
    await system.killEdge();
    await system.restartEdge();
    const last = first.at(-1)?.id ?? '';
    const rest = await system.request('/v1/sessions/crash/stream', {
      headers: { ...headers, 'last-event-id': last },
    });
    const said = textOf(first) + textOf(await readEvents(rest));
    expect(said.trim()).toBe('one two *** three four *** five six '.repeat(12).trim());
    expect(system.upstream.calls).toHaveLength(1);
  });
});

test('what was filtered is named in the log by plugin and label, and never said', async () => {
  await ask('the lucky slots of zebra1234');
  const { readFile } = await import('node:fs/promises');
  await expect
    .poll(async () => readFile(join(system.dataDir, 'logs/edge.log'), 'utf8'))
    .toMatch(/"plugin":"words","hook":"prompt","outcome":"refuse".*"label":"gambling"/);
  expect(await readFile(join(system.dataDir, 'logs/edge.log'), 'utf8')).not.toMatch(/zebra1234|lucky/);
});

test('the prompt of an image, and words to be spoken, are filtered as any prompt', async () => {
  const send = async (path: string, body: object) =>
    system.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(await headersOf()) },
      body: JSON.stringify({ model: 'none', ...body }),
    });
  for (const [path, field] of [
    ['/v1/images/generations', 'prompt'],
    ['/v1/audio/speech', 'input'],
  ] as const) {
    const refused = await send(path, { [field]: 'a neon sign that says lucky slots' });
    expect(await refused.json()).toMatchObject({ error: { code: 'content_filter' } });
    // What is decent comes as far as the list of models, which holds none of that name.
    expect(await (await send(path, { [field]: 'a river' })).json()).toMatchObject({
      error: { code: 'model_not_found' },
    });
  }
});
