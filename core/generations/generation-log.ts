/**
 * The events of running and recent generations, so that a reader can come back for what it missed. One
 * port, one contract suite (`generation-log.contract.ts`).
 */
import type { ChatEvent } from '../../shared/chat-model.ts';
import type { NumberedChatEvent } from '../../shared/generation-protocol.ts';

export interface GenerationLog {
  /** Opens a generation. @returns false when there is one with that key already */
  open(key: string): Promise<boolean>;
  /** Appends the next event. After the terminal one the generation is complete. */
  append(key: string, event: ChatEvent): Promise<void>;
  /**
   * The events after number `after`, then the live rest, closing after the terminal one. Aborting `signal`
   * or cancelling the stream only ends the reading.
   * @returns `undefined` when the generation is not known, or no longer
   */
  read(
    key: string,
    after: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<NumberedChatEvent> | undefined>;
  /** Whether it is known, and whether its terminal event is in. */
  state(key: string): Promise<'running' | 'complete' | 'unknown'>;
}
