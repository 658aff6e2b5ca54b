/** Turns for the tests of the wires. */
import fc from 'fast-check';
import { AppError } from '../../../shared/errors.ts';
import type { ChatEvent } from '../../../shared/model/chat-model.ts';
import type { NumberedTurnEvent, TurnEvent } from '../../../shared/turn/turn-events.ts';
import { TurnExpander } from '../../../shared/turn/turn-expander.ts';
import { emptyTurnResult, foldTurnEvent, type TurnResult } from '../../../shared/turn/turn-result.ts';
import type { Wire } from '../wire.ts';

export const turnHead = {
  turnId: 't1',
  createdAt: 1000,
  route: { place: 'core' as const, reason: 'test' },
};
export const modelStart: ChatEvent = { type: 'model-start', model: 'gpt', provider: 'test' };
export const usage: ChatEvent = {
  type: 'usage',
  usage: { inputTokens: 3, outputTokens: 4, estimated: false },
};
export const turnEnd: ChatEvent = { type: 'turn-end', finishReason: 'stop' };

/** The turn that a model's events make, numbered from 0. */
export function turnOf(events: readonly ChatEvent[]): NumberedTurnEvent[] {
  const expander = new TurnExpander(turnHead);
  return numbered(events.flatMap((event) => expander.push(event)));
}

/** The same, stopped by its user after these events. */
export function cancelledTurnOf(events: readonly ChatEvent[]): NumberedTurnEvent[] {
  const expander = new TurnExpander(turnHead);
  return numbered([...events.flatMap((event) => expander.push(event)), ...expander.cancel()]);
}

function numbered(events: readonly TurnEvent[]): NumberedTurnEvent[] {
  return events.map((event, seq) => ({ seq, event }));
}

export function resultOf(turn: readonly NumberedTurnEvent[]): TurnResult {
  const result = emptyTurnResult();
  for (const { event } of turn) foldTurnEvent(result, event);
  return result;
}

/** What each event of the turn is on the wire. */
export function encodeAll(wire: Wire, turn: readonly NumberedTurnEvent[]): string[] {
  const encoder = wire.encoder('t1');
  return turn.map((event) => encoder.encode(event));
}

const word = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' });
const delta: fc.Arbitrary<ChatEvent> = fc.oneof(
  word.map((text): ChatEvent => ({ type: 'text-delta', text })),
  word.map((text): ChatEvent => ({ type: 'reasoning-delta', text })),
  word.map((text): ChatEvent => ({ type: 'refusal-delta', text })),
  fc.record({ index: fc.nat({ max: 2 }), arguments: word }).map(
    (call): ChatEvent => ({
      type: 'tool-call-delta',
      id: `c${call.index}`,
      name: `f${call.index}`,
      ...call,
    }),
  ),
);
const end = fc.constantFrom<ChatEvent>(
  turnEnd,
  { type: 'turn-end', finishReason: 'length' },
  { type: 'error', error: new AppError('upstream_cut').toInfo() },
);

/** Any answer of a model, from its start to its end. */
export const anyAnswer: fc.Arbitrary<ChatEvent[]> = fc
  .tuple(fc.array(delta, { maxLength: 12 }), end)
  .map(([deltas, last]) => [modelStart, ...deltas, usage, last]);
