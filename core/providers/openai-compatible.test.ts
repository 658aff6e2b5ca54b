import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import { describeChatModel } from '../../shared/testing/chat-model-contract.ts';
import { bytesOf, readAll, streamOf } from '../../shared/testing/streams.ts';
import { createOpenAICompatibleModel, type Upstream } from './openai-compatible.ts';

const folder = join(import.meta.dirname, 'fixtures');
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.sse'));
const request = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], params: {} };

/** The provider, with an upstream that answers these chunks of bytes. */
function modelOf(answer: (init: RequestInit) => Response, maxAnswerBytes?: number) {
  return createOpenAICompatibleModel({
    name: 'm',
    provider: 'test',
    upstream: { kind: 'openai', baseUrl: 'http://upstream.test/v1', apiKey: 'sk-secret-key-0123456789' },
    upstreamModel: 'm-1',
    secrets: ['sk-secret-key-0123456789', 'ANOTHER/Providers+Key=42', 'the service secret of this core'],
    ...(maxAnswerBytes !== undefined && { maxAnswerBytes }),
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
    }, 30_000);

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
    [429, { message: 'slow', code: 'rate_limit_exceeded' }, 'upstream_rate_limited', true],
    [429, { message: 'broke', code: 'insufficient_quota' }, 'upstream_quota_exhausted', false],
    [400, { message: 'bad', code: 'context_length_exceeded' }, 'context_length_exceeded', false],
    [422, { message: 'bad' }, 'upstream_rejected', false],
    [404, { message: 'no such deployment' }, 'upstream_model_missing', false],
    [500, { message: 'stack at http://10.0.0.1/' }, 'upstream_error', true],
    [503, { message: 'full', code: 'server_is_overloaded' }, 'upstream_overloaded', true],
    [504, { message: 'late' }, 'first_token_timeout', true],
  ])('with %i %j is %s', async (status, error, code, retryable) => {
    expect(await failure(refusal(status, error))).toMatchObject({ code, retryable });
  });

  test('says what is wrong with the request, and shows no key, address or account', async () => {
    const said =
      'Unknown field foo for org-abcdef123 at https://api.internal.example.com/v1 with sk-secret-key-0123456789';
    const error = await failure(refusal(400, { message: said, param: 'foo' }));
    expect(error).toMatchObject({ code: 'upstream_rejected', param: 'foo' });
    expect(error?.message).toContain('Unknown field foo');
    expect(error?.message).not.toMatch(/org-abc|example\.com|sk-secret/);
    const host = await failure(refusal(400, { message: 'Unknown field foo on 10.1.2.3:8000' }));
    expect(host?.message).toMatch(/Unknown field foo on \[redacted\]$/);
  });

  describe.each([
    'sk-secret-key-0123456789',
    'ANOTHER/Providers+Key=42',
    'another/providers+key=42',
    'ANOTHER%2FProviders%2BKey%3D42',
    'ANOTHER/Providers',
    'the service secret of this core',
  ])('that says %j', (secret) => {
    const fields = { message: `it is ${secret}.`, param: secret, code: secret, type: secret };
    const shown = /secret|providers/i;

    test.each([400, 401, 404, 413, 422, 429, 500])(
      'with %i in every field of its refusal',
      async (status) => {
        const headers = { 'x-should-retry': encodeURI(secret), 'retry-after': encodeURI(secret) };
        const events = await ask(refusal(status, { ...fields, other: secret }, headers));
        expect(JSON.stringify(events)).not.toMatch(shown);
      },
    );

    test('in an error of its stream', async () => {
      const error = { ...fields, code: 'context_length_exceeded' };
      const events = await ask(() => stream([bytesOf(`data: ${JSON.stringify({ error })}\n\n`)]));
      expect(events.at(-1)).toMatchObject({ error: { code: 'context_length_exceeded' } });
      expect(JSON.stringify(events)).not.toMatch(shown);
    });
  });

  test.each(['messages[0].content', 'tools', 'response_format.json_schema', 'user_location'])(
    'names the field %s',
    async (param) => {
      expect(await failure(refusal(400, { message: 'bad', param }))).toMatchObject({ param });
    },
  );

  test.each([['a b'], ['x'.repeat(40)], ['sk-1'], [`tools${'.a'.repeat(60)}`], [7]])(
    'passes %j on as no field',
    async (param) => {
      expect((await failure(refusal(400, { message: 'bad', param })))?.param).toBeUndefined();
    },
  );

  test('by sending the call elsewhere', async () => {
    const elsewhere = { status: 307, headers: { location: 'http://elsewhere.test/' } };
    expect(await failure(() => new Response(null, elsewhere))).toMatchObject({
      code: 'upstream_error',
      retryable: false,
    });
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

  test('by saying more than it may: what it said until then stands', async () => {
    const words = Array.from({ length: 100 }, () => text[0] as Uint8Array);
    const model = modelOf(() => stream(words), 1000);
    const events = await readAll(model.stream(request, new AbortController().signal));
    expect(events.filter(({ type }) => type === 'text-delta').length).toBeGreaterThan(10);
    const error = { code: 'upstream_too_large', retryable: false };
    expect(events.at(-1)).toMatchObject({ type: 'error', error });
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
describe('a call', () => {
  afterEach(() => void vi.unstubAllEnvs());

  test.each<[Upstream, string, Record<string, string>]>([
    [
      { kind: 'openai', baseUrl: 'http://one.test/v1', apiKey: 'key-1' },
      'http://one.test/v1/chat/completions',
      { authorization: 'Bearer key-1' },
    ],
    [
      { kind: 'openai', baseUrl: 'http://open.test/v1', apiKey: undefined },
      'http://open.test/v1/chat/completions',
      {},
    ],
    [
      { kind: 'azure', endpoint: 'http://azure.test/', apiKey: 'key-2', apiVersion: '2024-10-21' },
      'http://azure.test/openai/deployments/m-1/chat/completions?api-version=2024-10-21',
      { 'api-key': 'key-2' },
    ],
  ])('to %j takes nothing from the environment of others', async (upstream, address, keys) => {
    for (const name of ['OPENAI_API_KEY', 'OPENAI_ADMIN_KEY', 'OPENAI_ORG_ID', 'OPENAI_PROJECT_ID']) {
      vi.stubEnv(name, "another provider's");
    }
    vi.stubEnv('AZURE_OPENAI_API_KEY', "another provider's");
    vi.stubEnv('OPENAI_BASE_URL', 'http://another.test/v1');
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', "authorization: Bearer another\nx-key: another provider's");
    const calls: { url: string; init: RequestInit | undefined }[] = [];
    const model = createOpenAICompatibleModel({
      name: 'm',
      provider: 'test',
      upstream,
      upstreamModel: 'm-1',
      secrets: [],
      fetch: async (url, init) => {
        calls.push({ url: String(url), init });
        return stream(text);
      },
    });
    const events = await readAll(model.stream(request, new AbortController().signal));
    expect(events.at(-1)).toEqual({ type: 'turn-end', finishReason: 'stop' });
    expect(calls).toHaveLength(1);
    expect(calls[0]?.url).toBe(address);
    expect(calls[0]?.init?.redirect).toBe('manual');
    expect(Object.fromEntries(new Headers(calls[0]?.init?.headers))).toEqual({
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...keys,
    });
  });
});

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
