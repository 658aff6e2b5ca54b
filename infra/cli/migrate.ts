/** `npm run migrate`: brings the tables of `DATABASE_URL` up to date. The embedded database does so by itself. */
import { bringUpToDate, connectPostgres } from '../../core/db/database.ts';
import { runMain } from '../local/run-main.ts';

await runMain(async () => {
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
});
