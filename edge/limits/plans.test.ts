import { expect, test } from 'vitest';
import { someContext } from '../../shared/testing/request-context.ts';
import { subjectsOf, usualPlans } from './plans.ts';

const namesOf = (context: Parameters<typeof someContext>[0]) =>
  subjectsOf(usualPlans, someContext({ user: 'u', ...context })).map(({ name }) => name);

test('a user counts against itself and the tenant', () => {
  expect(namesOf({ plan: 'free' })).toEqual(['user:u', 'tenant']);
});

test('a key counts, too', () => {
  expect(namesOf({ plan: 'pro', keyId: 'key_1' })).toEqual(['user:u', 'key:key_1', 'tenant']);
});

test('guests use up nothing that users may', () => {
  expect(namesOf({ plan: 'guest' })).toEqual(['user:u', 'guests']);
  // The end user of an app is a user, whatever plan the app's key has.
  expect(namesOf({ plan: 'guest', keyId: 'key_1' })).toEqual(['user:u', 'key:key_1', 'tenant']);
});
