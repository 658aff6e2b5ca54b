import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ChatEvent } from '../../shared/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { bytesOf, readAll, streamOf } from '../../shared/testing/streams.ts';
import { createOpenAICompatibleModel } from './openai-compatible.ts';

const folder = join(import.meta.dirname, 'fixtures');
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.sse'));
const request = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };

/** The provider, with an upstream that answers these chunks of bytes. */
function modelOf(answer: (init: RequestInit) => Response) {
  return createOpenAICompatibleModel({
    name: 'm',
    provider: 'test',
    upstream: { kind: 'openai', baseUrl: 'http://upstream.test/v1', apiKey: 'sk-secret-key-0123456789' },
    upstreamModel: 'm-1',
    fetch: async (_url, init) => answer(init ?? {}),
  });
}

function stream(chunks: Uint8Array[]): Response {
  return new Response(streamOf(chunks), { headers: { 'content-type': 'text/event-stream' } });
}

async function ask(answer: (init: RequestInit) => Response): Promise<ChatEvent[]> {
  return readAll(modelOf(answer).stream(request, new AbortController().signal));
}

describe('recorded streams', () => {
  test('are there', () => expect(fixtures.length).toBeGreaterThanOrEqual(10));

  describe.each(fixtures)('%s', (name) => {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    const expected: ChatEvent[] = [
      { type: 'model-start', model: 'm', provider: 'test' },
      ...JSON.parse(readFileSync(join(folder, name.replace('.sse', '.events.json')), 'utf8')),
    ];

    test('in one piece', async () => expect(await ask(() => stream([bytes]))).toEqual(expected));

    test('cut in two at every byte', async () => {
      for (let cut = 1; cut < bytes.length; cut++) {
        expect(await ask(() => stream([bytes.slice(0, cut), bytes.slice(cut)])), `cut at ${cut}`).toEqual(
          expected,
        );
      }
    });

    test('one byte at a time', async () => {
      expect(await ask(() => stream(Array.from(bytes, (byte) => Uint8Array.of(byte))))).toEqual(expected);
    });

    test('cut short anywhere, never ends as if it were whole', async () => {
      const finish = new TextDecoder().decode(bytes).indexOf('"finish_reason":"');
      for (let end = 0; end < finish; end += 7) {
        const events = await ask(() => stream([bytes.slice(0, end)]));
        expect(events.at(-1), `cut short at ${end}`).toMatchObject({ type: 'error' });
      }
    });
  });
});

describe('an upstream that fails', () => {
  const refusal =
    (status: number, error: object, headers: Record<string, string> = {}) =>
    () =>
      Response.json({ error }, { status, headers });
  const failure = async (answer: (init: RequestInit) => Response) => {
    const last = (await ask(answer)).at(-1);
    return last?.type === 'error' ? last.error : undefined;
  };

  test.each([
    [401, { message: 'Incorrect API key provided: sk-secret-key-0123456789' }, 'upstream_auth_failed', false],
    [403, { message: 'no access for org-abcdefgh' }, 'upstream_auth_failed', false],
    [429, { message: 'slow', code: 'rate_limit_exceeded' }, 'rate_limit_exceeded', true],
    [429, { message: 'broke', code: 'insufficient_quota' }, 'insufficient_quota', false],
    [400, { message: 'bad', code: 'context_length_exceeded' }, 'context_length_exceeded', false],
    [422, { message: 'bad' }, 'upstream_rejected', false],
    [404, { message: 'no such deployment' }, 'upstream_rejected', false],
    [500, { message: 'stack at http://10.0.0.1/' }, 'upstream_error', true],
    [503, { message: 'full', code: 'server_is_overloaded' }, 'upstream_overloaded', true],
    [504, { message: 'late' }, 'first_token_timeout', true],
  ])('with %i %j is %s', async (status, error, code, retryable) => {
    expect(await failure(refusal(status, error))).toMatchObject({ code, retryable });
  });

  test('tells the caller what is wrong with the request, but no key, address or account', async () => {
    const said =
      'Unknown field foo for org-abcdef123 at https://api.internal.example.com/v1 with sk-secret-key-0123456789';
    const error = await failure(refusal(400, { message: said, param: 'foo' }));
    expect(error).toMatchObject({ code: 'upstream_rejected', param: 'foo' });
    expect(error?.message).toContain('Unknown field foo');
    expect(error?.message).not.toMatch(/org-abc|example\.com|sk-secret/);
  });

  test.each([
    ['retry-after-ms', '1500', 1500],
    ['retry-after', '2', 2000],
    ['retry-after', 'Fri, 01 Jan 2100 00:00:00 GMT', 3_600_000],
    ['retry-after', 'nonsense', undefined],
  ])('%s: %s is understood', async (header, value, expected) => {
    const error = await failure(refusal(429, { message: 'slow' }, { [header]: value }));
    expect(error?.retryAfterMs).toBe(expected);
  });

  test('by not being there', async () => {
    const error = await failure(() => {
      throw new TypeError('fetch failed');
    });
    expect(error).toMatchObject({ code: 'upstream_unavailable', retryable: true });
  });

  test('by sending garbage', async () => {
    expect(await failure(() => stream([bytesOf('data: {"choices": [\n\n')]))).toMatchObject({
      code: 'upstream_invalid',
    });
  });

  test('by an error object in the stream', async () => {
    const bytes = bytesOf('data: {"error":{"message":"secret host 10.0.0.1","type":"server_error"}}\n\n');
    const error = await failure(() => stream([bytes]));
    expect(error?.code).toBe('upstream_error');
    expect(error?.message).not.toContain('10.0.0.1');
  });
});

const text = [
  bytesOf('data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'),
  bytesOf('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'),
];
describeChatModel('the OpenAI-compatible provider', {
  answering: () => modelOf(() => stream(text)),
  silent: () =>
    modelOf(({ signal }) => {
      const body = new ReadableStream({
        start: (controller) => signal?.addEventListener('abort', () => controller.error(signal.reason)),
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    }),
});
