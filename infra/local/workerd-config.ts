/** The configuration of `workerd serve`: the counterpart of wrangler.toml for one machine. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assetsDir as builtAssets, workerBundle } from './bundle-paths.ts';

export interface WorkerdOptions {
  /** Folder for the configuration and the storage of the Durable Objects. */
  dir: string;
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string;
  port: number;
  /** Path of the Worker; the built one by default. */
  bundle?: string;
  /** Names of the text bindings. workerd reads their values from its environment, so that no file holds a secret. */
  bindings: string[];
  /** Folder of static assets; the built ones by default. */
  assetsDir?: string;
}

/** Keep equal to wrangler.toml; `infra/architecture.test.ts` compares them. */
export const compatibilityDate = '2026-10-20';
export const compatibilityFlags: readonly string[] = ['enable_request_signal'];
export const durableObjects: Readonly<Record<string, string>> = {
  SESSIONS: 'SessionObject',
  DIRECTORY: 'DirectoryObject',
  ANSWERS: 'AnswersObject',
  MEANING: 'MeaningObject',
  METER: 'MeterObject',
  METRICS: 'MetricsObject',
};

/** Writes the configuration. @returns its path */
export async function writeWorkerdConfig({
  dir,
  host = '127.0.0.1',
  port,
  bundle = workerBundle,
  bindings,
  assetsDir = builtAssets,
}: WorkerdOptions): Promise<string> {
  const storage = join(dir, 'durable-objects');
  await mkdir(storage, { recursive: true });
  // `embed` takes paths relative to the configuration.
  await copyFile(bundle, join(dir, 'worker.js'));
  const path = join(dir, 'config.capnp');
  await writeFile(path, toConfig({ storage, host, port, bindings, assetsDir }));
  return path;
}

function toConfig({
  storage,
  host,
  port,
  bindings,
  assetsDir,
}: Omit<Required<WorkerdOptions>, 'dir' | 'bundle'> & { storage: string }): string {
  const objects = Object.entries(durableObjects);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "durable-objects", disk = (path = ${text(storage)}, writable = true)),
    (name = "assets", disk = (path = ${text(assetsDir)})),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = ${text(`${host}:${port}`)}, http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(text).join(', ')}],
  bindings = [
    (name = "ASSETS", service = "assets"),
${objects.map(([name, className]) => `    (name = ${text(name)}, durableObjectNamespace = ${text(className)}),`).join('\n')}
${bindings.map((name) => `    (name = ${text(name)}, fromEnvironment = ${text(name)}),`).join('\n')}
  ],
  durableObjectNamespaces = [
${objects.map(([, className]) => `    (className = ${text(className)}, uniqueKey = ${text(`edgewise-${className}`)}, enableSql = true),`).join('\n')}
  ],
  durableObjectStorage = (localDisk = "durable-objects"),
  globalOutbound = "internet",
);
`;
}

/** A Cap'n Proto text literal. */
function text(value: string): string {
  return JSON.stringify(value);
}
