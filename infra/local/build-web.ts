/** Builds the chat page and the operator's page: files with hashed names, each also compressed (Brotli, gzip). */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'vite';
import { projectRoot } from './settings.ts';

const root = join(projectRoot, 'edge/web');

/** File types that the Worker serves compressed; see `edge/http/page-route.ts`. */
const COMPRESSED = /\.(?:html|js|css|svg|webmanifest)$/;

/**
 * Two builds at once do not disturb each other, and a reader never sees a partial file: each is renamed into place,
 * pages after the files that they refer to.
 * @param outDir Output folder. Files of an older build are deleted.
 * @throws Error with the message of vite
 */
export async function buildWeb(outDir: string): Promise<void> {
  await mkdir(join(projectRoot, 'dist'), { recursive: true });
  const temporary = await mkdtemp(join(projectRoot, 'dist/web-'));
  try {
    await bundle(temporary);
    const names = await filesOf(temporary);
    const all = await Promise.all(names.map((name) => compress(temporary, name)));
    const ordered = all.flat().sort((a, b) => rank(a) - rank(b));
    for (const name of ordered) {
      await mkdir(dirname(join(outDir, name)), { recursive: true });
      await rename(join(temporary, name), join(outDir, name));
    }
    const kept = new Set(ordered);
    for (const name of await filesOf(outDir)) if (!kept.has(name)) await rm(join(outDir, name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function bundle(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    // The virtual list (virtua) imports React; Preact replaces it.
    resolve: {
      alias: [
        { find: /^react(?:-dom)?$/, replacement: 'preact/compat' },
        { find: 'react/jsx-runtime', replacement: 'preact/jsx-runtime' },
      ],
    },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: ['chrome111', 'firefox121', 'safari16.4'],
      // Inlined files would need a weaker content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: { index: join(root, 'index.html'), admin: join(root, 'admin.html') },
      },
    },
  });
}

/** @returns the names of the file and of its compressed copies */
async function compress(folder: string, name: string): Promise<string[]> {
  if (!COMPRESSED.test(name)) return [name];
  const bytes = await readFile(join(folder, name));
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  await writeFile(join(folder, `${name}.br`), await promisify(brotliCompress)(bytes, { params }));
  await writeFile(join(folder, `${name}.gz`), await promisify(gzip)(bytes, { level: 9 }));
  return [name, `${name}.br`, `${name}.gz`];
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function rank(name: string): number {
  return /\.html/.test(name) ? 1 : 0;
}
