import { expect, test } from 'vitest';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatStream } from './chat-model.ts';
import { eventBatches, eventStream, relayStream } from './event-stream.ts';

const never = new Promise(() => undefined);
const { signal } = new AbortController();

test('a generator that throws, or ends too soon, is an internal error', async () => {
  const throwing = eventStream(signal, async function* () {
    yield modelStart;
    throw new Error('secret host 10.0.0.1');
  });
  const stopping = eventStream(signal, async function* () {
    yield modelStart;
  });
  for (const stream of [throwing, stopping]) {
    const events = await readAll(stream);
    expect(events).toMatchObject([modelStart, { type: 'error', error: { code: 'internal_error' } }]);
    expect(JSON.stringify(events)).not.toContain('10.0.0.1');
  }
});

test('says nothing after the terminal event, and lets the generator tidy up', async () => {
  let tidied = false;
  const stream = eventStream(signal, async function* () {
    try {
      yield turnEnd;
      yield textDelta('late');
    } finally {
      tidied = true;
    }
  });
  expect(await readAll(stream)).toEqual([turnEnd]);
  expect(tidied).toBe(true);
});

test('is pulled: nothing is made before it is asked for', async () => {
  let made = 0;
  const reader = eventStream(signal, async function* () {
    for (;;) yield textDelta(String(made++));
  }).getReader();
  await reader.read();
  await reader.read();
  expect(made).toBe(2);
  await reader.cancel();
});

test.each([
  ['between two events', false],
  ['while it waits for one', true],
])('a reader that leaves %s aborts the model', async (_name, waits) => {
  let given: AbortSignal | undefined;
  const waiting = Promise.withResolvers<void>();
  const reader = eventStream(signal, async function* (inner) {
    given = inner;
    yield modelStart;
    waiting.resolve();
    await never;
  }).getReader();
  await reader.read();
  const next = waits ? reader.read() : undefined;
  if (waits) await waiting.promise;
  expect(given?.aborted).toBe(false);
  await reader.cancel();
  expect(given?.aborted).toBe(true);
  if (next) expect((await next).done).toBe(true);
});

test('events that came together are read together, or one by one', async () => {
  const stream = () =>
    eventStream(signal, async function* () {
      yield modelStart;
      yield [textDelta('a'), textDelta('b'), turnEnd];
    });
  const batches = [];
  for await (const events of eventBatches(stream())) batches.push(events);
  expect(batches).toEqual([[modelStart], [textDelta('a'), textDelta('b'), turnEnd]]);
  expect(await readAll(stream())).toEqual([modelStart, textDelta('a'), textDelta('b'), turnEnd]);
});

test('what is left of a batch that was begun one by one comes with the next', async () => {
  const stream = eventStream(signal, async function* () {
    yield [modelStart, textDelta('a'), turnEnd];
  });
  await stream.getReader().read();
  const rest = [];
  for await (const events of eventBatches(stream)) rest.push(...events);
  expect(rest).toEqual([textDelta('a'), turnEnd]);
});

test('a stream of another make is read in batches of one', async () => {
  const platform = new ReadableStream({
    start(controller) {
      for (const event of [modelStart, turnEnd]) controller.enqueue(event);
      controller.close();
    },
  });
  const batches = [];
  for await (const events of eventBatches(platform)) batches.push(events);
  expect(batches).toEqual([[modelStart], [turnEnd]]);
});

test.each([
  ['between two events', false],
  ['while it waits for one', true],
])('who leaves a relay %s leaves the stream behind it', async (_name, waits) => {
  const inner = scriptedModel('m', [modelStart, never]);
  const reader = relayStream(async function* (read) {
    yield* read(inner.stream({ model: 'm', messages: [], params: {} }, signal));
  }).getReader();
  await reader.read();
  const next = waits ? reader.read() : undefined;
  await reader.cancel();
  if (next) expect((await next).done).toBe(true);
  if (waits) await expect.poll(() => inner.aborted).toBe(1);
});

const asked = { model: 'm', messages: [], params: {} };
/** A layer that passes on what it reads, and reports when it has ended. */
const layer = (stream: ChatStream, ended: string[], name: string) =>
  relayStream(async function* (read) {
    try {
      yield* read(stream);
    } finally {
      ended.push(name);
    }
  });

test('who leaves layers of relays leaves the innermost, and each tidies up', async () => {
  for (const waits of [false, true]) {
    const inner = scriptedModel('m', [modelStart, never]);
    const ended: string[] = [];
    const reader = layer(layer(inner.stream(asked, signal), ended, 'in'), ended, 'out').getReader();
    await reader.read();
    const next = waits ? reader.read() : undefined;
    await reader.cancel();
    if (next) expect((await next).done).toBe(true);
    await expect.poll(() => ended.toSorted()).toEqual(['in', 'out']);
    if (waits) await expect.poll(() => inner.aborted).toBe(1);
  }
});

test('layers tidy up after the terminal event, though nobody reads on', async () => {
  const ended: string[] = [];
  const inner = scriptedModel('m', [modelStart, turnEnd]);
  const reader = layer(layer(inner.stream(asked, signal), ended, 'in'), ended, 'out').getReader();
  await reader.read();
  expect((await reader.read()).value).toEqual(turnEnd);
  await expect.poll(() => ended.toSorted()).toEqual(['in', 'out']);
});

test('an inner layer that throws, or ends too soon, is an internal error of the whole', async () => {
  const throwing = relayStream(async function* () {
    yield [modelStart];
    throw new Error('secret host 10.0.0.1');
  });
  const stopping = relayStream(async function* () {
    yield [modelStart];
  });
  for (const stream of [throwing, stopping]) {
    const events = await readAll(layer(stream, [], 'out'));
    expect(events).toMatchObject([modelStart, { type: 'error', error: { code: 'internal_error' } }]);
    expect(JSON.stringify(events)).not.toContain('10.0.0.1');
  }
});

describeChatModel('the scripted model', {
  answering: () => scriptedModel('m', [modelStart, textDelta('a'), turnEnd]),
  silent: () => scriptedModel('m', [modelStart, never]),
});
