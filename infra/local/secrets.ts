import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivate } from '../../core/db/data-folder.ts';
import { reportProgress } from './command.ts';
import type { LocalSecrets } from './settings.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/**
 * Reads `secrets.json` of the data folder, which only its owner can read; creates it on first use. A file that cannot be read
 * as secrets is set aside, and the terminal shows what follows from that.
 */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  const path = join(dataDir, 'secrets.json');
  await makePrivate(dataDir);
  const known = await readSecrets(path);
  if (known !== undefined && known !== 'damaged') return known;
  if (known === 'damaged') {
    const aside = `${path}.damaged-${Date.now()}`;
    await rename(path, aside);
    reportProgress(
      `${path} holds no secrets of Edgewise. It is now ${aside}, and new secrets are made: ` +
        'tokens and sealed conversations from before are no longer accepted.',
    );
  }
  const made: LocalSecrets = { jwtSecret: newSecret(), serviceSecret: newSecret(), stateSecret: newSecret() };
  // Whole or not at all; and when two commands start at once, the file of one is what both read.
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  try {
    await link(part, path);
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await localSecrets(dataDir);
  } finally {
    await rm(part, { force: true });
  }
}

async function readSecrets(path: string): Promise<LocalSecrets | 'damaged' | undefined> {
  try {
    const { jwtSecret, serviceSecret, stateSecret }: Partial<LocalSecrets> = JSON.parse(
      await readFile(path, 'utf8'),
    );
    if (typeof jwtSecret !== 'string' || typeof serviceSecret !== 'string') return 'damaged';
    if (typeof stateSecret === 'string') return { jwtSecret, serviceSecret, stateSecret };
    // The file is older than sealed states.
    const completed = { jwtSecret, serviceSecret, stateSecret: newSecret() };
    await writeFileAtomic(path, `${JSON.stringify(completed, null, 2)}\n`, 0o600);
    return completed;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return 'damaged';
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
