/** Stands before a Redis REST address and counts the commands that pass, as Upstash bills them. Owns the count. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingStore {
  url: string;
  /** Commands so far; a pipeline's are counted one by one, a script is one. */
  readonly commands: number;
  stop(): Promise<void>;
}

export async function startCountingStore(target: string): Promise<CountingStore> {
  let commands = 0;
  const server = createServer(async (request, answer) => {
    let body = '';
    for await (const part of request) body += part;
    const path = request.url ?? '/';
    const isSeveral = path === '/pipeline' || path === '/multi-exec';
    commands += isSeveral ? (JSON.parse(body) as unknown[]).length : 1;
    const headers = Object.fromEntries(
      ['authorization', 'content-type', 'upstash-encoding'].flatMap((name) => {
        const value = request.headers[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
    const response = await fetch(target + path, { method: request.method ?? 'POST', headers, body });
    answer.writeHead(response.status, { 'content-type': 'application/json' });
    answer.end(await response.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get commands() {
      return commands;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
