/** The edge's configuration for `workerd serve`: what wrangler.toml says for the cloud, said for one machine. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assetsDir as builtAssets, workerBundle } from './bundle-paths.ts';

export interface WorkerdOptions {
  /** Where the configuration and the Durable Objects' storage go. */
  dir: string;
  /** The address to listen on; this machine's own without one. */
  host?: string;
  port: number;
  /** The Worker; the built one without. */
  bundle?: string;
  /** Names of the text bindings; their values are read from workerd's environment, so that no secret is written down. */
  bindings: string[];
  /** Static assets in place of those of the build. */
  assetsDir?: string;
}

/** Keep in step with wrangler.toml; `infra/architecture.test.ts` compares them. */
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
  // Embedded files are named relative to the configuration.
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
