/** `npm run deploy` as far as it goes without a platform: the dry run by the real wrangler, and the tables. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bringUpToDate, connectPostgres, migrationsFolder } from '../../core/db/database.ts';
import { pendingMigrations } from '../deploy/pending-migrations.ts';
import { projectRoot } from '../local/settings.ts';
import { lacksPostgres, type PostgresService, startPostgres } from './postgres-service.ts';

const run = promisify(execFile);
const deploy = (args: string[], env: Record<string, string> = {}) =>
  run(process.execPath, [join(projectRoot, 'infra/cli/deploy.ts'), ...args], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  }).then(
    ({ stdout }) => stdout,
    (error: { stderr: string }) => Promise.reject(new Error(error.stderr)),
  );

test.each(['staging', 'production'])(
  'a dry run for %s builds, shows what is bound, and changes nothing',
  async (name) => {
    const said = await deploy(['--env', name, '--dry-run']);
    for (const words of [
      'SESSIONS (SessionObject)',
      'METER (MeterObject)',
      'env.ASSETS',
      'EDGEWISE_CORE_URL',
    ])
      expect(said).toContain(words);
    expect(said).toContain(`Nothing was changed. Without --dry-run this goes to ${name}.`);
  },
);

test('an environment that is not there, or that nobody named, is said to be', async () => {
  await expect(deploy(['--env', 'nowhere', '--dry-run'])).rejects.toThrow('nowhere');
  await expect(deploy([])).rejects.toThrow('npm run deploy -- --env');
});

describe.skipIf(lacksPostgres())('the tables', () => {
  let postgres: PostgresService;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.stop());

  test('that a database lacks are named by a dry run, and none once they are there', async () => {
    const env = { DATABASE_URL: postgres.url };
    expect(await deploy(['--env', 'staging', '--dry-run'], env)).toMatch(
      /Migrations to run: 0000_keys, 0001_/,
    );
    const connection = await connectPostgres(postgres.url);
    await bringUpToDate(connection);
    await connection.close();
    expect(await pendingMigrations(postgres.url, migrationsFolder)).toEqual([]);
    expect(await deploy(['--env', 'staging', '--dry-run'], env)).toContain('The tables are up to date.');
  });
});
