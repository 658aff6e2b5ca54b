import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { EdgeBindings } from '../bindings.ts';
import { describeContextStore, message } from './context-store.contract.ts';
import type { ContextStore } from './context-store.ts';
import { createSqliteContextStore } from './sqlite-context-store.ts';

const { SESSIONS } = env as unknown as EdgeBindings;

/** A store that lives in an object of its own; every call enters that object. */
async function storeInObject(): Promise<ContextStore> {
  const stub = SESSIONS.get(SESSIONS.newUniqueId());
  const inObject = <T>(use: (store: ContextStore) => Promise<T>): Promise<T> =>
    runInDurableObject(stub, (_object, state) => use(createSqliteContextStore(state.storage)));
  return {
    tail: (...args) => inObject((store) => store.tail(...args)),
    append: (...args) => inObject((store) => store.append(...args)),
    remove: (...args) => inObject((store) => store.remove(...args)),
  };
}

describeContextStore('the SQLite context store', storeInObject);

test('an append that is refused leaves nothing behind', async () => {
  const store = await storeInObject();
  const key = { tenant: 't', user: 'u', sessionId: 's' };
  const system = [{ role: 'system' as const, content: 'x' }];
  await expect(store.append(key, { expectedVersion: 7, messages: [message('a')], system })).rejects.toThrow();
  expect(await store.tail(key, 1)).toEqual({ version: 0, system: [], messages: [] });
});

test('a conversation is kept for a time after its newest message, and then forgotten by an alarm', async () => {
  const stub = SESSIONS.get(SESSIONS.newUniqueId());
  const key = { tenant: 't', user: 'u', sessionId: 's' };
  const HOUR_MS = 3_600_000;
  const keep = (ageMs: number, expectedVersion: number) =>
    runInDurableObject(stub, async (_object, state) => {
      const stored = { ...message('a'), createdAtMs: Date.now() - ageMs };
      await createSqliteContextStore(state.storage).append(key, { expectedVersion, messages: [stored] });
      await state.storage.setAlarm(Date.now() + HOUR_MS);
    });
  const version = () =>
    runInDurableObject(
      stub,
      async (_object, state) => (await createSqliteContextStore(state.storage).tail(key, 1)).version,
    );
  const alarm = () => runInDurableObject(stub, (_object, state) => state.storage.getAlarm());

  await keep(1000 * HOUR_MS, 0);
  await keep(700 * HOUR_MS, 1);
  await runDurableObjectAlarm(stub);
  expect(await version()).toBe(2);
  expect(((await alarm()) ?? 0) - Date.now()).toBeLessThanOrEqual(20 * HOUR_MS);

  await runInDurableObject(stub, (_object, { storage }) => {
    storage.sql.exec(
      `UPDATE message SET body = json_set(body, '$.createdAtMs', ?)`,
      Date.now() - 720 * HOUR_MS,
    );
  });
  await runDurableObjectAlarm(stub);
  expect(await version()).toBe(0);
  expect(await alarm()).toBeNull();
});
