/**
 * Lays tenants beneath a stopped edge, as many as are wanted: for each a file of its own among those of the objects that
 * keep its limits. The files are names for those of tenants that have asked.
 */
import { randomBytes } from 'node:crypto';
import { linkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { objectFiles } from './object-files.ts';

/** A file may have 65,000 names on ext4. */
const NAMES_OF_ONE = 50_000;

/** @throws Error when there are too few tenants to begin with */
export function layTenants(dataDir: string, size: number): void {
  const files = objectFiles(dataDir, 'MeterObject');
  if (files.length * NAMES_OF_ONE < size) throw new Error(`${files.length} tenants cannot stand for ${size}`);
  for (let laid = files.length; laid < size; laid++) {
    const file = files[laid % files.length] as string;
    const name = randomBytes(basename(file, '.sqlite').length / 2).toString('hex');
    linkSync(file, join(dirname(file), `${name}.sqlite`));
  }
}
