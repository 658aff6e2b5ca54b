/**
 * Answers that the plugins have let pass unchanged before: the same words need not be looked at twice. Owns what is
 * known of each answer for as long as the answer itself is held.
 */
import type { ChatEvent, ChatModel } from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';
import { type CachedAnswer, replayAnswer } from '../cache/cached-answer.ts';
import { areSame, type Editions, editionsOf } from './editions.ts';
import type { PluginRun } from './plugin.ts';
import { withPlugins } from './with-plugins.ts';

interface Passed {
  editions: Editions;
  events: ChatEvent[];
}

const passed = new WeakMap<CachedAnswer, Passed>();
const atOnce = { charsPerSecond: 0, wait: async () => undefined };
const request = { model: '', messages: [], params: {} };

/**
 * @returns the answer's events as they go out; `undefined` where a plugin changes them, or judges by more than the
 * words
 */
export async function knownAnswer(answer: CachedAnswer, run: PluginRun): Promise<ChatEvent[] | undefined> {
  // Who wants to see each whole answer gets to see it.
  if (run.plugins.some(({ onAnswer }) => onAnswer)) return undefined;
  const judges = run.plugins.filter(({ onDelta }) => onDelta);
  const editions = editionsOf(judges, run.context);
  if (!editions) return undefined;
  const before = passed.get(answer);
  if (before && areSame(before.editions, editions)) return before.events;

  let isChanged = false;
  const record: PluginRun['record'] = ({ outcome }) => {
    isChanged ||= outcome !== 'pass';
  };
  const model = withPlugins(replay(answer), { ...run, record });
  const events: ChatEvent[] = [];
  for await (const event of model.stream(request, new AbortController().signal)) events.push(event);
  if (isChanged) return undefined;
  passed.set(answer, { editions, events });
  return events;
}

function replay(answer: CachedAnswer): ChatModel {
  return {
    name: answer.model,
    stream: (_, signal) => eventStream(signal, () => replayAnswer(answer, { outcome: 'hit' }, atOnce)),
  };
}
