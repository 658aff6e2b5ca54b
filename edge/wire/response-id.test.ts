import { expect, test } from 'vitest';
import { parseResponseId, responseId } from './response-id.ts';

const turnId = '0123456789abcdef0123456789abcdef';

test.each(['s', 'a_b', 'user:1.2-3', 'x'.repeat(128)])(
  'the id of a turn in session "%s" is read back',
  (sessionId) => {
    expect(responseId(turnId, sessionId)).toBe(`resp_${turnId}_${sessionId}`);
    expect(parseResponseId(responseId(turnId, sessionId))).toEqual({ turnId, sessionId });
  },
);

test.each([
  ['nothing', ''],
  ['another prefix', `chatcmpl-${turnId}_s`],
  ['a turn that is too short', `resp_${turnId.slice(1)}_s`],
  ['a turn in capitals', `resp_${turnId.toUpperCase()}_s`],
  ['no session', `resp_${turnId}_`],
  ['a session that is too long', `resp_${turnId}_${'x'.repeat(129)}`],
  ['a slash', `resp_${turnId}_a/b`],
  ['a line break after it', `resp_${turnId}_s\n`],
])('an id with %s is not found', (_name, id) => {
  expect(() => parseResponseId(id)).toThrow(expect.objectContaining({ code: 'response_not_found' }));
});
