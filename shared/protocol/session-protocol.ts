/**
 * What travels over a session's WebSocket, in the frames of OpenAI's Responses WebSocket: `response.create`
 * in, `response.*` out. One JSON object a message. Whoever is connected sees every turn of the session live,
 * in one order; each event carries `response_id` besides its `sequence_number`, so that a socket that was
 * lost goes on: with `?response_id=...&starting_after=N` in the address it opens, or with `edgewise.resume`.
 *
 * A reader says with `edgewise.ack` how far it is; one that stays too far behind is closed with
 * `closeCodes.tooSlow`, and can come back for the rest. Who never acknowledges is given more room.
 *
 * The text `ping` is answered with `pong`, without waking the session.
 */
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import { parseInput } from '../wire/parse-input.ts';

const sequenceNumber = v.pipe(
  v.number(),
  v.integer('must be an integer'),
  v.minValue(0, 'must be at least 0'),
);

const clientMessage = v.variant('type', [
  /** A turn: the body of `POST /v1/responses`, beside `type` or under `response`. */
  v.looseObject({
    type: v.literal('response.create'),
    response: v.optional(v.record(v.string(), v.unknown())),
  }),
  /** Stops the running turn, or the one with that id. */
  v.looseObject({ type: v.literal('response.cancel'), response_id: v.optional(v.string()) }),
  /** Sends the events of a turn after a number once more, and then its live rest. */
  v.looseObject({
    type: v.literal('edgewise.resume'),
    response_id: v.string(),
    starting_after: v.optional(sequenceNumber),
  }),
  /** The client has a turn's events up to that number, and all that was sent to it before. */
  v.looseObject({
    type: v.literal('edgewise.ack'),
    response_id: v.string(),
    sequence_number: sequenceNumber,
  }),
]);

export type ClientMessage =
  | { type: 'response.create'; body: Record<string, unknown> }
  | { type: 'response.cancel'; responseId: string | undefined }
  | { type: 'edgewise.resume'; responseId: string; after: number }
  | { type: 'edgewise.ack'; responseId: string; seq: number };

/** @throws AppError that names the field */
export function parseClientMessage(text: string): ClientMessage {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_json', { message: 'The message is not valid JSON.', cause });
  }
  const message = parseInput(clientMessage, json);
  if (message.type === 'response.create') {
    const { type, response, ...beside } = message;
    return { type, body: response ?? beside };
  }
  if (message.type === 'response.cancel') return { type: message.type, responseId: message.response_id };
  if (message.type === 'edgewise.ack')
    return { type: message.type, responseId: message.response_id, seq: message.sequence_number };
  return { type: message.type, responseId: message.response_id, after: message.starting_after ?? -1 };
}
