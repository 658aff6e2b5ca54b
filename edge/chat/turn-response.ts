/**
 * A turn as an HTTP answer. The status is decided by the first event that says something: until then a
 * failure is still an HTTP error; after it, it is an event in the stream.
 */
import { AppError } from '../../shared/errors.ts';
import { createPatience, type Patience } from '../../shared/patience.ts';
import { encodeSseComment } from '../../shared/sse.ts';
import { type NumberedTurnEvent, saysSomething, type TurnEvent } from '../../shared/turn-events.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult } from '../../shared/turn-result.ts';
import { toRateLimitHeaders } from '../limits/rate-limit-headers.ts';
import type { Wire } from '../wire/wire.ts';
import { type TurnTimings, toServerTiming } from './turn-timings.ts';

export type TurnEvents = AsyncIterator<{ events: NumberedTurnEvent[] }, void, void>;

export interface TurnResponseOptions {
  turnId: string;
  wire: Wire;
  stream: boolean;
  /** Only events after this number are sent; -1 for all. */
  after: number;
  timings: TurnTimings;
  /** Headers of the answer besides the turn's own; a `Server-Timing` goes after the turn's. */
  headers?: Record<string, string>;
  /** A comment goes out after this long without an event. */
  heartbeatMs: number;
  /** The reader is gone. */
  onCancel: () => void;
}

/** Where a conversation that the client keeps goes back and forth. */
export const STATE_HEADER = 'x-edgewise-state';

const heartbeat = encodeSseComment('ping');

/** @throws AppError when the turn fails before it has said anything */
export async function toTurnResponse(turn: TurnEvents, options: TurnResponseOptions): Promise<Response> {
  return options.stream ? streamTurn(turn, options) : collectTurn(turn, options);
}

/** As {@link toTurnResponse}, for a turn that is known whole: it is not waited for. */
export function toKnownResponse(
  events: NumberedTurnEvent[],
  options: Omit<TurnResponseOptions, 'onCancel'>,
): Response | Promise<Response> {
  if (options.stream) return streamTurn(oneBatch(events), { ...options, onCancel: () => undefined });
  const result = emptyTurnResult();
  for (const { event } of events) foldTurnEvent(result, event);
  return toWholeResponse(result, options);
}

function oneBatch(events: NumberedTurnEvent[]): TurnEvents {
  let isRead = false;
  return {
    async next() {
      if (isRead) return { done: true, value: undefined };
      isRead = true;
      return { done: false, value: { events } };
    },
  };
}

async function collectTurn(turn: TurnEvents, options: TurnResponseOptions): Promise<Response> {
  const result = emptyTurnResult();
  for (;;) {
    const { done, value } = await turn.next();
    if (done) break;
    for (const { event } of value.events) foldTurnEvent(result, event);
  }
  return toWholeResponse(result, options);
}

/** A turn that is over, as one object. @throws AppError when it failed */
function toWholeResponse(
  result: TurnResult,
  options: Pick<TurnResponseOptions, 'wire' | 'timings' | 'headers'>,
): Response {
  if (result.error) throw AppError.fromInfo(result.error);
  const headers = turnHeaders(result, options);
  if (result.receipt) {
    const { rounds, roundsDropped, tokens, summary, state } = result.receipt;
    headers['x-edgewise-context'] =
      `rounds=${rounds}; dropped=${roundsDropped}; tokens=${tokens}; summary=${summary}`;
    if (state !== undefined) headers[STATE_HEADER] = state;
  }
  headers['content-type'] = 'application/json';
  return new Response(JSON.stringify(options.wire.body(result)), { headers });
}

async function streamTurn(turn: TurnEvents, options: TurnResponseOptions): Promise<Response> {
  const result = emptyTurnResult();
  const early: NumberedTurnEvent[] = [];
  let next = turn.next();
  const wait = new StepWait(options.heartbeatMs);
  // Hold the status back until the turn has said something, but not longer than a client waits in silence.
  while (!early.some(({ event }) => saysSomething(event))) {
    const step = await wait.for(next);
    if (step === undefined) break;
    if (step.done) break;
    for (const numbered of step.value.events) {
      foldTurnEvent(result, numbered.event);
      early.push(numbered);
    }
    // A reader that has a part of the turn already reads on; its status was 200.
    if (result.error && options.after < 0 && early.every(({ event }) => isSilentOrEnd(event))) {
      wait.stop();
      throw AppError.fromInfo(result.error);
    }
    next = turn.next();
  }
  return new Response(encodeTurn({ turn, first: next, early, wait }, options), {
    headers: { ...turnHeaders(result, options), ...options.wire.streamHeaders },
  });
}

interface BegunTurn {
  turn: TurnEvents;
  /** The step that comes next. */
  first: Promise<Step>;
  /** The events until then. */
  early: NumberedTurnEvent[];
  wait: StepWait;
}

function encodeTurn(
  { turn, first, early, wait }: BegunTurn,
  { after, onCancel, ...options }: TurnResponseOptions,
): ReadableStream<Uint8Array> {
  const encoder = options.wire.encoder(options.turnId);
  const utf8 = new TextEncoder();
  let next = first;

  const encode = (events: NumberedTurnEvent[]): string => {
    let out = '';
    for (const numbered of events) {
      const text = encoder.encode(numbered);
      if (numbered.seq > after) out += text;
    }
    return out;
  };

  let ready = encode(early);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let text = ready;
        ready = '';
        while (text === '') {
          const step = await wait.for(next);
          if (step === undefined) {
            text = heartbeat;
          } else if (step.done) {
            wait.stop();
            controller.enqueue(utf8.encode(encoder.end()));
            controller.close();
            return;
          } else {
            text = encode(step.value.events);
            next = turn.next();
          }
        }
        controller.enqueue(utf8.encode(text));
      },
      cancel() {
        wait.stop();
        onCancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Headers that every answer to a prompt carries. Only what is known by now. */
function turnHeaders(
  result: TurnResult,
  { timings, headers: others }: Pick<TurnResponseOptions, 'timings' | 'headers'>,
): Record<string, string> {
  const headers: Record<string, string> = { ...others };
  if (result.route) headers['x-edgewise-route'] = `${result.route.place}; reason="${result.route.reason}"`;
  if (result.model) headers['x-edgewise-model'] = headerText(result.model);
  if (result.cache) {
    const { outcome, reason, ageSeconds, key } = result.cache;
    headers['x-edgewise-cache'] = reason === undefined ? outcome : `${outcome};reason=${reason}`;
    if (ageSeconds !== undefined) headers.age = String(ageSeconds);
    if (key !== undefined) headers['x-edgewise-cache-key'] = key;
  }
  if (result.fallback) {
    const { from, reason } = result.fallback;
    headers['x-edgewise-fallback'] = `${headerText(from)};reason=${reason}`;
  }
  if (result.limits) Object.assign(headers, toRateLimitHeaders(result.limits));
  const timing = toServerTiming(timings);
  const ours = headers['server-timing'];
  if (timing) headers['server-timing'] = ours === undefined ? timing : `${timing}, ${ours}`;
  return headers;
}

/** A model's name is configuration, but a header takes printable ASCII only. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function isSilentOrEnd(event: TurnEvent): boolean {
  return event.type === 'turn-end' || !saysSomething(event);
}

type Step = Awaited<ReturnType<TurnEvents['next']>>;

/** Waits for the turn's steps, one after the other, and never longer than a client waits in silence. */
class StepWait {
  readonly #heartbeatMs: number;
  readonly #patience: Patience = createPatience(() => this.#resolve(undefined));
  #resolve: (step: Step | undefined) => void = () => undefined;

  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs;
  }

  /** @returns the step, or `undefined` when it is late. The promise stays usable. */
  for(step: Promise<Step>): Promise<Step | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Step | undefined>();
    this.#resolve = resolve;
    this.#patience.expect(this.#heartbeatMs);
    step.then(resolve, (error: unknown) => {
      this.stop();
      reject(error);
    });
    return promise;
  }

  stop(): void {
    this.#patience.stop();
  }
}
