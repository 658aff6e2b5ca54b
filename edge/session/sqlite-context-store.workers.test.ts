import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { EdgeBindings } from '../env.ts';
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
