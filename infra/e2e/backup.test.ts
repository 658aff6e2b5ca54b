/** Backup, restore and the drill, by their commands, on a real PostgreSQL. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bringUpToDate, connectPostgres, createDatabase } from '../../core/db/database.ts';
import { createApiKeys } from '../../core/keys/api-keys.ts';
import { projectRoot } from '../local/settings.ts';
import { listBackups } from '../operate/backup/manifest.ts';
import { differences, readTableSums } from '../operate/backup/table-sums.ts';
import { lacksPostgres, type PostgresService, startPostgres } from './postgres-service.ts';

const run = promisify(execFile);

describe.skipIf(lacksPostgres())('a backup', () => {
  let postgres: PostgresService;
  let dir: string;
  const env: Record<string, string> = {};
  const command = (name: string, args: string[] = [], more: Record<string, string> = {}) =>
    run(process.execPath, [join(projectRoot, `infra/cli/${name}.ts`), ...args], {
      env: { PATH: process.env.PATH, ...env, ...more },
      cwd: projectRoot,
    }).then(
      ({ stdout }) => stdout,
      (error: { stderr: string }) => Promise.reject(new Error(error.stderr)),
    );
  const query = async (text: string, url = env.DATABASE_URL) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const at = (database: string) => String(env.DATABASE_URL).replace(/\/[^/]*$/, `/${database}`);

  beforeAll(async () => {
    postgres = await startPostgres();
    dir = await mkdtemp(join(tmpdir(), 'edgewise-backup-'));
    Object.assign(env, {
      DATABASE_URL: postgres.url,
      EDGEWISE_BACKUP_DIR: join(dir, 'backups'),
      EDGEWISE_BACKUP_KEY: randomBytes(32).toString('base64'),
      EDGEWISE_WINDOW_ROUNDS: '7',
      EDGEWISE_SERVICE_SECRET: 'a service secret that no backup may hold',
    });
    const connection = await connectPostgres(postgres.url);
    await bringUpToDate(connection);
    await connection.close();
    const database = createDatabase(() => connectPostgres(postgres.url), false);
    const keys = createApiKeys(database, Date.now);
    for (const tenant of ['one', 'two'])
      for (let index = 0; index < 5; index++)
        await keys.create({
          tenant,
          name: `key ${index} 你好`,
          plan: 'free',
          scopes: ['chat'],
          expiresAtMs: undefined,
        });
    await database.close();
    await query(
      `INSERT INTO batch_line (batch, ordinal, tenant, custom_id, body, state)
       SELECT 'b', n, 'one', 'line ' || n, repeat(md5(n::text), 30), 'waiting' FROM generate_series(1, 20000) n`,
    );
  }, 60_000);
  afterAll(async () => {
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  });

  let name: string;
  test('is made while the database is written to, and holds one moment of it', async () => {
    let isOver = false;
    const writing = (async () => {
      for (let index = 0; !isOver; index++)
        await query(
          `INSERT INTO file (id, tenant, "user", filename, purpose, bytes, created_at_ms) VALUES ('f${index}', 'one', 'u', 'f', 'batch', 1, ${index})`,
        );
    })();
    const said = await command('backup');
    isOver = true;
    await writing;
    const [{ tables } = { tables: '' }] = await query(
      `SELECT count(*) AS tables FROM pg_tables WHERE schemaname IN ('public', 'drizzle')`,
    );
    expect(said).toContain(`: ${tables} tables, `);
    [name = ''] = await listBackups(String(env.EDGEWISE_BACKUP_DIR));
    expect(said).toContain(name);
    // The summed moment is the dumped one: the drill compares them.
    expect(await command('restore-drill')).toMatch(
      /can be restored: \d+ tables, \d+ rows and \d+ files, each as it was/,
    );
    const left = await query(`SELECT datname FROM pg_database WHERE datname LIKE 'edgewise_drill%'`);
    expect(left).toEqual([]);
  });

  test('holds nothing that can be read without its key', async () => {
    const folder = join(String(env.EDGEWISE_BACKUP_DIR), name);
    const files = await readdir(folder);
    expect(files.sort()).toEqual(['database.dump.sealed', 'files.json.sealed', 'manifest.json.sealed']);
    for (const file of files) {
      const text = await readFile(join(folder, file), 'latin1');
      expect(text).not.toMatch(/PGDMP|batch_line|extractive|models\.toml/);
    }
    const key = randomBytes(32).toString('base64');
    await expect(command('restore-drill', [], { EDGEWISE_BACKUP_KEY: key })).rejects.toThrow('not its key');
  });

  test('is put back into an empty database alone, where row-level security holds again', async () => {
    await expect(command('restore', ['--to', String(env.DATABASE_URL)])).rejects.toThrow('is not empty');
    await query('CREATE DATABASE restored');
    const files = join(dir, 'files');
    expect(await command('restore', ['--to', at('restored'), '--files', files])).toContain('is restored');
    const database = createDatabase(() => connectPostgres(at('restored')), false);
    const keys = createApiKeys(database, Date.now);
    expect(await keys.list('one')).toHaveLength(5);
    expect((await keys.list('two')).map((key) => key.name)).toContain('key 4 你好');
    expect(await keys.list('three')).toEqual([]);
    await database.close();
    expect(await readFile(join(files, 'models.toml'), 'utf8')).toBe(
      await readFile(join(projectRoot, 'infra/config/models.toml'), 'utf8'),
    );
    const settings = JSON.parse(await readFile(join(files, 'environment.json'), 'utf8'));
    expect(settings.EDGEWISE_WINDOW_ROUNDS).toBe('7');
    expect(JSON.stringify(settings)).not.toContain('no backup may hold');
  });

  test('that differs from the database by one letter is told apart', async () => {
    const before = await readTableSums(at('restored'));
    await query(`UPDATE batch_line SET body = 'x' || substr(body, 2) WHERE ordinal = 777`, at('restored'));
    expect(differences(before, await readTableSums(at('restored')))).toEqual([
      'public.batch_line has other contents',
    ]);
    await query(`DELETE FROM batch_line WHERE ordinal = 777`, at('restored'));
    expect(differences(before, await readTableSums(at('restored')))).toEqual([
      'public.batch_line has 19999 rows in the place of 20000',
    ]);
  });

  test('that was changed on its disk is not restored', async () => {
    const path = join(String(env.EDGEWISE_BACKUP_DIR), name, 'database.dump.sealed');
    const whole = await readFile(path);
    const changed = Buffer.from(whole);
    changed[whole.length - 50] = (changed[whole.length - 50] ?? 0) ^ 1;
    await writeFile(path, changed);
    await expect(command('restore-drill')).rejects.toThrow('was changed or cut off');
    await writeFile(path, whole);
  });

  test('of which there are too many lets the old ones go', async () => {
    await command('backup', [], { EDGEWISE_BACKUP_KEEP: '1d' });
    const names = await listBackups(String(env.EDGEWISE_BACKUP_DIR));
    expect(names).toHaveLength(1);
    expect(names[0]).not.toBe(name);
  });

  test('of a database that is away is none', async () => {
    const away = { DATABASE_URL: 'postgres://edgewise@127.0.0.1:9/none' };
    const before = await readdir(String(env.EDGEWISE_BACKUP_DIR));
    await expect(command('backup', [], away)).rejects.toThrow('ECONNREFUSED');
    expect(await readdir(String(env.EDGEWISE_BACKUP_DIR))).toEqual(before);
  });
});
