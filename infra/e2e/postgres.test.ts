/** The durable data on a real PostgreSQL: through the plain driver, and through Neon's with its WebSocket way. */
import { neonConfig } from '@neondatabase/serverless';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeArchive } from '../../core/archive/archive.contract.ts';
import { describeBatches } from '../../core/batches/batches.contract.ts';
import { type Connection, connectNeon, connectPostgres, createDatabase } from '../../core/db/database.ts';
import { describeApiKeys } from '../../core/keys/api-keys.contract.ts';
import { createApiKeys } from '../../core/keys/api-keys.ts';
import {
  lacksPostgres,
  type PostgresService,
  startPostgres,
  startWebSocketProxy,
  type WebSocketProxy,
} from './postgres-service.ts';

type Row = { rows: { pid: number }[] };

describe.skipIf(lacksPostgres())('with a real PostgreSQL', () => {
  let service: PostgresService;
  let proxy: WebSocketProxy;
  const opened: Connection[] = [];
  const remember = async (connecting: Promise<Connection>) => {
    const connection = await connecting;
    opened.push(connection);
    return connection;
  };
  beforeAll(async () => {
    service = await startPostgres();
    proxy = await startWebSocketProxy(service.url);
    neonConfig.wsProxy = () => proxy.host;
    neonConfig.useSecureWebSocket = false;
    neonConfig.pipelineTLS = false;
    neonConfig.pipelineConnect = false;
    neonConfig.forceDisablePgSSL = true;
  }, 60_000);
  afterAll(async () => {
    for (const connection of opened) await connection.close();
    await proxy.close();
    await service.stop();
  });

  describeApiKeys('API keys through the plain driver', async () =>
    createDatabase(() => remember(connectPostgres(service.url)), true),
  );
  describeApiKeys('API keys through the driver of Neon', async () =>
    createDatabase(() => remember(connectNeon(service.url)), true),
  );

  describeBatches('batches through the plain driver', async () =>
    createDatabase(() => remember(connectPostgres(service.url)), true),
  );
  describeBatches('batches through the driver of Neon', async () =>
    createDatabase(() => remember(connectNeon(service.url)), true),
  );

  test.each([
    ['the plain driver', connectPostgres],
    ['the driver of Neon', connectNeon],
  ])(
    'a connection that the server ends in a transaction is an error of that call alone, through %s',
    async (_name, connect) => {
      const database = createDatabase(() => remember(connect(service.url)), true);
      const ended = database.acrossTenants(async (tables) => {
        await tables.execute(sql`RESET ROLE`);
        const { rows } = (await tables.execute(sql`SELECT pg_backend_pid() AS pid`)) as unknown as Row;
        await database.acrossTenants(async (others) => {
          await others.execute(sql`RESET ROLE`);
          await others.execute(sql`SELECT pg_terminate_backend(${rows[0]?.pid})`);
        });
        // Nothing is asked over it when it breaks: an error that nobody hears would end the process.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await tables.execute(sql`SELECT 1`);
      });
      await expect(ended).rejects.toMatchObject({ code: 'database_unavailable' });
      expect(await database.acrossTenants(async () => 'another')).toBe('another');
    },
  );

  // Debian's PostgreSQL has no pgvector.
  describeArchive(
    'the archive through the plain driver',
    async () => createDatabase(() => remember(connectPostgres(service.url)), true),
    false,
  );
  describeArchive(
    'the archive through the driver of Neon',
    async () => createDatabase(() => remember(connectNeon(service.url)), true),
    false,
  );

  test('a database that is away is said to be, and is there again when it is back', async () => {
    let isAway = true;
    const database = createDatabase(
      () => remember(connectPostgres(isAway ? 'postgres://edgewise@127.0.0.1:9/none' : service.url)),
      true,
    );
    const keys = createApiKeys(database, Date.now);
    await expect(keys.list('t')).rejects.toMatchObject({ code: 'database_unavailable' });
    isAway = false;
    expect(await keys.list('t')).toEqual([]);
  });
});
