/**
 * Calls wait here for their turn at an upstream, so that it never has to refuse one. Owns who waits in this instance;
 * what is taken is the store's. The queue is a leaky bucket: what flows in leaks out at the pace that the quota allows,
 * and what does not fit runs over at once.
 */
import { AppError } from '../../shared/errors.ts';
import { createNotifier, type Notifier } from '../../shared/stream/notifier.ts';
import { createFairQueue, type FairQueue, type Priority } from './fair-queue.ts';
import { type QuotaCall, type QuotaScope, type QuotaStore, SLICE_MS, SLICES_KEPT } from './quota-store.ts';

export interface QuotaOptions {
  store: QuotaStore;
  /** Most calls that wait for one target. */
  maxWaiting: number;
  now: () => number;
  /** Resolves after that many milliseconds, or when the signal is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface QuotaRequest extends QuotaCall {
  tenant: string;
  priority: Priority;
  /** Unix time in milliseconds until which it may wait. */
  untilMs: number;
}

/** A call's place at the upstream. */
export interface Admission {
  /** Gives back the place and what was not used. Idempotent. */
  settle(usedTokens: number): void;
  /** The upstream has refused: nobody asks it again for so long. */
  block(forMs: number): void;
}

export interface Quota {
  /**
   * Waits for a place. Aborting the signal leaves the queue.
   * @throws AppError `model_busy` at once, when it would wait too long or too many wait; `cancelled`; `core_unavailable`
   */
  admit(request: QuotaRequest, signal: AbortSignal): Promise<Admission>;
  /** How many calls wait. */
  readonly waiting: number;
}

interface Waiter extends QuotaRequest {
  admitted: PromiseWithResolvers<Admission>;
}

/** All that wait for the same scopes. */
interface Lane {
  queue: FairQueue<Waiter>;
  /** When the store said to ask again. */
  nextAtMs: number;
  isPumping: boolean;
  /** When something happened that may let somebody in earlier. */
  news: Notifier;
}

const MINUTE_MS = SLICES_KEPT * SLICE_MS;

// long: the queue and who empties it share their lanes
export function createQuota({ store, maxWaiting, now, wait }: QuotaOptions): Quota {
  const lanes = new Map<string, Lane>();

  function laneOf(scopes: readonly QuotaScope[]): Lane {
    const name = JSON.stringify(scopes.map((scope) => scope.name));
    let lane = lanes.get(name);
    if (!lane) {
      lane = { queue: createFairQueue(), nextAtMs: 0, isPumping: false, news: createNotifier() };
      lanes.set(name, lane);
    }
    return lane;
  }

  function wakeAll(): void {
    for (const { news } of lanes.values()) news.notify();
  }

  /** The earliest that a new call can be let in, from now, if all goes well. */
  function shortestWaitMs(lane: Lane, request: QuotaRequest): number {
    if (lane.queue.size === 0) return 0;
    const perMinute = Math.min(
      ...request.scopes.map(({ limits }) => limits.requestsPerMinute ?? Number.POSITIVE_INFINITY),
    );
    const minutes = Math.floor(lane.queue.ahead(request) / perMinute);
    return Math.max(0, lane.nextAtMs - now()) + minutes * MINUTE_MS;
  }

  function admissionOf(waiter: Waiter, atMs: number): Admission {
    let isSettled = false;
    return {
      settle(usedTokens) {
        if (isSettled) return;
        isSettled = true;
        // What cannot be corrected in the store leaks out of the bucket in time.
        store.settle(waiter, atMs, usedTokens).then(wakeAll, wakeAll);
      },
      block(forMs) {
        store.block(waiter.scopes, forMs).catch(() => undefined);
      },
    };
  }

  /** Lets them in one by one, as the store allows. Never rejects. */
  async function pump(lane: Lane): Promise<void> {
    if (lane.isPumping) return;
    lane.isPumping = true;
    for (let first = lane.queue.peek(); first; first = lane.queue.peek()) {
      const signal = lane.news.nextSignal();
      try {
        const taken = await store.take(first);
        if (taken.granted) {
          const admission = admissionOf(first, taken.atMs);
          // Who has left meanwhile gives the place back.
          if (lane.queue.remove(first)) first.admitted.resolve(admission);
          else admission.settle(0);
          continue;
        }
        lane.nextAtMs = now() + taken.waitMs;
        turnAway(lane);
        if (lane.queue.size > 0) await wait(taken.waitMs, signal);
      } catch (error) {
        if (lane.queue.remove(first)) first.admitted.reject(error);
      }
    }
    lane.isPumping = false;
  }

  /** Callers that cannot wait until the next place are refused now. */
  function turnAway(lane: Lane): void {
    for (const waiter of [...lane.queue.entries()]) {
      if (waiter.untilMs < lane.nextAtMs && lane.queue.remove(waiter))
        waiter.admitted.reject(busy(lane.nextAtMs - now()));
    }
  }

  return {
    get waiting() {
      let count = 0;
      for (const { queue } of lanes.values()) count += queue.size;
      return count;
    },

    async admit(request, signal) {
      const lane = laneOf(request.scopes);
      const waitMs = shortestWaitMs(lane, request);
      if (lane.queue.size >= maxWaiting || now() + waitMs > request.untilMs) throw busy(waitMs);
      const waiter: Waiter = { ...request, admitted: Promise.withResolvers() };
      const leave = () => {
        if (lane.queue.remove(waiter)) waiter.admitted.reject(new AppError('cancelled'));
        lane.news.notify();
      };
      if (signal.aborted) throw new AppError('cancelled');
      lane.queue.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
      // One that goes before those who wait may need less than they do.
      if (lane.queue.peek() === waiter) lane.news.notify();
      void pump(lane);
      try {
        return await waiter.admitted.promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}

function busy(waitMs: number): AppError {
  return new AppError('model_busy', { retryAfterMs: Math.max(1000, Math.ceil(waitMs)) });
}
