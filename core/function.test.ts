import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { decodeGenerationEvents } from '../shared/protocol/generation-protocol.ts';
import { importServiceKey, signServiceToken } from '../shared/protocol/service-token.ts';
import { someContext } from '../shared/testing/request-context.ts';
import { bytesOf, readAll, streamOf } from '../shared/testing/streams.ts';

const secret = 'a service secret of thirty-two bytes';
const path = '/v1/generations';

/** What Lambda's runtime puts into the global scope of a function that streams. */
let head: { statusCode?: number; headers?: Record<string, string> } = {};
const awslambda = {
  streamifyResponse: (handler: unknown) => handler,
  HttpResponseStream: {
    from(stream: Writable, metadata: typeof head) {
      head = metadata;
      return stream;
    },
  },
};

beforeAll(() => {
  vi.stubGlobal('awslambda', awslambda);
  vi.stubEnv('EDGEWISE_SERVICE_SECRET', secret);
  // Spares the look for an Ollama.
  vi.stubEnv('OPENAI_API_KEY', 'x');
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

test('AWS Lambda streams a generation, event by event', async () => {
  const { handler } = await import('./function.ts');
  const body = JSON.stringify({
    id: 'g1',
    model: 'edgewise-extractive',
    messages: [{ role: 'user', content: 'What is Edgewise?' }],
    params: {},
    detached: false,
  });
  const context = someContext({ plan: 'p', deadlineMs: Date.now() + 60_000 });
  const call = { method: 'POST', path, body };
  const token = await signServiceToken(importServiceKey(secret), context, call, Date.now());
  const chunks: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: {
      host: 'core.test',
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
    },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
    requestContext: { domainName: 'core.test', http: { method: 'POST', path } },
  };
  await (handler as unknown as (event: object, out: Writable, context: object) => Promise<void>)(
    event,
    out,
    {},
  );

  expect(head.statusCode).toBe(200);
  expect(head.headers?.['content-type']).toContain('text/event-stream');
  const events = await readAll(decodeGenerationEvents(streamOf(chunks.map(bytesOf))));
  expect(events[0]?.event).toMatchObject({ type: 'model-start', model: 'edgewise-extractive' });
  expect(events.at(-1)?.event).toMatchObject({ type: 'turn-end' });
  expect(chunks).toHaveLength(events.length);
});
