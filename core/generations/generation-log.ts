/**
 * The events of running and recent generations, so that a reader can come back for what it missed, and the
 * word that one shall end. One port, one contract suite (`generation-log.contract.ts`).
 */

import type { AppError } from '../../shared/errors.ts';
import type { ChatEvent } from '../../shared/model/chat-model.ts';
import type { GenerationOutcome, NumberedChatEvent } from '../../shared/protocol/generation-protocol.ts';
import type { Owner } from '../db/owner.ts';

/** Called without a reason it is a cancel; a reason becomes the generation's error. May be called more than once. */
export type StopGeneration = (reason?: AppError) => void;

/** The methods of a log that others run reject with an AppError `core_unavailable` when it cannot be reached. */
export interface GenerationLog {
  /**
   * Opens a generation, which then belongs to the caller: it appends, and ends it when `stop` is called.
   * @returns false when there is one with that key already
   */
  open(key: string, stop: StopGeneration): Promise<boolean>;
  /** Appends the next event, in the order of the calls. After the terminal one the generation is complete. */
  append(key: string, event: ChatEvent): Promise<void>;
  /**
   * The events after number `after`, then the live rest, closing after the terminal one. Aborting `signal`
   * or cancelling the stream only ends the reading. A generation whose owner has died ends in `generation_lost`.
   * @returns `undefined` when the generation is not known, or no longer
   */
  read(
    key: string,
    after: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<NumberedChatEvent> | undefined>;
  /** Whether it is known, and how it ended if its terminal event is in. */
  state(key: string): Promise<GenerationOutcome['status'] | 'running'>;
  /** Has its owner end it, whichever instance that is, and returns how it ended once it has. */
  cancel(key: string): Promise<GenerationOutcome['status']>;
  /** Ends what runs under keys that begin so, and forgets all of it. @returns how many there were */
  removeAll(prefix: string): Promise<number>;
}

/** How the keys of all generations of a user begin. */
export function generationPrefix({ tenant, user }: Owner): string {
  return `${JSON.stringify([tenant, user]).slice(0, -1)},`;
}

/** Tenant and user are part of the key: nobody reaches another's generation by its id. */
export function generationKey({ tenant, user }: Owner, id: string): string {
  return JSON.stringify([tenant, user, id]);
}

/** How a generation with this terminal event ended. */
export function outcomeOf(terminal: ChatEvent): 'cancelled' | 'finished' {
  return terminal.type === 'error' && terminal.error.code === 'cancelled' ? 'cancelled' : 'finished';
}
