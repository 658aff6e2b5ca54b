/**
 * A wire: how one kind of client reads a turn. Every wire encodes the same numbered turn events, so a
 * client can leave on one wire and come back on another.
 */
import type { NumberedTurnEvent } from '../../shared/turn/turn-events.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';

export interface Wire {
  /** Headers of a streamed answer, content type included. */
  readonly streamHeaders: Record<string, string>;
  /** A new encoder for one reader. It must see every event of the turn from 0, in order. */
  encoder(turnId: string): TurnEncoder;
  /** The body of an answer that is not streamed. */
  body(result: TurnResult): unknown;
}

export interface TurnEncoder {
  /** The event as text for the wire; empty when this wire has nothing to say for it. */
  encode(numbered: NumberedTurnEvent): string;
  /** What closes the stream after the last event. */
  end(): string;
}
