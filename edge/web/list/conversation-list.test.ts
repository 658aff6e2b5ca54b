import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Api, createApi, type ListedConversation } from '../chat/api.ts';
import { browser } from '../testing/browser-globals.ts';
import { type ConversationList, createConversationList, toTitle, UNDO_MS } from './conversation-list.ts';

const nowMs = Date.UTC(2026, 10, 21);
const nowS = nowMs / 1000;
beforeEach(() => {
  browser.localStorage.clear();
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: nowMs });
});
afterEach(() => void vi.useRealTimers());

const listed = (id: string, updatedAt: number, title?: string): ListedConversation => ({
  id,
  created_at: updatedAt,
  updated_at: updatedAt,
  ...(title !== undefined && { title }),
});
interface Server {
  /** Path with its query, or method and path -> what is answered; a thrown error otherwise. */
  [request: string]: object | (() => Promise<Response>);
}
function setUp(server: Server, { hasTitles = true, subject = 'acme/ann' } = {}) {
  const requests: string[] = [];
  const ask: typeof fetch = async (path, init) => {
    const name = `${init?.method ?? 'GET'} ${String(path)}`.replace(/^GET /, '');
    requests.push(init?.body ? `${name} ${String(init.body)}` : name);
    const answer = server[name];
    if (answer === undefined) return Response.json({ error: { code: 'x' } }, { status: 503 });
    return typeof answer === 'function' ? answer() : Response.json(answer);
  };
  const keeper = { account: { value: undefined }, token: async () => 't', refused: () => undefined };
  const api: Api = createApi(keeper as never, ask);
  const list: ConversationList = createConversationList({ api, hasTitles, subject });
  const titles = () => list.entries.value.map(({ id, title }) => [id, title]);
  return { list, requests, titles, server };
}
const page = (data: ListedConversation[], hasMore = false) => ({ data, has_more: hasMore });

describe('a load', () => {
  test('joins the sessions of this moment with the titles of the archive, newest first', async () => {
    const { list, titles } = setUp({
      '/v1/sessions': page([listed('a', nowS - 100), listed('b', nowS - 50)]),
      '/v1/conversations': page([listed('a', nowS - 200, 'Trip'), listed('c', nowS - 300, 'Old')]),
    });
    await list.load();
    expect(titles()).toEqual([
      ['b', ''],
      ['a', 'Trip'],
      ['c', 'Old'],
    ]);
    expect(list.entries.value[1]?.updatedAtMs).toBe(nowMs - 100_000);
  });

  test('does without the archive where it does not answer', async () => {
    const { list, titles } = setUp({ '/v1/sessions': page([listed('a', nowS)]) });
    await list.load();
    expect(titles()).toEqual([['a', '']]);
  });

  test('of the sessions that fails is an error, and the list stays', async () => {
    const { list, titles } = setUp({ '/v1/conversations': page([]) });
    list.touch('a', 'Hello');
    await expect(list.load()).rejects.toMatchObject({ status: 503 });
    expect(titles()).toEqual([['a', 'Hello']]);
  });

  test('keeps what began this moment, and drops what is gone from the server', async () => {
    const { list, titles, server } = setUp({
      '/v1/sessions': page([listed('old', nowS - 100)]),
      '/v1/conversations': page([]),
    });
    await list.load();
    list.touch('new', 'Just asked');
    server['/v1/sessions'] = page([]);
    await list.load();
    expect(titles()).toEqual([['new', 'Just asked']]);
    vi.setSystemTime(nowMs + 10_001);
    await list.load();
    expect(titles()).toEqual([]);
  });

  test('keeps what is on a later page', async () => {
    const { list, titles, server } = setUp({
      '/v1/sessions': page([listed('a', nowS - 100), listed('b', nowS - 200)]),
      '/v1/conversations': page([]),
    });
    await list.load();
    server['/v1/sessions'] = page([listed('a', nowS - 100)], true);
    await list.load();
    expect([titles().map(([id]) => id), list.hasMore.value]).toEqual([['a', 'b'], true]);
  });
});

test('the next page is added, and a page that brings nothing new is the last one', async () => {
  const { list, titles } = setUp({
    '/v1/sessions': page([listed('a', nowS - 1)], true),
    '/v1/conversations': page([]),
    '/v1/sessions?after=a': page([listed('b', nowS - 2)], true),
    '/v1/conversations?after=a': page([]),
    '/v1/sessions?after=b': page([listed('b', nowS - 2)], true),
    '/v1/conversations?after=b': page([]),
  });
  await list.load();
  await list.loadMore();
  expect([titles().map(([id]) => id), list.hasMore.value]).toEqual([['a', 'b'], true]);
  await list.loadMore();
  expect([titles().map(([id]) => id), list.hasMore.value]).toEqual([['a', 'b'], false]);
});

test('what is known is there after a reload, by person', async () => {
  const first = setUp({});
  first.list.touch('a', 'Hello');
  expect(setUp({}).titles()).toEqual([['a', 'Hello']]);
  expect(setUp({}, { subject: 'acme/ben' }).titles()).toEqual([]);
});

test('a turn puts its conversation on top, and leaves the title that it has', () => {
  const { list, titles } = setUp({});
  list.touch('a', 'First');
  vi.setSystemTime(nowMs + 1);
  list.touch('b', 'Second');
  vi.setSystemTime(nowMs + 2);
  list.touch('a', 'Third');
  expect(titles()).toEqual([
    ['a', 'First'],
    ['b', 'Second'],
  ]);
});

test('many reasons to refresh are two loads', async () => {
  const { list, requests } = setUp({ '/v1/sessions': page([]) }, { hasTitles: false });
  list.refreshSoon();
  await vi.advanceTimersByTimeAsync(1000);
  list.refreshSoon();
  await vi.advanceTimersByTimeAsync(1199);
  expect(requests).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(requests).toEqual(['/v1/sessions', '/v1/sessions']);
});

describe('a rename', () => {
  const archived = {
    '/v1/sessions': page([listed('a', nowS - 1)]),
    '/v1/conversations': page([listed('a', nowS - 1, 'Old')]),
  };

  test('goes to the server that has archived the conversation', async () => {
    const { list, requests, titles } = setUp({ ...archived, 'PATCH /v1/conversations/a': {} });
    await list.load();
    await list.rename('a', 'New');
    expect(requests.at(-1)).toBe('PATCH /v1/conversations/a {"title":"New"}');
    expect(titles()).toEqual([['a', 'New']]);
    expect(browser.localStorage.getItem('edgewise.renamed.acme/ann')).toBe('[]');
  });

  test('waits for the archive, over a reload', async () => {
    const first = setUp({ '/v1/sessions': page([listed('a', nowS - 1)]), '/v1/conversations': page([]) });
    await first.list.load();
    await first.list.rename('a', 'New');
    expect(first.requests.some((request) => request.startsWith('PATCH'))).toBe(false);
    const { list, requests, titles } = setUp({ ...archived, 'PATCH /v1/conversations/a': {} });
    await list.load();
    await vi.advanceTimersByTimeAsync(0);
    expect(requests).toContain('PATCH /v1/conversations/a {"title":"New"}');
    expect(titles()).toEqual([['a', 'New']]);
  });

  test('that fails is told to its caller, and is not forgotten', async () => {
    const { list, titles } = setUp(archived);
    await list.load();
    await expect(list.rename('a', 'New')).rejects.toMatchObject({ status: 503 });
    await list.load();
    expect(titles()).toEqual([['a', 'New']]);
  });

  test('that the server takes late does not forget a newer one', async () => {
    const slow = Promise.withResolvers<Response>();
    const { list, server } = setUp({ ...archived, 'PATCH /v1/conversations/a': () => slow.promise });
    await list.load();
    const first = list.rename('a', 'New');
    await vi.advanceTimersByTimeAsync(0);
    delete server['PATCH /v1/conversations/a'];
    await expect(list.rename('a', 'Newer')).rejects.toMatchObject({ status: 503 });
    slow.resolve(Response.json({}));
    await first;
    expect(browser.localStorage.getItem('edgewise.renamed.acme/ann')).toBe('[["a","Newer"]]');
  });
});

describe('a removal', () => {
  const server = (more: Server = {}): Server => ({
    '/v1/sessions': page([listed('a', nowS - 1), listed('b', nowS - 2)]),
    'DELETE /v1/sessions/a': {},
    ...more,
  });
  const ids = (list: ConversationList) => list.entries.value.map(({ id }) => id);

  test('takes it off the list at once, and off the server when nobody wants it back', async () => {
    const { list, requests } = setUp(server(), { hasTitles: false });
    await list.load();
    list.remove('a');
    expect(ids(list)).toEqual(['b']);
    await list.load();
    expect(ids(list)).toEqual(['b']);
    expect(requests).not.toContain('DELETE /v1/sessions/a');
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(requests).toContain('DELETE /v1/sessions/a');
  });

  test('that is taken back leaves everything as it was', async () => {
    const { list, requests } = setUp(server(), { hasTitles: false });
    await list.load();
    const undo = list.remove('a');
    undo();
    undo();
    expect(ids(list)).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
    expect(requests).not.toContain('DELETE /v1/sessions/a');
  });

  test('that is on its way to the server does not come back with a load', async () => {
    const slow = Promise.withResolvers<Response>();
    const { list } = setUp(server({ 'DELETE /v1/sessions/a': () => slow.promise }), { hasTitles: false });
    await list.load();
    list.remove('a');
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    await list.load();
    expect(ids(list)).toEqual(['b']);
    slow.resolve(Response.json({}));
  });

  test('that the server refuses brings it back with the next load', async () => {
    const refused = async () => Response.json({ error: { code: 'x' } }, { status: 503 });
    const { list } = setUp(server({ 'DELETE /v1/sessions/a': refused }), { hasTitles: false });
    await list.load();
    list.remove('a');
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    await list.load();
    expect(ids(list)).toEqual(['a', 'b']);
  });

  test('is done at once when the page is left', async () => {
    const { list, requests } = setUp(server(), { hasTitles: false });
    await list.load();
    list.remove('a');
    list.flush();
    await vi.advanceTimersByTimeAsync(0);
    expect(requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
    expect(requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(1);
  });
});

describe('a search', () => {
  test('finds titles first, and then what was said', async () => {
    const { list } = setUp({
      '/v1/conversations?q=rome': page([listed('b', nowS, 'Trip'), listed('a', nowS, 'Rome')]),
    });
    list.touch('a', 'To Rome');
    list.touch('c', 'Else');
    expect((await list.search('rome')).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('finds titles alone where the server cannot search, or does not answer', async () => {
    for (const hasTitles of [true, false]) {
      const { list } = setUp({}, { hasTitles });
      list.touch('a', 'To Rome');
      expect((await list.search('ROME')).map(({ id }) => id)).toEqual(['a']);
    }
  });
});

test.each([
  ['  Hello\nthere', 'Hello'],
  ['x'.repeat(60), 'x'.repeat(60)],
  ['x'.repeat(61), `${'x'.repeat(60)}…`],
  [`${'x'.repeat(59)} yz`, `${'x'.repeat(59)}…`],
  ['😀'.repeat(61), `${'😀'.repeat(60)}…`],
  ['', ''],
])('the title of %j is %j', (text, title) => {
  expect(toTitle(text)).toBe(title);
});
