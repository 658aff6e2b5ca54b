/**
 * What of a conversation goes to the model: the system prompt, as many whole rounds as fit, the newest
 * messages. Pure, over messages that are counted already. O(messages).
 *
 * A round is a user message and everything up to the next one.
 */

import { AppError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/model/chat-model.ts';
import { REPLY_PRIMING_TOKENS } from '../../shared/model/token-count.ts';

export interface CountedMessage {
  message: ChatMessage;
  tokens: number;
}

export interface WindowLimits {
  /** Most rounds besides the newest one. */
  rounds: number;
  /** Most tokens of the whole prompt. */
  tokens: number;
}

export interface WindowInput {
  system: CountedMessage[];
  /** Oldest first, without system messages, from the beginning of some round. */
  history: CountedMessage[];
  /** The messages of this turn. */
  newest: CountedMessage[];
  /** How many rounds there are before `history`. */
  earlierRounds: number;
  /** What is known of rounds that are left out. Stands in the prompt when some are. */
  notes?: CountedMessage | undefined;
  /** Tokens that history leaves free, for what is found later. */
  reservedTokens?: number;
}

export interface FittedWindow {
  messages: ChatMessage[];
  /** Rounds kept besides the newest one. */
  rounds: number;
  roundsDropped: number;
  tokens: number;
  /** Whether the notes stand in it. */
  hasNotes: boolean;
}

/** @throws AppError `context_length_exceeded` when what must be kept does not fit alone */
export function fitWindow(input: WindowInput, limits: WindowLimits): FittedWindow {
  const { system, newest, earlierRounds, notes, reservedTokens = 0 } = input;
  const rounds = toRounds(input.history);
  // Tool results belong to the round that called the tools: it goes with them, whole.
  const open = newest[0]?.message.role === 'user' ? [] : (rounds.pop() ?? []);
  const current = [...open, ...newest];

  let tokens = REPLY_PRIMING_TOKENS + sum(system) + sum(current);
  if (tokens > limits.tokens) throw tooLong(tokens, limits.tokens);

  const whole = takeRounds(rounds, limits, tokens, reservedTokens);
  const isWhole = earlierRounds === 0 && whole.length === rounds.length;
  // Notes are for what is left out, and take their room before history does.
  const fittingNotes = notes && !isWhole && tokens + notes.tokens <= limits.tokens ? [notes] : [];
  tokens += sum(fittingNotes);
  const kept = fittingNotes.length > 0 ? takeRounds(rounds, limits, tokens, reservedTokens) : whole;
  const messages = [...system, ...fittingNotes, ...kept.flat(), ...current].map(({ message }) => message);
  return {
    messages: dropUnansweredCalls(messages),
    rounds: kept.length,
    roundsDropped: earlierRounds + rounds.length - kept.length,
    tokens: tokens + sum(kept.flat()),
    hasNotes: fittingNotes.length > 0,
  };
}

/** The newest rounds that fit beside so many tokens. */
function takeRounds(
  rounds: CountedMessage[][],
  limits: WindowLimits,
  tokens: number,
  reservedTokens: number,
): CountedMessage[][] {
  const kept: CountedMessage[][] = [];
  let taken = tokens + reservedTokens;
  for (const round of rounds.toReversed()) {
    taken += sum(round);
    if (kept.length >= limits.rounds || taken > limits.tokens) break;
    kept.unshift(round);
  }
  return kept;
}

function toRounds(history: CountedMessage[]): CountedMessage[][] {
  const rounds: CountedMessage[][] = [];
  for (const counted of history) {
    const round = rounds.at(-1);
    if (!round || counted.message.role === 'user') rounds.push([counted]);
    else round.push(counted);
  }
  return rounds;
}

function sum(messages: CountedMessage[]): number {
  return messages.reduce((total, { tokens }) => total + tokens, 0);
}

function tooLong(tokens: number, limit: number): AppError {
  return new AppError('context_length_exceeded', {
    param: 'messages',
    message: `The newest message and the system prompt take ${tokens} tokens; the context window holds ${limit}.`,
  });
}

/** OpenAI refuses a prompt in which a tool call is not answered, as happens when the user writes on instead. */
function dropUnansweredCalls(messages: ChatMessage[]): ChatMessage[] {
  return messages.flatMap((message, index) => {
    const { tool_calls: calls, ...rest } = message;
    if (!calls) return [message];
    const answered = answeredAfter(messages, index);
    if (calls.every((call) => answered.has(call.id))) return [message];
    const left = calls.filter((call) => answered.has(call.id));
    if (left.length > 0) return [{ ...rest, tool_calls: left }];
    return rest.content ? [rest] : [];
  });
}

/** Ids of the tool results right after a message. Some models use the same ids again in later rounds. */
function answeredAfter(messages: ChatMessage[], index: number): Set<string | undefined> {
  const answered = new Set<string | undefined>();
  for (let next = index + 1; messages[next]?.role === 'tool'; next++) {
    answered.add(messages[next]?.tool_call_id);
  }
  return answered;
}
