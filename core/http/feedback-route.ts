/** `POST /v1/feedback`: up or down, and a word on it. */
import * as v from 'valibot';
import { parseInput } from '../../shared/wire/parse-input.ts';
import type { Feedback } from '../usage/feedback.ts';
import type { CoreHandler } from './core-hono.ts';
import { parseBodyJson } from './parse-body-json.ts';

const MAX_TEXT = 4000;
export const feedbackSchema = v.object({
  /** The turn's id, or an answer's (`chatcmpl-...`, `resp_..._session`). */
  turn_id: v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'), v.maxLength(300)),
  rating: v.picklist(['up', 'down'], 'must be "up" or "down"'),
  text: v.optional(
    v.pipe(v.string('must be a string'), v.maxLength(MAX_TEXT, `must have at most ${MAX_TEXT} characters`)),
  ),
});

export function feedbackRoute({ feedback }: { feedback: Feedback }): CoreHandler {
  return async function giveFeedback(c) {
    const { turn_id: id, rating, text } = parseInput(feedbackSchema, parseBodyJson(c));
    const turnId = id.replace(/^chatcmpl-/, '').replace(/^resp_([^_]+)_.*$/, '$1');
    await feedback.give(c.get('request'), { turnId, rating, text });
    return c.json({ object: 'feedback', turn_id: turnId, rating });
  };
}
