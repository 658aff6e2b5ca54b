/**
 * Gathers the events of one generation and writes them in order, one batch at a time: what comes while a batch is on
 * its way goes with the next. Owns what is not written yet, at most about {@link MAX_WAITING_CHARS}.
 */
import { type ChatEvent, isTerminal } from '../../shared/model/chat-model.ts';
import { retry } from '../../shared/stream/backoff.ts';
import { createNotifier } from '../../shared/stream/notifier.ts';

export interface WrittenEvent {
  seq: number;
  /** JSON. */
  text: string;
}

export interface EventWriterOptions {
  /**
   * Writes events that follow each other; `terminal` is the last one where that ends the generation. It may be asked
   * to write the same twice, when it did not say how the first time went.
   */
  write: (events: readonly WrittenEvent[], terminal: ChatEvent | undefined) => Promise<void>;
  /** How long a batch is tried again, in milliseconds. */
  retryMs: number;
  /** Called once, with the last error, when a batch could not be written in that time. Nothing more is written. */
  onFailure: (error: unknown) => void;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  random: () => number;
}

export interface EventWriter {
  /** Resolves when there is room for more; for a terminal event, when all is written. Rejects after a failure. */
  append(event: ChatEvent): Promise<void>;
  /** Writes no more. */
  close(): void;
}

const MAX_WAITING_CHARS = 256 * 1024;
/** Redis does nothing else while it takes a batch. */
const MAX_BATCH_CHARS = 1024 * 1024;
const MAX_BATCH_EVENTS = 512;
const retryPolicy = { firstMs: 50, maxMs: 1000 };

// long: the writer and its reader share one buffer
export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { write, retryMs, onFailure, now, wait, random } = options;
  let next = 0;
  let waiting: WrittenEvent[] = [];
  let waitingChars = 0;
  let terminal: ChatEvent | undefined;
  let failure: unknown;
  let isClosed = false;
  let isWriting = false;
  /** After every batch. */
  const progress = createNotifier();

  function takeBatch(): WrittenEvent[] {
    let chars = 0;
    let count = 0;
    for (const { text } of waiting) {
      if (count > 0 && (count === MAX_BATCH_EVENTS || chars + text.length > MAX_BATCH_CHARS)) break;
      chars += text.length;
      count++;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingChars -= chars;
    return batch;
  }

  /** Never rejects. */
  async function writeAll(): Promise<void> {
    isWriting = true;
    try {
      while (waiting.length > 0 && !isClosed) {
        const batch = takeBatch();
        await writeBatch(batch, waiting.length === 0 ? terminal : undefined);
        progress.notify();
      }
    } catch (error) {
      failure = error;
      isClosed = true;
      onFailure(error);
    }
    isWriting = false;
    progress.notify();
  }

  async function writeBatch(batch: WrittenEvent[], last: ChatEvent | undefined): Promise<void> {
    const tryOnce = async () => {
      if (!isClosed) await write(batch, last);
    };
    await retry(tryOnce, { policy: retryPolicy, untilMs: now() + retryMs, now, wait, random });
  }

  return {
    async append(event) {
      if (failure !== undefined) throw failure;
      if (isClosed || terminal) return;
      const text = JSON.stringify(event);
      waiting.push({ seq: next++, text });
      waitingChars += text.length;
      if (isTerminal(event)) terminal = event;
      if (!isWriting) void writeAll();
      await progress.until(
        () => isClosed || (event === terminal ? !isWriting : waitingChars <= MAX_WAITING_CHARS),
      );
      if (failure !== undefined) throw failure;
    },
    close() {
      isClosed = true;
      progress.notify();
    },
  };
}
