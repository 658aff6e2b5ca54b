import { rename, writeFile } from 'node:fs/promises';

/** Writes to a temporary file beside the target and renames it: a reader never sees a partial file. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, path);
}
