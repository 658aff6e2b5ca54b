/** The built package in the hands of a stranger: plain Node without TypeScript, and a consumer's type check. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildClient } from './build-client.ts';
import { projectRoot } from './settings.ts';

const run = promisify(execFile);
let folder: string;
let packageDir: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-client-'));
  packageDir = join(folder, 'node_modules/@edgewise/client');
  await mkdir(join(folder, 'node_modules/@edgewise'), { recursive: true });
  await buildClient(packageDir);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Seen {
  path: string;
  idempotencyKey: string | undefined;
  lastEventId: string | undefined;
  authorization: string | undefined;
}

/** Drops the connection without an answer, then in the middle of the answer, then serves the rest. */
async function startDroppingServer(): Promise<{ server: Server; address: string; seen: Seen[] }> {
  const turn = 'a'.repeat(32);
  const event = (number: number, word: string) => {
    const choices = [{ index: 0, delta: { content: word }, finish_reason: null }];
    const chunk = { id: `chatcmpl-${turn}`, model: 'm', choices };
    return `id: ${turn}:${number}\ndata: ${JSON.stringify(chunk)}\n\n`;
  };
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { headers } = request;
    seen.push({
      path: `${request.method} ${request.url}`,
      idempotencyKey: headers['idempotency-key'] as string | undefined,
      lastEventId: headers['last-event-id'] as string | undefined,
      authorization: headers.authorization,
    });
    if (seen.length === 1) return request.socket.destroy();
    if (request.url?.endsWith('/stop')) {
      response.writeHead(404, { 'content-type': 'application/json', 'x-should-retry': 'false' });
      return response.end('{"error":{"message":"The session has no such turn.","code":"turn_not_found"}}');
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (headers['last-event-id'] !== undefined) return response.end(`${event(3, 'three')}data: [DONE]\n\n`);
    response.write(event(1, 'one ') + event(2, 'two '));
    setTimeout(() => request.socket.destroy(), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, address: `http://127.0.0.1:${port}`, seen };
}

const consumer = `
import { createEdgewiseClient, EdgewiseError } from '@edgewise/client';
const client = createEdgewiseClient({
  baseUrl: process.argv[2],
  token: () => 'a-token',
  retry: { attempts: 3, firstMs: 1, longestMs: 2 },
});
let text = '';
for await (const chunk of client.chat({ sessionId: 's', messages: [{ role: 'user', content: 'count' }] }))
  text += chunk.choices[0]?.delta.content ?? '';
const error = await client.stop('s').catch((error) => error);
console.log(JSON.stringify({ text, isOurs: error instanceof EdgewiseError, code: error.code }));
`;

describe('the package', () => {
  test('streams, reconnects and reports errors in a plain Node process', async () => {
    const { server, address, seen } = await startDroppingServer();
    try {
      await writeFile(join(folder, 'consumer.mjs'), consumer);
      const { stdout } = await run(process.execPath, [join(folder, 'consumer.mjs'), address], {
        cwd: folder,
      });
      expect(JSON.parse(stdout)).toEqual({ text: 'one two three', isOurs: true, code: 'turn_not_found' });
      expect(seen.map(({ path }) => path)).toEqual([
        'POST /v1/chat/completions',
        'POST /v1/chat/completions',
        'GET /v1/sessions/s/stream',
        'POST /v1/sessions/s/stop',
      ]);
      expect(seen[0]?.idempotencyKey).toMatch(/^[\w-]{36}$/);
      expect(seen[1]?.idempotencyKey).toBe(seen[0]?.idempotencyKey);
      expect(seen[2]?.lastEventId).toBe(`${'a'.repeat(32)}:2`);
      expect(seen.every(({ authorization }) => authorization === 'Bearer a-token')).toBe(true);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('has no dependency and imports nothing', async () => {
    const code = await readFile(join(packageDir, 'edgewise-client.js'), 'utf8');
    expect(code).not.toMatch(/^import\b|\bimport\(|\brequire\(/m);
    const manifest = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: '@edgewise/client', type: 'module', engines: { node: '>=20' } });
    expect(manifest.dependencies).toBeUndefined();
    expect(await readFile(join(packageDir, 'THIRD-PARTY-LICENSES.txt'), 'utf8')).toContain(
      'eventsource-parser',
    );
  });

  test('has types that a strict consumer can use, and that refuse a wrong use', async () => {
    const right = `
import { type ChatChunk, createEdgewiseClient, defaultRetryPolicy, EdgewiseError, readError } from '@edgewise/client';
import type { ChatTurn, ConnectOptions, EdgewiseClient, SessionConnection, SessionEvent } from '@edgewise/client';
import type { RetryPolicy, StopResult } from '@edgewise/client';
const retry: RetryPolicy = { ...defaultRetryPolicy, attempts: 2 };
const client: EdgewiseClient = createEdgewiseClient({ baseUrl: 'http://localhost', token: () => 't', retry });
const turn: ChatTurn = { sessionId: 's', messages: [{ role: 'user', content: 'hi' }], idempotencyKey: 'k' };
export async function read(options: ConnectOptions): Promise<string> {
  const connection: SessionConnection = client.connect('s', options);
  for await (const event of connection) {
    const { response_id }: SessionEvent = event;
    if (response_id) break;
  }
  let text = '';
  const chunks: AsyncIterable<ChatChunk> = client.chat(turn);
  for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? '';
  const stopped: StopResult = await client.stop('s');
  const error: EdgewiseError = await readError(new Response('{}', { status: 500 }));
  return text + stopped.text + error.code;
}
`;
    const wrong = `
import { createEdgewiseClient } from '@edgewise/client';
createEdgewiseClient({ baseUrl: 1, token: () => 't' });
`;
    await writeFile(join(folder, 'right.ts'), right);
    await writeFile(join(folder, 'wrong.ts'), wrong);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const check = (file: string) =>
      run(
        join(projectRoot, 'node_modules/.bin/tsc'),
        [
          '--ignoreConfig',
          '--noEmit',
          '--strict',
          '--exactOptionalPropertyTypes',
          '--module',
          'nodenext',
        ].concat([
          ...['--lib', 'es2022,dom,dom.iterable,dom.asynciterable', '--types', '', join(folder, file)],
        ]),
        { cwd: folder },
      );
    await check('right.ts').catch((error: { stdout?: string }) => expect(error.stdout).toBe(''));
    await expect(check('wrong.ts')).rejects.toMatchObject({
      stdout: expect.stringContaining("'number' is not assignable to type 'string'"),
    });
  }, 60_000);
});

test('the README shows code that the types accept', async () => {
  const readme = await readFile(join(projectRoot, 'shared/client/README.md'), 'utf8');
  const [first = ''] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  await writeFile(join(folder, 'readme.ts'), first);
  const tsc = join(projectRoot, 'node_modules/.bin/tsc');
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
  const { stdout } = await run(tsc, [...options, '--target', 'es2022', join(folder, 'readme.ts')], {
    cwd: folder,
  }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
}, 60_000);
