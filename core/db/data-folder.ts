/**
 * A folder that holds data of ours: private to its owner, and open in one process at a time. The lock is SQLite's, which is
 * the operating system's (`fcntl`, "File Locking And Concurrency In SQLite Version 3"): it ends with the process, however
 * that ends, and holds between containers that share the folder on one machine.
 */
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DataFolder {
  /** Lets another process open the folder. */
  close(): Promise<void>;
}

/** For a person to read: it says which folder, why, and what to do. */
export class DataFolderError extends Error {}

/**
 * Creates the folder where it does not exist, with mode 0700, and locks it by the file `edgewise.lock` in it; `edgewise.pid`
 * names the holder for the error message.
 * @throws DataFolderError when another process has the folder open, or when others can read it and that
 * cannot be changed
 */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  await makePrivate(folder);
  const pidFile = join(folder, PID_FILE);
  const lock = new DatabaseSync(join(folder, LOCK_FILE));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    const holder = (await readFile(pidFile, 'utf8').catch(() => '')).trim();
    throw new DataFolderError(
      `Edgewise has the folder ${folder} open already${holder === '' ? '' : ` (process ${holder})`}. Stop it, or use another folder.`,
    );
  }
  await writeFile(pidFile, String(process.pid), { mode: 0o600 });
  return {
    async close() {
      await rm(pidFile, { force: true });
      lock.close();
    },
  };
}

const LOCK_FILE = 'edgewise.lock';
const PID_FILE = 'edgewise.pid';
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Creates the folder, and takes every right of other users from it. A mounted volume may belong to somebody else; it is
 * accepted when others have no right on it.
 * @throws DataFolderError when they keep their rights
 */
export async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if ((mode & 0o077) === 0) return;
  try {
    await chmod(folder, 0o700);
  } catch (error) {
    if ((mode & 0o007) === 0) return;
    throw new DataFolderError(
      `Other users of this machine can read ${folder}, and its mode cannot be changed. Run as its owner, or use another folder.`,
      { cause: error },
    );
  }
}

/**
 * Moves everything but the lock, and what was set aside before, to a new folder in this one.
 * @returns the new folder
 */
export async function setContentsAside(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => !/^(?:edgewise\.|damaged-)/.test(name));
  const aside = join(folder, `damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`);
  await mkdir(aside, { mode: 0o700 });
  for (const name of names) await rename(join(folder, name), join(aside, name));
  return aside;
}
