import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../../shared/client/session-connection.ts';
import { createLiveTurn, foldEvent, type LiveTurn, turnIdOf } from './live-turn.ts';

const append: Parameters<typeof foldEvent>[2] = (to, text) => {
  to.value += text;
};
function fold(
  events: [object, number?][],
  turn: LiveTurn = createLiveTurn('resp_t1_s_1', 1000, 5),
): LiveTurn {
  for (const [event, atMs = 0] of events) foldEvent(turn, event as SessionEvent, append, atMs);
  return turn;
}
const response = (fields: object) => ({ type: 'response.completed', response: fields });

test('the id of a response names its turn', () => {
  expect(turnIdOf('resp_t1_s_1')).toBe('t1');
  expect(turnIdOf('plain')).toBe('plain');
});

test('a turn runs, says, and ends with its times', () => {
  const turn = fold([
    [{ type: 'response.created', response: { model: 'auto', metadata: { edgewise_key: 'k' } } }, 1000],
    [{ type: 'response.reasoning_text.delta', delta: 'hm' }, 1100],
    [{ type: 'response.output_text.delta', delta: 'He' }, 1200],
    [{ type: 'response.output_text.delta', delta: 'llo' }, 1300],
  ]);
  expect([turn.state.value, turn.reasoning.value, turn.text.value]).toEqual(['running', 'hm', 'Hello']);
  expect(turn.details.value).toEqual({ model: 'auto', firstWordMs: 200 });
  fold(
    [
      [
        response({
          status: 'completed',
          model: 'gpt',
          output_text: 'Hello.',
          usage: { input_tokens: 3, output_tokens: 4 },
          edgewise: {
            route: { place: 'core', reason: 'long' },
            cache: { outcome: 'miss' },
            fallback: { from: 'big' },
          },
        }),
        2000,
      ],
    ],
    turn,
  );
  expect([turn.state.value, turn.text.value, turn.key]).toEqual(['completed', 'Hello.', 'k']);
  expect(turn.details.value).toEqual({
    model: 'gpt',
    place: 'core',
    reason: 'long',
    cache: 'miss',
    fallbackFrom: 'big',
    inputTokens: 3,
    outputTokens: 4,
    estimated: false,
    firstWordMs: 200,
    totalMs: 1000,
  });
});

test('a refusal is text that can be read', () => {
  expect(fold([[{ type: 'response.refusal.delta', delta: 'I cannot.' }]]).text.value).toBe('I cannot.');
});

test('its sender’s own key is not replaced by the one that comes back', () => {
  const turn = createLiveTurn('resp_t1_s', 0, 0);
  turn.key = 'mine';
  fold(
    [[{ type: 'response.created', response: { metadata: { edgewise_key: 'k', edgewise_again: 't0' } } }]],
    turn,
  );
  expect([turn.key, turn.again]).toEqual(['mine', 't0']);
});

describe('a turn that ends', () => {
  test.each([
    ['completed', 'completed'],
    ['incomplete', 'incomplete'],
    ['cancelled', 'cancelled'],
    ['failed', 'failed'],
    [undefined, 'failed'],
    ['queued', 'failed'],
  ])('with the status %s is %s', (status, state) => {
    expect(fold([[response({ status })]]).state.value).toBe(state);
  });

  test('without a whole text keeps what was said', () => {
    const turn = fold([
      [{ type: 'response.output_text.delta', delta: 'half' }],
      [{ type: 'response.failed', response: { status: 'failed', output_text: '' } }],
    ]);
    expect(turn.text.value).toBe('half');
  });

  test('by an error says our code before OpenAI’s', () => {
    const error = { code: 'server_error', message: 'Broken.' };
    const ours = { code: 'upstream_cut', message: 'Broken.' };
    const failed = (edgewise: object) =>
      fold([[{ type: 'response.failed', response: { status: 'failed', error, edgewise } }]]).error.value;
    expect(failed({ error: ours })).toEqual(ours);
    expect(failed({})).toEqual(error);
  });
});

test('citations stay when a later event has none', () => {
  const annotations = [{ type: 'url_citation', url: 'https://a.test' }];
  const turn = fold([
    [{ type: 'response.output_item.done', item: { content: [{ annotations }] } }],
    [response({ status: 'completed', output: [{ content: [{}] }, {}] })],
  ]);
  expect(turn.annotations.value).toEqual(annotations);
});
