/** What the bench's upstream is told to say, and what it tells of itself: messages between two processes. */

export interface UpstreamScript {
  /** Words of an answer; each is one event of a stream. */
  events: number;
  /** Pause before the first event, in milliseconds. */
  firstMs: number;
  /** Pause before each further event; 0: as fast as the connection takes them, each in a write of its own. */
  paceMs: number;
}

export type UpstreamQuestion = { id: number } & (
  | { ask: 'behave'; script: UpstreamScript }
  | { ask: 'counts' }
  | { ask: 'stop' }
);

export interface UpstreamCounts {
  /** Calls since the last `behave`. */
  calls: number;
  /** Answers that are under way now. */
  open: number;
  /** When a caller left before the end, by the prompt's last word. Unix time in milliseconds, with fractions. */
  aborts: Record<string, number>;
}

export interface UpstreamReply {
  id: number;
  counts: UpstreamCounts;
}

/** Unix time in milliseconds, with fractions: comparable between processes of one machine. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}
