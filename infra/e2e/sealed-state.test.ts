/** `x-edgewise-state`: the conversation is in the client's hands, sealed. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readSome } from './read-stream.ts';
import { refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());
beforeEach(() => {
  system.upstream.calls.length = 0;
  system.upstream.behave(say('the answer'));
});

async function turn(content: string, state: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await system.chat(content, {}, { 'x-edgewise-state': state, ...headers });
  expect(answer.status).toBe(200);
  await answer.text();
  return answer.headers.get('x-edgewise-state') ?? '';
}
async function refusal(content: string, state: string, headers: Record<string, string> = {}) {
  const answer = await system.chat(content, {}, { 'x-edgewise-state': state, ...headers });
  return { status: answer.status, ...((await answer.json()) as { error: object }).error };
}
const asked = () => system.upstream.calls.at(-1)?.body.messages.map(({ content }) => content);

test('the conversation goes on from what the client sends back', async () => {
  const first = await turn('my name is Ada', 'new');
  const second = await turn('what is my name?', first);
  expect(asked()).toEqual(['my name is Ada', 'the answer', 'what is my name?']);
  await turn('and now?', second);
  expect(asked()).toHaveLength(5);
  expect(await (await system.request('/v1/sessions')).json()).toMatchObject({ data: [] });
});

test('a stream has the state in its last chunk', async () => {
  const answer = await system.chat('streamed', { stream: true }, { 'x-edgewise-state': 'new' });
  const chunks = (await answer.text()).split('\n\n').filter((line) => line.includes('"edgewise"'));
  const { edgewise, choices } = JSON.parse(chunks.at(-1)?.slice('data: '.length) ?? '{}');
  expect(choices).toEqual([]);
  await turn('more', edgewise.state);
  expect(asked()).toEqual(['streamed', 'the answer', 'more']);
});

test('an old state and a fork are refused, and cost no call', async () => {
  const first = await turn('one', 'new');
  const second = await turn('two', first);
  system.upstream.calls.length = 0;
  expect(await refusal('fork', first)).toMatchObject({ status: 409, code: 'state_stale' });
  expect(system.upstream.calls).toHaveLength(0);
  await turn('three', second);
});

test('of two turns from one state at once, one is answered', async () => {
  const state = await turn('one', 'new');
  system.upstream.behave(say('slow answer', { paceMs: 50 }));
  const answers = await Promise.all(
    ['a', 'b', 'c'].map((content) => system.chat(content, {}, { 'x-edgewise-state': state })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  expect(system.upstream.calls).toHaveLength(2);
});

test('another user cannot use it, nor can a flipped bit', async () => {
  const state = await turn('mine', 'new');
  const authorization = `Bearer ${await system.token({ sub: 'mallory' })}`;
  expect(await refusal('x', state, { authorization })).toMatchObject({ status: 400, code: 'state_invalid' });
  // In the middle: some bits of the last character stand for nothing.
  const place = state.length >> 1;
  const bent = state.slice(0, place) + (state[place] === 'A' ? 'B' : 'A') + state.slice(place + 1);
  expect(await refusal('x', bent)).toMatchObject({ status: 400, param: 'x-edgewise-state' });
});

test('a turn that fails, or whose reader leaves, leaves the state of use', async () => {
  const state = await turn('one', 'new');
  system.upstream.behave(refuse(400, { message: 'no' }));
  expect((await refusal('two', state)).status).toBe(400);
  system.upstream.behave(say('a long slow answer that nobody reads to its end', { paceMs: 50 }));
  await readSome(await system.chat('two', { stream: true }, { 'x-edgewise-state': state }), 1);
  await expect.poll(() => system.upstream.calls.at(-1)?.isAborted, { timeout: 3000 }).toBe(true);
  system.upstream.behave(say('ok'));
  await expect
    .poll(async () => (await system.chat('two', {}, { 'x-edgewise-state': state })).status, { timeout: 3000 })
    .toBe(200);
});

test('with an Idempotency-Key a lost answer comes again, with its state', async () => {
  const state = await turn('one', 'new');
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const lost = await turn('two', state, headers);
  expect(await turn('two', state, headers)).toBe(lost);
  expect(system.upstream.calls).toHaveLength(2);
  await turn('three', lost);
  expect(await refusal('two', lost, headers)).toMatchObject({ status: 422 });
});

test('a session and a state together are a mistake', async () => {
  const answer = await system.chat('x', { session_id: 's' }, { 'x-edgewise-state': 'new' });
  expect(await answer.json()).toMatchObject({ error: { param: 'x-edgewise-state' } });
});

test('nothing that was said stays on the server', async () => {
  await turn('the canary is a yellow bird called Zephyrine', 'new');
  await system.killEdge();
  const files = await readdir(system.dataDir, { recursive: true, withFileTypes: true });
  const kept = files.filter((file) => file.isFile());
  expect(kept.some(({ name }) => name.endsWith('.sqlite'))).toBe(true);
  for (const { parentPath, name } of kept) {
    expect((await readFile(join(parentPath, name))).includes('Zephyrine'), name).toBe(false);
  }
  await system.restartEdge();
});
