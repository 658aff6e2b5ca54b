/**
 * How far one socket's reader is behind. The platform queues what is sent and does not report how much of it was
 * taken, so readers acknowledge events (`edgewise.ack`), and what is not acknowledged is bounded. Owns the
 * count of one socket, for as long as the object is awake; a socket that slept had nothing under way.
 */

/** Unacknowledged characters of a reader that acknowledges. */
const ACKED_LIMIT_CHARS = 1024 * 1024;
/** The same for a client that knows no `edgewise.ack`: whatever it sends says that it is alive and reading. */
const SILENT_LIMIT_CHARS = 8 * 1024 * 1024;
/** How long a reader may take to catch up, in milliseconds. */
const SLOW_MS = 5000;

export class SocketFlow {
  /** What was sent and is not acknowledged, oldest first. */
  #unread: { turnId: string; seq: number; chars: number }[] = [];
  #unreadChars = 0;
  #acknowledges = false;
  #moved = Promise.withResolvers<void>();

  sent(turnId: string, seq: number, chars: number): void {
    this.#unread.push({ turnId, seq, chars });
    this.#unreadChars += chars;
  }

  /** The reader has the turn's events up to a number, and all that was sent before them. */
  acknowledge(turnId: string, seq: number): void {
    this.#acknowledges = true;
    const last = this.#unread.findLastIndex((sent) => sent.turnId === turnId && sent.seq <= seq);
    for (const { chars } of this.#unread.splice(0, last + 1)) this.#unreadChars -= chars;
    this.#wake();
  }

  /** The reader has sent something else. */
  messageReceived(): void {
    if (this.#acknowledges) return;
    this.#unread = [];
    this.#unreadChars = 0;
    this.#wake();
  }

  /** Resolves when there is room for more; to false when the reader takes too long. */
  async hasRoom(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const tooLate = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, SLOW_MS, 'late');
    });
    try {
      while (this.isFull) if ((await Promise.race([this.#moved.promise, tooLate])) === 'late') return false;
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  get isFull(): boolean {
    return this.#unreadChars > (this.#acknowledges ? ACKED_LIMIT_CHARS : SILENT_LIMIT_CHARS);
  }

  #wake(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
