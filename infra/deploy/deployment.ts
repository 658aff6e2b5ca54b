/**
 * The order of a deployment: tables first, since a migration only adds what the version that runs does not miss; then the
 * edge; then a look at whether it is well, and back to the version before when it is not. Tables are never set back.
 */
export interface DeploymentSteps {
  build(): Promise<void>;
  /** Names of the migrations that the database has not seen; `undefined` where none is named. */
  pendingMigrations(): Promise<string[] | undefined>;
  migrate(): Promise<void>;
  /** The arguments of wrangler, without the environment's. @throws Error in its words */
  wrangler(args: string[]): Promise<string>;
  /** Whether the edge that was deployed answers and reaches its core; `undefined` where no address is given. */
  isWell(): Promise<boolean | undefined>;
  say(line: string): void;
}

export interface DeploymentOptions {
  environment: string;
  isDry: boolean;
  /** Shown by the platform beside the version. */
  message: string;
}

/** @throws Error when a step failed, or when the new version was not well and was taken back */
export async function deploy(
  { environment, isDry, message }: DeploymentOptions,
  { build, pendingMigrations, migrate, wrangler, isWell, say }: DeploymentSteps,
): Promise<void> {
  say('Building the Worker ...');
  await build();
  const pending = await pendingMigrations();
  if (pending === undefined) say('DATABASE_URL is not set: no migrations are looked at.');
  else say(pending.length === 0 ? 'The tables are up to date.' : `Migrations to run: ${pending.join(', ')}`);
  if (isDry) {
    say(await wrangler(['deploy', '--dry-run']));
    return say(`Nothing was changed. Without --dry-run this goes to ${environment}.`);
  }
  if (pending && pending.length > 0) {
    await migrate();
    say('The tables are up to date.');
  }
  say(await wrangler(['deploy', '--message', message]));
  const well = await isWell();
  if (well === undefined) return say('No --url was given: nobody has looked whether it is well.');
  if (well) return say('It is well.');
  say('It is not well: back to the version before.');
  await rollback('it was not well after its deployment', { wrangler, say });
  throw new Error('The deployment was taken back: the new version did not answer well.');
}

/** Back to the version before the newest one. */
export async function rollback(
  message: string,
  { wrangler, say }: Pick<DeploymentSteps, 'wrangler' | 'say'>,
): Promise<void> {
  say(await wrangler(['rollback', '--message', message, '--yes']));
}
