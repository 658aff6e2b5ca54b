import { Hono } from 'hono';
import { beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { EndedRequest } from '../observe/observer.ts';
import { answerHeaders } from './answer-headers.ts';
import { aroundRequest } from './around-request.ts';
import type { EdgeHono } from './edge-hono.ts';
import { onError } from './on-error.ts';

let nowMs: number;
const requestEnded = vi.fn<(ended: EndedRequest) => void>();
function appWith(more: { corsOrigins?: string[]; traceSample?: number; chance?: number } = {}) {
  const { corsOrigins = [], traceSample, chance = 0 } = more;
  const bodyLimits = { maxBodyBytes: 7, maxUploadBytes: 8, bodyTimeoutMs: 9 };
  const app = new Hono<EdgeHono>();
  app.use(
    aroundRequest({
      bodyLimits,
      corsOrigins,
      observer: { requestEnded },
      traceSample,
      random: () => chance,
      now: () => nowMs,
    }),
  );
  app.get('/things/:id', (c) => {
    nowMs += 25;
    return c.json({ limits: c.get('bodyLimits'), traceparent: c.get('traceparent') ?? null });
  });
  app.get('/made', (c) => {
    const answer = new Response('fast', {
      headers: { ...answerHeaders(c), 'x-frame-options': 'SAMEORIGIN' },
    });
    c.set('completeResponse', answer);
    return answer;
  });
  app.get('/broken', () => {
    throw new AppError('store_unavailable');
  });
  app.onError(onError);
  return app;
}
beforeEach(() => {
  vi.clearAllMocks();
  nowMs = 1e12;
});

test('a request gets an id, body limits and headers, and is recorded once with its times', async () => {
  const response = await appWith().request('/things/5', { headers: { 'x-request-id': 'mine' } });
  expect(await response.json()).toEqual({
    limits: { maxBodyBytes: 7, maxUploadBytes: 8, bodyTimeoutMs: 9 },
    traceparent: null,
  });
  expect(response.headers.get('x-request-id')).toBe('mine');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(requestEnded).toHaveBeenCalledOnce();
  expect(requestEnded.mock.calls[0]?.[0]).toMatchObject({
    requestId: 'mine',
    method: 'GET',
    startMs: 1e12,
    endMs: 1e12 + 25,
    errorCode: undefined,
    trace: undefined,
  });
});

test('an error has the same headers, and is recorded with its code', async () => {
  const response = await appWith().request('/broken');
  expect([response.status, response.headers.get('x-frame-options')]).toEqual([503, 'DENY']);
  expect(requestEnded.mock.calls[0]?.[0]).toMatchObject({ errorCode: 'store_unavailable' });
  expect(requestEnded.mock.calls[0]?.[0].answer.status).toBe(503);
});

test('a response that was created with its headers stays unchanged', async () => {
  const response = await appWith().request('/made');
  expect(response.headers.get('x-frame-options')).toBe('SAMEORIGIN');
  expect(response.headers.get('x-request-id')).toBe(requestEnded.mock.calls[0]?.[0].requestId);
});

test('a preflight response has the headers of every response', async () => {
  const response = await appWith({ corsOrigins: ['https://app.test'] }).request('/things/5', {
    method: 'OPTIONS',
    headers: { origin: 'https://app.test', 'access-control-request-method': 'GET' },
  });
  expect([response.status, response.headers.get('x-content-type-options')]).toEqual([204, 'nosniff']);
  expect(response.headers.get('access-control-allow-origin')).toBe('https://app.test');
});

const traceId = '0af7651916cd43dd8448eb211c80319c';
const sent = `00-${traceId}-b7ad6b7169203331-01`;

test('a trace of the client continues with a new span', async () => {
  const response = await appWith({ traceSample: 0 }).request('/things/5', { headers: { traceparent: sent } });
  const { traceparent } = await response.json<{ traceparent: string }>();
  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(traceparent).not.toBe(sent);
  expect(requestEnded.mock.calls[0]?.[0].trace).toMatchObject({
    span: { traceId },
    parentSpanId: 'b7ad6b7169203331',
  });
});

test.each([
  [0.5, 0.4, '01'],
  [0.5, 0.6, '00'],
])(
  'a share of %d of the new traces is sampled: the random number %d gives the flags %s',
  async (traceSample, chance, flags) => {
    const response = await appWith({ traceSample, chance }).request('/things/5');
    expect((await response.json<{ traceparent: string }>()).traceparent).toMatch(new RegExp(`-${flags}$`));
  },
);

test('without trace export, a client’s trace is ignored', async () => {
  const response = await appWith().request('/things/5', { headers: { traceparent: sent } });
  expect(await response.json()).toMatchObject({ traceparent: null });
});
