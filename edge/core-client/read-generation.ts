/** Reading a generation of the core as a model's stream: never errors, always ends in a terminal event. */

import { AppError, toAppError } from '../../shared/errors.ts';
import { type ChatEvent, type ChatStream, isTerminal } from '../../shared/model/chat-model.ts';
import { eventStream } from '../../shared/model/event-stream.ts';
import type { GenerationOutcome, NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';

type Open = (signal: AbortSignal) => Promise<AsyncIterable<NumberedChatEvent>>;

/** How often a generation is begun again, in another region of the core, when its first one breaks off without a word. */
const BEGIN_AGAIN = 1;

/**
 * Reads a generation that ends with its connection.
 * @param canBeginAgain Whether there is another region in which it could begin again, unseen.
 */
export function readOnce(signal: AbortSignal, open: Open, canBeginAgain: boolean): ChatStream {
  return eventStream(signal, async function* (inner) {
    for (let again = 0; ; again++) {
      let isOpen = false;
      let hasBegun = false;
      let error = new AppError('core_unavailable', { message: 'The core closed its answer.' });
      try {
        const events = await open(inner);
        isOpen = true;
        const toPass = holdingName(canBeginAgain);
        for await (const { event } of events) {
          for (const passed of toPass(event)) {
            hasBegun = true;
            yield passed;
          }
        }
      } catch (thrown) {
        error = inner.aborted ? new AppError('cancelled') : toCoreError(thrown);
      }
      const isLost = isOpen && !hasBegun && error.code === 'core_unavailable';
      if (!canBeginAgain || !isLost || again >= BEGIN_AGAIN) return yield failure(error);
    }
  });
}

/**
 * Holds the model's name back until it says something: what broke off before can begin elsewhere, unseen.
 * @returns the events that may be passed on with this one
 */
function holdingName(isHeld: boolean): (event: ChatEvent) => ChatEvent[] {
  let name: ChatEvent | undefined;
  return function toPass(event) {
    if (isHeld && event.type === 'model-start') {
      name = event;
      return [];
    }
    const passed = name ? [name, event] : [event];
    name = undefined;
    return passed;
  };
}

export interface OwnedGeneration {
  /** The number of the first event to read. */
  from: number;
  /** Whether reading it from the first event starts it; one that is not new is only attached to. */
  isNew: boolean;
  /** Whether there is another region in which it could begin again, unseen. */
  canBeginAgain: boolean;
  signal: AbortSignal;
  start: Open;
  attach: (after: number, signal: AbortSignal) => Promise<AsyncIterable<NumberedChatEvent>>;
  /** Asks the core to end it. */
  cancel: () => Promise<GenerationOutcome>;
  wait: (ms: number) => Promise<void>;
  now: () => number;
}

/** How long a generation that was begun is looked for, when the core cannot be reached. */
const REATTACH_MS = 15_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;
/** How long the core may take to end a generation that was cancelled. */
const CANCEL_MS = 5000;
const CANCEL_AGAIN_MS = 100;

/** Reads a generation that the core owns, over as many connections as it takes. */
export function readOwned(generation: OwnedGeneration): ChatStream {
  const { from, isNew, canBeginAgain, signal, start, attach, wait, now } = generation;
  const reading = new AbortController();
  let ended = false;
  const cancelled = cancelOnAbort(generation, reading);

  return eventStream(reading.signal, async function* (inner) {
    let next = from;
    // Nothing was asked of the core yet, and nothing will be.
    if (isNew && next === 0 && signal.aborted) return yield failure(new AppError('cancelled'));
    let lostAtMs: number | undefined;
    let waitMs = FIRST_WAIT_MS;
    for (;;) {
      let isOpen = false;
      try {
        const events = await (isNew && next === 0 ? start(inner) : attach(next - 1, inner));
        isOpen = true;
        const toPass = holdingName(canBeginAgain);
        for await (const { seq, event } of events) {
          if (seq < next) continue;
          const passed = toPass(event);
          if (passed.length === 0) continue;
          next = seq + 1;
          lostAtMs = undefined;
          waitMs = FIRST_WAIT_MS;
          ended = isTerminal(event);
          yield* passed;
        }
      } catch (thrown) {
        const error = toCoreError(thrown);
        if (inner.aborted) return yield failure(new AppError('cancelled'));
        if (error.code === 'generation_not_found') return yield failure(new AppError('generation_lost'));
        // Nothing was begun that could be lost: the caller hears at once.
        if ((isNew && next === 0 && !isOpen) || error.code !== 'core_unavailable')
          return yield failure(error);
      }
      lostAtMs ??= now();
      if (now() - lostAtMs > REATTACH_MS) return yield failure(new AppError('generation_lost'));
      await Promise.race([wait(waitMs), cancelled]);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  });

  /** Resolves once cancelling is over and nothing is left to read. */
  function cancelOnAbort(
    { cancel }: Pick<OwnedGeneration, 'cancel'>,
    reader: AbortController,
  ): Promise<void> {
    return new Promise((resolve) => {
      const onAbort = async () => {
        if (ended) return;
        // The core's own end of the generation is what the reader should see; it is waited for, but not for ever.
        // A cancel may overtake the call that starts the generation, so one that met nothing is sent again.
        for (const endMs = now() + CANCEL_MS; !ended && now() < endMs; await wait(CANCEL_AGAIN_MS)) {
          const outcome = await cancel().catch(() => undefined);
          if (outcome && outcome.status !== 'unknown') break;
        }
        if (!ended) await wait(CANCEL_MS);
        reader.abort();
        resolve();
      };
      if (signal.aborted && !isNew) void onAbort();
      else signal.addEventListener('abort', () => void onAbort(), { once: true });
    });
  }
}

function toCoreError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('core_unavailable', { cause: error });
}

function failure(error: unknown): ChatEvent {
  return { type: 'error', error: toAppError(error).toInfo() };
}
