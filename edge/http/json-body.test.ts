import { afterEach, describe, expect, test, vi } from 'vitest';
import { bytesOf, streamOf } from '../../shared/testing/streams.ts';
import { readJson } from './json-body.ts';
import { readBytes } from './read-body.ts';
import { edgeUnderTest } from './testing/edge-under-test.ts';

const send = edgeUnderTest((app) => {
  app.post('/json', async (c) => c.json({ read: await readJson(c) }));
  app.post('/or-empty', async (c) => c.json({ read: await readJson(c, { nothing: true }) }));
  app.post('/bytes', async (c) => c.json([...(await readBytes(c, 10))]));
});
afterEach(() => void vi.useRealTimers());

/** A body with a known length and one without take different paths. */
const ways: [string, (bytes: Uint8Array) => [unknown, Record<string, string>]][] = [
  ['of a known length', (bytes) => [bytes, { 'content-length': String(bytes.length) }]],
  ['in pieces', (bytes) => [streamOf(Array.from(bytes, (byte) => Uint8Array.of(byte))), {}]],
];

describe.each(ways)('a JSON body %s', (_name, way) => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}) => {
    const [sent, own] = way(typeof body === 'string' ? bytesOf(body) : body);
    return send('POST', '/json', sent, { 'content-type': 'application/json', ...own, ...headers });
  };

  test('is read with any characters', async () => {
    const response = await post('{"a":"é王😀\ufffd"}');
    expect(await response.json()).toEqual({ read: { a: 'é王😀\ufffd' } });
  });

  test('may begin with a byte order mark', async () => {
    expect(await (await post('\ufeff{"a":1}')).json()).toEqual({ read: { a: 1 } });
  });

  test('of exactly the allowed size is read, and one byte more is refused', async () => {
    const ofSize = (bytes: number) => JSON.stringify('x'.repeat(bytes - 2));
    expect((await post(ofSize(1000))).status).toBe(200);
    const refused = await post(ofSize(1001));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({
      error: { code: 'request_too_large', message: 'The request body is larger than 1000 bytes.' },
    });
  });

  test.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['a cut object', '{"a":'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['an encoded surrogate', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
  ])('of %s returns 400', async (_what, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_json' } });
  });

  test('with a duplicate name in one object returns 400 and the path of the name', async () => {
    const response = await post('{"messages":[{"role":"user","role":"system"}]}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_json', param: 'messages[0].role' },
    });
  });

  test.each(['text/plain', 'application/jsonl', 'multipart/form-data', 'application/json-seq'])(
    'of the type %s returns 415',
    async (type) => {
      const response = await post('{}', { 'content-type': type });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ error: { code: 'unsupported_media_type' } });
    },
  );

  test.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/problem+json'])(
    'of the type %s is read',
    async (type) => {
      expect((await post('{}', { 'content-type': type })).status).toBe(200);
    },
  );
});

test('an empty body can have a default', async () => {
  expect(await (await send('POST', '/or-empty')).json()).toEqual({ read: { nothing: true } });
});

test('a body that is larger than its content-length is refused', async () => {
  const large = bytesOf(JSON.stringify('x'.repeat(1500)));
  const response = await send('POST', '/json', streamOf([large]), { 'content-type': 'application/json' });
  expect(response.status).toBe(413);
});

test('a body that does not arrive in time returns 408', async () => {
  const quick = edgeUnderTest((app) => app.post('/json', async (c) => c.json(await readJson(c))), {
    bodyLimits: { bodyTimeoutMs: 5 },
  });
  const stalled = () => new ReadableStream<Uint8Array>({ start: (own) => own.enqueue(bytesOf('{')) });
  for (const length of [{}, { 'content-length': '10' }]) {
    const response = await quick('POST', '/json', stalled(), {
      'content-type': 'application/json',
      ...length,
    });
    expect(response.status).toBe(408);
    expect(await response.json()).toMatchObject({ error: { code: 'request_timeout' } });
  }
});

test('bytes are read completely, up to their limit', async () => {
  const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  expect(await (await send('POST', '/bytes', streamOf(chunks))).json()).toEqual([1, 2, 3]);
  expect((await send('POST', '/bytes', new Uint8Array(10))).status).toBe(200);
  expect((await send('POST', '/bytes', new Uint8Array(11))).status).toBe(413);
});
