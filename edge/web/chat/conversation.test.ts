import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { browser } from '../testing/browser-globals.ts';
import { type FakeNetwork, fakeNetwork } from '../testing/fake-network.ts';
import { createApi } from './api.ts';
import { type Conversation, createConversation } from './conversation.ts';
import type { StoredMessage } from './message-tree.ts';

const nowMs = Date.UTC(2026, 10, 21);

class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static newest: FakeSocket;
  readyState = 0;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.newest = this;
  }
  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event('open'));
  }
  emit(event: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(event) }));
  }
  lose(code = 1006): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
  send(): void {}
  close(): void {
    this.readyState = 3;
  }
}

/** What the server has, and what it was asked. */
const server = {
  stored: [] as StoredMessage[],
  responses: {} as Record<string, object>,
  /** What the next `POST /v1/responses` throws or answers, instead of a new turn. */
  next: [] as (Response | Error)[],
  requests: [] as string[],
  bodies: [] as { metadata?: { edgewise_key?: string } }[],
  turns: 0,
};
const ask: typeof fetch = async (input, init) => {
  const { pathname, search } = new URL(String(input), 'https://chat.test');
  const request = `${init?.method ?? 'GET'} ${pathname}${search}`;
  server.requests.push(request);
  if (request === 'POST /v1/responses') {
    const next = server.next.shift();
    if (next instanceof Error) throw next;
    if (next) return next;
    server.bodies.push(JSON.parse(String(init?.body)));
    const id = `resp_t${++server.turns}_s1`;
    server.responses[id] = { status: 'in_progress' };
    return Response.json({ id });
  }
  if (request.startsWith('GET /v1/sessions/s1?')) {
    const before = Number(new URLSearchParams(search).get('before') ?? Number.POSITIVE_INFINITY);
    const limit = Number(new URLSearchParams(search).get('limit'));
    const older = server.stored.filter(({ position }) => position < before);
    return Response.json({ messages: older.slice(-limit), has_more: older.length > limit });
  }
  if (request === 'POST /v1/sessions/s1/stop') return Response.json({ status: 'cancelled', text: '' });
  const response = server.responses[pathname.replace('/v1/responses/', '')];
  return response ? Response.json(response) : Response.json({ error: {} }, { status: 404 });
};
vi.stubGlobal('fetch', ask);
vi.stubGlobal('WebSocket', FakeSocket);

let network: FakeNetwork;
let onTurn: ReturnType<typeof vi.fn<() => void>>;
beforeEach(() => {
  browser.sessionStorage.clear();
  browser.document.hidden = true;
  Object.assign(server, { stored: [], responses: {}, next: [], requests: [], bodies: [], turns: 0 });
  vi.useFakeTimers({
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
    now: nowMs,
  });
  network = fakeNetwork();
  onTurn = vi.fn();
});
afterEach(() => void vi.useRealTimers());

const later = async (ms = 0) => {
  for (let turn = 0; turn < 10; turn++) await vi.advanceTimersByTimeAsync(turn === 0 ? ms : 0);
};
function createdConversation(): Conversation {
  const keeper = { account: { value: undefined }, token: async () => 't', refused: () => undefined };
  const api = createApi(keeper as never, ask);
  const token = async () => 't';
  return createConversation({ id: 's1', api, token, network, baseUrl: 'https://chat.test', onTurn });
}
const question = { text: 'Hello.', model: 'auto', knowledge: false };
/** What is shown, as `role: text`. */
const shown = (conversation: Conversation) =>
  conversation.path.value.map(({ node }) => {
    const said =
      node.live?.text.value ?? node.stored?.content ?? (node.isQuestion ? node.pending?.text : '…');
    return `${node.role}: ${said}`;
  });
const keys = (conversation: Conversation) => conversation.path.value.map(({ node }) => node.key);

function store(turn: string, role: 'user' | 'assistant', content: string): void {
  const position = server.stored.length + 1;
  server.stored.push({
    position,
    id: `m${position}`,
    parent_id: position === 1 ? null : `m${position - 1}`,
    turn_id: turn,
    created_at: nowMs / 1000,
    role,
    content,
  });
}
/** The events of a turn as the socket brings them. */
function turn(id: string, key?: string) {
  let sequence = 0;
  const emit = (type: string, fields: object) =>
    FakeSocket.newest.emit({ type, response_id: `resp_${id}_s1`, sequence_number: sequence++, ...fields });
  const metadata = key === undefined ? {} : { metadata: { edgewise_key: key } };
  return {
    create: () =>
      emit('response.created', { response: { status: 'in_progress', model: 'gpt', ...metadata } }),
    say: (delta: string) => emit('response.output_text.delta', { delta }),
    end: (status: string, text: string) =>
      emit(status === 'completed' ? 'response.completed' : 'response.incomplete', {
        response: { status, model: 'gpt', output_text: text, ...metadata },
      }),
  };
}

describe('a question', () => {
  test('is shown at once, then answered live, and is the same element when it is stored', async () => {
    const conversation = createdConversation();
    conversation.ask(question);
    expect(shown(conversation)).toEqual(['user: Hello.', 'assistant: …']);
    expect(conversation.busy.value).toBe(true);
    const first = keys(conversation);
    await later();
    FakeSocket.newest.open();
    const answer = turn('t1', server.bodies[0]?.metadata?.edgewise_key);
    answer.create();
    answer.say('Hi ');
    await later();
    expect(shown(conversation)).toEqual(['user: Hello.', 'assistant: Hi ']);
    store('t1', 'user', 'Hello.');
    store('t1', 'assistant', 'Hi there.');
    answer.end('completed', 'Hi there.');
    await later(400);
    expect(shown(conversation)).toEqual(['user: Hello.', 'assistant: Hi there.']);
    expect(conversation.path.value.map(({ node }) => node.id)).toEqual(['m1', 'm2']);
    expect(keys(conversation)).toEqual(first);
    expect(conversation.busy.value).toBe(false);
    expect(onTurn).toHaveBeenCalledTimes(2);
  });

  test('that is lost on its way waits, and goes out once when the network is back', async () => {
    server.next = [new TypeError('fetch failed')];
    const conversation = createdConversation();
    conversation.ask(question);
    await later();
    expect([conversation.path.value[0]?.node.pending?.state.value, server.turns]).toEqual(['waiting', 0]);
    network.wake();
    await later();
    expect([conversation.path.value[0]?.node.pending?.state.value, server.turns]).toEqual(['sent', 1]);
  });

  test('that is refused keeps its words, and can be sent again or taken back', async () => {
    const refusal = () =>
      Response.json({ error: { code: 'rate_limit_exceeded', message: 'Later.' } }, { status: 429 });
    server.next = [refusal(), refusal()];
    const conversation = createdConversation();
    conversation.ask(question);
    await later();
    const pending = conversation.path.value[0]?.node.pending;
    if (!pending) throw new Error('the question is gone');
    expect([pending.state.value, pending.error.value?.message, conversation.busy.value]).toEqual([
      'failed',
      'Later.',
      false,
    ]);
    conversation.retry(pending);
    await later();
    expect([pending.state.value, shown(conversation)[0]]).toEqual(['failed', 'user: Hello.']);
    conversation.withdraw(pending);
    expect(shown(conversation)).toEqual([]);
  });

  test('of a tab that was reloaded goes out from the new page', async () => {
    network.online.value = false;
    createdConversation().ask(question);
    await later();
    network = fakeNetwork();
    const conversation = createdConversation();
    await conversation.open();
    await later();
    expect([shown(conversation), server.turns]).toEqual([['user: Hello.', 'assistant: …'], 1]);
  });
});

describe('an answer', () => {
  test('that is stopped keeps what was said, and its question', async () => {
    const conversation = createdConversation();
    conversation.ask(question);
    await later();
    FakeSocket.newest.open();
    const answer = turn('t1');
    answer.create();
    answer.say('Half');
    await later();
    await conversation.stop();
    expect(server.requests).toContain('POST /v1/sessions/s1/stop');
    answer.end('cancelled', 'Half');
    await later(400);
    expect(shown(conversation)).toEqual(['user: Hello.', 'assistant: Half']);
    expect(conversation.path.value[1]?.node.live?.state.value).toBe('cancelled');
    expect(conversation.busy.value).toBe(false);
  });

  test('that ended while nobody listened is asked for', async () => {
    const conversation = createdConversation();
    conversation.ask(question);
    await later();
    server.responses.resp_t1_s1 = { status: 'completed', output_text: 'Hi.' };
    await later(1000);
    expect(shown(conversation)).toEqual(['user: Hello.', 'assistant: Hi.']);
    expect(conversation.busy.value).toBe(false);
  });

  test('that the server no longer tells of leaves what is stored', async () => {
    const conversation = createdConversation();
    conversation.ask(question);
    await later();
    server.responses = {};
    await later(1000);
    expect([shown(conversation), conversation.busy.value]).toEqual([[], false]);
  });

  test('to another device’s question is shown with the question', async () => {
    const conversation = createdConversation();
    await conversation.open();
    await later();
    FakeSocket.newest.open();
    store('t9', 'user', 'From my phone.');
    const answer = turn('t9', 'key-of-another-device');
    answer.create();
    answer.say('Hi, phone.');
    await later();
    expect(shown(conversation)).toEqual(['user: From my phone.', 'assistant: Hi, phone.']);
  });
});

test('a socket that is lost is opened again after what was read', async () => {
  const conversation = createdConversation();
  conversation.ask(question);
  await later();
  FakeSocket.newest.open();
  const answer = turn('t1');
  answer.create();
  answer.say('Hi');
  await later();
  FakeSocket.newest.lose();
  expect(conversation.connection.value).toBe('connecting');
  network.wake();
  await later();
  expect(FakeSocket.newest.url).toBe(
    'wss://chat.test/v1/sessions/s1/ws?response_id=resp_t1_s1&starting_after=1',
  );
  FakeSocket.newest.open();
  answer.say(' there.');
  await later();
  expect([shown(conversation)[1], conversation.connection.value]).toEqual(['assistant: Hi there.', 'open']);
});

test('older messages are read page by page, each once', async () => {
  for (let round = 1; round <= 50; round++) {
    store(`t${round}`, 'user', `q${round}`);
    store(`t${round}`, 'assistant', `a${round}`);
  }
  const conversation = createdConversation();
  await conversation.open();
  expect([shown(conversation).length, shown(conversation)[0], conversation.hasOlder.value]).toEqual([
    60,
    'user: q21',
    true,
  ]);
  await Promise.all([conversation.readOlder(), conversation.readOlder()]);
  expect([shown(conversation).length, shown(conversation)[0], conversation.hasOlder.value]).toEqual([
    100,
    'user: q1',
    false,
  ]);
  await conversation.readOlder();
  expect(server.requests.filter((request) => request.includes('before='))).toEqual([
    'GET /v1/sessions/s1?limit=60&before=41',
  ]);
});

test('a conversation that is closed listens no more, and still delivers', async () => {
  server.next = [new TypeError('fetch failed')];
  const conversation = createdConversation();
  conversation.ask(question);
  await later();
  conversation.close();
  expect(FakeSocket.newest.readyState).toBe(3);
  network.wake();
  await later();
  expect(server.turns).toBe(1);
});

test('one that is abandoned delivers nothing more', async () => {
  server.next = [new TypeError('fetch failed')];
  const conversation = createdConversation();
  conversation.ask(question);
  await later();
  conversation.abandon();
  network.wake();
  await later();
  expect(server.turns).toBe(0);
});
