/** Which model answers a prompt, as the router decides it and everything behind it reads it. */
import type { TurnRoute } from '../../shared/turn/turn-events.ts';

export interface ModelChoice {
  /** `reason` is for people to read; nothing may depend on it. */
  route: TurnRoute;
  /** The name to ask that place for. */
  model: string;
  /**
   * How the light model was chosen, where the router did not decide by itself: `by-name` for a request that names it,
   * which no other model may answer; `fast` for the alias, behind which the core's own `fast` stands.
   */
  wish?: 'by-name' | 'fast';
}

/** Where in a model's answer to begin. */
export interface ModelPlace {
  /** The number of the first event to read. */
  from: number;
  /** False: the call was made before a restart, and is resumed. */
  isNew: boolean;
}

export const newCall: ModelPlace = { from: 0, isNew: true };
