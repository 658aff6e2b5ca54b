import { signal } from '@preact/signals';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ChatTurn, EdgewiseClient } from '../../../shared/client/edgewise-client.ts';
import { EdgewiseError } from '../../../shared/client/edgewise-error.ts';
import { browser } from '../testing/browser-globals.ts';
import { fakeNetwork, settled } from '../testing/fake-network.ts';
import type { PendingTurn } from './conversation-nodes.ts';
import { createDelivery } from './delivery.ts';
import { createOutbox, type Outgoing } from './outbox.ts';

const entry = (key: string, more: Partial<Outgoing> = {}): Outgoing => ({
  key,
  text: 'Hello.',
  images: [],
  model: 'auto',
  knowledge: false,
  askedAtMs: 1,
  ...more,
});
const away = new EdgewiseError('lost', { code: 'connection_lost', status: 0, retryable: true });
const refused = new EdgewiseError('Too many.', { code: 'rate_limit_exceeded', status: 429, retryable: true });
beforeEach(() => browser.sessionStorage.clear());

function setUp({ isOnline = true } = {}) {
  const network = fakeNetwork(isOnline);
  const pending = signal<readonly PendingTurn[]>([]);
  const send = vi.fn<EdgewiseClient['send']>(async ({ idempotencyKey: key }) => `resp_turn-${key}_s1`);
  const onSent = vi.fn();
  const onStart = vi.fn();
  const client = { send } as unknown as EdgewiseClient;
  const delivery = createDelivery({ sessionId: 's1', client, network, pending, onStart, onSent });
  const states = () => pending.value.map(({ key, state }) => [key, state.value]);
  return { network, pending, send, onSent, onStart, delivery, states };
}
const kept = () => createOutbox('s1').entries.map(({ key }) => key);

describe('a question', () => {
  test('is sent under its key, and leaves the outbox when the server has it', async () => {
    const { delivery, send, pending, onSent, onStart } = setUp();
    delivery.send(entry('a'));
    expect(kept()).toEqual(['a']);
    expect(pending.value[0]?.state.value).toBe('sending');
    await settled();
    const [turn] = send.mock.calls[0] as [ChatTurn];
    expect(turn).toEqual({
      sessionId: 's1',
      idempotencyKey: 'a',
      model: 'auto',
      messages: [{ role: 'user', content: 'Hello.' }],
      params: { metadata: { edgewise_key: 'a' } },
      signal: expect.any(AbortSignal),
    });
    expect(pending.value[0]).toMatchObject({ responseId: 'resp_turn-a_s1', turnId: 'turn-a' });
    expect(pending.value[0]?.state.value).toBe('sent');
    expect(kept()).toEqual([]);
    expect([onStart.mock.calls.length, onSent.mock.calls.length]).toEqual([1, 1]);
  });

  test.each<[string, Partial<Outgoing>, object]>([
    [
      'with images',
      { images: ['data:x'] },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'Hello.' },
              { type: 'input_image', image_url: 'data:x' },
            ],
          },
        ],
      },
    ],
    [
      'of an image alone',
      { text: '', images: ['data:x'] },
      { messages: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:x' }] }] },
    ],
    ['that is edited', { parentId: null }, { parentId: null }],
    [
      'that is answered again',
      { text: '', again: 't1' },
      { messages: [], regenerate: 't1', params: { metadata: { edgewise_key: 'a', edgewise_again: 't1' } } },
    ],
    [
      'of the documents',
      { knowledge: true },
      { params: { metadata: { edgewise_key: 'a' }, knowledge: true } },
    ],
  ])('%s is sent as that', async (_name, more, wanted) => {
    const { delivery, send } = setUp();
    delivery.send(entry('a', more));
    await settled();
    expect(send.mock.calls[0]?.[0]).toMatchObject(wanted);
  });
});

describe('while the network is away, a question', () => {
  test('waits, and is sent under the same key when the network is back', async () => {
    const { delivery, send, network, states } = setUp({ isOnline: false });
    delivery.send(entry('a'));
    await settled();
    expect([states(), send.mock.calls.length]).toEqual([[['a', 'waiting']], 0]);
    network.online.value = true;
    network.wake();
    await settled();
    expect([states(), send.mock.calls.length]).toEqual([[['a', 'sent']], 1]);
  });

  test('is tried again after each failure until the server has it, once', async () => {
    const { delivery, send, network, states, onSent } = setUp();
    send.mockRejectedValueOnce(away).mockRejectedValueOnce(new TypeError('fetch failed'));
    delivery.send(entry('a'));
    await settled();
    expect([states(), network.waits, kept()]).toEqual([[['a', 'waiting']], [3000], ['a']]);
    network.wake();
    await settled();
    expect([states(), network.waits]).toEqual([[['a', 'waiting']], [3000]]);
    network.wake();
    await settled();
    expect(states()).toEqual([['a', 'sent']]);
    expect(send.mock.calls.map(([turn]) => turn.idempotencyKey)).toEqual(['a', 'a', 'a']);
    expect(onSent).toHaveBeenCalledOnce();
  });

  test('is sent again after a reload, and in its order', async () => {
    const before = setUp({ isOnline: false });
    before.delivery.send(entry('a'));
    before.delivery.send(entry('b'));
    before.delivery.stop();
    const { delivery, send, states } = setUp();
    delivery.takeUp();
    await settled();
    expect(states()).toEqual([
      ['a', 'sent'],
      ['b', 'sent'],
    ]);
    expect(send.mock.calls.map(([turn]) => turn.idempotencyKey)).toEqual(['a', 'b']);
    expect(kept()).toEqual([]);
  });

  test('that is withdrawn is never sent', async () => {
    const { delivery, send, network, pending } = setUp({ isOnline: false });
    delivery.send(entry('a'));
    await settled();
    delivery.drop(pending.value[0] as PendingTurn);
    network.online.value = true;
    network.wake();
    await settled();
    expect([send.mock.calls.length, pending.value.length, kept().length]).toEqual([0, 0, 0]);
  });
});

describe('a question that the server refuses', () => {
  test('has failed with the server’s words, and is kept for another try', async () => {
    const { delivery, send, pending, network } = setUp();
    send.mockRejectedValueOnce(refused);
    delivery.send(entry('a'));
    await settled();
    expect(pending.value[0]?.state.value).toBe('failed');
    expect(pending.value[0]?.error.value).toEqual({ code: 'rate_limit_exceeded', message: 'Too many.' });
    expect([network.waits, kept()]).toEqual([[], ['a']]);
  });

  test('is sent by a retry, without the old error', async () => {
    const { delivery, send, pending } = setUp();
    send.mockRejectedValueOnce(refused);
    delivery.send(entry('a'));
    await settled();
    delivery.retry(pending.value[0] as PendingTurn);
    expect(pending.value[0]?.error.value).toBeUndefined();
    await settled();
    expect(pending.value[0]?.state.value).toBe('sent');
    expect(pending.value).toHaveLength(1);
  });

  test('does not hold up the next one', async () => {
    const { delivery, send, states } = setUp();
    send.mockRejectedValueOnce(refused);
    delivery.send(entry('a'));
    delivery.send(entry('b'));
    await settled();
    expect(states()).toEqual([
      ['a', 'failed'],
      ['b', 'sent'],
    ]);
  });
});

test('a question that is withdrawn on its way is aborted, and fails nowhere', async () => {
  const { delivery, send, pending, onSent } = setUp();
  send.mockImplementationOnce(
    ({ signal: cancelled }) =>
      new Promise((_, reject) =>
        cancelled?.addEventListener('abort', () => reject(cancelled.reason), { once: true }),
      ),
  );
  delivery.send(entry('a'));
  await settled();
  const [turn] = pending.value as [PendingTurn];
  delivery.drop(turn);
  await settled();
  expect([pending.value.length, turn.error.value, onSent.mock.calls.length]).toEqual([0, undefined, 0]);
});
