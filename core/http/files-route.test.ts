import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { FileObject } from '../../shared/protocol/batch-protocol.ts';
import type { Files } from '../batches/files.ts';
import { filesRoute } from './files-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const file: FileObject = {
  id: 'file-1',
  object: 'file',
  bytes: 3,
  created_at: 1,
  filename: 'in.jsonl',
  purpose: 'batch',
  status: 'processed',
};
const find = ({ user }: { user: string }) => {
  if (user !== 'ann') throw new AppError('file_not_found', { param: 'id' });
  return file;
};
let piecesRead = 0;
let isReleased = false;
async function* threePieces() {
  try {
    for (const piece of ['{"a":1}\n', '{"ü":2}\n', '{}\n']) {
      piecesRead++;
      yield piece;
    }
  } finally {
    isReleased = true;
  }
}
const files = {
  create: vi.fn<Files['create']>(async () => file),
  list: vi.fn<Files['list']>(async () => ({ data: [file], hasMore: true })),
  get: vi.fn<Files['get']>(async (owner) => find(owner)),
  content: vi.fn<Files['content']>(async (owner) => {
    find(owner);
    return threePieces();
  }),
  remove: vi.fn<Files['remove']>(async (owner) => void find(owner)),
};
const core = coreUnderTest({ files }, (app, services) => {
  const { create, list, read, content, remove } = filesRoute(services);
  app.post('/v1/files', create).get('/v1/files', list).get('/v1/files/:id', read);
  app.get('/v1/files/:id/content', content).delete('/v1/files/:id', remove);
});
const ann = { tenant: 'acme', user: 'ann' };
beforeEach(() => {
  vi.clearAllMocks();
  piecesRead = 0;
  isReleased = false;
});

function form(fields: Record<string, string | File>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  return made;
}
const lines = (content: BlobPart = '{}\n', name = 'in.jsonl') => new File([content], name);

describe('POST /v1/files', () => {
  test('keeps the lines for the user of the signature', async () => {
    const body = form({ purpose: 'batch', file: lines('{"ü":1}') });
    const response = await core.call('POST', '/v1/files', { body, as: ann });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(file);
    expect(files.create).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(ann), {
      filename: 'in.jsonl',
      text: '{"ü":1}',
    });
  });

  test('cuts a name after 255 characters', async () => {
    const body = form({ purpose: 'batch', file: lines('{}', 'x'.repeat(300)) });
    await core.call('POST', '/v1/files', { body, as: ann });
    expect(files.create.mock.calls[0]?.[1].filename).toBe('x'.repeat(255));
  });

  test.each<[string, Record<string, string | File>, string, string]>([
    ['no purpose', { file: lines() }, 'missing_required_parameter', 'purpose'],
    ['another purpose', { purpose: 'fine-tune', file: lines() }, 'unsupported_value', 'purpose'],
    ['no file', { purpose: 'batch' }, 'missing_required_parameter', 'file'],
    [
      'bytes that are no UTF-8',
      { purpose: 'batch', file: lines(Uint8Array.of(255)) },
      'invalid_value',
      'file',
    ],
    ['a null character', { purpose: 'batch', file: lines('{"a":"\0"}') }, 'invalid_value', 'file'],
  ])('with %s returns 400 and names the field', async (_name, fields, code, param) => {
    const response = await core.call('POST', '/v1/files', { body: form(fields), as: ann });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(files.create).not.toHaveBeenCalled();
  });
});

describe('a file', () => {
  test('is listed and read', async () => {
    const list = await core.call('GET', '/v1/files?limit=1', { as: ann });
    expect(await list.json()).toEqual({
      object: 'list',
      data: [file],
      first_id: 'file-1',
      last_id: 'file-1',
      has_more: true,
    });
    expect(await (await core.call('GET', '/v1/files/file-1', { as: ann })).json()).toEqual(file);
  });

  test('streams its content', async () => {
    const response = await core.call('GET', '/v1/files/file-1/content', { as: ann });
    expect(response.headers.get('content-type')).toBe('application/jsonl');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('{"a":1}\n{"ü":2}\n{}\n');
    expect(isReleased).toBe(true);
  });

  test('is read no further than its reader goes', async () => {
    const response = await core.call('GET', '/v1/files/file-1/content', { as: ann });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('{"a":1}\n');
    await reader.cancel();
    expect([piecesRead, isReleased]).toEqual([1, true]);
  });

  test('is removed', async () => {
    const response = await core.call('DELETE', '/v1/files/file-1', { as: ann });
    expect(await response.json()).toEqual({ id: 'file-1', object: 'file', deleted: true });
    expect(files.remove).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(ann), 'file-1');
  });

  test.each([
    ['GET', '/v1/files/file-1'],
    ['GET', '/v1/files/file-1/content'],
    ['DELETE', '/v1/files/file-1'],
  ])('of another user: %s %s returns 404', async (method, path) => {
    const response = await core.call(method, path, { as: { tenant: 'acme', user: 'ben' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'file_not_found', param: 'id' } });
  });
});
