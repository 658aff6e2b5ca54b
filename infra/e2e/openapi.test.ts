/** What the edge really answers, against its OpenAPI document: bodies, events of streams, and errors. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { errorRules } from '../../shared/errors.ts';
import { SESSION_PROTOCOL } from '../../shared/protocol/session-socket.ts';
import { projectRoot } from '../local/settings.ts';
import { readEvents } from './read-stream.ts';
import { type ScriptedUpstream, say, startScriptedUpstream } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';
import { startTaskUpstream, type TaskUpstream } from './task-upstream.ts';

interface Media {
  schema?: { $ref: string };
}
interface Described {
  responses: Record<string, { content?: Record<string, Media> }>;
}
interface OpenApi {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, object> };
}

const METRICS_TOKEN = 'a-metrics-token-for-the-test';
const models = (chat: string, tasks: string) => `
[providers.chat]
kind = "openai"
base_url = "${chat}"
[providers.tasks]
kind = "openai"
base_url = "${tasks}"
[models.scripted]
provider = "chat"
context_length = 8192
price = { input = 1, output = 2 }
[models.embed-small]
provider = "tasks"
offers = ["embeddings"]
[models.voice]
provider = "tasks"
offers = ["speech", "transcriptions"]
[models.judge]
provider = "tasks"
offers = ["moderations"]
[models.painter]
provider = "tasks"
offers = ["images"]
[aliases]
smart = ["scripted"]
`;

let folder: string;
let chatUpstream: ScriptedUpstream;
let taskUpstream: TaskUpstream;
let system: System;
let openApi: OpenApi;
let ajv: Ajv2020;
let admin: string;
/** Operations that have answered well. */
const answered = new Set<string>();

beforeAll(async () => {
  openApi = JSON.parse(await readFile(join(projectRoot, 'docs/public/openapi.json'), 'utf8'));
  ajv = new Ajv2020({ strict: false, allErrors: true, formats: { date: true } });
  ajv.addSchema({ $id: 'https://edgewise.test/openapi.json', components: closed(openApi.components) });
  [chatUpstream, taskUpstream] = await Promise.all([startScriptedUpstream(), startTaskUpstream()]);
  chatUpstream.behave(say('An edge server answers near its users.'));
  folder = await mkdtemp(join(tmpdir(), 'edgewise-openapi-'));
  const modelsFile = join(folder, 'models.toml');
  await writeFile(modelsFile, models(chatUpstream.baseUrl, taskUpstream.baseUrl));
  system = await startSystem({
    model: false,
    env: {
      EDGEWISE_MODELS_FILE: modelsFile,
      EDGEWISE_ARCHIVE: 'on',
      EDGEWISE_CACHE: 'on',
      EDGEWISE_LIMITS: 'on',
      EDGEWISE_GUESTS: 'on',
      EDGEWISE_METRICS_TOKEN: METRICS_TOKEN,
    },
  });
  admin = await system.token({ scope: 'admin batch', plan: 'unlimited' });
  // The embedded database takes seconds to open, and the core answers nothing meanwhile.
  const headers = { authorization: `Bearer ${admin}` };
  await vi.waitUntil(async () => (await system.request('/v1/memory', { headers })).ok, {
    timeout: 120_000,
    interval: 500,
  });
}, 240_000);
afterAll(async () => {
  await system?.stop();
  await Promise.all([chatUpstream?.close(), taskUpstream?.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** An object that does not say so has no further fields: an answer with a field that is not described fails. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]));
  const isOpen = inner.type !== 'object' || inner.properties === undefined || 'additionalProperties' in inner;
  return isOpen ? inner : { ...inner, additionalProperties: false };
}

function validatorOf(ref: string): ValidateFunction {
  return ajv.compile({ $ref: `https://edgewise.test/openapi.json${ref}` });
}

function expectToFit(value: unknown, ref: string): void {
  const validate = validatorOf(ref);
  validate(value);
  const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => ({
    instancePath,
    message,
    params,
  }));
  expect({ ref, faults, value: faults.length > 0 ? value : undefined }).toEqual({ ref, faults: [] });
}

interface Call {
  /** As the document has it: `/v1/sessions/{id}`. */
  path: string;
  values?: Record<string, string>;
  query?: string;
  json?: object;
  form?: FormData;
  headers?: Record<string, string>;
}

/** Calls an operation, which must succeed. @returns its body: JSON, the events of a stream, or text */
async function call(method: string, wanted: Call): Promise<unknown> {
  const { status, body } = await callAny(method, wanted);
  expect({ status: Math.floor(status / 100), body: status < 300 ? undefined : body }).toEqual({ status: 2 });
  answered.add(`${method} ${wanted.path}`);
  return body;
}

/** Calls an operation and checks its answer, whatever it is, against the document. */
async function callAny(method: string, { path, values = {}, query = '', json, form, headers = {} }: Call) {
  const described = openApi.paths[path]?.[method.toLowerCase()];
  if (!described) throw new Error(`the document has no ${method} ${path}`);
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const response = await system.request(address + query, {
    method,
    headers: {
      authorization: `Bearer ${admin}`,
      ...(json && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: form ?? (json ? JSON.stringify(json) : null),
  });
  const entry = described.responses[response.status] ?? described.responses.default;
  expect(response.headers.get('x-request-id')).toMatch(/^[\w.-]+$/);
  const body = await readBody(response);
  const type = response.headers.get('content-type')?.replace(/;.*$/, '') ?? '';
  const content = entry?.content ?? {};
  const media = content[type] ?? content[`${type.split('/')[0]}/*`] ?? content['application/octet-stream'];
  const { status } = response;
  if (status !== 204)
    expect({ method, path, status, described: Object.keys(content) }).toEqual(
      expect.objectContaining({ described: media ? expect.anything() : [type] }),
    );
  const parts = type === 'text/event-stream' ? (body as unknown[]) : [body];
  if (media?.schema) for (const value of parts) expectToFit(value, media.schema.$ref);
  return { status, body };
}

async function readBody(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (/^application\/json(?:;|$)/.test(type)) return response.json();
  if (!type.startsWith('text/event-stream')) return response.text();
  const events = await readEvents(response);
  return events.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data));
}

const messages = [{ role: 'user', content: 'What is an edge server?' }];
const chat = { path: '/v1/chat/completions' };
const idOf = (body: unknown) => (body as { id: string }).id;

describe('chat', () => {
  test('completions, whole and streamed, in a session and without', async () => {
    await call('POST', { ...chat, json: { messages } });
    await call('POST', { ...chat, json: { messages, session_id: 's1' } });
    const withUsage = { stream: true, stream_options: { include_usage: true } };
    const chunks = await call('POST', { ...chat, json: { messages, session_id: 's1', ...withUsage } });
    expect((chunks as unknown[]).length).toBeGreaterThan(3);
    await call('POST', { ...chat, json: { messages }, headers: { 'x-edgewise-state': 'new' } });
  });

  test('completions with tool calls and reasoning', async () => {
    chatUpstream.behave((_call, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      const deltas = [
        { reasoning_content: 'Let me see.' },
        { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '}' } }] },
      ];
      for (const delta of deltas)
        answer.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
      const end = { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
      answer.end(`data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`);
    });
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    await call('POST', { ...chat, json: { messages, tools } });
    await call('POST', { ...chat, json: { messages, tools, stream: true } });
    const responsesTools = [{ type: 'function', name: 'f', parameters: {} }];
    const responses = { path: '/v1/responses' };
    await call('POST', { ...responses, json: { input: 'Call it.', tools: responsesTools } });
    await call('POST', { ...responses, json: { input: 'Call it.', tools: responsesTools, stream: true } });
    chatUpstream.behave(say('An edge server answers near its users.'));
  });

  test('the AI SDK', async () => {
    const ui = { id: 'ui', messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] };
    await call('POST', { path: '/api/chat', json: ui });
    await call('GET', { path: '/api/chat/{id}/stream', values: { id: 'ui' } });
  });
});

test('responses', async () => {
  const path = '/v1/responses';
  const one = idOf(await call('POST', { path, json: { input: 'Hello', conversation: 's2' } }));
  await call('POST', { path, json: { input: 'Hello', previous_response_id: one, stream: true } });
  await call('POST', { path, json: { input: 'Hello', store: false } });
  const values = { id: one };
  await call('GET', { path: `${path}/{id}`, values });
  await call('GET', { path: `${path}/{id}`, values, query: '?stream=true&starting_after=1' });
  await call('GET', { path: `${path}/{id}/input_items`, values });
  await call('POST', { path: `${path}/{id}/cancel`, values });
  await call('DELETE', { path: `${path}/{id}`, values });
});

test('sessions', async () => {
  const values = { id: 's3' };
  await call('POST', { ...chat, json: { messages, session_id: 's3' } });
  await call('GET', { path: '/v1/sessions', query: '?limit=1' });
  const session = await call('GET', { path: '/v1/sessions/{id}', values });
  const turnId = (session as { messages: { turn_id: string }[] }).messages[0]?.turn_id ?? '';
  await call('GET', { path: '/v1/sessions/{id}/stream', values });
  await call('GET', { path: '/v1/sessions/{id}/stream', values, query: `?turn=${turnId}` });
  await call('POST', { path: '/v1/sessions/{id}/stop', values });
  await expectSocketEvents('s3');
  await call('POST', { path: '/v1/feedback', json: { turn_id: turnId, rating: 'up' } });
  await call('POST', { path: '/v1/sessions/{id}/forget', values, json: { turn_id: turnId } });
  await call('DELETE', { path: '/v1/sessions/{id}', values });
});

async function expectSocketEvents(sessionId: string): Promise<void> {
  const address = `${system.address.replace('http', 'ws')}/v1/sessions/${sessionId}/ws`;
  const socket = new WebSocket(address, SESSION_PROTOCOL, { headers: { authorization: `Bearer ${admin}` } });
  const events: { type: string; response_id?: string }[] = [];
  socket.on('message', (data) => events.push(JSON.parse(String(data))));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  socket.send(JSON.stringify({ type: 'response.create', input: 'Hello' }));
  await expect.poll(() => events.at(-1)?.type, { timeout: 10_000 }).toBe('response.completed');
  socket.close();
  for (const { response_id: responseId, ...event } of events) {
    expect(responseId).toMatch(/^resp_/);
    expectToFit(event, '#/components/schemas/ResponseEvent');
  }
  answered.add('GET /v1/sessions/{id}/ws');
}

test('other tasks of models', async () => {
  await call('POST', { path: '/v1/embeddings', json: { model: 'embed-small', input: ['one', 'two'] } });
  const form = new FormData();
  form.set('model', 'voice');
  form.set('file', new File(['sound'], 'sound.mp3'));
  await call('POST', { path: '/v1/audio/transcriptions', form });
  await call('POST', { path: '/v1/audio/speech', json: { model: 'voice', input: 'Hello', voice: 'alloy' } });
  await call('POST', { path: '/v1/moderations', json: { model: 'judge', input: 'Hello' } });
  await call('POST', { path: '/v1/images/generations', json: { model: 'painter', prompt: 'A lighthouse' } });
});

test('documents', async () => {
  const upload = (text: string) => {
    const form = new FormData();
    form.set('file', new File([text], 'hours.md', { type: 'text/markdown' }));
    return call('POST', { path: '/v1/documents', form });
  };
  const values = { id: idOf(await upload('# Hours\n\nWe open at nine.')), number: '1' };
  await upload('# Hours\n\nWe open at ten.');
  await call('GET', { path: '/v1/documents' });
  await call('GET', { path: '/v1/documents/{id}', values });
  await call('GET', { path: '/v1/documents/{id}/passages/{number}', values });
  await call('DELETE', { path: '/v1/documents/{id}', values });
});

test('conversations, memory, usage, and the data of a user', async () => {
  await call('POST', { ...chat, json: { messages, session_id: 's4' } });
  await expect
    .poll(async () => JSON.stringify(await call('GET', { path: '/v1/conversations' })), { timeout: 20_000 })
    .toContain('"s4"');
  await call('GET', { path: '/v1/conversations', query: '?q=edge' });
  const values = { id: 's4' };
  await call('PATCH', { path: '/v1/conversations/{id}', values, json: { title: 'Edges' } });
  await call('GET', { path: '/v1/memory' });
  await call('PATCH', { path: '/v1/memory', json: { recall_across_conversations: false } });
  await call('GET', { path: '/v1/usage', query: '?by=day,model,user&all=true' });
  await call('GET', { path: '/v1/usage', headers: { accept: 'text/csv' } });
  await call('GET', { path: '/v1/export' });
  await call('DELETE', { path: '/v1/users/{id}', values: { id: 'somebody' } });
});

test('files and batches', async () => {
  const form = new FormData();
  const request = {
    custom_id: '1',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'scripted', messages },
  };
  form.set('purpose', 'batch');
  form.set('file', new File([JSON.stringify(request)], 'in.jsonl'));
  const values = { id: idOf(await call('POST', { path: '/v1/files', form })) };
  await call('GET', { path: '/v1/files' });
  await call('GET', { path: '/v1/files/{id}', values });
  await call('GET', { path: '/v1/files/{id}/content', values });
  const json = { input_file_id: values.id, endpoint: '/v1/chat/completions', completion_window: '1h' };
  const batch = { id: idOf(await call('POST', { path: '/v1/batches', json })) };
  await call('GET', { path: '/v1/batches' });
  await call('POST', { path: '/v1/batches/{id}/cancel', values: batch });
  await expect
    .poll(
      async () => {
        const { status } = (await call('GET', { path: '/v1/batches/{id}', values: batch })) as {
          status: string;
        };
        return status;
      },
      { timeout: 20_000 },
    )
    .toMatch(/cancelled|completed/);
  await call('DELETE', { path: '/v1/files/{id}', values });
});

test('tokens, keys and the cache', async () => {
  const guest = await call('POST', { path: '/v1/tokens/guest' });
  const { refresh_token } = guest as { refresh_token: string };
  await call('POST', { path: '/v1/tokens/refresh', json: { refresh_token } });
  const made = await call('POST', { path: '/v1/keys', json: { name: 'an app' } });
  const { id, key } = made as { id: string; key: string };
  const headers = { authorization: `Bearer ${key}` };
  await call('POST', { path: '/v1/tokens', json: { user: 'bob' }, headers });
  await call('GET', { path: '/v1/keys' });
  await call('DELETE', { path: '/v1/keys/{id}', values: { id } });
  const question = { question: 'What is an edge server?', ttl_seconds: 600, paraphrases: ['Edge servers?'] };
  await call('POST', { path: '/v1/cache/prepared', json: question });
  await call('DELETE', { path: '/v1/cache' });
});

test('the service and its page', async () => {
  await call('GET', { path: '/v1/models' });
  await call('GET', { path: '/healthz' });
  await call('GET', { path: '/readyz' });
  await call('GET', { path: '/page.json' });
  await call('GET', { path: '/metrics', headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  const page = String(await call('GET', { path: '/' }));
  for (const path of Object.keys(openApi.paths)) {
    if (/^\/(?:admin|[\w-]+\.(?:svg|png|webmanifest))$/.test(path)) await call('GET', { path });
  }
  const asset = /\/assets\/([\w.-]+)/.exec(page)?.[1] ?? '';
  await call('GET', { path: '/assets/{name}', values: { name: asset } });
});

describe('errors', () => {
  test.each<[string, Call, string]>([
    ['POST', { ...chat, json: {} }, 'missing_required_parameter'],
    ['POST', { ...chat, json: { messages, model: 'none' } }, 'model_not_found'],
    ['POST', { ...chat, json: { messages }, headers: { authorization: 'Bearer x' } }, 'invalid_token'],
    ['GET', { path: '/v1/sessions/{id}', values: { id: 'none' } }, 'session_not_found'],
    ['GET', { path: '/v1/sessions/{id}/ws', values: { id: 'none' } }, 'upgrade_required'],
    ['GET', { path: '/v1/responses/{id}', values: { id: 'none' } }, 'response_not_found'],
    ['GET', { path: '/v1/files/{id}', values: { id: 'none' } }, 'file_not_found'],
    ['GET', { path: '/v1/batches/{id}', values: { id: 'none' } }, 'batch_not_found'],
    ['GET', { path: '/v1/documents/{id}', values: { id: 'none' } }, 'document_not_found'],
    ['DELETE', { path: '/v1/keys/{id}', values: { id: 'none' } }, 'key_not_found'],
    ['GET', { path: '/metrics' }, 'invalid_token'],
  ])('%s %j', async (method, wanted, code) => {
    const { body } = await callAny(method, wanted);
    expectToFit(body, '#/components/schemas/Error');
    const { error } = body as { error: { code: string } };
    expect(error.code).toBe(code);
    expect(Object.keys(errorRules)).toContain(error.code);
  });
});

test('every operation of the document has answered', () => {
  const described = Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.filter((name) => !answered.has(name))).toEqual([]);
});
