/**
 * A session under a random life: turns, readers that leave and come back, stops, crashes, two devices.
 * Whatever happens, a turn has exactly one end, and every device sees the same events in the same order.
 */
import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { seededRandom } from '../../shared/testing/streams.ts';
import type { EdgeBindings } from '../bindings.ts';
import { type SessionStub, sessionOf } from './session-stub.ts';

const bindings = env as unknown as EdgeBindings;
const FIRST_SEED = Number(bindings.SEED ?? 0);
const SEEDS = Number(bindings.SEEDS ?? 2000);
/** Sessions that live at the same time. */
const AT_ONCE = 40;

type Random = (bound: number) => number;

/** One life of one session; the object may be killed under it at any time. */
class Life {
  readonly #random: Random;
  readonly #sessionId: string;
  readonly #user: string;
  readonly #turns: string[] = [];
  /** What each device has seen, by turn. */
  readonly #seen: Map<string, string[]>[] = [new Map(), new Map()];
  readonly #stops = new Map<string, { status: string; text: string }[]>();
  readonly #reading: Promise<void>[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#user = `user-${seed}`;
    this.#sessionId = `session-${seed}`;
  }

  /** A stub does not outlive its object. */
  get #session(): SessionStub {
    return sessionOf(bindings, { tenant: 't', user: this.#user, sessionId: this.#sessionId });
  }

  async live(): Promise<void> {
    for (let step = 2 + this.#random(5); step > 0; step--) {
      const act = this.#random(10);
      if (act < 4 || this.#turns.length === 0) this.#reading.push(this.#start());
      else if (act < 7) this.#reading.push(this.#readOn(this.#random(2)));
      else this.#reading.push(this.#stop());
      if (this.#random(2)) await pause(this.#random(8));
    }
    await Promise.all(this.#reading);
  }

  /** Everything that must be true in the end. */
  async check(): Promise<string[]> {
    const texts: string[] = [];
    for (const turnId of this.#turns) {
      const whole = await this.#readAll(turnId, -1);
      // A turn that a crash kept from being begun leaves nothing, and nobody got another answer.
      if (whole === undefined) continue;
      const numbers = whole.map(numberOf);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(whole.filter((event) => isEnd(event))).toHaveLength(1);
      for (const device of this.#seen) {
        const events = device.get(turnId) ?? [];
        expect(events).toEqual(whole.slice(0, events.length));
      }
      const outcomes = this.#stops.get(turnId) ?? [];
      for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
      if (outcomes[0]) expect(outcomes[0].text).toBe(textOf(whole));
      texts.push(textOf(whole));
    }
    const reply = await retry(() =>
      this.#session.history({ tenant: 't', user: this.#user, sessionId: this.#sessionId }, 500, undefined),
    );
    const messages = reply.ok ? reply.value.messages : [];
    expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
    const answers = messages
      .filter(({ message }) => message.role === 'assistant')
      .map(({ message }) => message.content);
    expect(answers).toEqual(texts.filter((text) => text !== ''));
    // One turn at a time: an answer follows its own question.
    for (const [index, { message, turnId }] of messages.entries()) {
      if (message.role === 'assistant') expect(messages[index - 1]?.turnId).toBe(turnId);
    }
    return answers.map(String);
  }

  async #start(): Promise<void> {
    const turnId = crypto.randomUUID().replaceAll('-', '');
    this.#turns.push(turnId);
    const words = Array.from({ length: this.#random(6) }, (_, index) => `${turnId.slice(0, 4)}.${index} `);
    const script = { words, paceMs: this.#random(4), fails: this.#random(6) === 0 };
    const leavesAfter = this.#random(3) === 0 ? this.#random(4) : Number.POSITIVE_INFINITY;
    const context = {
      requestId: turnId,
      tenant: 't',
      user: this.#user,
      plan: 'free',
      scopes: [],
      deadlineMs: Date.now() + 60_000,
    };
    const request = {
      model: 'auto',
      messages: [{ role: 'user' as const, content: JSON.stringify(script) }],
      params: {},
    };
    const wire = { kind: 'chat-completions' as const, stream: true, includeUsage: true };
    try {
      const reply = await this.#session.startTurn({
        context,
        sessionId: this.#sessionId,
        turnId,
        createdAt: 0,
        request,
        wire,
      });
      if (reply.ok) await this.#take(0, turnId, reply.value, leavesAfter);
    } catch {
      // The object was killed; the turn goes on or is reported as failed, and a reader that comes back sees which.
    }
  }

  /** A device goes on where it stopped, or begins to read. */
  async #readOn(device: 0 | 1 | number): Promise<void> {
    const turnId = this.#turns[this.#random(this.#turns.length)] as string;
    const seen = this.#seen[device]?.get(turnId) ?? [];
    const last = seen.at(-1);
    try {
      const reply = await this.#session.attach({ turnId, after: last === undefined ? -1 : numberOf(last) });
      if (reply.ok && reply.value)
        await this.#take(device, turnId, reply.value, this.#random(2) ? this.#random(5) : 100);
    } catch {
      // As above.
    }
  }

  async #stop(): Promise<void> {
    const turnId = this.#turns[this.#random(this.#turns.length)] as string;
    try {
      const reply = await this.#session.stopTurn(turnId);
      if (!reply.ok) return;
      const { status, text } = reply.value;
      this.#stops.set(turnId, [...(this.#stops.get(turnId) ?? []), { status, text }]);
    } catch {
      // As above.
    }
  }

  /** Reads at most `count` events; two reads of one device and turn at once are one reader's business only. */
  async #take(device: number, turnId: string, response: Response, count: number): Promise<void> {
    const mine = this.#seen[device] as Map<string, string[]>;
    if (!response.ok || busy.has(`${device}${turnId}`)) return response.body?.cancel();
    busy.add(`${device}${turnId}`);
    try {
      for await (const event of eventsOf(response)) {
        const seen = mine.get(turnId) ?? [];
        const last = seen.at(-1);
        // Another reader of this device may have got further in the meantime.
        if (last === undefined || numberOf(event) > numberOf(last)) mine.set(turnId, [...seen, event]);
        if (--count <= 0) return;
      }
    } finally {
      busy.delete(`${device}${turnId}`);
    }
  }

  async #readAll(turnId: string, after: number): Promise<string[] | undefined> {
    return retry(async () => {
      const reply = await this.#session.attach({ turnId, after });
      if (!reply.ok || !reply.value) return undefined;
      const events: string[] = [];
      for await (const event of eventsOf(reply.value)) events.push(event);
      return events;
    });
  }
}

const busy = new Set<string>();

/** The events that have an id, as they came over the wire. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event.startsWith('id: ')) yield event;
    }
  }
}

function numberOf(event: string): number {
  return Number(/^id: \w+:(\d+)/.exec(event)?.[1]);
}

function isEnd(event: string): boolean {
  return event.includes('"error":') || event.includes('"choices":[]');
}

function textOf(events: string[]): string {
  return events.map((event) => /"content":"((?:[^"\\]|\\.)*)"/.exec(event)?.[1] ?? '').join('');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Once more after a kill, which is over when this is called. */
async function retry<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    return work();
  }
}

test(`${SEEDS} random lives`, { timeout: 240_000 }, async () => {
  let answered = 0;
  for (let first = FIRST_SEED; first < FIRST_SEED + SEEDS; first += AT_ONCE) {
    const lives = Array.from({ length: AT_ONCE }, (_, index) => ({
      seed: first + index,
      life: new Life(first + index),
    }));
    const random = seededRandom(first);
    const living = Promise.all(lives.map(({ life }) => life.live()));
    for (let kills = random(3); kills > 0; kills--) {
      await pause(5 + random(20));
      await abortAllDurableObjects();
    }
    await living;
    for (const { seed, life } of lives) {
      const answers = await life.check().catch((error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
      answered += answers.length;
    }
  }
  // The lives were lives: most turns had something to say, and said it.
  expect(answered).toBeGreaterThan(SEEDS);
  // No crash, no return and no second device has cost a second call of the model.
  const calls = Object.values((await (await fetch(`${bindings.EDGEWISE_CORE_URL}/calls`)).json()) as object);
  expect(calls.length).toBeGreaterThan(SEEDS);
  expect(calls.filter((count) => count !== 1)).toEqual([]);
});
