/** The session's WebSocket: the events of the Responses stream, on every device, resumable and on every wire. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SESSION_PROTOCOL, tokenProtocol } from '../../shared/protocol/session-socket.ts';
import { readEvents, readSome } from './read-stream.ts';
import { say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

interface Frame {
  type: string;
  sequence_number: number;
  response_id: string;
  delta?: string;
  response?: { status: string; output_text: string };
  error?: { code: string; param: string | null };
}

let system: System;
let sessionId: string;
const open: WebSocket[] = [];
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_CORS_ORIGINS: 'https://app.example.com' } });
});
afterAll(() => system.stop());
beforeEach(() => {
  sessionId = crypto.randomUUID();
  system.upstream.calls.length = 0;
  system.upstream.behave(say('one two three four five', { paceMs: 10 }));
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** A device of a user, with all it was told. */
async function connect(
  claims: Parameters<System['token']>[0] = {},
  query = '',
): Promise<{
  socket: WebSocket;
  frames: Frame[];
  closed: Promise<CloseEvent>;
  until(count: number, type?: string): Promise<void>;
}> {
  const address = `${system.address.replace('http', 'ws')}/v1/sessions/${sessionId}/ws${query}`;
  const socket = new WebSocket(address, [SESSION_PROTOCOL, tokenProtocol(await system.token(claims))]);
  open.push(socket);
  const frames: Frame[] = [];
  socket.addEventListener('message', ({ data }) => {
    if (data !== 'pong') frames.push(JSON.parse(String(data)));
  });
  const closed = new Promise<CloseEvent>((resolve) =>
    socket.addEventListener('close', resolve, { once: true }),
  );
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the socket was refused')), { once: true });
  });
  const counted = (type: string | undefined) => frames.filter((frame) => !type || frame.type === type).length;
  return {
    socket,
    frames,
    closed,
    until: (count, type) =>
      expect.poll(() => counted(type), { timeout: 5000, interval: 5 }).toBeGreaterThanOrEqual(count),
  };
}
const create = (input: string, more: object = {}) =>
  JSON.stringify({ type: 'response.create', input, ...more });

test('a turn is asked for and told in the frames of the Responses stream', async () => {
  const { socket, frames, until } = await connect();
  expect(socket.protocol).toBe(SESSION_PROTOCOL);
  socket.send(create('hi'));
  await until(1, 'response.completed');
  expect(frames.map(({ sequence_number: number }) => number)).toEqual(frames.map((_, index) => index));
  expect(frames[0]?.type).toBe('response.created');
  expect(frames.at(-1)?.response).toMatchObject({
    status: 'completed',
    output_text: 'one two three four five',
  });
  socket.send(JSON.stringify({ type: 'response.create', response: { input: 'again' } }));
  await until(2, 'response.completed');
  expect(system.upstream.calls[1]?.body.messages).toHaveLength(3);
});

test('every device sees every turn, in one order, however it was asked for', async () => {
  const [one, two] = await Promise.all([connect(), connect()]);
  one.socket.send(create('first'));
  two.socket.send(create('second'));
  await (await system.chat('third', {}, { 'x-session-id': sessionId })).json();
  await Promise.all([one.until(3, 'response.completed'), two.until(3, 'response.completed')]);
  expect(two.frames).toEqual(one.frames);
  const turns = [...new Set(one.frames.map(({ response_id: id }) => id))];
  expect(turns).toHaveLength(3);
  // No two turns are mixed.
  const order = one.frames.map(({ response_id: id }) => turns.indexOf(id));
  expect(order).toEqual([...order].sort());
});

test('a device that joins in mid-answer is told the turn from its beginning', async () => {
  system.upstream.behave(say('word '.repeat(30), { paceMs: 10 }));
  const one = await connect();
  one.socket.send(create('hi'));
  await one.until(3, 'response.output_text.delta');
  const two = await connect();
  await Promise.all([one.until(1, 'response.completed'), two.until(1, 'response.completed')]);
  expect(two.frames).toEqual(one.frames);
});

test('a socket that was lost goes on after any event, with one model call', async () => {
  const first = await connect();
  first.socket.send(create('hi'));
  await first.until(1, 'response.completed');
  const whole = first.frames;
  const id = whole[0]?.response_id;
  for (let after = 0; after < whole.length - 1; after++) {
    const again = await connect();
    again.socket.send(JSON.stringify({ type: 'edgewise.resume', response_id: id, starting_after: after }));
    await again.until(1, 'response.completed');
    expect(again.frames).toEqual(whole.slice(after + 1));
    again.socket.close();
  }
  expect(system.upstream.calls).toHaveLength(1);
});

/** What differs between two runs of the same turn: ids and times. */
const normalise = (frames: Frame[]) =>
  JSON.parse(
    JSON.stringify(frames)
      .replace(/[0-9a-f]{32}|[0-9a-f-]{36}/g, 'id')
      .replace(/"created_at":\d+/g, '"created_at":0'),
  );

test('a socket that is lost in mid-answer, after any event, misses nothing and hears nothing twice', async () => {
  const unbroken = await connect();
  unbroken.socket.send(create('hi'));
  await unbroken.until(1, 'response.completed');
  const whole = normalise(unbroken.frames);
  for (let cut = 1; cut < whole.length; cut++) {
    sessionId = crypto.randomUUID();
    const first = await connect();
    first.socket.send(create('hi'));
    await first.until(cut);
    const seen = first.frames.slice(0, cut);
    first.socket.close();
    const id = seen[0]?.response_id;
    const second = await connect({}, `?response_id=${id}&starting_after=${cut - 1}`);
    await second.until(1, 'response.completed');
    expect(normalise([...seen, ...second.frames])).toEqual(whole);
  }
  expect(system.upstream.calls).toHaveLength(whole.length);
});

test('a client can change from SSE to a socket and back in mid-answer: one cursor', async () => {
  system.upstream.behave(say('one two three four five six seven eight', { paceMs: 30 }));
  const begun = await system.request('/v1/responses', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: 'hi', stream: true, conversation: sessionId }),
  });
  const bySse = (await readSome(begun, 6)).map(({ data }): Frame => JSON.parse(data));
  const created = bySse[0] as unknown as { response: { id: string } };
  const { id } = created.response;
  const device = await connect();
  device.socket.send(JSON.stringify({ type: 'edgewise.resume', response_id: id, starting_after: 5 }));
  // The socket is told the running turn by itself; what it asked for comes after that.
  await device.until(1, 'response.completed');
  const resumed = await system.request(`/v1/responses/${id}?stream=true&starting_after=5`);
  const rest = (await readEvents(resumed)).map(({ data }): Frame => JSON.parse(data));
  const bySocket = device.frames.map(({ response_id: _, ...frame }) => frame);
  expect(bySocket.slice(0, bySse.length + rest.length)).toEqual([...bySse, ...rest]);
  expect(system.upstream.calls).toHaveLength(1);
});

test('a socket stops the turn, for everyone', async () => {
  system.upstream.behave(say('word '.repeat(200), { paceMs: 10 }));
  const [one, two] = await Promise.all([connect(), connect()]);
  one.socket.send(create('hi'));
  await two.until(3, 'response.output_text.delta');
  two.socket.send(JSON.stringify({ type: 'response.cancel' }));
  await one.until(1, 'response.incomplete');
  expect(one.frames.at(-1)?.response?.status).toBe('cancelled');
  await system.upstream.calls[0]?.aborted;
});

test('a client that comes back for what is gone is told so, and stays', async () => {
  const gone = await connect({}, `?response_id=resp_${'0'.repeat(32)}_${sessionId}&starting_after=3`);
  await gone.until(1, 'error');
  expect(gone.frames[0]).toMatchObject({ error: { code: 'turn_expired' } });
  gone.socket.send(create('hi'));
  await gone.until(1, 'response.completed');
});

test('ping is answered', async () => {
  const { socket } = await connect();
  const answered = new Promise((resolve) =>
    socket.addEventListener('message', ({ data }) => resolve(data), { once: true }),
  );
  socket.send('ping');
  expect(await answered).toBe('pong');
});

describe('a mistake', () => {
  test.each<[string, string, string, string | null]>([
    ['no JSON', '{', 'invalid_json', null],
    ['an unknown type', '{"type":"dance"}', 'invalid_type', 'type'],
    ['no input', '{"type":"response.create"}', 'missing_required_parameter', 'input'],
    [
      'another session',
      `{"type":"edgewise.resume","response_id":"resp_${'0'.repeat(32)}_other"}`,
      'response_not_found',
      'response_id',
    ],
  ])('%s is told, and the socket stays', async (_name, text, code, param) => {
    const { socket, frames, until } = await connect();
    socket.send(text);
    await until(1, 'error');
    expect(frames[0]).toMatchObject({ type: 'error', error: { code, param } });
    socket.send(create('hi'));
    await until(1, 'response.completed');
  });
});

describe('a client that sends too much', () => {
  test('of one message gets an error, and the socket stays', async () => {
    const { socket, frames, until } = await connect();
    socket.send(create('x'.repeat(1024 * 1024)));
    await until(1, 'error');
    expect(frames[0]?.error?.code).toBe('request_too_large');
    socket.send(create('hi'));
    await until(1, 'response.completed');
  });

  test('of messages is closed, and comes back', async () => {
    const { socket, frames, until, closed } = await connect();
    socket.send(create('hi'));
    await until(1, 'response.completed');
    const before = frames.length;
    const resume = JSON.stringify({ type: 'edgewise.resume', response_id: frames[0]?.response_id });
    for (let message = 0; message < 200; message++) socket.send(resume);
    expect((await closed).code).toBe(4429);
    // The 30 messages that may come at once bring at most one replay each.
    expect(frames.length).toBeLessThanOrEqual(before * 31);
    const again = await connect();
    again.socket.send(create('hi'));
    await again.until(1, 'response.completed');
  });

  test('of sockets is refused', async () => {
    for (let device = 0; device < 32; device++) await connect();
    await expect(connect()).rejects.toThrow('the socket was refused');
  });
});

test('a client that offers no subprotocol gets none, as RFC 6455 has it', async () => {
  const address = `${system.address.replace('http', 'ws')}/v1/sessions/${sessionId}/ws`;
  const headers = { authorization: `Bearer ${await system.token()}` };
  const socket = new WebSocket(address, { headers } as unknown as string[]);
  open.push(socket);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the socket was refused')), { once: true });
  });
  expect(socket.protocol).toBe('');
});

describe('the door', () => {
  const upgrade = (headers: Record<string, string>) =>
    system.request(`/v1/sessions/${sessionId}/ws`, { headers });

  test('wants a token, and an upgrade', async () => {
    expect((await fetch(`${system.address}/v1/sessions/${sessionId}/ws`)).status).toBe(401);
    expect((await upgrade({})).status).toBe(426);
    const address = `${system.address.replace('http', 'ws')}/v1/sessions/${sessionId}/ws`;
    const socket = new WebSocket(address, [SESSION_PROTOCOL, tokenProtocol('abc')]);
    await new Promise((resolve) => socket.addEventListener('error', resolve, { once: true }));
    expect(socket.readyState).not.toBe(WebSocket.OPEN);
  });

  test('closes when the token expires', async () => {
    const { socket, until, closed } = await connect({ expires: '2s' });
    // A socket that was never spoken on is closed just as well, but workerd lets go of it only 10 s later.
    socket.send('{');
    await until(1, 'error');
    expect((await closed).code).toBe(4401);
  });

  test('closes when the session is deleted', async () => {
    const { socket, until, closed } = await connect();
    socket.send(create('hi'));
    await until(1, 'response.completed');
    await system.request(`/v1/sessions/${sessionId}`, { method: 'DELETE' });
    expect((await closed).code).toBe(4404);
  });

  test("does not lead to another user's session", async () => {
    const mine = await connect();
    mine.socket.send(create('secret'));
    await mine.until(1, 'response.completed');
    const theirs = await connect({ sub: 'bob' });
    theirs.socket.send(JSON.stringify({ type: 'edgewise.resume', response_id: mine.frames[0]?.response_id }));
    await theirs.until(1, 'error');
    expect(JSON.stringify(theirs.frames)).not.toContain('three');
  });
});
