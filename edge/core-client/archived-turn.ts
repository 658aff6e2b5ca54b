/** A turn as the archive takes it. */

import type { ChatMessage } from '../../shared/model/chat-model.ts';
import type { ArchivedMessage, ArchivedTurn } from '../../shared/protocol/archive-protocol.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';

export interface EndedTurn {
  turnId: string;
  /** `null` for one that stands alone. */
  sessionId: string | null;
  result: TurnResult;
  /** Unix times in milliseconds. */
  startedAtMs: number;
  endedAtMs: number;
  messages: ArchivedMessage[];
  system: ChatMessage[] | null;
  foldThroughRound: number;
}

export function toArchivedTurn(turn: EndedTurn): ArchivedTurn {
  const { result, ...rest } = turn;
  return {
    ...rest,
    status: result.status,
    model: result.model,
    place: result.route?.place ?? null,
    cache: result.cache?.outcome ?? null,
    usage: result.usage ?? null,
    error: result.error?.code ?? null,
  };
}
