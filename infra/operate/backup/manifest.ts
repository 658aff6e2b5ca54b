/** The manifest of a backup, encrypted like its other files. A backup is a folder named after its start time. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { SealError, sealTo, unseal } from './sealed-file.ts';

const file = v.object({ bytes: v.number(), sha256: v.string() });
const schema = v.object({
  version: v.literal(1),
  name: v.string(),
  startedAtMs: v.number(),
  endedAtMs: v.number(),
  serverVersion: v.string(),
  tables: v.record(v.string(), v.object({ rows: v.number(), sum: v.string() })),
  files: v.object({ 'database.dump': file, 'files.json': file }),
});
export type Manifest = v.InferOutput<typeof schema>;
export type BackupFile = keyof Manifest['files'];

const MANIFEST = 'manifest.json';

/** The name that a file is sealed under, so that it opens only as part of its own backup. */
export function sealName(backup: string, name: string): string {
  return `${backup}/${name}`;
}

/** `2026-11-21T03-00-00Z` */
export function backupName(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

/** @returns `undefined` when this is not the name of a backup */
export function timeOfBackup(name: string): number | undefined {
  const [, day, hour, minute, second] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z$/.exec(name) ?? [];
  return day === undefined ? undefined : Date.parse(`${day}T${hour}:${minute}:${second}Z`);
}

/** Names of the backups in a folder, newest first. */
export async function listBackups(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => timeOfBackup(name) !== undefined)
    .sort()
    .reverse();
}

export async function writeManifest(folder: string, manifest: Manifest, key: Buffer): Promise<void> {
  const text = Buffer.from(JSON.stringify(manifest));
  await sealTo(join(folder, `${MANIFEST}.sealed`), once(text), {
    key,
    name: sealName(manifest.name, MANIFEST),
  });
}

/** @throws SealError when it is not the manifest of that backup */
export async function readManifest(folder: string, name: string, key: Buffer): Promise<Manifest> {
  const pieces: Buffer[] = [];
  for await (const piece of unseal(join(folder, `${MANIFEST}.sealed`), {
    key,
    name: sealName(name, MANIFEST),
  }))
    pieces.push(piece);
  const parsed = v.safeParse(schema, JSON.parse(Buffer.concat(pieces).toString('utf8')));
  if (!parsed.success) throw new SealError(`${name} was made by another version of Edgewise.`);
  return parsed.output;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
