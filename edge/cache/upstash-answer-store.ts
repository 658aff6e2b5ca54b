/** Answers in Upstash Redis: one string per question and scope, with an expiry. */
import { AppError } from '../../shared/errors.ts';
import { connectRedis } from '../redis.ts';
import type { AnswerEntry, AnswerStore, RemovedAnswers } from './answer-store.ts';

export interface UpstashAnswerStoreOptions {
  url: string;
  token: string;
  /** Unix time in milliseconds. */
  now: () => number;
}

/** Keys per step of a removal. */
const SCAN_COUNT = 500;

export function createUpstashAnswerStore({ url, token, now }: UpstashAnswerStoreOptions): AnswerStore {
  // Answers are JSON already.
  const redis = connectRedis({ url, token });

  async function run<T>(command: Promise<T>): Promise<T> {
    try {
      return await command;
    } catch (cause) {
      throw new AppError('store_unavailable', { cause });
    }
  }

  return {
    async find(tenant, key, scopes) {
      const names = scopes.map((scope) => nameOf(tenant, key, scope));
      const bodies = await run(redis.mget<(string | null)[]>(...names));
      const entries = bodies.flatMap((body): AnswerEntry[] => (body === null ? [] : [JSON.parse(body)]));
      return entries.find((entry) => entry.staleUntilMs > now());
    },

    async keep(tenant, entry) {
      const px = Math.max(1, Math.ceil(entry.staleUntilMs - now()));
      await run(redis.set(nameOf(tenant, entry.key, entry.scope), JSON.stringify(entry), { px }));
    },

    async remove(tenant, { key, model, user }) {
      const match = `${escapeGlob(prefixOf(tenant) + (key === undefined ? '' : `{${key}}:`))}*`;
      let removed = 0;
      let cursor = '0';
      do {
        const [next, names] = await run(redis.scan(cursor, { match, count: SCAN_COUNT }));
        cursor = String(next);
        const matching =
          model === undefined && user === undefined ? names : await matchingNames(names, { model, user });
        if (matching.length > 0) removed += await run(redis.del(...matching));
      } while (cursor !== '0');
      return removed;
    },
  };

  async function matchingNames(names: string[], { model, user }: RemovedAnswers): Promise<string[]> {
    if (names.length === 0) return [];
    const bodies = await run(redis.mget<(string | null)[]>(...names));
    return names.filter((_, index) => {
      const body = bodies[index];
      if (typeof body !== 'string') return false;
      const entry: AnswerEntry = JSON.parse(body);
      const isOfUser = user === undefined || entry.scope === user || entry.askedBy === user;
      return isOfUser && (model === undefined || entry.model === model);
    });
  }
}

function prefixOf(tenant: string): string {
  return `edgewise:answer:${encodeURIComponent(tenant)}:`;
}

/** The braces keep a question's scopes on one node of a Redis cluster. */
function nameOf(tenant: string, key: string, scope: string): string {
  return `${prefixOf(tenant)}{${key}}:${encodeURIComponent(scope)}`;
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
