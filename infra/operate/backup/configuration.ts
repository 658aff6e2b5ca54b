/** The configuration files of a deployment: models, knowledge, word lists, settings. Secrets are left out. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** By the path that each file gets in a restore. */
export type ConfigurationFiles = Record<string, Buffer>;

/** Secrets belong in the secret store of the platform. */
const secret = /SECRET|_KEYS?$|TOKEN$|PASSWORD|DATABASE_URL|REDIS_URL/;

export async function readConfiguration(root: string, env: Environment): Promise<ConfigurationFiles> {
  const files: ConfigurationFiles = {};
  const add = async (place: string, path: string) => {
    for (const [below, content] of await readTree(path)) files[below ? `${place}/${below}` : place] = content;
  };
  await add('models.toml', env.EDGEWISE_MODELS_FILE || join(root, 'infra/config/models.toml'));
  await add('knowledge', env.EDGEWISE_KNOWLEDGE_DIR || join(root, 'infra/config/knowledge'));
  await add('policy', join(root, 'infra/config/word-lists'));
  await add('wrangler.toml', join(root, 'wrangler.toml'));
  const settings = Object.entries(env)
    .filter(([name, value]) => /^(?:EDGEWISE|CORE)_/.test(name) && !secret.test(name) && value)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  files['environment.json'] = Buffer.from(`${JSON.stringify(Object.fromEntries(settings), null, 2)}\n`);
  return files;
}

export function encodeConfiguration(files: ConfigurationFiles): Buffer {
  const encoded = Object.entries(files).map(([place, content]) => [place, content.toString('base64')]);
  return Buffer.from(JSON.stringify(Object.fromEntries(encoded)));
}

export function decodeConfiguration(bytes: Buffer): ConfigurationFiles {
  const encoded = JSON.parse(bytes.toString('utf8')) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(encoded).map(([place, content]) => [place, Buffer.from(content, 'base64')]),
  );
}

/** @throws Error when a path leads out of the folder */
export async function writeConfiguration(folder: string, files: ConfigurationFiles): Promise<void> {
  for (const [place, content] of Object.entries(files)) {
    const path = resolve(folder, place);
    if (!path.startsWith(resolve(folder) + sep)) throw new Error(`"${place}" is outside of ${folder}.`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { mode: 0o600 });
  }
}

/** One file, or every file below a folder with its relative path; an empty list when the path does not exist. */
async function readTree(path: string): Promise<[below: string, content: Buffer][]> {
  try {
    return [['', await readFile(path)]];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code !== 'EISDIR') throw error;
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }): Promise<[string, Buffer]> => {
        const full = join(parentPath, name);
        return [relative(path, full).replaceAll(sep, '/'), await readFile(full)];
      }),
  );
}
