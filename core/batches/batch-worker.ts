/**
 * Answers the lines of batches, so many at a time. Owns the lines that this instance has taken; what they come to is the
 * database's. It looks for work when it is woken, and now and then as long as there is some.
 */
import { backoffMs } from '../../shared/stream/backoff.ts';
import { createNotifier } from '../../shared/stream/notifier.ts';
import type { AnswerLine } from './answer-line.ts';
import type { BatchWork, ClaimedLine, LineAnswer } from './batch-work.ts';
import type { BatchRow } from './batches.ts';

export interface BatchWorkerOptions {
  work: BatchWork;
  answer: AnswerLine;
  /** Lines at a time. */
  concurrency: number;
  /** Longest time for one line, in milliseconds. */
  maxLineMs: number;
  leaseMs: number;
  /** How long without work until the next look, in milliseconds; never, when nobody else can bring work. */
  idleMs: number | undefined;
  now: () => number;
  /** Resolves after that many milliseconds, or when the signal is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
  newId: () => string;
  onError: (error: unknown) => void;
}

export interface BatchWorker {
  /** Looks for work now. Returns at once. */
  wake(): void;
  /** Gives back what is not answered, and takes no more. */
  stop(): Promise<void>;
}

const MAX_ATTEMPTS = 5;
/** Answers that come within this time are written together. */
const GATHER_MS = 15;
/** As often as this the list of batches is read while there is work. */
const LOOK_MS = 500;
/** After a failure of the database. */
const FAILED_WAIT_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

// long: one loop and the state that its steps share
export function createBatchWorker(options: BatchWorkerOptions): BatchWorker {
  const { work, answer, concurrency, maxLineMs, leaseMs, idleMs, now, wait, random, newId, onError } =
    options;
  const stopped = new AbortController();
  const news = createNotifier();
  let running: Promise<void> | undefined;
  /** Taken and not begun. */
  let ready: ClaimedLine[] = [];
  const underWay = new Map<ClaimedLine, AbortController>();
  let answered: LineAnswer[] = [];
  const released: { line: ClaimedLine; atMs: number }[] = [];
  let open: BatchRow[] = [];
  let lookAtMs = 0;
  let renewAtMs = 0;

  function wake(): void {
    lookAtMs = 0;
    news.notify();
    running ??= run();
  }

  /** Never rejects. Ends when there is nothing to do, and nobody else could bring something. */
  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const signal = news.nextSignal();
      let waitMs: number | undefined;
      try {
        await writeDown();
        await look();
        await take();
        begin();
        const isIdle = open.length === 0 && underWay.size === 0;
        waitMs = isIdle ? idleMs : LOOK_MS;
      } catch (error) {
        onError(error);
        waitMs = FAILED_WAIT_MS;
      }
      // Whoever woke it meanwhile found it running.
      if (waitMs === undefined && !signal.aborted) break;
      await wait(waitMs ?? 0, AbortSignal.any([signal, stopped.signal]));
      if (underWay.size > 0) await wait(GATHER_MS, stopped.signal);
    }
    running = undefined;
  }

  async function writeDown(): Promise<void> {
    const written = [...answered];
    if (written.length > 0) {
      await work.finish(written);
      // More may have come meanwhile.
      answered = answered.slice(written.length);
    }
    while (released.length > 0) {
      const { line, atMs } = released[0] as (typeof released)[0];
      await work.release([line], atMs);
      released.shift();
    }
    if (renewAtMs <= now()) {
      const mine = [...ready, ...underWay.keys()];
      if (mine.length > 0) await work.renew(mine);
      renewAtMs = now() + leaseMs / 3;
    }
  }

  async function look(): Promise<void> {
    if (lookAtMs > now()) return;
    lookAtMs = now() + LOOK_MS;
    open = await work.open();
    for (const batch of open) if (batch.status === 'validating') await work.validate(batch);
    if (open.some(({ status }) => status === 'validating')) open = await work.open();
    await leaveCancelled();
    for (const batch of open) await work.advance(batch);
    open = await work.open();
  }

  /** What is asked for a batch that was cancelled is not wanted any more. */
  async function leaveCancelled(): Promise<void> {
    const wanted = new Set(open.filter(({ status }) => status === 'in_progress').map(({ id }) => id));
    const left = ready.filter(({ batch }) => !wanted.has(batch.id));
    ready = ready.filter(({ batch }) => wanted.has(batch.id));
    for (const [line, call] of underWay) {
      if (wanted.has(line.batch.id)) continue;
      call.abort();
      left.push(line);
    }
    if (left.length > 0) await work.release(left, 0);
  }

  /** Some of each batch in turn, so that a long one does not hold up a short one. */
  async function take(): Promise<void> {
    const room = 2 * concurrency - ready.length;
    const batches = open.filter(({ status }) => status === 'in_progress');
    if (room < concurrency || batches.length === 0) return;
    const share = Math.max(1, Math.ceil(room / batches.length));
    for (const batch of batches) {
      const claimed = await work.claim(batch, share);
      // On a database that is slow for seconds a lease of ours may run out before it is renewed.
      const held = new Set(heldOf(batch).map(({ ordinal }) => ordinal));
      ready.push(...claimed.filter(({ ordinal }) => !held.has(ordinal)));
    }
    // Nothing was left to take: it may be at its end.
    if (ready.length === 0 && underWay.size === 0 && answered.length === 0) lookAtMs = 0;
  }

  function heldOf({ id }: BatchRow): ClaimedLine[] {
    const lines = [...ready, ...underWay.keys(), ...answered.map(({ line }) => line)];
    return lines.filter(({ batch }) => batch.id === id);
  }

  function begin(): void {
    while (underWay.size < concurrency) {
      const line = ready.shift();
      if (!line) return;
      void ask(line);
    }
  }

  /** Never rejects. */
  async function ask(line: ClaimedLine): Promise<void> {
    const { batch, body, customId, ordinal, attempts } = line;
    const call = new AbortController();
    underWay.set(line, call);
    const signal = AbortSignal.any([call.signal, stopped.signal, AbortSignal.timeout(maxLineMs)]);
    const caller = { tenant: batch.tenant, priority: 'batch' as const, deadlineMs: batch.expiresAtMs };
    const id = newId();
    const {
      status,
      body: said,
      retryAfterMs,
    } = await answer({ endpoint: batch.endpoint, body, id }, caller, signal);
    underWay.delete(line);
    const isLeft = call.signal.aborted || stopped.signal.aborted;
    if (!isLeft && retryAfterMs !== undefined && attempts < MAX_ATTEMPTS) {
      // Never sooner than the upstream says.
      const policy = { firstMs: retryAfterMs, maxMs: MAX_BACKOFF_MS };
      const waitMs = Math.max(retryAfterMs, backoffMs(attempts - 1, policy, random));
      released.push({ line, atMs: now() + Math.ceil(waitMs) });
    } else if (!isLeft) {
      const response = { status_code: status, request_id: id, body: said };
      const text = JSON.stringify({
        id: `batch_req_${batch.id}_${ordinal}`,
        custom_id: customId,
        response,
        error: null,
      });
      answered.push({ line, isError: status !== 200, answer: text });
    }
    news.notify();
  }

  return {
    wake,
    async stop() {
      stopped.abort();
      await running;
      const mine = [...ready, ...underWay.keys()];
      for (const call of underWay.values()) call.abort();
      try {
        await work.finish(answered);
        if (mine.length > 0) await work.release(mine, 0);
      } catch (error) {
        // The leases run out by themselves.
        onError(error);
      }
    },
  };
}
