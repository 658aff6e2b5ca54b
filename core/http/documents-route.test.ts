import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { DocumentRow, Documents } from '../knowledge/documents.ts';
import { documentsRoute } from './documents-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const row: DocumentRow = {
  id: 'doc_1',
  tenant: 'acme',
  user: 'ann',
  name: 'guide.md',
  title: 'The guide',
  mediaType: 'text/markdown',
  bytes: 7,
  hash: 'h',
  passages: 2,
  isShared: false,
  createdAtMs: 1_999,
  updatedAtMs: 3_001,
};
const shown = {
  id: 'doc_1',
  object: 'document',
  name: 'guide.md',
  title: 'The guide',
  media_type: 'text/markdown',
  bytes: 7,
  passages: 2,
  shared: false,
  status: 'ready',
  created_at: 1,
  updated_at: 3,
};
const find = ({ user }: { user: string }, id: string) => {
  if (user !== row.user || id !== row.id) throw new AppError('document_not_found', { param: 'id' });
  return row;
};
const documents = {
  ingest: vi.fn<Documents['ingest']>(async () => ({ document: row, outcome: 'created' })),
  list: vi.fn<Documents['list']>(async () => ({ data: [row], hasMore: false })),
  get: vi.fn<Documents['get']>(async (owner, id) => find(owner, id)),
  passage: vi.fn<Documents['passage']>(async (owner, id) => ({
    document: find(owner, id),
    heading: 'Start',
    text: 'Run it.',
  })),
  remove: vi.fn<Documents['remove']>(async (owner, id) => void find(owner, id)),
};
const core = coreUnderTest({ documents }, (app, services) => {
  const { create, list, read, passage, remove } = documentsRoute(services);
  app.post('/v1/documents', create).get('/v1/documents', list).get('/v1/documents/:id', read);
  app.get('/v1/documents/:id/passages/:number', passage).delete('/v1/documents/:id', remove);
});
const ann = { tenant: 'acme', user: 'ann' };
const ben = { tenant: 'acme', user: 'ben' };
beforeEach(() => void vi.clearAllMocks());

function form(fields: Record<string, string>, file?: File): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  if (file) made.append('file', file);
  return made;
}
const guide = (name = 'guide.md', type = '') => new File(['# Guide'], name, { type });

describe('POST /v1/documents', () => {
  test('takes the file in for the user of the signature', async () => {
    const response = await core.call('POST', '/v1/documents', { body: form({}, guide()), as: ann });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ ...shown, outcome: 'created' });
    expect(documents.ingest).toHaveBeenCalledExactlyOnceWith(ann, {
      name: 'guide.md',
      type: 'text/markdown',
      bytes: new TextEncoder().encode('# Guide'),
      isShared: false,
    });
  });

  test('returns 200 for a document that was there', async () => {
    documents.ingest.mockResolvedValueOnce({ document: row, outcome: 'unchanged' });
    const response = await core.call('POST', '/v1/documents', { body: form({}, guide()), as: ann });
    expect([response.status, (await response.json()).outcome]).toEqual([200, 'unchanged']);
  });

  test('names the document by the form, and takes its type from the file where the name has none', async () => {
    const body = form({ name: 'manual' }, guide('a.bin', 'text/html; charset=utf-8'));
    await core.call('POST', '/v1/documents', { body, as: ann });
    expect(documents.ingest.mock.calls[0]?.[1]).toMatchObject({ name: 'manual', type: 'text/html' });
  });

  test('is shared by an admin alone', async () => {
    const body = () => form({ shared: 'true' }, guide());
    const refused = await core.call('POST', '/v1/documents', { body: body(), as: ann });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { code: 'insufficient_scope' } });
    expect(documents.ingest).not.toHaveBeenCalled();
    await core.call('POST', '/v1/documents', { body: body(), as: { ...ann, scopes: ['admin'] } });
    expect(documents.ingest.mock.calls[0]?.[1].isShared).toBe(true);
  });

  test.each<[string, () => FormData, number, string, string]>([
    ['no file', () => form({ name: 'n' }), 400, 'missing_required_parameter', 'file'],
    ['a text in place of the file', () => form({ file: 'text' }), 400, 'missing_required_parameter', 'file'],
    ['a name that is too long', () => form({ name: 'n'.repeat(501) }, guide()), 400, 'invalid_value', 'name'],
    ['a null character in its name', () => form({ name: 'a\0.md' }, guide()), 400, 'invalid_value', 'name'],
    ['a wrong shared', () => form({ shared: 'yes' }, guide()), 400, 'invalid_value', 'shared'],
    ['another type', () => form({}, guide('a.exe')), 415, 'unsupported_media_type', 'file'],
  ])('with %s returns an error that names the field', async (_name, body, status, code, param) => {
    const response = await core.call('POST', '/v1/documents', { body: body(), as: ann });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(documents.ingest).not.toHaveBeenCalled();
  });

  test('with a body that is no form returns 415', async () => {
    const response = await core.call('POST', '/v1/documents', { body: { file: 'x' }, as: ann });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({
      error: { message: 'The request body must be multipart/form-data.' },
    });
  });
});

describe('a document', () => {
  test('is listed for its user', async () => {
    const response = await core.call('GET', '/v1/documents?limit=1&after=doc_0', { as: ann });
    expect(await response.json()).toMatchObject({ data: [shown], has_more: false });
    expect(documents.list).toHaveBeenCalledExactlyOnceWith(ann, { limit: 1, after: 'doc_0' });
  });

  test('is read with one passage by its number', async () => {
    expect(await (await core.call('GET', '/v1/documents/doc_1', { as: ann })).json()).toEqual(shown);
    const passage = await core.call('GET', '/v1/documents/doc_1/passages/2', { as: ann });
    expect(await passage.json()).toEqual({
      object: 'document.passage',
      document_id: 'doc_1',
      title: 'The guide',
      number: 2,
      heading: 'Start',
      text: 'Run it.',
    });
    expect(documents.passage).toHaveBeenCalledExactlyOnceWith(ann, 'doc_1', 2);
  });

  test.each(['0', '-1', '01', '1.5', 'x', '1234567890'])('has no passage %s', async (number) => {
    const response = await core.call('GET', `/v1/documents/doc_1/passages/${number}`, { as: ann });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'document_not_found', param: 'passage' } });
    expect(documents.passage).not.toHaveBeenCalled();
  });

  test('is removed, a shared one of somebody else only with the scope admin', async () => {
    const response = await core.call('DELETE', '/v1/documents/doc_1', { as: ann });
    expect(await response.json()).toEqual({ id: 'doc_1', object: 'document.deleted', deleted: true });
    await core.call('DELETE', '/v1/documents/doc_1', { as: { ...ann, scopes: ['admin'] } });
    expect(documents.remove.mock.calls).toEqual([
      [ann, 'doc_1', false],
      [ann, 'doc_1', true],
    ]);
  });

  test.each([
    ['GET', '/v1/documents/doc_1'],
    ['GET', '/v1/documents/doc_1/passages/1'],
    ['DELETE', '/v1/documents/doc_1'],
  ])('of another user: %s %s returns 404', async (method, path) => {
    const response = await core.call(method, path, { as: ben });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'document_not_found' } });
  });
});
