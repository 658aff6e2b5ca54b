import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { EdgeBindings } from '../bindings.ts';
import { answerEntry, describeAnswerStore } from './answer-store.contract.ts';
import { type AnswerStore, EVERYBODY } from './answer-store.ts';
import { createSqliteAnswerStore, type SqliteAnswerStore } from './sqlite-answer-store.ts';

const { ANSWERS } = env as unknown as EdgeBindings;

/** A store in an object of its own; every call enters that object and opens the store again. */
function inObject(maxBytes: number) {
  const stub = ANSWERS.get(ANSWERS.newUniqueId());
  return <T>(use: (store: SqliteAnswerStore) => T | Promise<T>): Promise<T> =>
    runInDurableObject(stub, async (_object, { storage }) =>
      use(createSqliteAnswerStore({ storage, maxBytes, now: Date.now })),
    );
}

async function openStore(): Promise<AnswerStore> {
  const use = inObject(1024 * 1024);
  return {
    find: (...args) => use((store) => store.find(...args)),
    keep: (...args) => use((store) => store.keep(...args)),
    remove: (...args) => use((store) => store.remove(...args)),
  };
}

describeAnswerStore('the SQLite answer store', openStore);

test('stays within its bytes: evicts the oldest answers first, prepared ones last', async () => {
  const use = inObject(20_000);
  const keyOf = (index: number) => String(index).padStart(64, '0');
  await use(async (store) => {
    await store.keep('t', answerEntry({ key: keyOf(9999), isPrepared: true, storedAtMs: 0 }));
    for (let index = 0; index < 500; index++) {
      await store.keep('t', answerEntry({ key: keyOf(index), storedAtMs: index }));
    }
  });
  await use(async (store) => {
    expect(await store.find('t', keyOf(499), [EVERYBODY])).toBeDefined();
    expect(await store.find('t', keyOf(0), [EVERYBODY])).toBeUndefined();
    expect(await store.find('t', keyOf(9999), [EVERYBODY])).toBeDefined();
    const left = await store.remove('t', {});
    expect(left * JSON.stringify(answerEntry()).length).toBeLessThanOrEqual(20_000);
    expect(left).toBeGreaterThan(20);
  });
});

test('removes expired answers and returns when the next one expires', async () => {
  await inObject(1e6)(async (store) => {
    const soon = Date.now() + 50_000;
    await store.keep('t', answerEntry({ key: '1', staleUntilMs: Date.now() - 1 }));
    await store.keep('t', answerEntry({ key: '2', staleUntilMs: soon }));
    expect(store.expire()).toBe(soon);
    expect(await store.remove('t', {})).toBe(1);
    expect(store.expire()).toBeUndefined();
  });
});
