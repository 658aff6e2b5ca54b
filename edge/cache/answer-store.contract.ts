/** What every {@link AnswerStore} must do; run over each implementation. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type AnswerEntry, type AnswerStore, EVERYBODY } from './answer-store.ts';

const nowMs = Date.now();

export function answerEntry(entry: Partial<AnswerEntry> = {}): AnswerEntry {
  return {
    key: 'a'.repeat(64),
    scope: EVERYBODY,
    model: 'm',
    answer: { model: 'm', provider: 'p', said: [{ type: 'text-delta', text: 'yes' }] },
    storedAtMs: nowMs,
    freshUntilMs: nowMs + 60_000,
    staleUntilMs: nowMs + 120_000,
    ...entry,
  };
}

/** @param makeStore A store that is empty for a tenant that was not used before. */
export function describeAnswerStore(name: string, makeStore: () => Promise<AnswerStore>): void {
  describe(name, () => {
    let store: AnswerStore;
    let tenant: string;
    const key = answerEntry().key;
    beforeEach(async () => {
      store = await makeStore();
      tenant = `tenant-${crypto.randomUUID()}`;
    });

    test('finds nothing that was not kept', async () => {
      expect(await store.find(tenant, key, [EVERYBODY, 'ann'])).toBeUndefined();
      expect(await store.remove(tenant, {})).toBe(0);
    });

    test('returns what was kept, and the newer of two answers', async () => {
      await store.keep(tenant, answerEntry());
      expect(await store.find(tenant, key, [EVERYBODY])).toEqual(answerEntry());
      await store.keep(tenant, answerEntry({ model: 'newer' }));
      expect(await store.find(tenant, key, [EVERYBODY])).toMatchObject({ model: 'newer' });
    });

    test('searches the given scopes only, in their order', async () => {
      await store.keep(tenant, answerEntry({ scope: 'ann' }));
      expect(await store.find(tenant, key, [EVERYBODY, 'ben'])).toBeUndefined();
      expect(await store.find(tenant, key, [EVERYBODY, 'ann'])).toMatchObject({ scope: 'ann' });
      await store.keep(tenant, answerEntry());
      expect(await store.find(tenant, key, [EVERYBODY, 'ann'])).toMatchObject({ scope: EVERYBODY });
    });

    test('returns a stale answer, but not an expired one', async () => {
      await store.keep(tenant, answerEntry({ freshUntilMs: nowMs - 10, staleUntilMs: nowMs + 60_000 }));
      expect(await store.find(tenant, key, [EVERYBODY])).toBeDefined();
      await store.keep(tenant, answerEntry({ freshUntilMs: nowMs - 20, staleUntilMs: nowMs - 10 }));
      expect(await store.find(tenant, key, [EVERYBODY])).toBeUndefined();
    });

    test('removes the answers of one question, one model, or all', async () => {
      const other = 'b'.repeat(64);
      await store.keep(tenant, answerEntry());
      await store.keep(tenant, answerEntry({ scope: 'ann' }));
      await store.keep(tenant, answerEntry({ key: other, model: 'n*' }));
      expect(await store.remove(tenant, { key })).toBe(2);
      expect(await store.remove(tenant, { model: 'n' })).toBe(0);
      expect(await store.remove(tenant, { model: 'n*' })).toBe(1);
      await store.keep(tenant, answerEntry());
      await store.keep(tenant, answerEntry({ key: other }));
      expect(await store.remove(tenant, {})).toBe(2);
      expect(await store.find(tenant, key, [EVERYBODY])).toBeUndefined();
    });
  });
}
