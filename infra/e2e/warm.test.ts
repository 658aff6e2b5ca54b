/** Frequent answers prepared ahead: `npm run warm`, and the addresses behind it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';
import { refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let admin: Record<string, string>;
let dir: string;
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_CACHE: 'on' } });
  admin = { authorization: `Bearer ${await system.token({ sub: 'operator', scope: 'admin' })}` };
  dir = await mkdtemp(join(tmpdir(), 'edgewise-warm-'));
});
afterAll(async () => {
  await system.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(() => {
  system.upstream.calls.length = 0;
  system.upstream.behave(say('a prepared answer'));
});

const prepare = (body: object, headers = admin) =>
  system.request('/v1/cache/prepared', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const bearer = async (claims: object) => ({ authorization: `Bearer ${await system.token(claims)}` });
async function cacheOf(content: string, claims: object = {}): Promise<string | null> {
  const answer = await system.chat(content, {}, await bearer(claims));
  await answer.text();
  return answer.headers.get('x-edgewise-cache');
}

describe('a prepared answer', () => {
  test('answers every user of the tenant, and nobody of another', async () => {
    const prepared = await prepare({ question: 'How do I reset it?' });
    expect(await prepared.json()).toMatchObject({ object: 'cache.prepared', model: 'scripted-1' });
    expect(await cacheOf('How do I reset it?', { sub: 'ann' })).toBe('hit');
    expect(await cacheOf('How do I reset it?', { sub: 'ben' })).toBe('hit');
    expect(await cacheOf('How do I reset it?', { tenant: 'other' })).toBe('miss');
  });

  test('whose truth depends on time or place needs a time to live', async () => {
    const refused = await prepare({ question: 'What is the weather today?' });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: 'ttl_seconds' } });
    expect(system.upstream.calls).toHaveLength(0);
    expect((await prepare({ question: 'What is the weather today?', ttl_seconds: 600 })).status).toBe(200);
  });

  test('that fails is not kept', async () => {
    system.upstream.behave(say('half an', { finishReason: 'length' }));
    expect((await prepare({ question: 'half?' })).status).toBe(502);
    system.upstream.behave(refuse(503, { message: 'full' }));
    expect((await prepare({ question: 'half?' })).status).toBe(503);
    system.upstream.behave(say('whole'));
    expect(await cacheOf('half?')).toBe('miss');
  });

  test('is for operators alone', async () => {
    for (const path of ['/v1/cache', '/v1/cache/prepared']) {
      const answer = await system.request(path, { method: path.endsWith('d') ? 'POST' : 'DELETE' });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { code: 'insufficient_scope' } });
    }
  });
});

describe('answers are let go', () => {
  const remove = async (query = '', headers = admin) => {
    const answer = await system.request(`/v1/cache${query}`, { method: 'DELETE', headers });
    return { status: answer.status, body: await answer.json() };
  };

  test('one question, one model, or all of a tenant', async () => {
    await remove();
    const first = await system.chat('one', {}, await bearer({ sub: 'ann' }));
    await first.text();
    await cacheOf('two', { sub: 'ann' });
    await cacheOf('theirs', { tenant: 'other' });
    expect((await remove(`?key=${first.headers.get('x-edgewise-cache-key')}`)).body).toMatchObject({
      removed: 1,
    });
    expect(await cacheOf('one', { sub: 'ann' })).toBe('miss');
    expect(await cacheOf('two', { sub: 'ann' })).toBe('hit');
    expect((await remove('?model=nobody')).body).toMatchObject({ removed: 0 });
    expect((await remove('?model=scripted-1')).body).toMatchObject({ removed: 2 });
    expect(await cacheOf('two', { sub: 'ann' })).toBe('miss');
    expect((await remove()).body).toMatchObject({ removed: 1 });
    expect(await cacheOf('theirs', { tenant: 'other' })).toBe('hit');
  });

  test('a key that is none is told so', async () => {
    expect(await remove('?key=../x')).toMatchObject({ status: 400, body: { error: { param: 'key' } } });
  });
});

describe('npm run warm', () => {
  const run = promisify(execFile);
  async function warm(path: string, ...more: string[]): Promise<{ code: number; out: string }> {
    const token = await system.token({ sub: 'operator', scope: 'admin' });
    const args = ['infra/cli/warm.ts', path, '--url', system.address, '--token', token, ...more];
    try {
      const { stdout } = await run(process.execPath, args, { cwd: projectRoot });
      return { code: 0, out: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout + stderr };
    }
  }
  async function list(name: string, questions: unknown): Promise<string> {
    const path = join(dir, name);
    await writeFile(path, JSON.stringify(questions));
    return path;
  }

  test('prepares a list, goes on after a failure, and asks nothing twice', async () => {
    const path = await list('faq.json', [
      { question: 'first' },
      { question: 'second' },
      { question: '第三个问题' },
      { question: 'What is the weather today?' },
    ]);
    system.upstream.behave((call, answer) =>
      (call.body.messages[0]?.content === 'second' ? refuse(503, { message: 'full' }) : say('ok'))(
        call,
        answer,
      ),
    );
    const first = await warm(path);
    expect(first.out).toContain('2 prepared, 0 still fresh, 1 refused, 1 failed.');
    expect(first.out).toMatch(/refused +What is the weather today\?: The answer seems to depend on time/);
    expect(first.code).toBe(1);

    await list('faq.json', [{ question: 'first' }, { question: 'second' }, { question: '第三个问题' }]);
    system.upstream.behave(say('ok'));
    const second = await warm(path);
    expect(second).toEqual({
      code: 0,
      out: expect.stringContaining('1 prepared, 2 still fresh, 0 refused, 0 failed.'),
    });
    expect(await cacheOf('第三个问题', { sub: 'ann' })).toBe('hit');

    // Most of their time has gone by.
    const notes = JSON.parse(await readFile(`${path}.prepared.json`, 'utf8'));
    for (const note of Object.values<{ expires_at: number }>(notes))
      note.expires_at = Date.now() / 1000 + 3600;
    for (const note of Object.values<{ prepared_at: number }>(notes))
      note.prepared_at = Date.now() / 1000 - 86_400;
    await writeFile(`${path}.prepared.json`, JSON.stringify(notes));
    expect((await warm(path)).out).toContain('3 prepared');
  }, 60_000);

  test('notes every answer, however many come at once, and says when the notes are broken', async () => {
    const path = await list(
      'long.json',
      Array.from({ length: 12 }, (_, at) => ({ question: `question ${at}` })),
    );
    system.upstream.behave(say('ok'));
    expect((await warm(path)).out).toContain('12 prepared, 0 still fresh');
    expect(Object.keys(JSON.parse(await readFile(`${path}.prepared.json`, 'utf8')))).toHaveLength(12);
    await writeFile(`${path}.prepared.json`, '{');
    expect(await warm(path)).toEqual({
      code: 1,
      out: expect.stringContaining(`${path}.prepared.json is not valid JSON.`),
    });
  });

  test('names what is wrong with a list', async () => {
    const { code, out } = await warm(
      await list('bad.json', [{ question: 'ok' }, { question: '' }, { q: 1 }]),
    );
    expect(code).toBe(1);
    expect(out).toContain('1.question must not be empty');
    expect(out).toContain('2.question');
  });
});
