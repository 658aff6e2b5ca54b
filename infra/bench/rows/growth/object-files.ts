/** Where workerd keeps the Durable Objects of a class: each in a SQLite file of its own. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the paths of those that there are */
export function objectFiles(dataDir: string, className: string): string[] {
  const dir = join(dataDir, `edge/durable-objects/edgewise-${className}`);
  // Their alarms are in a file of their own.
  const isObject = (file: string) => file.endsWith('.sqlite') && file !== 'metadata.sqlite';
  return readdirSync(dir)
    .filter(isObject)
    .map((file) => join(dir, file));
}
