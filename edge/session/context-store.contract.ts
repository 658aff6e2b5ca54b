/** What every {@link ContextStore} must do; run over each implementation. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ContextStore, ConversationKey, StoredMessage } from './context-store.ts';

/** @param makeStore A store, empty for any key that was not used before. */
export function describeContextStore(name: string, makeStore: () => Promise<ContextStore>): void {
  describe(name, () => {
    let store: ContextStore;
    let key: ConversationKey;
    beforeEach(async () => {
      store = await makeStore();
      key = { tenant: 't', user: 'u', sessionId: crypto.randomUUID() };
    });

    test('knows nothing of a conversation that never was', async () => {
      expect(await store.tail(key, 10)).toEqual({ version: 0, system: [], messages: [] });
      expect(await store.remove(key)).toBe(false);
    });

    test('gives back what was appended, oldest first', async () => {
      expect(await store.append(key, { expectedVersion: 0, messages: [message('a'), message('b')] })).toBe(2);
      expect(await store.append(key, { expectedVersion: 2, messages: [message('c')] })).toBe(3);
      expect(await store.tail(key, 10)).toEqual({
        version: 3,
        system: [],
        messages: [message('a'), message('b'), message('c')],
      });
    });

    test('pages back from the end', async () => {
      await store.append(key, {
        expectedVersion: 0,
        messages: ['a', 'b', 'c', 'd', 'e'].map((id) => message(id)),
      });
      const ids = async (limit: number, before?: number) =>
        (await store.tail(key, limit, before)).messages.map(({ id }) => id);
      expect(await ids(2)).toEqual(['d', 'e']);
      expect(await ids(2, 3)).toEqual(['b', 'c']);
      expect(await ids(2, 1)).toEqual(['a']);
      expect(await ids(2, 0)).toEqual([]);
      expect((await store.tail(key, 2, 3)).version).toBe(5);
    });

    test('refuses a writer that has not seen the newest messages', async () => {
      await store.append(key, { expectedVersion: 0, messages: [message('a')] });
      await expect(store.append(key, { expectedVersion: 0, messages: [message('b')] })).rejects.toMatchObject(
        {
          code: 'session_conflict',
        },
      );
      expect((await store.tail(key, 10)).messages.map(({ id }) => id)).toEqual(['a']);
    });

    test('applies an append once whose response was lost', async () => {
      await store.append(key, { expectedVersion: 0, messages: [message('a')] });
      const append = { expectedVersion: 1, messages: [message('b'), message('c')] };
      expect(await store.append(key, append)).toBe(3);
      expect(await store.append(key, append)).toBe(3);
      expect((await store.tail(key, 10)).messages.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    });

    test('lets exactly one of two racing writers through', async () => {
      const outcomes = await Promise.allSettled(
        ['a', 'b'].map((id) => store.append(key, { expectedVersion: 0, messages: [message(id)] })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await store.tail(key, 10)).version).toBe(1);
    });

    test('keeps the system prompt until another one comes', async () => {
      const system = [{ role: 'system' as const, content: 'Be brief.' }];
      await store.append(key, { expectedVersion: 0, messages: [message('a')], system });
      await store.append(key, { expectedVersion: 1, messages: [message('b')] });
      expect((await store.tail(key, 1)).system).toEqual(system);
    });

    test('keeps any text as it is', async () => {
      const hard = message('id', 'quote " backslash \\ 你好 😀 \u0000 \u2028 \r\n {"json": [1]} 12e5 null');
      await store.append(key, { expectedVersion: 0, messages: [hard] });
      expect((await store.tail(key, 1)).messages).toEqual([hard]);
    });

    test('forgets what is removed, the system prompt too', async () => {
      await store.append(key, {
        expectedVersion: 0,
        messages: [message('a')],
        system: [{ role: 'system', content: 'x' }],
      });
      expect(await store.remove(key)).toBe(true);
      expect(await store.tail(key, 10)).toEqual({ version: 0, system: [], messages: [] });
    });
  });
}

export function message(id: string, content = `text of ${id}`): StoredMessage {
  return { id, parentId: null, turnId: 'turn', round: 1, createdAtMs: 1, message: { role: 'user', content } };
}
