/**
 * The registry in force. Reads the models file again when it changes; a broken edit keeps the registry
 * that was good and is reported in the log and in {@link LiveRegistry.fault}.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { createIdleTimer } from '../../shared/stream/idle-timer.ts';
import { type ModelsFile, ModelsFileError, parseModelsFile } from './models-file.ts';
import { createRegistry, type Registry, type RegistryOptions } from './registry.ts';

export interface LiveRegistryOptions extends Omit<RegistryOptions, 'file'> {
  path: string;
  onReload: (fault: string | undefined) => void;
}

export interface LiveRegistry {
  readonly current: Registry;
  /** What is wrong with the file on disk, when the registry in force is older than it. */
  readonly fault: string | undefined;
  close(): void;
}

/** Editors write in several steps; only what is there after a pause is read. */
const SETTLE_MS = 50;

/** @throws ModelsFileError when the file is broken at the start, or cannot be read */
export async function openLiveRegistry(options: LiveRegistryOptions): Promise<LiveRegistry> {
  const { path, onReload, ...rest } = options;
  const label = relative(process.cwd(), path);
  async function read(): Promise<ModelsFile> {
    const text = await readFile(path, 'utf8').catch(() => {
      throw new ModelsFileError([`${label} cannot be read`]);
    });
    return parseModelsFile(text, label);
  }
  let current = createRegistry({ ...rest, file: await read() });
  let fault: string | undefined;

  async function reload(): Promise<void> {
    try {
      current = createRegistry({ ...rest, file: await read() });
      fault = undefined;
    } catch (error) {
      // A file that is gone for a moment is an editor at work; the next event shows.
      fault = error instanceof ModelsFileError ? error.message : `${label} cannot be put in force`;
    }
    onReload(fault);
  }

  const watcher = watchFile(path, () => void reload());
  return {
    get current() {
      return current;
    },
    get fault() {
      return fault;
    },
    close: () => watcher.close(),
  };
}

/** The link that Kubernetes turns to the new version of a mounted ConfigMap; the file itself is not touched. */
const MOUNTED_VERSION = '..data';

/** Watches the folder, since many editors replace a file instead of writing it. */
function watchFile(path: string, onChange: () => void): Pick<FSWatcher, 'close'> {
  const timer = createIdleTimer(onChange);
  const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
    if (name !== null && name !== basename(path) && name !== MOUNTED_VERSION) return;
    timer.expect(SETTLE_MS);
  });
  return {
    close() {
      timer.stop();
      watcher.close();
    },
  };
}
