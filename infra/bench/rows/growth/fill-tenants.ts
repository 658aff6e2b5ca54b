/**
 * Lays tenants beneath a stopped edge, as many as are wanted: for each a file of its own among those of the objects that
 * keep its limits. The files are names for those of tenants that have asked.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file may have 65,000 names on ext4. */
const NAMES_OF_ONE = 50_000;

/** @throws Error when there are too few tenants to begin with */
export function layTenants(dataDir: string, size: number): void {
  const dir = join(dataDir, 'edge/durable-objects/edgewise-MeterObject');
  // The objects' alarms are in a file of their own.
  const files = readdirSync(dir).filter((file) => file.endsWith('.sqlite') && file !== 'metadata.sqlite');
  if (files.length * NAMES_OF_ONE < size) throw new Error(`${files.length} tenants cannot stand for ${size}`);
  for (let laid = files.length; laid < size; laid++) {
    const file = files[laid % files.length] as string;
    const name = randomBytes(file.indexOf('.') / 2).toString('hex');
    linkSync(join(dir, file), join(dir, `${name}.sqlite`));
  }
}
