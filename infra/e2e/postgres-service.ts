/** A real PostgreSQL with an empty cluster of its own, and the WebSocket way that Neon's driver takes to one. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';
import { freePort } from '../local/ports.ts';

const run = promisify(execFile);

export interface PostgresService {
  url: string;
  stop(): Promise<void>;
}

/** Debian keeps the server's programs out of the PATH. */
function programs(): string | undefined {
  try {
    const root = '/usr/lib/postgresql';
    const newest = readdirSync(root).sort((one, other) => Number(other) - Number(one))[0];
    return newest === undefined ? undefined : join(root, newest, 'bin');
  } catch {
    return undefined;
  }
}

/** Whether to skip; where `EDGEWISE_REQUIRE_SERVICES=1` nothing is skipped, and so it fails. */
export function lacksPostgres(): boolean {
  return process.env.EDGEWISE_REQUIRE_SERVICES !== '1' && programs() === undefined;
}

/** The server refuses to run as root; Debian's package makes a user for it. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export async function startPostgres(): Promise<PostgresService> {
  const bin = programs();
  if (bin === undefined) throw new Error('PostgreSQL is not installed');
  const dir = await mkdtemp(join(tmpdir(), 'edgewise-postgres-'));
  const user = owner();
  if (user) chownSync(dir, user.uid, user.gid);
  const data = join(dir, 'data');
  const options = { ...user, cwd: dir, env: { PATH: process.env.PATH, LANG: 'C.UTF-8' } };
  await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'edgewise', '--auth=trust', '-E', 'UTF8', '--no-sync'],
    options,
  );
  const port = await freePort();
  const settings = ['fsync=off', `unix_socket_directories=${dir}`, 'listen_addresses=127.0.0.1'];
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...options, stdio: 'ignore' },
  );
  const isReady = () =>
    run(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], options).then(
      () => true,
      () => false,
    );
  for (let attempt = 0; !(await isReady()); attempt++) {
    if (attempt > 100 || server.exitCode !== null) throw new Error('PostgreSQL did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url: `postgres://edgewise@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill('SIGINT');
      await once(server, 'exit');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface WebSocketProxy {
  /** `127.0.0.1:PORT` */
  host: string;
  close(): Promise<void>;
}

/** What Neon runs before its databases: a WebSocket that carries a connection's bytes. */
export async function startWebSocketProxy(url: string): Promise<WebSocketProxy> {
  const { hostname, port } = new URL(url);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (client) => {
    const upstream = connect(Number(port), hostname);
    upstream.on('data', (bytes) => client.send(bytes));
    upstream.on('close', () => client.close());
    upstream.on('error', () => client.close());
    client.on('message', (bytes: Buffer) => upstream.write(bytes));
    client.on('close', () => upstream.destroy());
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
