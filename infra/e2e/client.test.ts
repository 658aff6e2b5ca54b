/** Our own client on a network that drops its connections. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEdgewiseClient, type EdgewiseClient } from '../../shared/client/edgewise-client.ts';
import { seededRandom } from '../../shared/testing/streams.ts';
import { type FaultyNetwork, startFaultyNetwork } from './faulty-network.ts';
import { refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let network: FaultyNetwork;
let client: EdgewiseClient;
let sessionId: string;
beforeAll(async () => {
  system = await startSystem();
  network = await startFaultyNetwork(system.address);
  client = createEdgewiseClient({
    baseUrl: network.address,
    token: () => system.token(),
    retry: { attempts: 5, firstMs: 5, longestMs: 20 },
  });
});
afterAll(async () => {
  await network.close();
  await system.stop();
});
const text = 'one two three four five six seven eight nine ten';
beforeEach(() => {
  sessionId = crypto.randomUUID();
  system.upstream.calls.length = 0;
  network.cutAfter(() => Number.POSITIVE_INFINITY);
  system.upstream.behave(say(text, { paceMs: 5 }));
});

async function read(chunks: AsyncIterable<{ choices: { delta: { content?: string } }[] }>): Promise<string> {
  let said = '';
  for await (const chunk of chunks) said += chunk.choices[0]?.delta.content ?? '';
  return said;
}
const chat = (content = 'count') => client.chat({ sessionId, messages: [{ role: 'user', content }] });

test('reads a turn', async () => {
  expect(await read(chat())).toBe(text);
});

test('reads every word once, wherever the connections are cut, with one model call', async () => {
  const random = seededRandom(11);
  for (let turn = 0; turn < 15; turn++) {
    network.cutAfter(() => 900 + random(1500));
    expect(await read(chat(`turn ${turn}`))).toBe(text);
  }
  expect(system.upstream.calls).toHaveLength(15);
  expect(network.connections).toBeGreaterThan(30);
});

test('sends again what got no answer at all, and is not charged twice', async () => {
  let cuts = 2;
  network.cutAfter(() => (cuts-- > 0 ? 1 : Number.POSITIVE_INFINITY));
  expect(await read(chat())).toBe(text);
  expect(system.upstream.calls).toHaveLength(1);
});

test('gives up on a network that stays away, and says so', async () => {
  network.cutAfter(() => 1);
  await expect(read(chat())).rejects.toMatchObject({ code: 'connection_lost', retryable: true });
});

test('stops a turn, and joins one that another device has started', async () => {
  system.upstream.behave(say('word '.repeat(200), { paceMs: 10 }));
  const mine = read(chat());
  await expect.poll(() => system.upstream.calls.length).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const theirs = read(client.resume(sessionId));
  const stopped = await client.stop(sessionId);
  expect(stopped.status).toBe('cancelled');
  expect(await mine).toBe(stopped.text);
  expect(await theirs).toBe(stopped.text);
  expect(await read(client.resume(sessionId))).toBe('');
});

describe('over a socket', () => {
  interface Seen {
    type: string;
    response_id: string;
    sequence_number: number;
    delta?: unknown;
  }
  /** Reads until that many turns have ended. */
  async function readTurns(connection: AsyncIterable<Seen>, count: number): Promise<Seen[]> {
    const seen: Seen[] = [];
    let ends = 0;
    for await (const event of connection) {
      seen.push(event);
      if (event.type === 'response.completed' && ++ends === count) break;
    }
    return seen;
  }
  const said = (events: Seen[]) => events.map(({ delta }) => delta ?? '').join('');
  const send = (content: string) => client.send({ sessionId, messages: [{ role: 'user', content }] });

  test('reads every turn of every device', async () => {
    const connection = client.connect(sessionId);
    const reading = readTurns(connection, 2);
    const id = await send('one');
    await read(chat('two'));
    const events = await reading;
    connection.close();
    expect(events[0]?.response_id).toBe(id);
    expect(said(events)).toBe(text + text);
  });

  test('reads each event once, wherever the connections are cut, with one model call a turn', async () => {
    const random = seededRandom(23);
    network.cutAfter(() => 1200 + random(4000));
    const connection = client.connect(sessionId);
    const reading = readTurns(connection, 6);
    const ids: string[] = [];
    for (let turn = 0; turn < 6; turn++) ids.push(await send(`turn ${turn}`));
    const events = await reading;
    connection.close();
    for (const id of ids) {
      const turn = events.filter((event) => event.response_id === id);
      expect(turn.map((event) => event.sequence_number)).toEqual(turn.map((_, index) => index));
      expect(said(turn)).toBe(text);
    }
    expect([...new Set(events.map((event) => event.response_id))]).toEqual(ids);
    expect(system.upstream.calls).toHaveLength(6);
  });

  test('a socket that is dead while it says OPEN is replaced', async () => {
    const connection = client.connect(sessionId);
    const reading = readTurns(connection, 1);
    await expect.poll(() => network.connections).toBeGreaterThan(0);
    await send('before');
    await reading;
    const rest = readTurns(connection, 1);
    network.freeze();
    connection.check();
    await (await system.chat('after', {}, { 'x-session-id': sessionId })).text();
    expect(said(await rest)).toBe(text);
    connection.close();
  }, 15_000);

  test('gives up on a network that stays away, and says so', async () => {
    network.cutAfter(() => 1);
    await expect(readTurns(client.connect(sessionId), 1)).rejects.toMatchObject({ code: 'connection_lost' });
  });
});

describe('an error', () => {
  test('that a retry cannot help is thrown at once', async () => {
    system.upstream.behave(refuse(401, { message: 'no' }));
    await expect(read(chat())).rejects.toMatchObject({
      code: 'upstream_auth_failed',
      status: 502,
      retryable: false,
    });
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('that a retry can help is tried again', async () => {
    system.upstream.behave((call, answer) => {
      const first = system.upstream.calls.length < 3;
      return (first ? refuse(503, { message: 'full' }, { 'retry-after-ms': '5' }) : say('at last'))(
        call,
        answer,
      );
    });
    expect(await read(chat())).toBe('at last');
    expect(system.upstream.calls).toHaveLength(3);
  });
});
