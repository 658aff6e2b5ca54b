import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Locks the data folder for this process. A lock whose process no longer runs is replaced.
 * @returns a function that releases the lock
 * @throws Error when another running process holds the lock
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'lock');
  // The folder holds conversations and secrets: only its owner may read it.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!(await claim(path))) {
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && holder !== process.pid && isAlive(holder)) throw held(holder);
    await rm(path, { force: true });
    // When two processes replace a lock at once, only one creates the file.
    if (!(await claim(path))) throw held('another');
  }
  return () => rm(path, { force: true });
}

/** @returns whether this call created the file */
async function claim(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function held(holder: number | string): Error {
  return new Error(
    `Edgewise runs on this data folder already (process ${holder}). Stop it, or set EDGEWISE_DATA to another folder.`,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
