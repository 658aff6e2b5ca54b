import { bringUpToDate, connectPostgres } from '../../core/db/database.ts';
import { runCommand } from '../local/command.ts';

await runCommand({
  name: 'npm run migrate',
  summary: 'Runs the pending migrations of a PostgreSQL database. The embedded database migrates itself.',
  environment: { DATABASE_URL: 'postgres:// address of the database (required)' },
  example: 'DATABASE_URL=postgres://... npm run migrate',
  async run() {
    const url = process.env.DATABASE_URL;
    if (!url) throw new Error('DATABASE_URL is missing: the postgres:// address of the database.');
    const connection = await connectPostgres(url);
    try {
      await bringUpToDate(connection);
    } catch (error) {
      const { cause } = error as Error;
      throw new Error(
        `The tables could not be brought up to date: ${(cause as Error)?.message ?? (error as Error).message}`,
      );
    } finally {
      await connection.close();
    }
    console.log('The tables are up to date.');
  },
});
