/**
 * Generations in Redis streams, so that any core instance can serve one that another runs. Owns the heartbeat of those
 * that were opened here, and what of them is not written yet; all else is in Redis. The scripts hold the rules.
 * By hand: libraries for resumable streams keep the events in the producer's memory, which ends with its process.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { AppError } from '../../shared/errors.ts';
import { type ChatEvent, isTerminal } from '../../shared/model/chat-model.ts';
import type { NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';
import { createEventWriter, type EventWriter, type WrittenEvent } from './event-writer.ts';
import { type GenerationLog, outcomeOf, type StopGeneration } from './generation-log.ts';
import { type GenerationScript, runGenerationScript } from './redis-generation-scripts.ts';
import { createWakeUps, type Listener } from './redis-wake-ups.ts';

export interface RedisGenerationLogOptions {
  /** Redis 6.2 or newer, without a key prefix. Stays the caller's to close. Subscriptions get a connection made from it. */
  redis: Redis;
  /** How long a generation outlives the last sign of its owner, in milliseconds; signs come three times as often. */
  leaseMs?: number;
  /** How long the events are kept after the end, in milliseconds. */
  keepMs?: number;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  /** For the jitter of retries; `Math.random` without it. */
  random?: () => number;
}

export interface RedisGenerationLog extends GenerationLog {
  /** Ends its connection and its heartbeat; what still runs is lost to its readers after the lease. */
  close(): void;
}

type Outcome = Awaited<ReturnType<GenerationLog['state']>>;
/** What a script says to an owner. */
type Verdict = 'mine' | 'cancel' | 'lost';

interface Owned {
  owner: string;
  stop: StopGeneration;
  writer: EventWriter;
}

const LEASE_MS = 10_000;
const KEEP_MS = 600_000;
const PREFIX = 'edgewise:generation';
/** Most characters of one stream field. */
const MAX_PIECE_CHARS = 64 * 1024;
/** Entries of one read. */
const READ_ENTRIES = 128;
/** Keys looked at in one step of a removal. */
const SCAN_COUNT = 500;
/** Beyond the lease, how long a cancel waits for its owner. */
const CANCEL_GRACE_MS = 2000;

const lostEvent = JSON.stringify({ type: 'error', error: new AppError('generation_lost').toInfo() });

// long: the methods of one log share its leases and subscriptions
export function createRedisGenerationLog(options: RedisGenerationLogOptions): RedisGenerationLog {
  const { redis, leaseMs = LEASE_MS, keepMs = KEEP_MS, now, wait, random = Math.random } = options;
  const instance = randomUUID();
  const wakeUps = createWakeUps(redis);
  const owned = new Map<string, Owned>();
  /** Word is sure to come, but for a connection that broke at the wrong moment or an owner that died. */
  const lookMs = Math.max(50, Math.round(leaseMs / 4));
  let opened = 0;
  const heartbeat = setInterval(() => void beatAll(), leaseMs / 3).unref();
  let hearing: Promise<void> | undefined;

  function run(name: GenerationScript, key: string, ...args: (string | number)[]): Promise<unknown> {
    return runGenerationScript(redis, name, keysOf(key), [leaseMs, keepMs, lostEvent, ...args]);
  }

  /** Cancels from other instances. One that is missed is seen with the next batch or heartbeat. */
  function listen(): Promise<void> {
    hearing ??= wakeUps
      .receive(ownerChannel(instance), (key) => owned.get(key)?.stop())
      .catch((error) => {
        hearing = undefined;
        throw error;
      });
    return hearing;
  }

  function applyVerdict(key: string, mine: Owned, verdict: Verdict): void {
    if (verdict === 'cancel') mine.stop();
    if (verdict === 'lost') release(key, mine);
  }

  /** It ended without us, or Redis could not be reached for too long: somebody else writes its end. */
  function release(key: string, mine: Owned): void {
    if (owned.get(key) === mine) owned.delete(key);
    mine.writer.close();
    mine.stop(new AppError('generation_lost'));
  }

  async function beatAll(): Promise<void> {
    await Promise.all(
      [...owned].map(async ([key, mine]) => {
        // The next heartbeat makes up for one that fails; after the lease the generation ends.
        const verdict = await run('beat', key, mine.owner).catch(() => 'mine');
        if (owned.get(key) === mine) applyVerdict(key, mine, verdict as Verdict);
      }),
    );
  }

  function own(key: string, owner: string, stop: StopGeneration): Owned {
    const writer = createEventWriter({
      async write(events, terminal) {
        const outcome: Outcome = terminal ? outcomeOf(terminal) : 'running';
        const verdict = await run('append', key, owner, outcome, ...events.flatMap(toPieces));
        if (terminal && owned.get(key) === mine) owned.delete(key);
        else applyVerdict(key, mine, verdict as Verdict);
      },
      retryMs: leaseMs,
      onFailure: () => release(key, mine),
      now,
      wait,
      random,
    });
    const mine: Owned = { owner, stop, writer };
    return mine;
  }

  async function waitForEnd(key: string): Promise<Outcome> {
    const listener = await wakeUps.listen(eventsKey(key));
    try {
      for (const endMs = now() + leaseMs + CANCEL_GRACE_MS; now() < endMs; await listener.wait(lookMs)) {
        const outcome = (await run('state', key)) as Outcome;
        if (outcome !== 'running') return outcome;
      }
    } finally {
      listener.close();
    }
    const message = 'The generation was asked to end, and did not in time.';
    throw new AppError('core_unavailable', { message });
  }

  const log: RedisGenerationLog = {
    async open(key, stop) {
      await listen();
      const owner = `${instance}/${opened++}`;
      const isMine = (await run('open', key, owner, instance)) === 1;
      if (isMine) owned.set(key, own(key, owner, stop));
      return isMine;
    },

    async append(key, event) {
      await owned.get(key)?.writer.append(event);
    },

    async read(key, after, signal) {
      const fetch = async (afterId: string) =>
        (await run('read', key, afterId, READ_ENTRIES)) as [Outcome, Entry[]];
      const first = await fetch(lastIdOf(after));
      if (first[0] === 'unknown') return undefined;
      const listen = () => wakeUps.listen(eventsKey(key));
      return readGeneration({ after, first, fetch, listen, lookMs, signal });
    },

    async state(key) {
      return (await run('state', key)) as Outcome;
    },

    async cancel(key) {
      // Ours hears it at once, and even when Redis is away.
      owned.get(key)?.stop();
      const outcome = (await run('cancel', key, ownerChannel(''), key)) as Outcome;
      const end = outcome === 'running' ? await waitForEnd(key) : outcome;
      return end === 'running' ? 'unknown' : end;
    },

    async removeAll(prefix) {
      const ofState = /^edgewise:generation:\{(.*)\}:state$/s;
      const match = `${PREFIX}:{${escapeGlob(prefix)}*}:state`;
      let removed = 0;
      for await (const names of redis.scanStream({ match, count: SCAN_COUNT })) {
        for (const name of names as string[]) {
          const key = ofState.exec(name)?.[1];
          if (key === undefined) continue;
          await log.cancel(key);
          removed += (await redis.del(...keysOf(key))) > 0 ? 1 : 0;
        }
      }
      return removed;
    },

    close() {
      clearInterval(heartbeat);
      for (const { writer } of owned.values()) writer.close();
      owned.clear();
      wakeUps.close();
    },
  };
  return log;
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

/** One slot of a cluster holds both keys of a generation. */
function keysOf(key: string): [string, string] {
  return [`${PREFIX}:{${key}}:state`, eventsKey(key)];
}

/** Also the channel that notifies readers of new events. */
function eventsKey(key: string): string {
  return `${PREFIX}:{${key}}:events`;
}

function ownerChannel(instance: string): string {
  return `${PREFIX}:owner:${instance}`;
}

/** What the append script takes for an event: its number, entry id, field and text, for each piece. */
function toPieces({ seq, text }: WrittenEvent): (string | number)[] {
  const pieces: (string | number)[] = [];
  let part = 0;
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MAX_PIECE_CHARS, text.length);
    // Half of a surrogate pair has no UTF-8.
    if (end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1))) end--;
    pieces.push(seq, `${seq + 1}-${part++}`, end < text.length ? 'more' : 'end', text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** An entry id that no piece of the event, and none before it, comes after. */
function lastIdOf(seq: number): string {
  return seq < 0 ? '0-0' : `${seq + 1}-18446744073709551615`;
}

/** A stream entry: its id, then one field and its text. */
type Entry = [id: string, fields: [field: string, text: string]];

interface Reading {
  after: number;
  first: [Outcome, Entry[]];
  fetch: (afterId: string) => Promise<[Outcome, Entry[]]>;
  listen: () => Promise<Listener>;
  /** How long to wait for word before looking again. */
  lookMs: number;
  signal: AbortSignal;
}

function readGeneration(reading: Reading): ReadableStream<NumberedChatEvent> {
  const left = new AbortController();
  const signal = AbortSignal.any([reading.signal, left.signal]);
  const events = followGeneration(reading, signal);
  return new ReadableStream<NumberedChatEvent>(
    {
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) {
          if (!left.signal.aborted) controller.close();
          return;
        }
        controller.enqueue(value);
        if (isTerminal(value.event)) {
          controller.close();
          await events.return();
        }
      },
      cancel() {
        left.abort();
        void events.return().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* followGeneration(
  { after, first, fetch, listen, lookMs }: Reading,
  signal: AbortSignal,
): AsyncGenerator<NumberedChatEvent, void, void> {
  let lastId = lastIdOf(after);
  let text = '';
  let listener: Listener | undefined;
  try {
    for (let found = first; !signal.aborted; found = await fetch(lastId)) {
      const [outcome, entries] = found;
      for (const [id, [field, piece]] of entries) {
        lastId = id;
        text += piece;
        if (field === 'more') continue;
        const event: ChatEvent = JSON.parse(text);
        text = '';
        if (signal.aborted) return;
        yield { seq: Number.parseInt(id, 10) - 1, event };
      }
      if (entries.length > 0) continue;
      // Its time ran out under a reader that was too slow.
      if (outcome === 'unknown') throw new AppError('generation_not_found');
      if (outcome !== 'running') return;
      if (listener) await listener.wait(lookMs, signal);
      else listener = await listen();
    }
  } finally {
    listener?.close();
  }
}
