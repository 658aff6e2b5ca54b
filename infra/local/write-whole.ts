import { rename, writeFile } from 'node:fs/promises';

/** Writes a file beside its place and moves it there: what is broken off while it writes must not pass for the whole. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, path);
}
