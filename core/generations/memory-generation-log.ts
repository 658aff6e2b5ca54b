/**
 * Generations in the memory of one core instance: the embedded default. Owns them for {@link KEEP_MS} after
 * their end, and no more than {@link MAX_CHARS} of finished ones, oldest out first. A restart forgets all.
 */
import { type ChatEvent, isTerminal } from '../../shared/model/chat-model.ts';
import type { GenerationOutcome, NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';
import { createNotifier, type Notifier } from '../../shared/stream/notifier.ts';
import { type GenerationLog, outcomeOf, type StopGeneration } from './generation-log.ts';

export const KEEP_MS = 600_000;
/** Characters of event text, about 64 MB. */
const MAX_CHARS = 32 * 1024 * 1024;

interface Generation {
  events: ChatEvent[];
  chars: number;
  outcome: GenerationOutcome['status'] | 'running';
  stop: StopGeneration;
  /** At every event. */
  news: Notifier;
}

export function createMemoryGenerationLog(): GenerationLog {
  const generations = new Map<string, Generation>();
  /** Complete ones, oldest first. */
  const finished = new Map<string, NodeJS.Timeout>();
  let finishedChars = 0;

  function forget(key: string): void {
    clearTimeout(finished.get(key));
    if (finished.delete(key)) finishedChars -= generations.get(key)?.chars ?? 0;
    generations.delete(key);
  }

  function finish(key: string, generation: Generation, terminal: ChatEvent): void {
    generation.outcome = outcomeOf(terminal);
    finishedChars += generation.chars;
    finished.set(key, setTimeout(() => forget(key), KEEP_MS).unref());
    for (const oldest of finished.keys()) {
      if (finishedChars <= MAX_CHARS || oldest === key) break;
      forget(oldest);
    }
  }

  const log: GenerationLog = {
    async open(key, stop) {
      if (generations.has(key)) return false;
      generations.set(key, {
        events: [],
        chars: 0,
        outcome: 'running',
        stop,
        news: createNotifier(),
      });
      return true;
    },

    async append(key, event) {
      const generation = generations.get(key);
      if (generation?.outcome !== 'running') return;
      generation.events.push(event);
      generation.chars += JSON.stringify(event).length;
      if (isTerminal(event)) finish(key, generation, event);
      generation.news.notify();
    },

    async read(key, after, signal) {
      const generation = generations.get(key);
      return generation && readGeneration(generation, after, signal);
    },

    async state(key) {
      return generations.get(key)?.outcome ?? 'unknown';
    },

    async cancel(key) {
      const generation = generations.get(key);
      if (!generation) return 'unknown';
      if (generation.outcome === 'running') generation.stop();
      while (generation.outcome === 'running') await generation.news.changed();
      return generation.outcome;
    },

    async removeAll(prefix) {
      const keys = [...generations.keys()].filter((key) => key.startsWith(prefix));
      await Promise.all(keys.map((key) => log.cancel(key)));
      for (const key of keys) forget(key);
      return keys.length;
    },
  };
  return log;
}

function readGeneration(
  generation: Generation,
  after: number,
  signal: AbortSignal,
): ReadableStream<NumberedChatEvent> {
  let gone = signal.aborted;
  const leave = () => {
    gone = true;
    generation.news.notify();
  };
  signal.addEventListener('abort', leave, { once: true });
  let seq = after + 1;
  return new ReadableStream<NumberedChatEvent>(
    {
      async pull(controller) {
        await generation.news.until(
          () => seq < generation.events.length || generation.outcome !== 'running' || gone,
        );
        const event = generation.events[seq];
        if (!event || gone) {
          if (signal.aborted || !gone) controller.close();
          return;
        }
        controller.enqueue({ seq, event });
        seq++;
        if (isTerminal(event)) controller.close();
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
}
