import { expect, test } from 'vitest';
import { createApi, type DocumentInfo } from '../chat/api.ts';
import { createDocuments } from './documents.ts';

const guide: DocumentInfo = { id: 'd/1', title: 'Guide', status: 'ready' };

function setUp(offered: boolean, failsToAdd = false) {
  const onServer: DocumentInfo[] = [];
  const requests: string[] = [];
  const ask: typeof fetch = async (path, init) => {
    const method = init?.method ?? 'GET';
    requests.push(`${method} ${String(path)}`);
    if (method === 'POST' && failsToAdd) return Response.json({ error: { message: 'No.' } }, { status: 400 });
    if (method === 'POST') onServer.push(guide);
    if (method === 'DELETE') onServer.pop();
    return Response.json(method === 'GET' ? { data: onServer } : guide);
  };
  const keeper = { account: { value: undefined }, token: async () => 't', refused: () => undefined };
  return { documents: createDocuments(createApi(keeper as never, ask), offered), requests };
}
const file = new File(['# Guide'], 'guide.md');

test('what is added and removed is read again from the server', async () => {
  const { documents, requests } = setUp(true);
  expect(await documents.add(file)).toEqual(guide);
  expect(documents.entries.value).toEqual([guide]);
  await documents.remove('d/1');
  expect(documents.entries.value).toEqual([]);
  expect(requests).toEqual([
    'POST /v1/documents',
    'GET /v1/documents?limit=100',
    'DELETE /v1/documents/d%2F1',
    'GET /v1/documents?limit=100',
  ]);
});

test('a document that is refused is an error, and the list stays', async () => {
  const { documents, requests } = setUp(true, true);
  await expect(documents.add(file)).rejects.toThrow('No.');
  expect(requests).toEqual(['POST /v1/documents']);
});

test('a server without documents is not asked for any', async () => {
  const { documents, requests } = setUp(false);
  await documents.load();
  expect([documents.offered, requests]).toEqual([false, []]);
});
