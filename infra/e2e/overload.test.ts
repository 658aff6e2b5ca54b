/** More than the core can do, and a core that is asked to stop. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readEvents, readSome, textOf } from './read-stream.ts';
import { say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

const MOST = 3;
const STORY = 'word '.repeat(100);
let system: System;
beforeAll(async () => {
  system = await startSystem({
    env: { EDGEWISE_MAX_GENERATIONS: String(MOST), EDGEWISE_GRACE_MS: '5000' },
  });
});
afterAll(() => system?.stop());
beforeEach(() => {
  system.upstream.calls.length = 0;
  system.upstream.behave(say(STORY, { paceMs: 10 }));
});
const streamed = { stream: true };

test('what is too much is refused at once, with the time to come back, and the rest is not disturbed', async () => {
  const running = await Promise.all(Array.from({ length: MOST }, () => system.chat('go on', streamed)));
  for (const answer of running) expect(answer.status).toBe(200);
  const startMs = performance.now();
  const refused = await Promise.all(Array.from({ length: 10 }, () => system.chat('and me', streamed)));
  expect(performance.now() - startMs).toBeLessThan(900);
  for (const answer of refused) {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ error: { code: 'core_overloaded', type: 'server_error' } });
  }
  for (const answer of running) expect(textOf(await readEvents(answer)).trim()).toBe(STORY.trim());
  expect(system.upstream.calls).toHaveLength(MOST);
  expect((await system.chat('now', streamed)).status).toBe(200);
});

test('a core that stops lets running streams end, and takes no new ones', async () => {
  const alone = await system.chat('go on', streamed);
  const inSession = await system.chat('go on', { ...streamed, session_id: 'drains' });
  await expect.poll(() => system.upstream.calls.length).toBeGreaterThanOrEqual(2);
  const stopped = system.stopCore();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const late = await system.chat('me, too', streamed);
  expect(late.status).toBe(503);
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
  for (const answer of [alone, inSession]) expect(textOf(await readEvents(answer)).trim()).toBe(STORY.trim());
  await stopped;
  await system.restartCore();
});

test('one that does not end in time is ended, as an error with what was said', async () => {
  system.upstream.behave(say('word '.repeat(5000), { paceMs: 10 }));
  const endless = await system.chat('go on', { ...streamed, session_id: 'endless' });
  expect(await readSome(endless.clone(), 3)).toHaveLength(3);
  const startMs = performance.now();
  await system.stopCore();
  expect(performance.now() - startMs).toBeLessThan(8000);
  const events = await readEvents(endless);
  expect(JSON.parse(events.at(-2)?.data ?? '{}')).toMatchObject({ error: { code: 'shutting_down' } });
  expect(textOf(events.slice(0, -2)).length).toBeGreaterThan(100);
  await system.restartCore();
}, 20_000);
