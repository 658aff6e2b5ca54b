/** PostgreSQL's own programs. The password goes through the environment, since arguments are for all to see. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** `pg_dump`, in its own format, as a stream. @throws Error in the program's words */
export async function* dump(url: string, snapshot: string): AsyncGenerator<Uint8Array> {
  const args = ['--format=custom', '--no-owner', `--snapshot=${snapshot}`];
  const child = spawn('pg_dump', args, { env: connectionOf(url), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = endOf(child, 'pg_dump');
  // It is looked at below; until then nobody else does.
  ended.catch(() => undefined);
  yield* child.stdout as AsyncIterable<Uint8Array>;
  await ended;
}

/** `pg_restore`, all or nothing. @throws Error in the program's words */
export async function restore(url: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const { PGDATABASE = '', ...env } = connectionOf(url);
  const args = ['--no-owner', '--exit-on-error', '--single-transaction', `--dbname=${PGDATABASE}`];
  const child = spawn('pg_restore', args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = endOf(child, 'pg_restore');
  ended.catch(() => undefined);
  try {
    await pipeline(Readable.from(archive), child.stdin);
  } catch (error) {
    // Of a program that ended early its own words say more than a broken pipe.
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
        ? `${program} is not installed; PostgreSQL's client programs have it.`
        : `${program}: ${error.message}`,
    );
  });
  if (code !== 0) throw new Error(`${program} failed:\n${said.trim()}`);
}
