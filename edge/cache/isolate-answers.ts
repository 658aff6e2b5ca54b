/**
 * The answers nearest to a client: in the memory of this isolate. Bounded in number and in bytes; each is
 * looked up again elsewhere after {@link LONGEST_STAY_MS}, so that a removal reaches every isolate by then.
 */
import QuickLRU from 'quick-lru';
import type { AnswerEntry } from './answer-store.ts';

export interface IsolateAnswers {
  /** The first of the scopes whose answer is fresh. O(1) a scope. */
  find(tenant: string, key: string, scopes: readonly string[]): AnswerEntry | undefined;
  keep(tenant: string, entry: AnswerEntry): void;
  clear(tenant: string): void;
  /** As counted: two bytes a character. */
  readonly bytes: number;
}

interface Kept {
  entry: AnswerEntry;
  /** Unix time in milliseconds. */
  untilMs: number;
  bytes: number;
}

const MAX_ENTRIES = 1000;
const LONGEST_STAY_MS = 60_000;

/** @param now Unix time in milliseconds */
export function createIsolateAnswers(maxBytes: number, now: () => number): IsolateAnswers {
  let bytes = 0;
  const answers = new QuickLRU<string, Kept>({
    // The library keeps up to twice as many.
    maxSize: MAX_ENTRIES / 2,
    onEviction: (_name, kept) => {
      bytes -= kept.bytes;
    },
  });

  function forget(name: string): void {
    bytes -= answers.peek(name)?.bytes ?? 0;
    answers.delete(name);
  }

  return {
    find(tenant, key, scopes) {
      for (const scope of scopes) {
        const kept = answers.get(nameOf(tenant, key, scope));
        if (kept && kept.untilMs > now()) return kept.entry;
      }
      return undefined;
    },
    keep(tenant, entry) {
      const name = nameOf(tenant, entry.key, entry.scope);
      const untilMs = Math.min(now() + LONGEST_STAY_MS, entry.freshUntilMs);
      const size = 2 * (name.length + JSON.stringify(entry).length);
      forget(name);
      // One long answer shall not push out all the others.
      if (untilMs <= now() || size > maxBytes / 16) return;
      bytes += size;
      answers.set(name, { entry, untilMs, bytes: size });
      // Several at once: letting one go takes as long as looking at all.
      while (bytes > maxBytes && answers.size > 1) answers.evict(Math.ceil(answers.size / 16));
    },
    clear(tenant) {
      const prefix = `${JSON.stringify([tenant]).slice(0, -1)},`;
      for (const name of [...answers.keys()]) if (name.startsWith(prefix)) forget(name);
    },
    get bytes() {
      return bytes;
    },
  };
}

function nameOf(tenant: string, key: string, scope: string): string {
  return JSON.stringify([tenant, key, scope]);
}
