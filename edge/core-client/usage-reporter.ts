/**
 * Tells the archive what requests that stand alone have used, after their answers and many at a time. Owns what this isolate
 * has not reported yet: no object remembers it, so what cannot be reported within some seconds, or is lost with the isolate, is not
 * counted.
 */

import { MAX_ARCHIVED_TURNS } from '../../shared/protocol/archive-protocol.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import type { ArchiveClient, Owner } from './archive-client.ts';
import { toArchivedTurn } from './archived-turn.ts';

export interface UsedTurn {
  turnId: string;
  /** Unix time in milliseconds. */
  startedAtMs: number;
  endedAtMs: number;
  /** Read when it is reported. */
  result: () => TurnResult;
}

export interface UsageReporter {
  /** @param waitUntil Keeps the first request alive until everything is reported. */
  report(owner: Owner, turn: UsedTurn, waitUntil: (work: Promise<unknown>) => void): void;
}

export interface UsageReporterOptions {
  archive: ArchiveClient | undefined;
  wait: (ms: number) => Promise<void>;
}

/** How long the first one waits for others, which are reported together. */
const GATHER_MS = 1000;
const ATTEMPTS = 3;
const AGAIN_MS = 1000;
/** Of one user; what comes on top while the archive cannot be reached is not counted. */
const MAX_WAITING = 20_000;

export function createUsageReporter({ archive, wait }: UsageReporterOptions): UsageReporter {
  const waiting = new Map<string, { owner: Owner; turns: UsedTurn[] }>();

  async function tellAll(archive: ArchiveClient, name: string): Promise<void> {
    await wait(GATHER_MS);
    const { owner, turns } = waiting.get(name) ?? { turns: [] };
    waiting.delete(name);
    if (!owner) return;
    for (let start = 0; start < turns.length; start += MAX_ARCHIVED_TURNS) {
      const batch = turns.slice(start, start + MAX_ARCHIVED_TURNS).map(toEnded);
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const isKept = await archive.keep(owner, { turns: batch, notesTokens: 0 }).then(
          () => true,
          () => false,
        );
        if (isKept) break;
        await wait(AGAIN_MS * attempt);
      }
    }
  }

  return {
    report({ tenant, user }, turn, waitUntil) {
      if (!archive) return;
      const name = JSON.stringify([tenant, user]);
      const known = waiting.get(name);
      if (known) {
        if (known.turns.length < MAX_WAITING) known.turns.push(turn);
        return;
      }
      waiting.set(name, { owner: { tenant, user }, turns: [turn] });
      waitUntil(tellAll(archive, name));
    },
  };
}

function toEnded({ turnId, startedAtMs, endedAtMs, result: resultOf }: UsedTurn) {
  const result = resultOf();
  return toArchivedTurn({
    turnId,
    startedAtMs,
    endedAtMs,
    // Without an end its reader has left.
    result: result.status === 'in_progress' ? { ...result, status: 'cancelled' } : result,
    sessionId: null,
    messages: [],
    system: null,
    foldThroughRound: 0,
  });
}
