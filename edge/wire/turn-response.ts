/**
 * A turn as an HTTP answer. The status is decided by the first event that says something: until then a
 * failure is still an HTTP error; after it, it is an event in the stream.
 */
import { AppError } from '../../shared/errors.ts';
import { createIdleTimer, type IdleTimer } from '../../shared/stream/idle-timer.ts';
import { encodeSseComment } from '../../shared/stream/sse.ts';
import { type NumberedTurnEvent, saysSomething, type TurnEvent } from '../../shared/turn/turn-events.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult } from '../../shared/turn/turn-result.ts';
import { toRateLimitHeaders } from '../limits/rate-limit-headers.ts';
import { type TurnTimings, toServerTiming } from '../observe/turn-timings.ts';
import type { Wire } from './wire.ts';

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
  const begun: BegunTurn = { turn, next: turn.next(), early: [], wait: new StepWait(options.heartbeatMs) };
  const { early, wait } = begun;
  let made: ReturnType<typeof toStreamed> | undefined;
  // Hold the status back until the turn has said something, but not longer than a client waits in silence.
  while (!early.some(({ event }) => saysSomething(event))) {
    const step = await wait.for(begun.next);
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
    begun.next = turn.next();
    // Who answers is known, and what is left of the limits: the head is made while the model thinks.
    if (result.route) made ??= toStreamed(begun, result, options);
  }
  const { response, timing } = made ?? toStreamed(begun, result, options);
  const timingNow = serverTiming(options);
  if (timingNow !== undefined && timingNow !== timing) response.headers.set('server-timing', timingNow);
  return response;
}

/** @returns also the times that the headers report */
function toStreamed(begun: BegunTurn, result: TurnResult, options: TurnResponseOptions) {
  const headers = { ...turnHeaders(result, options), ...options.wire.streamHeaders };
  const response = new Response(encodeTurn(begun, options), { headers });
  return { response, timing: headers['server-timing'] };
}

interface BegunTurn {
  turn: TurnEvents;
  /** The step that comes next. */
  next: Promise<Step>;
  /** The events until then. */
  early: NumberedTurnEvent[];
  wait: StepWait;
}

/** Nothing of the turn is encoded, and no step taken, before the stream is read. */
function encodeTurn(
  begun: BegunTurn,
  { after, onCancel, ...options }: TurnResponseOptions,
): ReadableStream<Uint8Array> {
  const { turn, early, wait } = begun;
  const encoder = options.wire.encoder(options.turnId);
  const utf8 = new TextEncoder();

  const encode = (events: NumberedTurnEvent[]): string => {
    let out = '';
    for (const numbered of events) {
      const text = encoder.encode(numbered);
      if (numbered.seq > after) out += text;
    }
    return out;
  };

  let isFirst = true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let text = isFirst ? encode(early) : '';
        isFirst = false;
        while (text === '') {
          const step = await wait.for(begun.next);
          if (step === undefined) {
            text = heartbeat;
          } else if (step.done) {
            wait.stop();
            controller.enqueue(utf8.encode(encoder.end()));
            controller.close();
            return;
          } else {
            text = encode(step.value.events);
            begun.next = turn.next();
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
  options: Pick<TurnResponseOptions, 'timings' | 'headers'>,
): Record<string, string> {
  const headers: Record<string, string> = { ...options.headers };
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
  const timing = serverTiming(options);
  if (timing !== undefined) headers['server-timing'] = timing;
  return headers;
}

/** Only what has happened by now; later values follow the answer. */
function serverTiming({
  timings,
  headers,
}: Pick<TurnResponseOptions, 'timings' | 'headers'>): string | undefined {
  const timing = toServerTiming(timings);
  const others = headers?.['server-timing'];
  if (timing === '') return others;
  return others === undefined ? timing : `${timing}, ${others}`;
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
  readonly #patience: IdleTimer = createIdleTimer(() => this.#resolve(undefined));
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
