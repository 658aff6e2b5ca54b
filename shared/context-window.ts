/**
 * What of a conversation goes to the model: the system prompt, as many whole rounds as fit, the newest
 * messages. Pure, over messages that are counted already. O(messages).
 *
 * A round is a user message and everything up to the next one.
 */
import type { ChatMessage } from './chat-model.ts';
import { AppError } from './errors.ts';
import { REPLY_PRIMING_TOKENS } from './token-count.ts';

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
}

export interface FittedWindow {
  messages: ChatMessage[];
  /** Rounds kept besides the newest one. */
  rounds: number;
  roundsDropped: number;
  tokens: number;
}

/** @throws AppError `context_length_exceeded` when what must be kept does not fit alone */
export function fitWindow(input: WindowInput, limits: WindowLimits): FittedWindow {
  const { system, newest, earlierRounds } = input;
  const rounds = toRounds(input.history);
  // Tool results belong to the round that called the tools: it goes with them, whole.
  const open = newest[0]?.message.role === 'user' ? [] : (rounds.pop() ?? []);
  const current = [...open, ...newest];

  let tokens = REPLY_PRIMING_TOKENS + sum(system) + sum(current);
  if (tokens > limits.tokens) throw tooLong(tokens, limits.tokens);

  const kept: CountedMessage[][] = [];
  for (const round of rounds.toReversed()) {
    const size = sum(round);
    if (kept.length >= limits.rounds || tokens + size > limits.tokens) break;
    kept.unshift(round);
    tokens += size;
  }
  const messages = [...system, ...kept.flat(), ...current].map(({ message }) => message);
  return {
    messages: dropUnansweredCalls(messages),
    rounds: kept.length,
    roundsDropped: earlierRounds + rounds.length - kept.length,
    tokens,
  };
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
