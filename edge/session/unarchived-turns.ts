/** Turns that the archive has not heard of, with their messages out of the conversation. */
import type { ArchivedMessage, ArchivedTurn } from '../../shared/protocol/archive-protocol.ts';
import type { TurnResult } from '../../shared/turn/turn-result.ts';
import { toArchivedTurn } from '../core-client/archived-turn.ts';
import type { ContextStore, ConversationKey } from './context-store.ts';
import type { WindowLimits } from './context-window.ts';
import type { TurnCommand } from './turn-command.ts';
import type { TurnRow } from './turn-log.ts';

/** Messages read at once, and at most. */
const READ = 64;
const MAX_READ = 2048;

export interface UnarchivedTurnsOptions {
  store: ContextStore;
  resultOf: (turnId: string) => TurnResult;
  window: WindowLimits;
  /** Up to which round the conversation's notes go. */
  notedThroughRound: number;
}

/** @returns nothing when there are none */
export async function toUnarchivedTurns(
  rows: readonly TurnRow[],
  { store, resultOf, window, notedThroughRound }: UnarchivedTurnsOptions,
): Promise<{ key: ConversationKey; turns: ArchivedTurn[] } | undefined> {
  const [first] = rows;
  if (!first) return undefined;
  const commands = new Map(
    rows.map(({ turnId, command }): [string, TurnCommand] => [turnId, JSON.parse(command)]),
  );
  const { context, sessionId } = commands.get(first.turnId) as TurnCommand;
  const key = { tenant: context.tenant, user: context.user, sessionId };
  const withMessages = [...commands.values()]
    .filter((command) => !isAlone(command))
    .map(({ turnId }) => turnId);
  const messages = withMessages.length > 0 ? await messagesOf(new Set(withMessages), store, key) : [];
  const turns = rows.map(({ turnId, startedAtMs, endedAtMs }) => {
    const command = commands.get(turnId) as TurnCommand;
    const system = command.request.messages.filter(({ role }) => role === 'system' || role === 'developer');
    const result = resultOf(turnId);
    return toArchivedTurn({
      turnId,
      sessionId: isAlone(command) ? null : sessionId,
      result,
      foldThroughRound: isAlone(command) ? 0 : foldThrough(result, window, notedThroughRound),
      startedAtMs,
      endedAtMs: endedAtMs ?? startedAtMs,
      messages: messages.filter((message) => message.turnId === turnId),
      system: isAlone(command) || command.ownSystem || system.length === 0 ? null : system,
    });
  });
  return { key, turns };
}

/**
 * Notes are made before their rounds are out of the window, so that nothing is out that is not noted, and of several rounds at
 * once. @returns 0 when it is too early
 */
function foldThrough({ receipt }: TurnResult, limits: WindowLimits, notedThroughRound: number): number {
  if (!receipt) return 0;
  const { rounds, roundsDropped, tokens } = receipt;
  const isFull = roundsDropped > 0 || rounds >= limits.rounds || tokens * 2 >= limits.tokens;
  return isFull && roundsDropped + 1 > notedThroughRound
    ? roundsDropped + Math.max(1, Math.ceil(rounds / 2))
    : 0;
}

/** Its words are not the session's. */
function isAlone({ alone, state }: TurnCommand): boolean {
  return alone === true || state !== undefined;
}

/** Read back from the end until the oldest of the turns is in. */
async function messagesOf(
  turnIds: ReadonlySet<string>,
  store: ContextStore,
  key: ConversationKey,
): Promise<ArchivedMessage[]> {
  const found: ArchivedMessage[] = [];
  let before: number | undefined;
  for (let read = 0; read < MAX_READ; read += READ) {
    const { version, messages } = await store.tail(key, READ, before);
    const end = Math.min(before ?? version, version);
    const first = end - messages.length + 1;
    const ours = messages.flatMap(({ tokens: _, ...message }, index) =>
      turnIds.has(message.turnId) ? [{ ...message, position: first + index }] : [],
    );
    found.unshift(...ours);
    const isBeyond = found.length > 0 && ours.length === 0;
    if (messages.length < READ || isBeyond) break;
    before = first - 1;
  }
  return found;
}
