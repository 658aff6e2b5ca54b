import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readEvents, readSome, textOf } from './read-stream.ts';
import { chunk, openStream, refuse, say } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_HEARTBEAT_MS: '300' } });
  // The first call loads the client and the tokenizer, which may take longer than that heartbeat.
  system.upstream.behave(say('warm'));
  await (await system.chat('warm')).text();
});
afterAll(() => system.stop());
beforeEach(() => {
  system.upstream.calls.length = 0;
  system.upstream.behave(say('Hello from the model.'));
});

describe('a prompt that stands alone', () => {
  test('is streamed as OpenAI chunks, ended by [DONE], with usage', async () => {
    const response = await system.chat('hi', { stream: true, stream_options: { include_usage: true } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('x-request-id')).toMatch(/.+/);
    expect(response.headers.get('x-edgewise-route')).toBe('core; reason="no light model"');
    expect(response.headers.get('x-edgewise-model')).toBe('scripted-1');
    expect(response.headers.get('server-timing')).toMatch(
      /route;dur=.*core;dur=.*first-token;dur=.*auth;dur=/,
    );
    const events = await readEvents(response);
    expect(textOf(events)).toBe('Hello from the model.');
    expect(events.at(-1)?.data).toBe('[DONE]');
    const usage = JSON.parse(events.at(-2)?.data ?? '{}');
    expect(usage).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    });
  });

  test('is answered in one piece when it is not streamed', async () => {
    const response = await system.chat('hi');
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Hello from the model.' }, finish_reason: 'stop' }],
      usage: { total_tokens: 18 },
    });
  });

  test('reaches the model with its unknown fields, and without ours', async () => {
    await (await system.chat('hi', { temperature: 0.5, top_k: 7, n: 1 })).json();
    const [call] = system.upstream.calls;
    expect(call?.body).toEqual({
      model: 'scripted-1',
      messages: [{ role: 'user', content: 'hi' }],
      temperature: 0.5,
      top_k: 7,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(call?.headers.authorization).toBe('Bearer sk-test-upstream-key');
  });

  test('is counted when the model reports no usage', async () => {
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.end(`${chunk({ content: 'one two three' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    const { usage } = (await (await system.chat('hello world')).json()) as { usage: object };
    expect(usage).toEqual({ prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, estimated: true });
  });

  test('is cancelled upstream within a second when its client goes away', async () => {
    system.upstream.behave(say('word '.repeat(500), { paceMs: 20 }));
    const response = await system.chat('hi', { stream: true });
    await readSome(response, 3);
    const leftMs = Date.now();
    const goneMs = await system.upstream.calls[0]?.aborted;
    expect((goneMs ?? Number.POSITIVE_INFINITY) - leftMs).toBeLessThan(1000);
  });

  test('is cancelled upstream when its client goes away while the model is silent', async () => {
    system.upstream.behave((_call, answer) => openStream(answer));
    const leave = new AbortController();
    const asked = system.chat('hi', { stream: true }, {}, leave.signal).catch(() => undefined);
    await expect.poll(() => system.upstream.calls.length).toBe(1);
    const leftMs = Date.now();
    leave.abort();
    const goneMs = await system.upstream.calls[0]?.aborted;
    await asked;
    expect((goneMs ?? Number.POSITIVE_INFINITY) - leftMs).toBeLessThan(1000);
  });

  test('keeps a silent connection open with comments, never with data', async () => {
    system.upstream.behave(async (_call, answer) => {
      openStream(answer);
      await new Promise((resolve) => setTimeout(resolve, 800));
      answer.end(`${chunk({ content: 'late' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    const response = await system.chat('hi', { stream: true });
    const bytes = await response.text();
    expect(bytes).toMatch(/^(?:data: .*role.*\n\n)?: ping\n(?!\n)/);
    expect(bytes.match(/: ping/g)?.length).toBeGreaterThanOrEqual(1);
    expect(bytes).toContain('late');
  });

  test('passes the first bytes on at once', async () => {
    const gate = Promise.withResolvers<void>();
    system.upstream.behave(async (_call, answer) => {
      openStream(answer);
      answer.write(chunk({ content: 'first' }));
      await gate.promise;
      answer.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    const response = await system.chat('hi', { stream: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toContain('assistant');
    gate.resolve();
    await reader.cancel();
  });
});

describe('a model that fails', () => {
  test('before the first byte is an HTTP error in OpenAI form, without a word of the upstream', async () => {
    system.upstream.behave(
      refuse(401, { message: 'Incorrect API key provided: sk-test-upstream-key', code: 'invalid_api_key' }),
    );
    const response = await system.chat('hi', { stream: true });
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'upstream_auth_failed', request_id: expect.any(String) },
    });
    expect(text).not.toContain('sk-test');
    expect(text).not.toContain('127.0.0.1');
    expect(response.headers.get('x-should-retry')).toBe('false');
  });

  test('by a rate limit of its own is busy, and tells when to come back', async () => {
    system.upstream.behave(
      refuse(429, { message: 'slow down', code: 'rate_limit_exceeded' }, { 'retry-after': '7' }),
    );
    const response = await system.chat('hi');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('retry-after-ms')).toBe('7000');
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(system.upstream.calls).toHaveLength(1);
  });

  test('by refusing the request says what was wrong with it', async () => {
    system.upstream.behave(
      refuse(400, {
        message: "Invalid 'tools[0]'. See https://example.com/x",
        param: 'tools[0]',
        code: null,
      }),
    );
    const response = await system.chat('hi');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'upstream_rejected',
        param: 'tools[0]',
        message: expect.stringContaining("Invalid 'tools[0]'. See [redacted]"),
      },
    });
  });

  test('after the first byte is an event, and the stream still ends', async () => {
    system.upstream.behave((_call, answer) => {
      openStream(answer);
      answer.write(chunk({ content: 'half an ans' }));
      setTimeout(() => answer.destroy(), 50);
    });
    const events = await readEvents(await system.chat('hi', { stream: true }));
    expect(JSON.parse(events.at(-2)?.data ?? '{}')).toMatchObject({
      error: { code: 'upstream_cut', type: 'server_error' },
    });
    expect(events.at(-1)?.data).toBe('[DONE]');
    expect(textOf(events.slice(0, -2))).toBe('half an ans');
  });
});
