import { expect, test } from 'vitest';
import { describeChatModel } from '../testing/chat-model-contract.ts';
import { modelStart, scriptedModel, textDelta, turnEnd } from '../testing/scripted-model.ts';
import { readAll } from '../testing/streams.ts';
import type { ChatModel } from './chat-model.ts';
import { layer } from './layer.ts';

const never = new Promise(() => undefined);
const request = { model: 'm', messages: [], params: {} };
const { signal } = new AbortController();

const louder = (model: ChatModel) =>
  layer(model, async function* ({ request, signal, read }) {
    for await (const events of read(model.stream(request, signal)))
      yield events.map((event) =>
        event.type === 'text-delta' ? textDelta(event.text.toUpperCase()) : event,
      );
  });

describeChatModel('layer', {
  answering: () => louder(scriptedModel('inner', [modelStart, textDelta('a'), turnEnd])),
  silent: () => louder(louder(scriptedModel('inner', [modelStart, never]))),
});

test('has the name of the model that it wraps', () => {
  expect(louder(scriptedModel('inner', [])).name).toBe('inner');
});

test('a reader that leaves the outermost layer aborts the innermost model', async () => {
  const inner = scriptedModel('inner', [modelStart, never]);
  const reader = louder(louder(inner)).stream(request, signal).getReader();
  await reader.read();
  const pending = reader.read();
  await reader.cancel();
  expect((await pending).done).toBe(true);
  await expect.poll(() => inner.aborted).toBe(1);
});

/** A layer that waits for something besides its model. */
function waiting(onLeft: (reason: string) => void) {
  const model = scriptedModel('inner', [modelStart, turnEnd]);
  return layer(model, async function* ({ request, signal, read, leaving }) {
    await new Promise<void>((resolve) => leaving.addEventListener('abort', () => resolve(), { once: true }));
    onLeft(signal.aborted ? 'aborted' : 'left');
    yield* read(model.stream(request, signal));
  });
}

test.each([
  ['the caller aborts', 'aborted'],
  ['the reader leaves', 'left'],
])('a wait of the layer itself ends when %s', async (_name, expected) => {
  const reasons: string[] = [];
  const stop = new AbortController();
  const reader = louder(waiting((reason) => reasons.push(reason)))
    .stream(request, stop.signal)
    .getReader();
  const pending = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (expected === 'aborted') stop.abort();
  else await reader.cancel();
  await pending;
  await expect.poll(() => reasons).toEqual([expected]);
});

test('a wait that begins after the reader has left ends at once', async () => {
  const gate = Promise.withResolvers<void>();
  let isAborted: boolean | undefined;
  const model = layer({ name: 'late' }, async function* (call) {
    await gate.promise;
    isAborted = call.leaving.aborted;
    yield [turnEnd];
  });
  const reader = model.stream(request, signal).getReader();
  const pending = reader.read();
  await reader.cancel();
  gate.resolve();
  await pending;
  await expect.poll(() => isAborted).toBe(true);
});

test('a layer that throws ends as an internal error', async () => {
  const model = layer({ name: 'broken' }, async function* () {
    yield [modelStart];
    throw new Error('secret');
  });
  const events = await readAll(model.stream(request, signal));
  expect(events).toMatchObject([modelStart, { type: 'error', error: { code: 'internal_error' } }]);
});
