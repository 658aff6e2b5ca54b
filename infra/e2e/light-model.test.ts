/** Easy prompts answered from the edge, with the core out of the way. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readEvents, readSome, textOf } from './read-stream.ts';
import {
  type Behaviour,
  chunk,
  openStream,
  refuse,
  type ScriptedUpstream,
  say,
  startScriptedUpstream,
} from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';
import { hugeEvent, packedAnswer } from './upstream-faults.ts';

let light: ScriptedUpstream;
let system: System;
beforeAll(async () => {
  light = await startScriptedUpstream();
  system = await startSystem({
    env: {
      EDGEWISE_LIGHT_BASE_URL: light.baseUrl,
      EDGEWISE_LIGHT_MODEL: 'tiny',
      EDGEWISE_LIGHT_API_KEY: 'light-key',
    },
  });
});
afterAll(async () => {
  await system.stop();
  await light.close();
});
beforeEach(() => {
  light.calls.length = 0;
  system.upstream.calls.length = 0;
  light.behave(say('From the edge.'));
  system.upstream.behave(say('From the core.'));
});

test('an easy prompt is answered at the edge, a hard one in the core, and the answer says why', async () => {
  const easy = await system.chat('hi', { stream: true });
  expect(easy.headers.get('x-edgewise-route')).toBe('edge; reason="short and simple"');
  expect(easy.headers.get('x-edgewise-model')).toBe('tiny');
  expect(textOf(await readEvents(easy))).toBe('From the edge.');
  expect(system.upstream.calls).toHaveLength(0);
  expect(light.calls[0]?.headers.authorization).toBe('Bearer light-key');

  const hard = await system.chat('Prove that there are infinitely many primes.', { stream: true });
  expect(hard.headers.get('x-edgewise-route')).toBe('core; reason="reasoning"');
  expect(textOf(await readEvents(hard))).toBe('From the core.');
  expect(light.calls).toHaveLength(1);
});

const saidAll = `${chunk({ content: 'Yes.' })}${chunk({}, 'stop')}data: [DONE]\n\n`;

test('a connection whose answer ends some time after its last word serves the next call, too', async () => {
  const sockets = new Set<unknown>();
  light.behave((_call, answer) => {
    sockets.add(answer.socket);
    openStream(answer);
    answer.write(saidAll);
    setTimeout(() => answer.end(), 20);
  });
  for (let turn = 0; turn < 5; turn++) {
    expect(textOf(await readEvents(await system.chat('hi', { model: 'fast', stream: true })))).toBe('Yes.');
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  expect(sockets.size).toBe(1);
});

test('one that says all and never ends keeps nobody waiting, and is closed', async () => {
  const closed = Promise.withResolvers<void>();
  light.behave((_call, answer) => {
    openStream(answer);
    answer.write(saidAll);
    answer.once('close', closed.resolve);
  });
  const startMs = Date.now();
  expect(textOf(await readEvents(await system.chat('hi', { model: 'fast', stream: true })))).toBe('Yes.');
  expect(Date.now() - startMs).toBeLessThan(900);
  await closed.promise;
});

test('an answer whose model reports no usage is counted', async () => {
  light.behave((_call, answer) => {
    openStream(answer);
    answer.end(`${chunk({ content: 'one two three' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
  });
  const { usage } = (await (await system.chat('hello world')).json()) as { usage: object };
  expect(usage).toEqual({ prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, estimated: true });
});

test('fast, smart and a name are obeyed', async () => {
  for (const [model, place] of [
    ['fast', 'edge'],
    ['smart', 'core'],
    ['tiny', 'edge'],
    ['scripted-1', 'core'],
  ]) {
    const response = await system.chat('hi', { model });
    expect(response.headers.get('x-edgewise-route')).toMatch(new RegExp(`^${place};`));
    await response.json();
  }
});

test('a session can go from the one to the other', async () => {
  const headers = { 'x-session-id': 'both' };
  await (await system.chat('My name is Ada.', {}, headers)).json();
  await (await system.chat('Analyze my name.', {}, headers)).json();
  expect(system.upstream.calls[0]?.body.messages.map(({ content }) => content)).toEqual([
    'My name is Ada.',
    'From the edge.',
    'Analyze my name.',
  ]);
});

test('a client that goes away cancels the light model, too', async () => {
  light.behave(say('word '.repeat(500), { paceMs: 20 }));
  await readSome(await system.chat('hi', { stream: true }), 3);
  const leftMs = Date.now();
  expect(((await light.calls[0]?.aborted) ?? Number.POSITIVE_INFINITY) - leftMs).toBeLessThan(1000);
});

test('works while the core is down', async () => {
  await system.killCore();
  const response = await system.chat('hi');
  expect(response.status).toBe(200);
  const heavy = await system.chat('Prove it.');
  expect(heavy.status).toBe(503);
  expect(await heavy.json()).toMatchObject({ error: { code: 'core_unavailable' } });
  expect(heavy.headers.get('retry-after')).toBe('1');
  const health = (await (await system.request('/healthz')).json()) as { core: object };
  expect(health.core).toEqual({ status: 'unreachable' });
  await system.restartCore();
});

test('a light model that fails leaves the prompt to the core, and that is told', async () => {
  light.behave(refuse(500, { message: 'down' }));
  for (const headers of [{}, { 'x-session-id': 'steps-up' }] as Record<string, string>[]) {
    const response = await system.chat('hi', {}, headers);
    expect(response.headers.get('x-edgewise-fallback')).toBe('tiny;reason=upstream_error');
    expect(response.headers.get('x-edgewise-model')).toBe('scripted-1');
    expect(response.status).toBe(200);
  }
});

test('a light model that fails says nothing of its key or its address', async () => {
  light.behave(refuse(401, { message: 'bad key light-key' }));
  const response = await system.chat('hi', { model: 'tiny' });
  expect(response.status).toBe(502);
  expect(await response.text()).not.toMatch(/light-key|127\.0\.0\.1/);
});

test('a light turn that is cut by a crash ends as an error, its words kept, and is not run again', async () => {
  light.behave(say('one two three four five six seven eight', { paceMs: 100 }));
  const headers = { 'x-session-id': 'crash' };
  const leave = new AbortController();
  const seen = await readSome(await system.chat('hi', { stream: true }, headers, leave.signal), 4);
  await system.killEdge();
  leave.abort();
  await system.restartEdge();
  const resume = { headers: { 'last-event-id': seen.at(-1)?.id ?? '' } };
  const rest = await readEvents(await system.request('/v1/sessions/crash/stream', resume));
  expect(JSON.parse(rest.at(-2)?.data ?? '{}')).toMatchObject({ error: { code: 'generation_lost' } });
  expect(rest.at(-1)?.data).toBe('[DONE]');
  expect(light.calls).toHaveLength(1);
  const { messages } = (await (await system.request('/v1/sessions/crash')).json()) as {
    messages: { content: string }[];
  };
  expect(messages[1]?.content).toMatch(/^one two/);
  expect(messages[1]?.content).toBe(textOf([...seen, ...rest.slice(0, -2)]));
});

test('an answer that does not end by itself is ended, with what was said until then', async () => {
  const sentence = 'round and round and round it goes. ';
  light.behave(say(sentence.repeat(2000)));
  const answer = (await (await system.chat('hi')).json()) as {
    choices: [{ finish_reason: string; message: { content: string } }];
  };
  expect(answer.choices[0].finish_reason).toBe('length');
  const chars = answer.choices[0].message.content.length;
  expect(chars).toBeGreaterThan(4096 * 2);
  expect(chars).toBeLessThan(4096 * 6);
});

test('an answer that is taken whole is asked for in one piece, and comes out as it would from a stream', async () => {
  const message = {
    role: 'assistant',
    content: 'All at once.',
    tool_calls: [
      { id: 'a', type: 'function', function: { name: 'first', arguments: '{"x":1}' } },
      { id: 'b', type: 'function', function: { name: 'second', arguments: '{}' } },
    ],
  };
  light.behave((_call, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' });
    const usage = { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 };
    answer.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage }));
  });
  const answer = await (await system.chat('hi', { model: 'fast' })).json();
  expect(answer).toMatchObject({
    model: 'tiny',
    choices: [{ message, finish_reason: 'tool_calls' }],
    usage: { prompt_tokens: 5, completion_tokens: 4 },
  });
  expect(light.calls[0]?.body).not.toHaveProperty('stream');
  await readEvents(await system.chat('hi', { model: 'fast', stream: true }));
  expect(light.calls[1]?.body).toHaveProperty('stream', true);
});

test.each<[string, Behaviour, boolean]>([
  ['an event', hugeEvent('', 5 * 1024 * 1024), true],
  ['an unpacked answer', packedAnswer(20 * 1024 * 1024), true],
  [
    'a whole answer',
    (_call, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ choices: [{ message: { content: 'x'.repeat(17 * 1024 * 1024) } }] }));
    },
    false,
  ],
])('%s that is too large leaves the prompt to the core', async (_name, behaviour, stream) => {
  light.behave(behaviour);
  const answer = await system.chat('hi', { model: 'fast', stream });
  expect(answer.headers.get('x-edgewise-fallback')).toBe('tiny;reason=upstream_too_large');
  expect(await answer.text()).toContain('core.');
  expect(light.calls).toHaveLength(1);
});

test.each([
  ['no JSON', 'text/html', '<html>'],
  ['an error in its place', 'application/json', '{"error":{"message":"no"}}'],
  ['an answer that is cut', 'application/json', '{"choices":[{"message":{"content":"x"}}]}'],
])('a light model that says %s leaves the prompt to the core', async (_name, type, body) => {
  light.behave((_call, answer) => {
    answer.writeHead(200, { 'content-type': type });
    answer.end(body);
  });
  const answer = await system.chat('hi', { model: 'fast' });
  expect(answer.headers.get('x-edgewise-fallback')).toMatch(/^tiny;reason=upstream_/);
  expect(
    ((await answer.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content,
  ).toBe('From the core.');
});
