/** Runs pg_dump and pg_restore. The password goes through the environment, since every user can see arguments. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** `pg_dump` in its custom format, as a stream. @throws Error with the program's error output */
export async function* dump(url: string, snapshot: string): AsyncGenerator<Uint8Array> {
  const args = ['--format=custom', '--no-owner', `--snapshot=${snapshot}`];
  const child = spawn('pg_dump', args, { env: connectionOf(url), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = endOf(child, 'pg_dump');
  // Awaited below; without this a failure before that would be an unhandled rejection.
  ended.catch(() => undefined);
  yield* child.stdout as AsyncIterable<Uint8Array>;
  await ended;
}

/** `pg_restore` in one transaction. @throws Error with the program's error output */
export async function restore(url: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const { PGDATABASE = '', ...env } = connectionOf(url);
  const args = ['--no-owner', '--exit-on-error', '--single-transaction', `--dbname=${PGDATABASE}`];
  const child = spawn('pg_restore', args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = endOf(child, 'pg_restore');
  ended.catch(() => undefined);
  try {
    await pipeline(Readable.from(archive), child.stdin);
  } catch (error) {
    // When the program exits early, its error output says more than a broken pipe.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') {
      child.kill();
      throw error;
    }
  }
  await ended;
}

function connectionOf(address: string): Record<string, string | undefined> {
  const url = new URL(address);
  const option = (name: string) => url.searchParams.get(name) ?? undefined;
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    PGHOST: url.hostname.replace(/^\[|\]$/g, ''),
    PGPORT: url.port || '5432',
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password) || undefined,
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGSSLMODE: option('sslmode'),
    PGSSLROOTCERT: option('sslrootcert'),
    PGCHANNELBINDING: option('channel_binding'),
    PGCONNECT_TIMEOUT: '10',
  };
}

async function endOf(child: ReturnType<typeof spawn>, program: string): Promise<void> {
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-4000);
  });
  const [code] = await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'ENOENT'
        ? `${program} is not installed. It is part of PostgreSQL's client programs.`
        : `${program}: ${error.message}`,
    );
  });
  if (code !== 0) throw new Error(`${program} failed:\n${said.trim()}`);
}
