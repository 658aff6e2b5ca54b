/**
 * The steps of a deployment: tables first, since a migration only adds, so that the running version does not break; then
 * the edge; then a health check, and a rollback when it fails. Migrations are never rolled back.
 */
export interface DeploymentSteps {
  build(): Promise<void>;
  /** Names of the migrations that the database lacks; `undefined` when no database is configured. */
  pendingMigrations(): Promise<string[] | undefined>;
  migrate(): Promise<void>;
  /** @param args Without `--env`. @throws Error with the error output of wrangler */
  wrangler(args: string[]): Promise<string>;
  /** Whether the deployed edge answers and reaches its core; `undefined` when no address is given. */
  isHealthy(): Promise<boolean | undefined>;
  print(line: string): void;
}

export interface DeploymentOptions {
  environment: string;
  isDry: boolean;
  /** Description of the version in Cloudflare's list. */
  message: string;
}

/** @throws Error when a step failed, or when the new version was unhealthy and was rolled back */
export async function deploy(
  { environment, isDry, message }: DeploymentOptions,
  { build, pendingMigrations, migrate, wrangler, isHealthy, print }: DeploymentSteps,
): Promise<void> {
  await build();
  const pending = await pendingMigrations();
  if (pending === undefined) print('DATABASE_URL is not set: no migration runs.');
  else
    print(pending.length === 0 ? 'The tables are up to date.' : `Migrations to run: ${pending.join(', ')}`);
  if (isDry) {
    print(await wrangler(['deploy', '--dry-run']));
    return print(`Nothing was changed. Without --dry-run this goes to ${environment}.`);
  }
  if (pending && pending.length > 0) {
    await migrate();
    print('The tables are up to date.');
  }
  print(await wrangler(['deploy', '--message', message]));
  const isUp = await isHealthy();
  if (isUp === undefined) return print('No --url was given: the new version is not checked.');
  if (isUp) return print('The new version is healthy.');
  print('The new version is not healthy: rolling back.');
  await rollback('unhealthy after its deployment', { wrangler, print });
  throw new Error('The deployment was rolled back: the new version did not pass its health check.');
}

/** Puts the previous version back. */
export async function rollback(
  message: string,
  { wrangler, print }: Pick<DeploymentSteps, 'wrangler' | 'print'>,
): Promise<void> {
  print(await wrangler(['rollback', '--message', message, '--yes']));
}
