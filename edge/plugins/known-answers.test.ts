import { expect, test } from 'vitest';
import { someContext } from '../../shared/testing/request-context.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import { knownAnswer } from './known-answers.ts';
import type { AnswerHook, Plugin, PluginRun } from './plugin.ts';

const context = someContext();
const runWith = (...plugins: Plugin[]): PluginRun => ({
  plugins,
  context,
  record: () => undefined,
  now: () => 0,
  waitUntil: () => undefined,
});
const answer = (text: string): CachedAnswer => ({
  model: 'm',
  provider: 'p',
  said: [{ type: 'text-delta', text }],
});
/** Masks `bad`, and counts the answers that it is shown. */
function createFilter(
  edition: object | undefined,
): Plugin & { shown: number; edition: () => object | undefined } {
  const filter = {
    name: 'filter',
    onFailure: 'closed' as const,
    limitMs: 1000,
    shown: 0,
    edition: () => edition,
    onDelta(): AnswerHook {
      filter.shown++;
      return {
        push: (event) => {
          if (event.type !== 'text-delta' || !event.text.includes('bad')) return { events: [event] };
          return { events: [{ ...event, text: event.text.replace('bad', '***') }], masked: 1 };
        },
        end: () => ({ events: [] }),
        held: () => [],
      };
    },
  };
  return filter;
}

test('words that passed are not looked at twice', async () => {
  const filter = createFilter({});
  const known = answer('all is well');
  for (let time = 0; time < 3; time++) {
    const events = await knownAnswer(known, runWith(filter));
    expect(events?.map(({ type }) => type)).toEqual(['model-start', 'text-delta', 'turn-end']);
  }
  expect(filter.shown).toBe(1);
});

test('another edition of the filter looks at them again', async () => {
  const known = answer('all is well');
  await knownAnswer(known, runWith(createFilter({})));
  const newer = createFilter({});
  await knownAnswer(known, runWith(newer));
  expect(newer.shown).toBe(1);
});

test('an answer that is changed takes the long way each time', async () => {
  const filter = createFilter({});
  const known = answer('this is bad');
  expect(await knownAnswer(known, runWith(filter))).toBeUndefined();
  expect(await knownAnswer(known, runWith(filter))).toBeUndefined();
  expect(filter.shown).toBe(2);
});

test('so does every answer where a plugin judges by more than the words, or wants to hear the whole', async () => {
  const known = answer('all is well');
  expect(await knownAnswer(known, runWith(createFilter(undefined)))).toBeUndefined();
  const { edition: _, ...unknowing } = createFilter({});
  expect(await knownAnswer(known, runWith(unknowing))).toBeUndefined();
  const hearing = { ...createFilter({}), onAnswer: () => undefined };
  expect(await knownAnswer(known, runWith(hearing))).toBeUndefined();
});
