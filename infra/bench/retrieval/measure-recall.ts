/** How often the passage that answers a question is among the first five found, by each ranking alone and by both. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { connectEmbedded, createDatabase } from '../../../core/db/database.ts';
import { chunks } from '../../../core/db/schema.ts';
import { createDocumentReader } from '../../../core/knowledge/document-reader.ts';
import { createDocuments } from '../../../core/knowledge/documents.ts';
import { builtInEmbedder } from '../../../core/search/built-in-embedder.ts';
import { createSearch } from '../../../core/search/search.ts';
import { projectRoot } from '../../local/settings.ts';

export const rankings = { 'vectors only': 'vectors', 'text only': 'words', hybrid: undefined } as const;
export type Ranking = keyof typeof rankings;

export interface RecallResult {
  questions: number;
  /** Of all questions, 0 to 1. */
  recallAt5: Record<Ranking, number>;
  /** Questions that the hybrid ranking misses. */
  missed: string[];
}

const TOP = 5;
const owner = { tenant: 'bench', user: 'bench' };

export async function measureRecall(): Promise<RecallResult> {
  const database = createDatabase(() => connectEmbedded(undefined), true);
  const onError = (error: unknown) => {
    throw error;
  };
  const search = createSearch({ database, embedder: builtInEmbedder, now: Date.now, onError });
  const newId = () => crypto.randomUUID();
  const documents = createDocuments({
    database,
    search,
    reader: createDocumentReader(),
    now: Date.now,
    newId,
  });
  for (const name of ['faq.en.md', 'faq.zh.md']) {
    const bytes = await readFile(join(projectRoot, 'infra/config/knowledge', name));
    await documents.ingest(owner, { name, type: 'text/markdown', bytes, isShared: true });
  }
  const questions = await readQuestions();
  const found: Record<Ranking, number> = { 'vectors only': 0, 'text only': 0, hybrid: 0 };
  const missed: string[] = [];
  for (const { question, heading } of questions) {
    for (const ranking of Object.keys(rankings) as Ranking[]) {
      const where = sql`${chunks.kind} = 'document'`;
      const best = await search.find({
        tenant: owner.tenant,
        text: question,
        where,
        limit: TOP,
        by: rankings[ranking],
      });
      const isFound = best.some((chunk) => chunk.heading.split(' > ').at(-1) === heading);
      if (isFound) found[ranking]++;
      else if (ranking === 'hybrid') missed.push(question);
    }
  }
  await database.close();
  const recallAt5 = Object.fromEntries(
    Object.entries(found).map(([ranking, count]) => [ranking, count / questions.length]),
  ) as Record<Ranking, number>;
  return { questions: questions.length, recallAt5, missed };
}

async function readQuestions(): Promise<{ question: string; heading: string }[]> {
  const text = await readFile(join(import.meta.dirname, 'questions.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [question = '', heading = ''] = line.split(' => ');
    return { question, heading };
  });
}
