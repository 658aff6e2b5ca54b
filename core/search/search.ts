/**
 * Finds what was said or written about a text: by its words and by its vector, both rankings made one. Keeps the vectors up to
 * date; who may see what is the caller's condition, and the tenant's rows alone are ever looked at.
 */
import { setImmediate as nextTick } from 'node:timers/promises';
import { and, type SQL } from 'drizzle-orm';
import { createKeyedSerialQueue } from '../../shared/stream/serial-queue.ts';
import type { Database, Tables } from '../db/database.ts';
import { hasVectorTable } from '../db/vectors.ts';
import type { Caller } from '../models/caller.ts';
import { builtInEmbedder } from './built-in-embedder.ts';
import { type Chunk, findByVector, findByWords, keepVectors, withoutVector } from './chunk-store.ts';
import { type Embedder, embeddingText } from './embedder.ts';
import { rankByWords } from './rank-by-words.ts';
import { fuseRankings } from './reciprocal-rank-fusion.ts';

export interface SearchQuery {
  tenant: string;
  text: string;
  /** What may be found. */
  where: SQL;
  limit: number;
  /** How near a vector must be, at least; `related` without it. */
  nearness?: 'related' | 'close';
  /** Which rankings count; both without it. */
  by?: 'words' | 'vectors' | undefined;
}

export interface Search {
  /** Best first. @throws AppError `database_unavailable` */
  find(query: SearchQuery): Promise<Chunk[]>;
  /** Whether vectors are kept, and come from the built-in embedder: whoever adds chunks may then add theirs with them. */
  keepsBuiltInVectors(): Promise<boolean>;
  /** Makes the vectors that a tenant's chunks still lack, as far as the embedder can be had. Never rejects. */
  embedNew(tenant: string): Promise<void>;
}

export interface SearchOptions {
  database: Database;
  embedder: Embedder;
  now: () => number;
  onError: (error: unknown) => void;
}

/** Places of each ranking that count. */
const RANKED = 50;
const WORD_CANDIDATES = 150;
/** A question does not wait longer for its vector: its words find something, too. */
const QUERY_EMBED_MS = 1500;
const EMBED_MS = 60_000;
const EMBED_AT_ONCE = 64;
/** Vectors of one transaction: some 20 ms of the embedded database's time. */
const KEEP_AT_ONCE = 8;
/** Of a long prompt the end says what it is about. */
const MAX_QUERY_CHARS = 4000;

export function createSearch({ database, embedder, now, onError }: SearchOptions): Search {
  let vectors: Promise<boolean> | undefined;
  /** By tenant: two at a time would make the same vectors twice. */
  const embedding = createKeyedSerialQueue();

  function hasVectors(): Promise<boolean> {
    vectors ??= database.acrossTenants(hasVectorTable).catch((error) => {
      vectors = undefined;
      throw error;
    });
    return vectors;
  }

  async function vectorOf(tenant: string, text: string): Promise<number[] | undefined> {
    if (!(await hasVectors())) return undefined;
    const caller: Caller = { tenant, priority: 'interactive', deadlineMs: now() + QUERY_EMBED_MS };
    try {
      const [vector] = await embedder.embed([text], caller, AbortSignal.timeout(QUERY_EMBED_MS));
      return vector?.some((value) => value !== 0) ? vector : undefined;
    } catch (error) {
      onError(error);
      return undefined;
    }
  }

  async function embedAll(tenant: string): Promise<void> {
    if (!(await hasVectors())) return;
    for (;;) {
      const next = await database.withTenant(tenant, (tables) => withoutVector(tables, EMBED_AT_ONCE));
      if (next.length === 0) return;
      const caller: Caller = { tenant, priority: 'background', deadlineMs: now() + EMBED_MS };
      const texts = next.map(embeddingText);
      const made = await embedder.embed(texts, caller, AbortSignal.timeout(EMBED_MS));
      const paired = next.map(({ id }, index) => ({ id, vector: made[index] ?? [] }));
      for (let start = 0; start < paired.length; start += KEEP_AT_ONCE) {
        const vectors = paired.slice(start, start + KEEP_AT_ONCE);
        await database.withTenant(tenant, (tables) =>
          keepVectors(tables, tenant, { embedder: embedder.name, vectors }),
        );
        // The embedded database works in this thread: streams go on between two slices.
        await nextTick();
      }
    }
  }

  return {
    async find({ tenant, text: whole, where, limit, nearness = 'related', by }) {
      const text = whole.slice(-MAX_QUERY_CHARS).replaceAll('\0', ' ');
      const vector = by === 'words' ? undefined : await vectorOf(tenant, text);
      const rankings = await database.withTenant(tenant, async (tables: Tables) => {
        const { name } = embedder;
        const minCosine = embedder.minCosine[nearness];
        const near =
          vector && (await findByVector(tables, where, { embedder: name, vector, minCosine, limit: RANKED }));
        const worded = by === 'vectors' ? [] : await findByWords(tables, text, where, WORD_CANDIDATES);
        return [rankByWords(worded, text).slice(0, RANKED), near ?? []];
      });
      const byId = new Map(rankings.flat().map((chunk) => [chunk.id, chunk]));
      return fuseRankings(rankings.map((ranking) => ranking.map(({ id }) => id)))
        .slice(0, limit)
        .flatMap(({ item }) => byId.get(item) ?? []);
    },

    keepsBuiltInVectors: async () => embedder === builtInEmbedder && (await hasVectors()),

    embedNew(tenant) {
      return embedding.run(tenant, () => embedAll(tenant)).catch(onError);
    },
  };
}

/** All of these conditions. */
export function allOf(...conditions: (SQL | undefined)[]): SQL {
  return and(...conditions) as SQL;
}
