/**
 * Copies of answers in the memory of this isolate. Bounded in number and bytes; each expires after
 * {@link MAX_AGE_MS}, so that a removal takes effect in every isolate by then.
 */

import { createLruCache } from '../../shared/lru-cache.ts';
import type { AnswerEntry } from './answer-store.ts';

export interface IsolateAnswers {
  /** The fresh answer of the first scope that has one. O(1) per scope. */
  find(tenant: string, key: string, scopes: readonly string[]): AnswerEntry | undefined;
  keep(tenant: string, entry: AnswerEntry): void;
  clear(tenant: string): void;
  /** Counted as two bytes per character. */
  readonly bytes: number;
}

const MAX_ENTRIES = 1000;
const MAX_AGE_MS = 60_000;

/** @param now Unix time in milliseconds */
export function createIsolateAnswers(maxBytes: number, now: () => number): IsolateAnswers {
  const answers = createLruCache<AnswerEntry>({
    maxEntries: MAX_ENTRIES,
    maxBytes,
    bytesOf: (entry, name) => 2 * (name.length + JSON.stringify(entry).length),
    now,
  });

  return {
    find(tenant, key, scopes) {
      for (const scope of scopes) {
        const entry = answers.get(nameOf(tenant, key, scope));
        if (entry) return entry;
      }
      return undefined;
    },
    keep(tenant, entry) {
      const ttl = Math.min(MAX_AGE_MS, entry.freshUntilMs - now());
      answers.set(nameOf(tenant, entry.key, entry.scope), entry, ttl);
    },
    clear(tenant) {
      const prefix = nameOf(tenant, '', '');
      for (const name of answers.keys()) if (name.startsWith(prefix)) answers.delete(name);
    },
    get bytes() {
      return answers.bytes;
    },
  };
}

function nameOf(tenant: string, key: string, scope: string): string {
  // A tenant may contain any character, so its length comes first; the key has a fixed length.
  return `${tenant.length}:${tenant}${key}${scope}`;
}
