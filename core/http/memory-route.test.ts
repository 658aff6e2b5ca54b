import { expect, test } from 'vitest';
import type { Owner } from '../db/owner.ts';
import { memoryRoute } from './memory-route.ts';
import { coreUnderTest } from './testing/core-under-test.ts';

const chosen = new Map<string, boolean>();
const nameOf = ({ tenant, user }: Owner) => `${tenant}/${user}`;
const preferences = {
  recallsAcross: async (owner: Owner) => chosen.get(nameOf(owner)) ?? false,
  setRecallAcross: async (owner: Owner, isOn: boolean) => void chosen.set(nameOf(owner), isOn),
};
const core = coreUnderTest({ preferences }, (app, services) => {
  const { read, change } = memoryRoute(services);
  app.get('/v1/memory', read).patch('/v1/memory', change);
});
const ann = { tenant: 'acme', user: 'ann' };

test('a change is answered with the new state, for the user who made it alone', async () => {
  const body = { recall_across_conversations: true };
  const changed = await core.call('PATCH', '/v1/memory', { body, as: ann });
  expect(await changed.json()).toEqual({ object: 'memory', recall_across_conversations: true });
  expect([...chosen]).toEqual([['acme/ann', true]]);
  const read = async (as: Owner) => (await core.call('GET', '/v1/memory', { as })).json();
  expect(await read(ann)).toEqual({ object: 'memory', recall_across_conversations: true });
  expect(await read({ tenant: 'acme', user: 'ben' })).toMatchObject({ recall_across_conversations: false });
  expect(await read({ tenant: 'other', user: 'ann' })).toMatchObject({ recall_across_conversations: false });
});

test.each<[string, unknown, string, string | undefined]>([
  ['nothing', {}, 'missing_required_parameter', 'recall_across_conversations'],
  ['a word', { recall_across_conversations: 'yes' }, 'invalid_type', 'recall_across_conversations'],
  ['a list', [], 'missing_required_parameter', 'recall_across_conversations'],
  ['no JSON', 'on', 'invalid_json', undefined],
])('a change to %s returns 400 and names the field', async (_name, body, code, param) => {
  const response = await core.call('PATCH', '/v1/memory', { body, as: { user: 'carl' } });
  expect(response.status).toBe(400);
  const { error } = await response.json();
  expect([error.code, error.param]).toEqual([code, param]);
  expect(chosen.has('t/carl')).toBe(false);
});
