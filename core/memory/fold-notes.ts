/**
 * Folds messages into a conversation's notes: a pure function of both. The sentences that matter are kept word for word, each
 * with its turn. O(new messages + notes), so that a turn costs the same however long the conversation is.
 */

import { messageText } from '../../shared/model/chat-model.ts';
import type { ArchivedMessage } from '../../shared/protocol/archive-protocol.ts';
import type { ConversationNotes, NoteLine } from '../../shared/protocol/memory-protocol.ts';
import { sentencesOf } from '../text/sentences.ts';
import { weightOf } from './worth-keeping.ts';

/** Longest line, in characters; a longer sentence is cut. */
const MAX_LINE_CHARS = 300;
/** What a line takes besides its text. */
const LINE_FRAME_TOKENS = 10;

export type CountText = (text: string) => number;

export interface NotesLimits {
  /** Of all lines together. */
  maxTokens: number;
  count: CountText;
}

/** The lines of new messages. Without a model: the sentences that bear a sign of mattering. */
export function extractLines(messages: readonly ArchivedMessage[]): NoteLine[] {
  return messages.flatMap(({ message, turnId, round }) => {
    const { role } = message;
    if (role !== 'user' && role !== 'assistant') return [];
    return sentencesOf(messageText(message)).flatMap((sentence) => {
      const weight = weightOf(sentence, role);
      const text = sentence.slice(0, MAX_LINE_CHARS);
      return weight > 0 ? [{ text, role, turnIds: [turnId], round, weight }] : [];
    });
  });
}

/** When there is no more room, what matters least goes first, the oldest of it first. */
export function foldLines(
  notes: ConversationNotes | undefined,
  added: readonly NoteLine[],
  { maxTokens, count }: NotesLimits,
): NoteLine[] {
  const lines = new Map<string, NoteLine>();
  for (const line of [...(notes?.lines ?? []), ...added]) {
    const name = `${line.role} ${line.text.toLowerCase()}`;
    const known = lines.get(name);
    lines.set(name, known ? merge(known, line) : line);
  }
  const sized = [...lines.values()].map((line) => ({ line, tokens: count(line.text) + LINE_FRAME_TOKENS }));
  let tokens = sized.reduce((sum, entry) => sum + entry.tokens, 0);
  const dispensable = [...sized].sort(
    (one, other) => one.line.weight - other.line.weight || one.line.round - other.line.round,
  );
  const gone = new Set<NoteLine>();
  for (const entry of dispensable) {
    if (tokens <= maxTokens) break;
    gone.add(entry.line);
    tokens -= entry.tokens;
  }
  return sized
    .flatMap(({ line }) => (gone.has(line) ? [] : [line]))
    .sort((one, other) => one.round - other.round);
}

/** Said again: it matters a little more, and the newest turn stands for it. */
function merge(known: NoteLine, again: NoteLine): NoteLine {
  if (known.turnIds.includes(again.turnIds[0] ?? '')) return known;
  const turnIds = [...known.turnIds, ...again.turnIds].slice(-MAX_TURNS);
  return { ...known, turnIds, round: again.round, weight: Math.max(known.weight, again.weight) + 1 };
}

const MAX_TURNS = 5;
