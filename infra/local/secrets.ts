import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalSecrets } from './settings.ts';

/**
 * Reads `secrets.json` of the data folder, which only its owner can read; creates it on first use.
 * @throws Error when the file has other contents
 */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  const path = join(dataDir, 'secrets.json');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const made: LocalSecrets = { jwtSecret: newSecret(), serviceSecret: newSecret(), stateSecret: newSecret() };
  try {
    // Exclusive: when two commands start at once, one creates the file and the other reads it.
    await writeFile(path, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await chmod(path, 0o600);
  const read: Partial<LocalSecrets> = JSON.parse(await readFile(path, 'utf8'));
  const { jwtSecret, serviceSecret, stateSecret } = read;
  if (typeof jwtSecret === 'string' && typeof serviceSecret === 'string') {
    if (typeof stateSecret === 'string') return { jwtSecret, serviceSecret, stateSecret };
    // The file is older than sealed states.
    const completed = { jwtSecret, serviceSecret, stateSecret: made.stateSecret };
    await writeFile(path, `${JSON.stringify(completed, null, 2)}\n`);
    return completed;
  }
  throw new Error(`${path} holds no secrets of Edgewise. Move it away, and new ones are created.`);
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
