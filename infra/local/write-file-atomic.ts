import { rename, writeFile } from 'node:fs/promises';

/**
 * Writes to a temporary file beside the target and renames it: a reader never sees a partial file.
 * @param mode Permissions of the file; those of the process's mask by default
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode?: number,
): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, content, { mode });
  await rename(part, path);
}
