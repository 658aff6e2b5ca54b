import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from './database.ts';

let parent: string;
let databaseDir: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'edgewise-database-'));
  databaseDir = join(parent, 'postgres');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const damaged: string[] = [];
const open = () =>
  openDatabase({ databaseUrl: undefined, databaseDir, onDamaged: (_dir, aside) => damaged.push(aside) });
const countConversations = (database: Awaited<ReturnType<typeof open>>) =>
  database.withTenant('acme', async (tables) => {
    const { rows } = (await tables.execute(sql`SELECT count(*)::int AS count FROM conversation`)) as {
      rows: { count: number }[];
    };
    return rows[0]?.count;
  });

test('a damaged database is set aside, and an empty one takes its place', async () => {
  const first = await open();
  expect(await countConversations(first)).toBe(0);
  await first.close();
  await truncate(join(databaseDir, 'global/pg_control'), 10);

  const second = await open();
  expect(await countConversations(second)).toBe(0);
  await second.close();
  const aside = (await readdir(databaseDir)).filter((name) => name.startsWith('damaged-'));
  expect(aside).toHaveLength(1);
  expect(damaged).toEqual([join(databaseDir, aside[0] ?? '')]);
  expect(await readdir(join(databaseDir, aside[0] ?? ''))).toContain('PG_VERSION');
}, 60_000);

test('a new database is created without stopping everything else', async () => {
  const database = await open();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const startMs = performance.now();
  await countConversations(database);
  delay.disable();
  expect(delay.max / 1_000_000).toBeLessThan((performance.now() - startMs) / 2);
  await database.close();
}, 60_000);

test('a second core on one folder is refused before it answers anything', async () => {
  const first = await open();
  await expect(open()).rejects.toThrow(`Edgewise has the folder ${databaseDir} open already`);
  await first.close();
  await (await open()).close();
});
