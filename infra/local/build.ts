/** Builds the edge: the Worker, bundled by wrangler, and its static assets. */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { questionWords } from '../../edge/cache/meaning/question-words.ts';
import { bindingsSchema } from '../../edge/variables.ts';
import type { TokenEncoding } from '../../shared/model/token-count.ts';
import { buildWeb } from './build-web.ts';
import { assetsDir, edgeVariablesFile, workerBundle } from './bundle-paths.ts';
import { characterTable } from './filter-assets.ts';
import { buildWordLists } from './policy-assets.ts';
import { projectRoot } from './settings.ts';
import { runWrangler } from './wrangler.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

export interface BuildOptions {
  /** Without minification: functions keep their names. */
  isReadable?: boolean;
  /** Path of the Worker; where `npm start` and `npm run edge` find it by default. */
  bundle?: string;
}

/**
 * Two builds at once do not disturb each other, and a reader never sees a partial bundle: it is renamed into place.
 * @throws Error with wrangler's error output
 */
export async function buildEdge({
  isReadable = false,
  bundle = workerBundle,
}: BuildOptions = {}): Promise<void> {
  await buildAssets();
  await mkdir(dirname(bundle), { recursive: true });
  const outDir = await mkdtemp(join(projectRoot, 'dist/build-'));
  // Profiles show the names that functions have in the bundle.
  const minify = isReadable ? ['--no-minify'] : [];
  try {
    await runWrangler(['deploy', '--dry-run', '--outdir', outDir, ...minify]);
    await rename(join(outDir, 'worker.js'), bundle);
    await writeEdgeVariables();
  } catch (error) {
    throw new Error(`The Worker could not be built:\n${(error as Error).message}`);
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}

/** Without those of Workers AI, which only Cloudflare has. */
async function writeEdgeVariables(): Promise<void> {
  const names = Object.keys(bindingsSchema.entries).filter(
    (name) => !name.startsWith('EDGEWISE_WORKERS_AI_'),
  );
  await mkdir(dirname(edgeVariablesFile), { recursive: true });
  await writeFileAtomic(edgeVariablesFile, JSON.stringify(names));
}

/** What is too large for the Worker: pages, tables and word lists of the filter and of questions, tokenizers' vocabularies. */
async function buildAssets(): Promise<void> {
  await writeAsset(join(assetsDir, 'filter'), 'characters', await characterTable());
  await writeAsset(join(assetsDir, 'cache'), 'question-words', questionWords);
  await buildWordLists(join(projectRoot, 'infra/config/word-lists'), join(assetsDir, 'policy'));
  await buildWeb(join(assetsDir, 'web'));
  const folder = join(assetsDir, 'tokenizers');
  await buildVocabulary(folder, 'o200k_base', () => import('gpt-tokenizer/bpeRanks/o200k_base'));
  await buildVocabulary(folder, 'cl100k_base', () => import('gpt-tokenizer/bpeRanks/cl100k_base'));
}

async function buildVocabulary(
  folder: string,
  encoding: TokenEncoding,
  load: () => Promise<{ default: unknown }>,
): Promise<void> {
  if (await stat(join(folder, `${encoding}.json`)).catch(() => undefined)) return;
  await writeAsset(folder, encoding, (await load()).default);
}

async function writeAsset(folder: string, name: string, content: unknown): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, `${name}.json`), JSON.stringify(content));
}
