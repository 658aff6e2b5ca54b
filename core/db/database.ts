/**
 * The durable data: Neon, any PostgreSQL, or PGlite on this machine's disk, by the address. Owns the connections.
 * Every transaction takes a role that row-level security holds for, and says whose data it is about.
 */
import { type EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { AppError } from '../../shared/errors.ts';
import { openDataFolder, setContentsAside } from './data-folder.ts';
import { createVectorTable } from './vectors.ts';

export type Tables = PgDatabase<PgQueryResultHKT>;

export interface Database {
  /** One transaction that sees and changes one tenant's rows alone. @throws AppError `database_unavailable` */
  withTenant<T>(tenant: string, work: (tables: Tables) => Promise<T>): Promise<T>;
  /** One transaction that reads over all tenants, to find out whose a thing is. */
  acrossTenants<T>(work: (tables: Tables) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A driver: drizzle over it, its migrations, its end. */
export interface Connection {
  tables: Tables;
  migrate(folder: string): Promise<void>;
  close(): Promise<void>;
}

export const migrationsFolder: string = join(import.meta.dirname, 'migrations');

/**
 * Opens at the first use, so that nothing that needs no data waits for it.
 * @param open Connects; its migrations are run first where `migrates`, as on the embedded default.
 */
export function createDatabase(open: () => Promise<Connection>, migrates: boolean): Database {
  let opening: Promise<Connection> | undefined;

  function connection(): Promise<Connection> {
    opening ??= connect().catch((cause) => {
      // The next use tries again.
      opening = undefined;
      throw new AppError('database_unavailable', { cause });
    });
    return opening;
  }

  async function connect(): Promise<Connection> {
    const connected = await open();
    if (migrates) await bringUpToDate(connected);
    return connected;
  }

  async function transaction<T>(
    setting: { name: 'edgewise.tenant' | 'edgewise.system'; value: string },
    work: (tables: Tables) => Promise<T>,
  ): Promise<T> {
    const { tables } = await connection();
    try {
      return await tables.transaction(async (inner) => {
        await inner.execute(sql`SET LOCAL ROLE edgewise_app`);
        await inner.execute(sql`SELECT set_config(${setting.name}, ${setting.value}, true)`);
        return work(inner);
      });
    } catch (error) {
      throw isConnectionError(error) ? new AppError('database_unavailable', { cause: error }) : error;
    }
  }

  return {
    withTenant: (tenant, work) => transaction({ name: 'edgewise.tenant', value: tenant }, work),
    acrossTenants: (work) => transaction({ name: 'edgewise.system', value: 'on' }, work),
    async close() {
      const connected = await opening?.catch(() => undefined);
      await connected?.close();
    },
  };
}

/**
 * The embedded one brings its own tables; those of a server are the operator's to change (`npm run migrate`). The folder of
 * an embedded one is locked at once, though the database opens at its first use.
 * @throws DataFolderError when another process has the folder open
 */
export async function openDatabase({
  databaseUrl,
  databaseDir,
  onDamaged,
}: {
  databaseUrl: string | undefined;
  databaseDir: string | undefined;
  onDamaged: OnDamaged;
}): Promise<Database> {
  if (databaseUrl !== undefined) return createDatabase(() => connectPostgres(databaseUrl), false);
  const folder = databaseDir === undefined ? undefined : await openDataFolder(databaseDir);
  const database = createDatabase(() => connectEmbedded(databaseDir, onDamaged), true);
  return {
    ...database,
    async close() {
      await database.close();
      await folder?.close();
    },
  };
}

/** Makes what of the tables is not there yet. Idempotent. */
export async function bringUpToDate({ migrate, tables }: Connection): Promise<void> {
  await migrate(migrationsFolder);
  await createVectorTable(tables);
}

/** Neon by its host or by a proxy's name, PostgreSQL otherwise. @param url `postgres://...` */
export async function connectPostgres(url: string): Promise<Connection> {
  return new URL(url).hostname.endsWith('.neon.tech') ? connectNeon(url) : connectServer(url);
}

const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 5000;

async function connectServer(url: string): Promise<Connection> {
  const [{ drizzle }, { migrate }, { Pool }] = await Promise.all([
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
    import('pg').then((module) => module.default),
  ]);
  const pool = new Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  surviveBrokenConnections(pool);
  const tables = drizzle(pool);
  return {
    tables: tables as unknown as Tables,
    migrate: (folder) => migrate(tables, { migrationsFolder: folder }),
    close: () => pool.end(),
  };
}

/**
 * A connection that the server closes emits `error`, which ends the process where nobody listens: the pool listens to idle
 * connections only (node-postgres 8, "Pool events"), so each one gets a listener for as long as it lives. What was asked over it
 * rejects, and the pool opens another one at the next use.
 */
function surviveBrokenConnections(pool: EventEmitter): void {
  pool.on('error', () => undefined);
  pool.on('connect', (connection: EventEmitter) => connection.on('error', () => undefined));
}

/** Transactions need Neon's WebSocket way; Node has a WebSocket of its own. */
export async function connectNeon(url: string): Promise<Connection> {
  const [{ drizzle }, { migrate }, { Pool }] = await Promise.all([
    import('drizzle-orm/neon-serverless'),
    import('drizzle-orm/neon-serverless/migrator'),
    import('@neondatabase/serverless'),
  ]);
  const pool = new Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  surviveBrokenConnections(pool);
  const tables = drizzle(pool);
  return {
    tables: tables as unknown as Tables,
    migrate: (folder) => migrate(tables, { migrationsFolder: folder }),
    close: () => pool.end(),
  };
}

/** Called when a database that cannot be read was moved to the folder `aside`. */
export type OnDamaged = (dir: string, aside: string) => void;

/**
 * PostgreSQL inside this process, its files in `dir`; in memory without one. Damaged files are set aside in
 * `<dir>/damaged-<time>`, and an empty database is made: a core that cannot start helps nobody.
 */
export async function connectEmbedded(dir: string | undefined, onDamaged?: OnDamaged): Promise<Connection> {
  if (dir === undefined) return openEmbedded(undefined);
  await createFiles(dir);
  // A lack of memory ends PGlite in the same way as damage: only what fails twice is damaged.
  for (let attempt = 0; attempt < 2; attempt++) {
    const opened = await openEmbedded(dir).catch((error: unknown) => asDamage(error));
    if (!(opened instanceof WebAssembly.RuntimeError)) return opened;
  }
  onDamaged?.(dir, await setContentsAside(dir));
  await createFiles(dir);
  return openEmbedded(dir);
}

const createProgram = join(import.meta.dirname, 'create-database.ts');

/** In another thread, so that no answer waits for it. Where the program is not there, as in a bundle, opening creates them. */
async function createFiles(dir: string): Promise<void> {
  if (existsSync(join(dir, 'PG_VERSION')) || !existsSync(createProgram)) return;
  const worker = new Worker(createProgram, { workerData: dir });
  const [code] = await once(worker, 'exit');
  if (code !== 0) throw new Error(`the database could not be created (exit code ${code})`);
}

async function openEmbedded(dir: string | undefined): Promise<Connection> {
  const [{ drizzle }, { migrate }, { PGlite }, { vector }] = await Promise.all([
    import('drizzle-orm/pglite'),
    import('drizzle-orm/pglite/migrator'),
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite-pgvector'),
  ]);
  const client = await PGlite.create({ ...(dir !== undefined && { dataDir: dir }), extensions: { vector } });
  const tables = drizzle(client);
  return {
    tables: tables as unknown as Tables,
    migrate: (folder) => migrate(tables, { migrationsFolder: folder }),
    close: () => client.close(),
  };
}

/** PGlite aborts its WebAssembly instance where PostgreSQL would end its process ("PANIC", "could not read ..."). */
function asDamage(error: unknown): WebAssembly.RuntimeError {
  if (error instanceof WebAssembly.RuntimeError) return error;
  throw error;
}

/** SQLSTATE class 08 (connection), 57P0x (the server is going down), and Node's own network errors. */
function isConnectionError(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && /^(?:08...|57P0[1-3]|ECONN\w+|ETIMEDOUT|EPIPE|ENOTFOUND)$/.test(code))
      return true;
    if (
      /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(
        cause.message,
      )
    )
      return true;
  }
  return false;
}
