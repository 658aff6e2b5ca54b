/** What an operator sees of each thing that happens: a log line in ECS fields, a metric, and the spans of a trace. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeMetrics } from '../../shared/observe/metric-names.ts';
import { projectRoot } from '../local/settings.ts';
import { readEvents, readSome } from './read-stream.ts';
import { refuse, type ScriptedUpstream, say, startScriptedUpstream } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

const TOKEN = 'a-token-to-read-the-metrics';

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: Record<string, string> }[];
}

/** A collector that keeps what it is told, by service. */
async function startCollector() {
  const spans: Record<string, OtlpSpan[]> = {};
  const server = createServer(async (request, answer) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      const service = resource.attributes[0].value.stringValue;
      spans[service] = [
        ...(spans[service] ?? []),
        ...scopeSpans.flatMap((scope: { spans: OtlpSpan[] }) => scope.spans),
      ];
    }
    answer.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

let system: System;
let light: ScriptedUpstream;
let collector: Awaited<ReturnType<typeof startCollector>>;
beforeAll(async () => {
  light = await startScriptedUpstream();
  collector = await startCollector();
  system = await startSystem({
    env: {
      EDGEWISE_CACHE: 'on',
      EDGEWISE_LIMITS: 'on',
      EDGEWISE_PLANS: JSON.stringify({
        tight: { user: { requests_per_minute: 1 } },
      }),
      EDGEWISE_MASK_PERSONAL_DATA: 'email',
      EDGEWISE_METRICS_TOKEN: TOKEN,
      EDGEWISE_OTLP_URL: collector.url,
      EDGEWISE_TRACE_SAMPLE: '0',
      EDGEWISE_LIGHT_BASE_URL: light.baseUrl,
      EDGEWISE_LIGHT_MODEL: 'tiny',
      EDGEWISE_LIGHT_API_KEY: 'k',
      EDGEWISE_MODELS_FILE: join(projectRoot, 'infra/config/models.toml'),
    },
  });
});
afterAll(async () => {
  await system?.stop();
  await Promise.all([light?.close(), collector?.close()]);
});

async function metrics(): Promise<string> {
  const answer = await fetch(`${system.address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(answer.headers.get('content-type')).toContain('version=0.0.4');
  return answer.text();
}

/** The sum over all series of a name whose labels hold these. */
async function measured(name: string, labels: Record<string, string> = {}): Promise<number> {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return (await metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((pair) => line.includes(pair)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const lines = async () =>
  (await readFile(join(system.dataDir, 'logs/edge.log'), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

/** A line with these fields comes, and the count of a metric grows. */
async function seen(
  act: () => Promise<unknown>,
  metric: [name: string, labels?: Record<string, string>],
  line: object,
): Promise<void> {
  const before = await measured(...metric);
  await act();
  await expect.poll(() => measured(...metric), { timeout: 5000 }).toBeGreaterThan(before);
  await expect
    .poll(
      async () =>
        (await lines()).filter((logged) => expect.objectContaining(line).asymmetricMatch(logged)).length,
      {
        timeout: 5000,
      },
    )
    .toBeGreaterThan(0);
}

const ask = async (content: string, body: object = {}, headers = {}) =>
  (await system.chat(content, body, headers)).text();
const edgewise = (fields: object) => ({ edgewise: expect.objectContaining(fields) });

describe('a log line and a metric', () => {
  test('of a miss, and then of a hit', async () => {
    await seen(() => ask('What is new?'), ['edgewise_cache_total', { outcome: 'miss' }], {
      'event.action': 'turn',
      ...edgewise({ cache: 'miss', answered_by: 'light' }),
    });
    await seen(() => ask('What is new?'), ['edgewise_cache_total', { outcome: 'hit' }], {
      'event.action': 'request',
      ...edgewise({ cache: expect.stringMatching(/^hit/) }),
    });
  });

  test.each([
    ['light', 'fast'],
    ['heavy', 'smart'],
  ])('of a %s answer', async (answered_by, model) => {
    await seen(
      () => ask(`Something for ${model}.`, { model }),
      ['gen_ai_server_request_duration_seconds_count', { edgewise_answered_by: answered_by, error_type: '' }],
      {
        'event.action': 'turn',
        'gen_ai.usage.output_tokens': 7,
        ...edgewise({ answered_by, status: 'completed' }),
      },
    );
  });

  test('of a fallback', async () => {
    light.behave(refuse(500, { message: 'down' }));
    await seen(
      () => ask('Fall back, please.', { model: 'fast' }),
      ['edgewise_fallbacks_total', { from: 'tiny' }],
      {
        'event.action': 'turn',
        ...edgewise({ fallback_from: 'tiny' }),
      },
    );
    light.behave(say('Hello.'));
  });

  test('of a 429', async () => {
    const headers = { authorization: `Bearer ${await system.token({ plan: 'tight', sub: 'eager' })}` };
    await seen(
      async () => {
        await ask('One.', { model: 'smart' }, headers);
        expect((await system.chat('Two.', { model: 'smart' }, headers)).status).toBe(429);
      },
      ['edgewise_limits_total', { outcome: 'refused', limit: 'requests', plan: 'tight' }],
      {
        'event.action': 'request',
        'http.response.status_code': 429,
        'error.code': 'rate_limit_exceeded',
        'url.path': '/v1/chat/completions',
      },
    );
  });

  test('of what the filter does', async () => {
    await seen(
      () => ask('Write to someone@example.com for me.', { model: 'smart' }),
      ['edgewise_filter_total', { text: 'prompt', outcome: 'changed' }],
      { 'event.action': 'filter', ...edgewise({ plugin: 'personal-data', hook: 'prompt' }) },
    );
    expect(
      await measured('edgewise_plugin_duration_seconds_count', { plugin: 'personal-data' }),
    ).toBeGreaterThan(0);
  });

  test('of a resume and a stop', async () => {
    system.upstream.behave(say('word '.repeat(2000), { paceMs: 5 }));
    const session_id = 'watched';
    const first = await system.chat('Go on.', { session_id, model: 'smart', stream: true });
    await readSome(first, 3);
    await seen(
      async () => readSome(await system.request(`/v1/sessions/${session_id}/stream`), 2),
      ['edgewise_resumes_total', { transport: 'sse', outcome: 'running' }],
      { 'event.action': 'resume', ...edgewise({ transport: 'sse', outcome: 'running' }) },
    );
    await seen(
      () => system.request(`/v1/sessions/${session_id}/stop`, { method: 'POST' }),
      ['edgewise_stops_total', { outcome: 'stopped' }],
      { 'event.action': 'stop', ...edgewise({ outcome: 'stopped' }) },
    );
    await expect
      .poll(() => measured('edgewise_abort_to_upstream_seconds_count', { edgewise_answered_by: 'heavy' }), {
        timeout: 5000,
      })
      .toBe(1);
    system.upstream.behave(say('Hello from the model.'));
  });

  test('of an error', async () => {
    system.upstream.behave(refuse(400, { message: 'no' }));
    await seen(
      () => ask('Fail, please.', { model: 'scripted-1' }),
      ['gen_ai_server_request_duration_seconds_count', { error_type: 'upstream_rejected' }],
      { 'event.action': 'turn', 'event.outcome': 'failure', 'log.level': 'warn' },
    ).catch(async (error) => {
      // The code is in the message, should the table of errors ever change.
      throw new Error(`${error}\n${(await metrics()).match(/error_type="[a-z_]+"/g)}`);
    });
    system.upstream.behave(say('Hello from the model.'));
  });
});

test('every series has a name, a help and labels of the list', async () => {
  const text = await metrics();
  for (const [name, { type }] of Object.entries(edgeMetrics))
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const [, series = '', labels = ''] = /^(\w+)(?:\{(.*)\})? [-\d.e+]+$/.exec(line) ?? [];
    const name = series.replace(/_(?:bucket|sum|count)$/, '') as keyof typeof edgeMetrics;
    const rule = edgeMetrics[name] ?? edgeMetrics[series as keyof typeof edgeMetrics];
    expect(rule, line).toBeDefined();
    const known: Record<string, unknown> = rule.labels;
    for (const [, label = '', value] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label === 'le') continue;
      expect(known, line).toHaveProperty(label);
      const values = known[label];
      if (Array.isArray(values)) expect(values, line).toContain(value);
    }
  }
});

test('nobody reads the metrics without their token', async () => {
  expect((await fetch(`${system.address}/metrics`)).status).toBe(401);
  expect((await system.request('/metrics')).status).toBe(401);
});

test('lines hold the fields of the Elastic Common Schema, and nothing of what was said', async () => {
  await ask('The canary word is heliotrope.', { model: 'smart' });
  for (const line of await lines()) {
    expect(line).toMatchObject({
      '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      'log.level': expect.stringMatching(/^(?:info|warn|error)$/),
      message: expect.any(String),
      'ecs.version': expect.any(String),
      'service.name': 'edgewise-edge',
    });
  }
  for (const log of ['edge.log', 'core.log']) {
    const text = await readFile(join(system.dataDir, 'logs', log), 'utf8');
    expect(text).not.toContain('heliotrope');
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain('sk-test-upstream-key');
  }
  const core = (await readFile(join(system.dataDir, 'logs/core.log'), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('{'));
  expect(
    core.map((line) => JSON.parse(line)).filter((line) => line['event.action'] === 'generation'),
  ).not.toEqual([]);
});

test('metrics outlive a crash of the edge', async () => {
  const before = await measured('edgewise_cache_total', { outcome: 'hit' });
  expect(before).toBeGreaterThan(0);
  // They are written some seconds after they came.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await system.killEdge();
  await system.restartEdge();
  expect(await measured('edgewise_cache_total', { outcome: 'hit' })).toBe(before);
}, 30_000);

const spansOf = (service: string, traceId: string) =>
  (collector.spans[service] ?? []).filter((span) => span.traceId === traceId);
const spanIds = (traceId: string) => spansOf('edgewise-edge', traceId).map(({ spanId }) => spanId);

test.each([false, true])('the light model is told the trace of its call; streamed: %s', async (stream) => {
  const traceId = `0af7651916cd43dd8448eb211c8031a${Number(stream)}`;
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const asked = { model: 'fast', stream };
  await (await system.chat(`Trace a light one, ${stream}.`, asked, { traceparent })).text();
  const told = light.calls.at(-1)?.headers.traceparent;
  await expect.poll(() => spanIds(traceId).length, { timeout: 10_000 }).toBe(2);
  expect(spanIds(traceId).map((id) => `00-${traceId}-${id}-01`)).toContain(told);
});

test('a trace goes through edge, session and core to the model, under the name that it came with', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  await readEvents(
    await system.chat('Trace me.', { model: 'smart', session_id: 'traced', stream: true }, { traceparent }),
  );
  expect(system.upstream.calls.at(-1)?.headers.traceparent).toMatch(
    new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`),
  );
  const ofTrace = (service: string) => spansOf(service, traceId);
  await expect.poll(() => ofTrace('edgewise-edge').length, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => ofTrace('edgewise-core').length, { timeout: 10_000 }).toBe(1);
  const request = ofTrace('edgewise-edge').find(({ name }) => name === 'POST /v1/chat/completions');
  const turn = ofTrace('edgewise-edge').find(({ name }) => name.startsWith('chat '));
  const [generation] = ofTrace('edgewise-core');
  expect(request?.parentSpanId).toBe('b7ad6b7169203331');
  expect(turn?.parentSpanId).toBe(request?.spanId);
  expect(generation?.parentSpanId).toBe(request?.spanId);
  expect(system.upstream.calls.at(-1)?.headers.traceparent).toContain(String(generation?.spanId));
  expect(generation?.attributes).toContainEqual({
    key: 'gen_ai.operation.name',
    value: { stringValue: 'chat' },
  });
  // Without a sampled parent, and with a part of none, nothing is told.
  await ask('Do not trace me.', { model: 'smart' });
  expect(collector.spans['edgewise-edge']?.every((span) => span.traceId.startsWith('0af765'))).toBe(true);
});
