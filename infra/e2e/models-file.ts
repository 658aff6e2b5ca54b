/**
 * The models of most tests: those of `infra/config/models.toml`, each asked once, alone in its ladder, and its failure told as it is. What the ladder
 * makes of a failure has tests of its own.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../local/settings.ts';

const PLAIN = `[dispatch]
max_retries = 0
last_resort = "none"
breaker = { failures = 1000000 }
`;

/** @returns its path */
export async function writePlainModelsFile(dir: string): Promise<string> {
  const path = join(dir, 'models.toml');
  const text = await readFile(join(projectRoot, 'infra/config/models.toml'), 'utf8');
  await writeFile(path, `${PLAIN}\n${text.replace(/^(?:smart|fast) = .*$/gm, '')}`);
  return path;
}
