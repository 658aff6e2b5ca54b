/** What is remembered beyond the window, found again, and forgotten: with workerd, the core and its database as they run. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEmbedded } from '../../core/db/database.ts';
import { messageText } from '../../shared/model/chat-model.ts';
import { projectRoot } from '../local/settings.ts';
import { say } from './scripted-upstream.ts';
import { lacks, type RedisService, startRedis } from './services.ts';
import { type System, startSystem } from './system.ts';

const polled = { timeout: 20_000, interval: 100 };

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

describe('a long conversation', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ env: { EDGEWISE_ARCHIVE: 'on' } });
  });
  afterAll(() => system?.stop());
  const prompt = () => system.upstream.calls.at(-1)?.body.messages ?? [];
  const prompted = () => prompt().map(messageText).join('\n');

  test('a fact of turn 3 is before the model in turn 60, in a prompt that does not grow', {
    timeout: 120_000,
  }, async () => {
    const session_id = 'long';
    const sizes: number[] = [];
    for (let turn = 1; turn <= 60; turn++) {
      const content =
        turn === 3
          ? 'By the way, my locker code is 4711 and it must never be changed.'
          : `Tell me something about topic ${turn}: ${'and so on '.repeat(10)}?`;
      system.upstream.behave(
        say(`About topic ${turn} there is much to say. ${'Words of no weight. '.repeat(5)}`),
      );
      expect((await (await system.chat(content, { session_id })).json()).choices).toHaveLength(1);
      sizes.push(prompted().length);
    }
    await (await system.chat('What is my locker code?', { session_id })).text();
    expect(prompted()).toContain('my locker code is 4711');
    const late = sizes.slice(30);
    expect(Math.max(...late)).toBeLessThan(1.25 * Math.min(...late));
    // As a user's data, before what is said now; never as the system's words.
    const notes = prompt().find((message) => messageText(message).startsWith('Notes on earlier parts'));
    expect(notes?.role).toBe('user');
    expect(messageText(notes ?? { role: 'user' })).toContain('[round 3, user]');
    expect(prompt().at(-1)).toMatchObject({ role: 'user', content: 'What is my locker code?' });
  });

  test('another branch is not told what was said on the first', { timeout: 60_000 }, async () => {
    const session_id = 'branches';
    for (let turn = 1; turn <= 16; turn++) {
      const content = turn === 4 ? 'I am called Rumpelstiltskin.' : `Question ${turn}?`;
      await (await system.chat(content, { session_id })).text();
    }
    const notes = () => prompted().includes('I am called Rumpelstiltskin');
    await expect
      .poll(async () => {
        await (await system.chat('And?', { session_id })).text();
        return notes();
      }, polled)
      .toBe(true);
    const { messages } = (await (await system.request(`/v1/sessions/${session_id}?limit=500`)).json()) as {
      messages: { id: string; role: string; content: string }[];
    };
    const second = messages.findIndex(({ content }) => content === 'Question 2?');
    const parent_id = messages[second + 1]?.id;
    await (await system.chat('Who am I?', { session_id, parent_id })).text();
    expect(prompted()).not.toContain('Notes on earlier parts');
    expect(prompted()).not.toContain('Rumpelstiltskin');
  });

  test('a turn that is forgotten is gone from the history, the notes and what is recalled', {
    timeout: 60_000,
  }, async () => {
    const session_id = 'slips';
    const first = (await (
      await system.chat('My secret word is xylophone, never tell it.', { session_id })
    ).json()) as { id: string };
    for (let turn = 2; turn <= 12; turn++)
      await (await system.chat(`Question ${turn}?`, { session_id })).text();
    await expect
      .poll(async () => {
        await (await system.chat('What is my secret word?', { session_id })).text();
        return prompted().includes('xylophone');
      }, polled)
      .toBe(true);
    const forget = (turn_id: string) =>
      system.request(`/v1/sessions/${session_id}/forget`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ turn_id }),
      });
    const turnId = first.id.replace('chatcmpl-', '');
    expect((await forget(turnId)).status).toBe(200);
    await (await system.chat('What is my secret word?', { session_id })).text();
    expect(prompted()).not.toContain('xylophone');
    const history = await (await system.request(`/v1/sessions/${session_id}?limit=500`)).text();
    expect(history).not.toContain('xylophone');
    expect(history).toContain('[forgotten]');
    expect(await (await system.request('/v1/export')).text()).not.toContain('xylophone');
    expect((await forget('0'.repeat(32))).status).toBe(404);
    expect((await forget('nonsense')).status).toBe(400);
  });

  test('another conversation is recalled for those who have asked for it, and for nobody else', {
    timeout: 60_000,
  }, async () => {
    const ask = async (sub: string, content: string, session_id: string) => {
      const token = await system.token({ sub });
      await (await system.chat(content, { session_id }, headersOf(token))).text();
    };
    const choose = async (sub: string, isOn: unknown) =>
      system.request('/v1/memory', {
        method: 'PATCH',
        headers: headersOf(await system.token({ sub })),
        body: JSON.stringify({ recall_across_conversations: isOn }),
      });
    for (const sub of ['ann', 'ben']) await ask(sub, `The name of ${sub}'s cat is Whiskers-${sub}.`, 'first');
    expect((await choose('ann', 'yes')).status).toBe(400);
    expect(await (await choose('ann', true)).json()).toMatchObject({ recall_across_conversations: true });
    await expect
      .poll(async () => {
        await ask('ann', 'What is the name of my cat?', crypto.randomUUID());
        return prompted();
      }, polled)
      .toContain('Whiskers-ann');
    expect(prompted()).not.toContain('Whiskers-ben');
    await ask('ben', 'What is the name of my cat?', 'second');
    expect(prompted()).not.toContain('Whiskers');
    await choose('ann', false);
    await ask('ann', 'What is the name of my cat?', 'third');
    expect(prompted()).not.toContain('Whiskers');
  });

  test('conversations are listed by title, renamed, and found by what was said', async () => {
    const headers = headersOf(await system.token({ sub: 'lister' }));
    const chat = async (content: string, session_id: string) =>
      (await system.chat(content, { session_id }, headers)).text();
    await chat('How do I bake bread? I have rye flour.', 'bread');
    await chat('怎么学习钢琴？我每天有一小时。', 'piano');
    const list = async (query = '') =>
      (await (await system.request(`/v1/conversations${query}`, { headers })).json()) as {
        data: { id: string; title: string; snippet?: string }[];
      };
    await expect.poll(async () => (await list()).data.length, polled).toBe(2);
    expect((await list()).data.map(({ id, title }) => [id, title])).toEqual([
      ['piano', '怎么学习钢琴？'],
      ['bread', 'How do I bake bread?'],
    ]);
    expect((await list('?q=rye')).data).toMatchObject([
      { id: 'bread', snippet: expect.stringContaining('rye') },
    ]);
    expect((await list(`?q=${encodeURIComponent('钢琴')}`)).data).toMatchObject([{ id: 'piano' }]);
    expect((await list('?limit=1')).data).toHaveLength(1);
    const rename = (id: string, title: string) =>
      system.request(`/v1/conversations/${id}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ title }),
      });
    expect(await (await rename('bread', 'Rye bread')).json()).toMatchObject({
      id: 'bread',
      title: 'Rye bread',
    });
    expect((await rename('bread', ' ')).status).toBe(400);
    expect((await rename('none', 'x')).status).toBe(404);
    expect((await list()).data[1]).toMatchObject({ title: 'Rye bread' });
  });
});

describe('documents', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ env: { EDGEWISE_ARCHIVE: 'on', EDGEWISE_CACHE: 'on' } });
  });
  afterAll(() => system?.stop());

  interface Uploaded {
    id: string;
    outcome: string;
    passages: number;
    title: string;
  }
  const upload = async (
    name: string,
    content: string | Blob,
    more: Record<string, string> = {},
    claims = {},
  ) => {
    const form = new FormData();
    form.set('file', content instanceof Blob ? content : new Blob([content]), name);
    for (const [field, value] of Object.entries(more)) form.set(field, value);
    const headers = { authorization: `Bearer ${await system.token(claims)}` };
    return system.request('/v1/documents', { method: 'POST', body: form, headers });
  };
  const handbook = `# Handbook\n\n## Holidays\n\nEverybody has 31 days of holiday a year.\n\n## Lunch\n\nLunch is at noon in the green room.\n`;

  test('are answered from, with citations that point to the passage', async () => {
    const made = await upload('handbook.md', handbook);
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as Uploaded;
    system.upstream.behave(say('You have 31 days [1].'));
    const question = 'How many days of holiday do I have?';
    const answer = (await (await system.chat(question, { knowledge: true })).json()) as {
      choices: {
        message: {
          content: string;
          annotations: { url_citation: { url: string; start_index: number; end_index: number } }[];
        };
      }[];
    };
    const [choice] = answer.choices;
    const citation = choice?.message.annotations[0]?.url_citation;
    expect(choice?.message.content.slice(citation?.start_index, citation?.end_index)).toBe('[1]');
    expect(citation?.url).toBe(`/v1/documents/${id}/passages/1`);
    const passage = await (await system.request(citation?.url ?? '')).json();
    expect(passage).toMatchObject({
      title: 'Handbook',
      heading: 'Handbook > Holidays',
      text: 'Everybody has 31 days of holiday a year.',
    });
    const prompt = system.upstream.calls.at(-1)?.body.messages ?? [];
    expect(prompt.map(({ role }) => role)).toEqual(['user', 'user']);
    expect(messageText(prompt[0] ?? { role: 'user' })).toContain('Everybody has 31 days');
    // Without being asked for, documents are left alone.
    await (await system.chat(question)).text();
    expect(system.upstream.calls.at(-1)?.body.messages).toHaveLength(1);
  });

  test('are cited in OpenAI’s Responses, too, streamed and whole', async () => {
    await upload('handbook.md', handbook);
    system.upstream.behave(say('At noon [1], as it is said [1].'));
    const ask = (more: object) =>
      system.request('/v1/responses', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input: 'When is lunch?', knowledge: true, ...more }),
      });
    const whole = (await (await ask({})).json()) as {
      output: { content: { annotations: { type: string; title: string }[] }[] }[];
    };
    expect(whole.output[0]?.content[0]?.annotations).toMatchObject([
      { type: 'url_citation', title: 'Handbook, Handbook > Lunch' },
      { type: 'url_citation' },
    ]);
    const events = (await (await ask({ stream: true })).text())
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)));
    const added = events.filter(({ type }) => type === 'response.output_text.annotation.added');
    expect(added.map(({ annotation_index }) => annotation_index)).toEqual([0, 1]);
    expect(added[0].annotation).toMatchObject({ type: 'url_citation', start_index: 8, end_index: 11 });
    expect(events.at(-1).response.output[0].content[0].annotations).toHaveLength(2);
  });

  test('that come again are not read again; a new version takes the place of the old one', async () => {
    const first = (await (
      await upload('rules.md', '# Rules\n\n## One\n\nBe kind.\n\n## Two\n\nBe quick.')
    ).json()) as Uploaded;
    expect(first).toMatchObject({ outcome: 'created', passages: 2, title: 'Rules' });
    const again = await upload('rules.md', '# Rules\n\n## One\n\nBe kind.\n\n## Two\n\nBe quick.');
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ id: first.id, outcome: 'unchanged' });
    const copy = await upload('copy.md', '# Rules\n\n## One\n\nBe kind.\n\n## Two\n\nBe quick.');
    expect(await copy.json()).toMatchObject({ id: first.id, outcome: 'unchanged' });
    const next = await upload('rules.md', '# Rules\n\n## Zero\n\nBe there.\n\n## One\n\nBe kind.');
    expect(await next.json()).toMatchObject({ id: first.id, outcome: 'updated', passages: 2 });
    const passage = async (number: number) =>
      (await (await system.request(`/v1/documents/${first.id}/passages/${number}`)).json()).text;
    expect([await passage(1), await passage(2)]).toEqual(['Be there.', 'Be kind.']);
    await (await system.chat('Be quick?', { knowledge: true })).text();
    expect(JSON.stringify(system.upstream.calls.at(-1)?.body)).not.toContain('Be quick.');
    expect((await system.request(`/v1/documents/${first.id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await system.request(`/v1/documents/${first.id}`)).status).toBe(404);
    await (await system.chat('Who is to be kind?', { knowledge: true })).text();
    expect(JSON.stringify(system.upstream.calls.at(-1)?.body)).not.toContain('Be kind.');
  });

  test('are one’s own, unless an operator shares them', async () => {
    const own = (await (
      await upload('mine.txt', 'The password of the cellar is mushroom.', {}, { sub: 'owner' })
    ).json()) as Uploaded;
    expect((await upload('ours.txt', 'x', { shared: 'true' })).status).toBe(403);
    await upload(
      'ours.txt',
      'The opening hours of the cellar: from eight to ten.',
      { shared: 'true' },
      { sub: 'boss', scope: 'admin' },
    );
    const ask = async (claims: object) => {
      const headers = headersOf(await system.token(claims));
      await (
        await system.chat(
          'What is the password of the cellar, and the opening hours?',
          { knowledge: true },
          headers,
        )
      ).text();
      return JSON.stringify(system.upstream.calls.at(-1)?.body);
    };
    expect(await ask({ sub: 'other' })).not.toContain('mushroom');
    expect(await ask({ sub: 'other' })).toContain('from eight to ten');
    expect(await ask({ sub: 'owner' })).toContain('mushroom');
    expect(await ask({ sub: 'owner', tenant: 'elsewhere' })).not.toMatch(/mushroom|from eight/);
    const headers = headersOf(await system.token({ sub: 'other' }));
    expect((await system.request(`/v1/documents/${own.id}`, { headers })).status).toBe(404);
    expect((await system.request(`/v1/documents/${own.id}`, { method: 'DELETE', headers })).status).toBe(404);
  });

  test.each([
    ['nothing', 'empty.md', '', 'document_unreadable'],
    ['no PDF', 'fake.pdf', 'hello', 'document_unreadable'],
    ['a broken PDF', 'broken.pdf', '%PDF-1.7\n1 0 obj << /Type /Catalog', 'document_unreadable'],
    ['no Word document', 'fake.docx', 'PK not really', 'document_unreadable'],
    ['no text', 'binary.txt', new Blob([new Uint8Array([0xff, 0xfe, 0xfd, 0xd8])]), 'document_unreadable'],
    ['something else', 'program.exe', 'MZ', 'unsupported_media_type'],
  ])('a file that holds %s is a clear error', async (_name, name, content, code) => {
    const answer = await upload(name, content);
    expect(answer.status).toBeLessThan(500);
    expect(await answer.json()).toMatchObject({ error: { code, param: 'file' } });
  });

  test('are a tenant’s default where it is set, and can be left out', { timeout: 60_000 }, async () => {
    await system.stop();
    system = await startSystem({ env: { EDGEWISE_ARCHIVE: 'on', EDGEWISE_KNOWLEDGE_TENANTS: 'default' } });
    await upload('handbook.md', handbook);
    const shown = async (body: object) => {
      await (await system.chat('When is lunch?', body)).text();
      return JSON.stringify(system.upstream.calls.at(-1)?.body.messages);
    };
    expect(await shown({})).toContain('green room');
    expect(await shown({ knowledge: false })).not.toContain('green room');
    expect(await shown({ model: 'smart' })).not.toContain('green room');
  });

  test('are made of whole folders by one command', { timeout: 60_000 }, async () => {
    const ingest = (...files: string[]) =>
      promisify(execFile)(process.execPath, ['infra/cli/ingest.ts', ...files, '--url', system.address], {
        cwd: projectRoot,
        env: { ...process.env, EDGEWISE_DATA: system.dataDir },
      });
    const first = await ingest('infra/config/knowledge');
    expect(first.stdout.trim()).toBe('2 created');
    expect(first.stderr).toMatch(/2\/2 {2}infra\/config\/knowledge\/faq\.\w\w\.md: created, \d+ passages/);
    expect((await ingest('infra/config/knowledge/*.md')).stdout.trim()).toBe('2 unchanged');
    await expect(ingest('no-such-folder/*')).rejects.toThrow('There is no file to read');
  });

  test('without a model the passage itself is the answer, and cited', async () => {
    await system.stop();
    system = await startSystem({ model: false, env: { EDGEWISE_ARCHIVE: 'on' } });
    await upload('handbook.md', handbook);
    const answer = (await (await system.chat('When is lunch?', { knowledge: true })).json()) as {
      choices: { message: { content: string; annotations: unknown[] } }[];
    };
    expect(answer.choices[0]?.message.content).toContain('> Lunch is at noon in the green room.');
    expect(answer.choices[0]?.message.annotations).toHaveLength(1);
  });
});

describe.skipIf(lacks('redis-server'))('a user who leaves', () => {
  const canary = 'canary-in-the-coal-mine-8731';
  let redis: RedisService;
  let system: System;
  beforeAll(async () => {
    redis = await startRedis();
    system = await startSystem({
      env: {
        EDGEWISE_ARCHIVE: 'on',
        EDGEWISE_CACHE: 'on',
        EDGEWISE_CACHE_SHARED_TENANTS: '*',
        EDGEWISE_SEMANTIC_TENANTS: '*',
        EDGEWISE_REDIS_URL: `redis://127.0.0.1:${redis.redis.options.port}`,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: redis.token,
      },
    });
    system.upstream.behave(say(`You said ${canary}.`));
  });
  afterAll(async () => {
    await system?.stop();
    await redis?.stop();
  });

  async function searchDatabase(): Promise<string[]> {
    const places: string[] = [];
    const embedded = await connectEmbedded(join(system.dataDir, 'postgres'));
    const rowsOf = async (text: string) =>
      ((await embedded.tables.execute(text)) as unknown as { rows: Record<string, string>[] }).rows;
    for (const { name } of await rowsOf(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    )) {
      const rows = await rowsOf(`SELECT t::text AS row FROM "${name}" t`);
      if (rows.some(({ row }) => row?.includes(canary))) places.push(`postgres ${name}`);
    }
    await embedded.close();
    return places;
  }

  /** Every place in which the canary is found: Redis's keys, the tables of the database and of the Durable Objects. */
  async function search(inDatabase = true): Promise<string[]> {
    const places: string[] = [];
    for (const key of await redis.redis.keys('*')) {
      const type = await redis.redis.type(key);
      const values: unknown =
        type === 'string'
          ? await redis.redis.get(key)
          : type === 'list'
            ? await redis.redis.lrange(key, 0, -1)
            : type === 'stream'
              ? await redis.redis.xrange(key, '-', '+')
              : type === 'hash'
                ? await redis.redis.hgetall(key)
                : type === 'set'
                  ? await redis.redis.smembers(key)
                  : await redis.redis.zrange(key, '0', '-1');
      if (JSON.stringify([key, values]).includes(canary)) places.push(`redis ${key}`);
    }
    if (inDatabase) places.push(...(await searchDatabase()));
    for (const entry of await readdir(system.dataDir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && entry.name.endsWith('.sqlite')) {
        const objects = new DatabaseSync(path);
        for (const { name } of objects.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()) {
          const statement = objects.prepare(`SELECT * FROM "${name}"`);
          statement.setReadBigInts(true);
          const values = statement.all().flatMap((row) => Object.values(row));
          const isIn = (value: unknown) =>
            (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)).includes(canary);
          if (values.some(isIn)) places.push(`object ${name}`);
        }
        objects.close();
      }
      if (entry.isFile() && entry.name.endsWith('.log') && (await readFile(path, 'utf8')).includes(canary))
        places.push(`log ${entry.name}`);
    }
    return places;
  }

  test('takes everything along, and is told what it was; others stay', { timeout: 120_000 }, async () => {
    const request = async (path: string, init: RequestInit = {}, claims: object = {}) => {
      const token = await system.token(claims);
      const headers = { ...(!(init.body instanceof FormData) && { 'content-type': 'application/json' }) };
      return system.request(path, { ...init, headers: { ...headers, authorization: `Bearer ${token}` } });
    };
    const post = (path: string, body: object, claims = {}) =>
      request(path, { method: 'POST', body: JSON.stringify(body) }, claims);
    const messages = [{ role: 'user', content: `Please remember ${canary}, my number is 12.` }];
    const first = (await (await post('/v1/chat/completions', { messages, session_id: 's1' })).json()) as {
      id: string;
    };
    await (await post('/v1/chat/completions', { messages })).text();
    await (await post('/v1/responses', { input: `And ${canary}.` })).text();
    await (await system.chat(`Once: ${canary}`, {}, { 'idempotency-key': canary })).text();
    const form = new FormData();
    form.set('file', new Blob([`All about ${canary}.`]), 'about.txt');
    await request('/v1/documents', { method: 'POST', body: form });
    await expect
      .poll(
        async () =>
          (await post('/v1/feedback', { turn_id: first.id, rating: 'up', text: `I like ${canary}` })).status,
        polled,
      )
      .toBe(200);
    const bob = { sub: 'bob' };
    system.upstream.behave(say('Hello, Bob.'));
    await (
      await post(
        '/v1/chat/completions',
        { messages: [{ role: 'user', content: 'I am Bob.' }], session_id: 's1' },
        bob,
      )
    ).text();

    const lines = (await (await request('/v1/export')).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const types = new Set(lines.map(({ type }) => type));
    for (const type of ['conversation', 'message', 'usage', 'feedback', 'document', 'passage'])
      expect(types).toContain(type);
    expect(JSON.stringify(lines)).toContain(canary);
    expect(JSON.stringify(lines)).not.toContain('Bob');

    // The search finds what there is, or its silence would say nothing. (The embedded database is another process's now.)
    const before = (await search(false)).map((place) => place.replace(/[0-9a-f]{32,}.*/, ''));
    for (const place of [
      'redis edgewise:answer:default:{',
      'redis edgewise:{default:alice:s1}:messages',
      'object turn_event',
    ])
      expect(before).toContain(place);
    expect((await request('/v1/users/alice', { method: 'DELETE' }, bob)).status).toBe(403);
    expect((await request('/v1/export?user=alice', {}, bob)).status).toBe(403);
    const receipt = await request('/v1/users/alice', { method: 'DELETE' });
    expect(await receipt.json()).toMatchObject({
      object: 'user.deleted',
      id: 'alice',
      deleted: true,
      removed: { sessions: 2, documents: 1, passages: 1, feedback: 1, conversations: 2 },
    });
    await system.killEdge();
    await system.killCore();
    expect(await search()).toEqual([]);
    await system.restartCore().catch(() => undefined);
    await system.restartEdge();
    expect((await request('/v1/sessions/s1')).status).toBe(404);
    expect((await request('/v1/sessions/s1', {}, bob)).status).toBe(200);
  });
});
